"""The wire messages of `etapalvelu.call.v1`, one frozen class each; FromPeer and FromServer are the two unions.

`decode_from_peer` is the only place that sees what a peer really wrote: unknown types and fields are refused there.
"""

import re
from typing import Annotated, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from signaling.errors import PeerError
from signaling.sdp import candidate_fault, description_fault

SUBPROTOCOL: Final = "etapalvelu.call.v1"
MAX_MESSAGE_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 4
MAX_STATS: Final = 64

Seat = Literal["room", "camera", "expert", "expert2", "advisor", "interpreter"]
SEATS: Final[tuple[Seat, ...]] = get_args(Seat)
# Screen and camera stand in one room: their pair is direct even when the call is relay-only.
ROOM_SEATS: Final[frozenset[Seat]] = frozenset({"room", "camera"})

Generation = Annotated[int, Meta(ge=1, le=1_000_000)]
Epoch = Annotated[int, Meta(ge=1)]
Milliseconds = Annotated[int, Meta(ge=0, le=24 * 3600 * 1000)]
Code = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
SignedText = Annotated[str, Meta(min_length=1, max_length=2048)]
Number = Annotated[float, Meta(ge=-1e15, le=1e15)]
ShortText = Annotated[str, Meta(max_length=32)]
StatsType = Literal[
    "inbound-rtp", "outbound-rtp", "remote-inbound-rtp", "remote-outbound-rtp", "candidate-pair", "local-candidate",
    "remote-candidate", "transport", "media-source", "data-channel", "codec",
]  # fmt: skip


class SessionDescription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """RTCSessionDescriptionInit, offer or answer."""

    type: Literal["offer", "answer"]
    sdp: str

    def __post_init__(self) -> None:
        fault = description_fault(self.sdp)
        if fault is not None:
            raise ValueError(fault)


class IceCandidate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """RTCIceCandidateInit."""

    candidate: str = ""
    sdp_mid: ShortText | None = None
    sdp_m_line_index: Annotated[int, Meta(ge=0, le=255)] | None = msgspec.field(default=None, name="sdpMLineIndex")
    username_fragment: Annotated[str, Meta(max_length=256)] | None = None

    def __post_init__(self) -> None:
        fault = candidate_fault(self.candidate)
        if fault is not None:
            raise ValueError(fault)


class Stats(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """One flat object of a getStats() report under its W3C names; no id, no address, no label of a device."""

    type: StatsType
    kind: Literal["audio", "video"] | None = None
    mid: ShortText | None = None
    candidate_type: Literal["host", "srflx", "prflx", "relay"] | None = None
    relay_protocol: Literal["udp", "tcp", "tls"] | None = None
    quality_limitation_reason: Literal["none", "cpu", "bandwidth", "other"] | None = None
    frames_per_second: Number | None = None
    frames_decoded: Number | None = None
    frames_encoded: Number | None = None
    frames_received: Number | None = None
    frames_sent: Number | None = None
    frames_dropped: Number | None = None
    key_frames_decoded: Number | None = None
    key_frames_encoded: Number | None = None
    frame_width: Number | None = None
    frame_height: Number | None = None
    freeze_count: Number | None = None
    total_freezes_duration: Number | None = None
    packets_lost: Number | None = None
    packets_received: Number | None = None
    packets_sent: Number | None = None
    bytes_received: Number | None = None
    bytes_sent: Number | None = None
    retransmitted_packets_sent: Number | None = None
    nack_count: Number | None = None
    pli_count: Number | None = None
    fir_count: Number | None = None
    jitter: Number | None = None
    fraction_lost: Number | None = None
    round_trip_time: Number | None = None
    current_round_trip_time: Number | None = None
    total_round_trip_time: Number | None = None
    available_outgoing_bitrate: Number | None = None
    available_incoming_bitrate: Number | None = None
    target_bitrate: Number | None = None
    jitter_buffer_delay: Number | None = None
    jitter_buffer_emitted_count: Number | None = None
    concealed_samples: Number | None = None
    total_samples_received: Number | None = None
    audio_level: Number | None = None


class Decoded(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="decoded"):
    """A first frame and sound of this generation from `peer` were decoded; `srflx` includes prflx."""

    peer: Seat
    generation: Generation
    path: Literal["host", "srflx", "relay"]
    setup_ms: Milliseconds


class StillTaken(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="still_taken"
):
    """A still was taken; `size` is its bytes, `verdict` the agent's code for the page in it. Never the picture.

    `raw_sha256` is that of the camera's whole picture, where the still is the page that was made from it.
    """

    sha256: Sha256
    size: Annotated[int, Meta(ge=1)]
    width: Annotated[int, Meta(ge=1, le=65_535)]
    height: Annotated[int, Meta(ge=1, le=65_535)]
    verdict: Code
    raw_sha256: Sha256 | None = None


class MediaInterrupted(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="interrupted"
):
    """Media from `peer` stopped `since_ms` ago. `relay_protocol`: how a relay answered the teller since then, `tcp` where by
    TCP or TLS only, None when none was asked.
    """

    peer: Seat
    cause: Code
    since_ms: Milliseconds
    relay_protocol: Literal["udp", "tcp", "none"] | None = None


class MediaResumed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="resumed"):
    """Media from `peer` came back after `gap_ms`."""

    peer: Seat
    gap_ms: Milliseconds


