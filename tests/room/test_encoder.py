"""Fails when aiortc changes what etapalvelu.room.encoder reaches into."""

import asyncio
import time
from fractions import Fraction

import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpCodecParameters, RTCRtpSender, RTCSessionDescription
from aiortc.codecs import vpx
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
)
from aiortc.sdp import SessionDescription
from av import VideoFrame
from av.video.frame import PictureType

from etapalvelu.room.camera import Camera
from etapalvelu.room.encoder import (
    CEILING_BITS_PER_SECOND,
    agreed_codec,
    ask_key_frame,
    hear_key_frame_requests,
    offered_codecs,
    raise_ceiling,
    send_through,
)
from etapalvelu.room.line import Line
from etapalvelu.room.pacer import HASTE, Pacer
from etapalvelu.room.rate import Reading
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import DocumentTrack, LiveView
from tests.room.cameras import until

H264 = RTCRtpCodecParameters(mimeType="video/H264", clockRate=90_000, payloadType=99)
VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=97)


def test_the_constants_are_those_the_ceiling_was_measured_against() -> None:
    assert (vpx.MIN_BITRATE, vpx.DEFAULT_BITRATE) == (250_000, 500_000)


def test_vp8_starts_low_and_may_rise_to_the_ceiling() -> None:
    raise_ceiling()
    encoder = vpx.Vp8Encoder()

    start = encoder.target_bitrate
    encoder.target_bitrate = 10_000_000

    assert (start, encoder.target_bitrate) == (500_000, CEILING_BITS_PER_SECOND)


async def test_a_key_frame_asked_for_is_the_next_frame_only() -> None:
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    track = DocumentTrack(DocumentStream(LiveView(camera)), Line())
    track.agree("VP8")
    sender = connection.addTrack(track)

    first = await is_key_frame(sender)
    second = await is_key_frame(sender)
    ask_key_frame(sender)
    third = await is_key_frame(sender)
    fourth = await is_key_frame(sender)
    await connection.close()
    await camera.stop()

    assert [first, second, third, fourth] == [True, False, True, False]


async def test_a_receivers_request_for_a_key_frame_is_heard() -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("video", direction="sendonly").sender
    asked: list[str] = []
    hear_key_frame_requests(sender, lambda: asked.append("key frame"))

    for fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR, RTCP_PSFB_APP):
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=sender._ssrc))
    ask_key_frame(sender)
    await connection.close()

    assert asked == ["key frame"] * 3


async def test_what_is_sent_and_repeated_goes_through_the_outlet() -> None:
    """RTP of the picture waits for its turn, and only what may be repeated is; RTCP and repeated packets wait for nothing."""
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("video", direction="sendonly").sender
    line = Line(60_000)
    line.take(Reading(at=1.0, round_trip=0.02, loss=0.0, bits_per_second=60_000))
    sent: list[bytes] = []
    repeated: list[int] = []

    async def keep(data: bytes) -> None:
        sent.append(data)

    async def repeat(sequence_number: int) -> None:
        repeated.append(sequence_number)
        await sender.transport._send_rtp(rtp(sender._rtx_ssrc, sequence_number))

    sender.transport._send_rtp = keep  # type: ignore[method-assign]
    sender._retransmit = repeat  # type: ignore[method-assign]
    send_through(sender, Pacer(line))
    began = time.monotonic()
    for number in (7, 8, 9):
        await sender.transport._send_rtp(rtp(sender._ssrc, number))
    took = time.monotonic() - began
    await sender._handle_rtcp_packet(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=sender._ssrc, lost=[8, 8, 3]))
    report = bytes(RtcpRrPacket(ssrc=1))
    await sender.transport._send_rtp(report)
    await connection.close()

    assert took > 2 * 8 * 1_000 / (HASTE * line.bits_per_second) - 0.01
    assert repeated == [8]
    assert sent == [*(rtp(sender._ssrc, number) for number in (7, 8, 9)), rtp(sender._rtx_ssrc, 8), report]


def rtp(ssrc: int, number: int) -> bytes:
    packet = RtpPacket(payload_type=99, sequence_number=number, ssrc=ssrc, payload=bytes(988))
    return packet.serialize()


async def test_packets_are_sent_as_they_are() -> None:
    """What the track hands out is cut into payloads and not encoded again."""
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    stream = DocumentStream(LiveView(camera))
    track = DocumentTrack(stream, Line())
    track.agree("H264")
    sender = connection.addTrack(track)
    beside = stream.join(Line())

    packet, encoded = await asyncio.gather(beside.next(), sender._next_encoded_frame(H264))
    await connection.close()
    stream.close()
    await camera.stop()

    assert packet is not None
    assert encoded is not None
    data = b"".join(h264_depayload(payload) for payload in encoded.payloads)
    assert data.replace(b"\0\0\0\1", b"\0\0\1") == bytes(packet).replace(b"\0\0\0\1", b"\0\0\1")
    assert max(len(payload) for payload in encoded.payloads) <= 1300
    assert encoded.timestamp == packet.pts


@pytest.mark.parametrize(
    ("known", "agreed"),
    [(("video/H264", "video/VP8"), "H264"), (("video/VP8", "video/H264"), "H264"), (("video/VP8",), "VP8")],
)
async def test_what_the_answer_leaves_of_the_offer_is_agreed(loopback: None, known: tuple[str, ...], agreed: str) -> None:
    ours, theirs = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    transceiver = ours.addTransceiver("video", direction="sendonly")
    transceiver.setCodecPreferences(offered_codecs())
    before = agreed_codec(transceiver)
    await ours.setLocalDescription(await ours.createOffer())
    await theirs.setRemoteDescription(ours.localDescription)
    await theirs.setLocalDescription(await theirs.createAnswer())
    answer = SessionDescription.parse(theirs.localDescription.sdp)
    answer.media[0].rtp.codecs = [codec for mime in known for codec in answer.media[0].rtp.codecs if codec.mimeType == mime]
    answer.media[0].fmt = [codec.payloadType for codec in answer.media[0].rtp.codecs]
    await ours.setRemoteDescription(RTCSessionDescription(sdp=str(answer), type="answer"))
    after = agreed_codec(transceiver)
    await until(lambda: ours.connectionState == theirs.connectionState == "connected")

    assert (before, after) == (None, agreed)

    await ours.close()
    await theirs.close()


async def is_key_frame(sender: RTCRtpSender) -> bool:
    encoded = await sender._next_encoded_frame(VP8)
    assert encoded is not None
    # RFC 6386, 9.1: the lowest bit of a key frame is 0.
    return vpx.vp8_depayload(encoded.payloads[0])[0] & 1 == 0


def test_the_same_frame_object_twice_would_stay_a_key_frame() -> None:
    """Why every frame sent is an object of its own: the encoder writes the kind of picture into it."""
    frame = VideoFrame.from_ndarray(np.zeros((72, 64), np.uint8), format="yuv420p")
    frame.pts, frame.time_base = 0, Fraction(1, 90_000)
    vpx.Vp8Encoder().encode(frame, force_keyframe=True)

    assert frame.pict_type == PictureType.I
