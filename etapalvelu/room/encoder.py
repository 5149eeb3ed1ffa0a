"""What is reached into inside aiortc: the one place that knows its private parts. A test fails when they change."""

import asyncio
from collections.abc import Callable
from typing import Final, Literal

from aiortc import RTCRtpCodecCapability, RTCRtpSender, RTCRtpTransceiver
from aiortc.codecs import vpx
from aiortc.rtp import is_rtcp

from etapalvelu.room.pacer import Pacer

Codec = Literal["H264", "VP8"]

# Only the ceiling is raised. A higher start (DEFAULT_BITRATE) chokes thin lines: 1 frame a second and 2 s late at 800 kbit/s.
CEILING_BITS_PER_SECOND: Final = 3_000_000

_WANTED: Final = ("video/H264", "video/VP8", "video/rtx")
_PROFILE: Final = "profile-level-id"
# Constrained Baseline is what is sent. The level there is less than 1080p needs; receivers look at the picture's own.
_OUR_PROFILE: Final = "42e01f"
# Where a packet's sequence number and source stand: RFC 3550, 5.1.
_NUMBER: Final = slice(2, 4)
_SOURCE: Final = slice(8, 12)


def raise_ceiling() -> None:
    """Let VP8 follow the receiver's estimate up to what small print needs; for all connections of this process."""
    vpx.MAX_BITRATE = CEILING_BITS_PER_SECOND


def offered_codecs() -> list[RTCRtpCodecCapability]:
    """H264 first, since one encoder serves all viewers of it; VP8 for those who know no other; both with retransmission."""
    offered = [codec for codec in RTCRtpSender.getCapabilities("video").codecs if codec.mimeType in _WANTED]
    return sorted(offered, key=lambda codec: (_WANTED.index(codec.mimeType), codec.parameters.get(_PROFILE) != _OUR_PROFILE))


def agreed_codec(transceiver: RTCRtpTransceiver) -> Codec | None:
    """What will be sent, once the answer is there; None when the answer left none of ours."""
    for codec in transceiver._codecs:
        match codec.mimeType:
            case "video/H264":
                return "H264"
            case "video/VP8":
                return "VP8"
            case _:
                pass
    return None


def ask_key_frame(sender: RTCRtpSender) -> None:
    """Make the sender's next frame a key frame, as a picture loss indication would."""
    sender._send_keyframe()


def hear_key_frame_requests(sender: RTCRtpSender, asked: Callable[[], None]) -> None:
    """Call `asked` for each picture loss indication: aiortc itself hears none when it is handed packets."""
    sender._send_keyframe = asked  # type: ignore[method-assign]


def send_through(sender: RTCRtpSender, pacer: Pacer) -> None:
    """Let `pacer` say when a packet goes and whether a lost one is repeated: aiortc sends and repeats all at once."""
    transport, repeat = sender.transport, sender._retransmit
    send = transport._send_rtp

    async def in_time(data: bytes) -> None:
        if not is_rtcp(data) and int.from_bytes(data[_SOURCE]) == sender._ssrc:
            wait = pacer.schedule(int.from_bytes(data[_NUMBER]), len(data))
            if wait:
                await asyncio.sleep(wait)
        await send(data)

    async def unless_refused(sequence_number: int) -> None:
        if pacer.allow_repeat(sequence_number):
            await repeat(sequence_number)

    transport._send_rtp = in_time  # type: ignore[method-assign]
    sender._retransmit = unless_refused  # type: ignore[method-assign]


def is_relayed(transceiver: RTCRtpTransceiver) -> bool:
    """Whether what the transceiver sends leaves this machine through a relay."""
    pairs = transceiver.sender.transport.transport.iceGatherer._connection._nominated.values()
    return any(pair.local_candidate.type == "relay" for pair in pairs)