class LineSecured(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="secured"):
    """The line to `peer` is encrypted between these certificates: SHA-256 of our own, and of the one that was met there."""

    peer: Seat
    generation: Generation
    own: Sha256
    met: Sha256


Note = Decoded | StillTaken | MediaInterrupted | MediaResumed | LineSecured


class Hello(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type", tag="hello"):
    """First message: a fresh ticket, or the resume token of the last welcome; never both.

    `answered`: the generation of the offer in advance that was answered before; see Description.
    """

    ticket: SignedText | None = None
    resume: SignedText | None = None
    answered: Generation | None = None

    def __post_init__(self) -> None:
        if (self.ticket is None) == (self.resume is None):
            raise ValueError("hello needs either ticket or resume")


class Description(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="type", tag="description"
):
    """An offer or answer for the seat `to`.

    `in_advance`: whoever may come to sit there may answer before sitting down. Nothing is sent over that connection, and
    nothing that comes over it is believed, before `seat_joined` tells this generation as `answered`.
    """

    to: Seat
    generation: Generation
    description: SessionDescription
    in_advance: bool = False


class Candidate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="candidate"):
    """An ICE candidate for the seat `to`; null when there are no more."""

    to: Seat
    generation: Generation
    candidate: IceCandidate | None


class Restart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="restart"):
    """Asks the offering side to begin a new generation; `generation` is the one that failed."""

    to: Seat
    generation: Generation


class Quality(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="quality"):
    """A summary of the line to `peer`, every ten seconds."""

    peer: Seat
    generation: Generation
    stats: Annotated[tuple[Stats, ...], Meta(max_length=MAX_STATS)]


class Noted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="noted"):
    """Something for the log."""

    note: Note


class Bye(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="bye"):
    """The seat is given up for good. A page that is only reloaded does not send it."""


FromPeer = Hello | Description | Candidate | Restart | Quality | Noted | Bye


class Present(Struct, frozen=True, kw_only=True):
    """A seat that somebody else has taken."""

    seat: Seat
    epoch: Epoch


class Welcome(Struct, frozen=True, kw_only=True, tag_field="type", tag="welcome"):
    """Answer to hello; nothing is relayed before it. `present` are the other taken seats."""

    seat: Seat
    epoch: Epoch
    present: tuple[Present, ...]
    heartbeat_seconds: float
    resume: SignedText


class SeatJoined(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="seat_joined"):
    """A seat was taken; an epoch other than the known one means a new peer: begin anew with it.

    `answered`: the generation of your offer in advance that this very peer has answered.
    """

    seat: Seat
    epoch: Epoch
    answered: Generation | None = None


