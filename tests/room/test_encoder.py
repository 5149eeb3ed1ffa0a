"""Fails when aiortc changes what etapalvelu.room.encoder reaches into."""

from fractions import Fraction

import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpCodecParameters, RTCRtpSender
from aiortc.codecs import vpx
from av import VideoFrame
from av.video.frame import PictureType

from etapalvelu.room.camera import Camera
from etapalvelu.room.encoder import CEILING_BITS_PER_SECOND, ask_key_frame, raise_ceiling
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.track import DocumentTrack, LiveView

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
    sender = connection.addTrack(DocumentTrack(LiveView(camera)))

    first = await is_key_frame(sender)
    second = await is_key_frame(sender)
    ask_key_frame(sender)
    third = await is_key_frame(sender)
    fourth = await is_key_frame(sender)
    await connection.close()
    await camera.stop()

    assert [first, second, third, fourth] == [True, False, True, False]


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