class SeatPromised(Struct, frozen=True, kw_only=True, tag_field="type", tag="seat_promised"):
    """Whoever answered this offer of yours in advance has been given the seat and is about to sit down: begin."""

    seat: Seat
    answered: Generation


class SeatLeft(Struct, frozen=True, kw_only=True, tag_field="type", tag="seat_left"):
    """A seat was given up for good: `bye`, `lost`, `replaced`, or a code of the service."""

    seat: Seat
    reason: Code


class DescriptionFrom(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="description"):
    """The description another seat sent."""

    from_: Seat = msgspec.field(name="from")
    generation: Generation
    description: SessionDescription
    in_advance: bool = False


class CandidateFrom(Struct, frozen=True, kw_only=True, tag_field="type", tag="candidate"):
    """The candidate another seat sent."""

    from_: Seat = msgspec.field(name="from")
    generation: Generation
    candidate: IceCandidate | None


class RestartFrom(Struct, frozen=True, kw_only=True, tag_field="type", tag="restart"):
    """Another seat asks for a new generation."""

    from_: Seat = msgspec.field(name="from")
    generation: Generation


class CallClosed(Struct, frozen=True, kw_only=True, tag_field="type", tag="call_closed"):
    """The call is over for everybody; the socket is closed after it."""

    reason: Code


class Error(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="error"):
    """The last message before the server closes the socket for a fault or a refusal.

    `retry_after`: in how many seconds to come back, from a server that goes down or was asked too much.
    """

    code: Code
    text: str
    retry_after: int | None = None


FromServer = Welcome | SeatJoined | SeatPromised | SeatLeft | DescriptionFrom | CandidateFrom | RestartFrom | CallClosed | Error
# What others have sent for a seat that nobody has taken yet.
Waiting = DescriptionFrom | CandidateFrom  # fmt: skip


class _Kind(Struct):
    type: str


_FROM_PEER_TYPES = frozenset({"hello", "description", "candidate", "restart", "quality", "noted", "bye"})
_FROM_SERVER_TYPES = frozenset(
    {"welcome", "seat_joined", "seat_promised", "seat_left", "description", "candidate", "restart", "call_closed", "error"}
)
# The closing quote is optional, so that a text full of opening quotes is still read once.
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")
_peer_decoder: msgspec.json.Decoder[FromPeer] = msgspec.json.Decoder(FromPeer)
_server_decoder: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)
_kind_decoder = msgspec.json.Decoder(_Kind)


def encode(message: FromPeer | FromServer) -> str:
    """The message as the JSON text that goes on the wire."""
    return msgspec.json.encode(message).decode()


def decode_from_peer(text: str) -> FromPeer:
    """The message a peer sent. Raises PeerError with the code and what is wrong."""
    data = text.encode()
    if len(data) > MAX_MESSAGE_BYTES:
        raise PeerError("too_big", f"a message is at most {MAX_MESSAGE_BYTES} bytes")
    if _depth(data) > MAX_DEPTH:
        raise PeerError("too_deep", f"a message nests at most {MAX_DEPTH} levels")
    try:
        return _peer_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        kind = _kind(data)
        if kind is not None and kind not in _FROM_PEER_TYPES:
            raise PeerError("unknown_type", "no message of this type is known; see docs/protocol.md") from None
        raise PeerError("bad_message", str(error)) from None


def decode_from_server(text: str) -> FromServer | None:
    """The message a server sent; None for a type of a later version. Raises PeerError when it is malformed."""
    data = text.encode()
    try:
        return _server_decoder.decode(data)
    except msgspec.DecodeError as error:
        kind = _kind(data)
        if kind is not None and kind not in _FROM_SERVER_TYPES:
            return None
        raise PeerError("bad_message", str(error)) from None


def _kind(data: bytes) -> str | None:
    try:
        return _kind_decoder.decode(data).type
    except msgspec.DecodeError:
        return None


def _depth(data: bytes) -> int:
    # Counted before decoding, so that no parser has to recurse into a hostile message.
    depth = deepest = 0
    for bracket in _BRACKET.finditer(_STRING.sub(b"", data)):
        depth += 1 if bracket[0] in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
