"""Both halves of a still's way over the data channel `document`: cut into chunks, put together, within limits. No I/O.

A chunk is 4 bytes still number, 4 bytes chunk index (both big-endian), then payload. `web/static/js/stills.js` is the
browser's half.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from signaling.messages import Code, Seat, Sha256

MAX_STILL_BYTES: Final = 32 * 1024 * 1024
MAX_CHUNK_BYTES: Final = 64 * 1024
HEADER_BYTES: Final = 8
MAX_PAYLOAD_BYTES: Final = MAX_CHUNK_BYTES - HEADER_BYTES
MIN_PAYLOAD_BYTES: Final = 1024
MAX_CHUNKS: Final = MAX_STILL_BYTES // MIN_PAYLOAD_BYTES
# A viewer has this many stills under way at most; the oldest is given up for a newer one.
MAX_UNDER_WAY: Final = 4
MAX_CONTROL_CHARS: Final = 64 * 1024
MAX_MISSING_NAMED: Final = 1024
CAPTURE_SEATS: Final[frozenset[Seat]] = frozenset({"expert", "expert2"})
STATUS_SECONDS: Final = 1.0

Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Number = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Side = Annotated[int, Meta(ge=1, le=65_535)]
CameraState = Literal["ok", "opening", "lost"]

_HEADER = struct.Struct(">II")


class StillError(Exception):
    """Raised for a message or chunk that no honest other side sends; the text says what is wrong."""


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="status"):
    """Heartbeat of the agent. `at` is its clock, RFC 3339 in UTC; width and height when the camera is ok."""

    camera: CameraState
    at: Annotated[str, Meta(max_length=40)]
    width: Side | None = None
    height: Side | None = None


class StillBegin(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_begin"):
    """A still follows in `chunks` chunks; `number` marks them."""

    id: Token
    number: Number
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=MAX_STILL_BYTES)]
    width: Side
    height: Side
    mime: Literal["image/jpeg", "image/png"]
    chunk_size: Annotated[int, Meta(ge=MIN_PAYLOAD_BYTES, le=MAX_PAYLOAD_BYTES)]
    chunks: Annotated[int, Meta(ge=1, le=MAX_CHUNKS)]

    def __post_init__(self) -> None:
        if self.chunks != -(-self.size // self.chunk_size):
            raise ValueError("chunks is not size divided by chunk_size")


class StillEnd(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_end"):
    """Every chunk was sent, or every chunk asked for again."""

    id: Token


class StillFailed(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_failed"):
    """There will be no still: `busy`, `camera_lost`, `not_allowed`, `too_large`."""

    id: Token
    code: Code


class Capture(Struct, frozen=True, kw_only=True, tag_field="type", tag="capture"):
    """Asks for a still; the viewer chooses the id."""

    id: Token


class StillAck(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_ack"):
    """The still is whole and its sha256 is right."""

    id: Token
    sha256: Sha256


class StillMissing(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_missing"):
    """These chunks did not come; the agent sends them again, then still_end."""

    id: Token
    chunks: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_MISSING_NAMED)]


class KeyFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="key_frame"):
    """Asks for a key frame of the live picture now."""


FromAgent = Status | StillBegin | StillEnd | StillFailed
FromViewer = Capture | StillAck | StillMissing | KeyFrame

_Message = TypeVar("_Message", FromAgent, FromViewer)

_agent_decoder: msgspec.json.Decoder[FromAgent] = msgspec.json.Decoder(FromAgent)
_viewer_decoder: msgspec.json.Decoder[FromViewer] = msgspec.json.Decoder(FromViewer)


def encode(message: FromAgent | FromViewer) -> str:
    """The message as the text that goes over the data channel."""
    return msgspec.json.encode(message).decode()


def decode_from_agent(text: str) -> FromAgent:
    """The message an agent sent. Raises StillError."""
    return _decode(_agent_decoder, text)


def decode_from_viewer(text: str) -> FromViewer:
    """The message a viewer sent. Raises StillError."""
    return _decode(_viewer_decoder, text)


def begin(
    *,
    id: str,
    number: int,
    data: bytes,
    width: int,
    height: int,
    mime: Literal["image/jpeg", "image/png"] = "image/jpeg",
    chunk_size: int = MAX_PAYLOAD_BYTES,
) -> StillBegin:
    """The first message of a still. Raises StillError when the picture is empty or too large."""
    if not 1 <= len(data) <= MAX_STILL_BYTES:
        raise StillError(f"a still has 1 to {MAX_STILL_BYTES} bytes")
    return StillBegin(
        id=id,
        number=number,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        width=width,
        height=height,
        mime=mime,
        chunk_size=chunk_size,
        chunks=-(-len(data) // chunk_size),
    )


def cut(still: StillBegin, data: bytes, wanted: Sequence[int] | None = None) -> Iterator[bytes]:
    """The chunks of the still, or those of `wanted` that exist; one at a time, so that a sender can wait."""
    for index in range(still.chunks) if wanted is None else sorted(set(wanted)):
        if 0 <= index < still.chunks:
            payload = data[index * still.chunk_size : (index + 1) * still.chunk_size]
            yield _HEADER.pack(still.number, index) + payload


@dataclass(frozen=True, kw_only=True)
class Still:
    """A whole picture, its sha256 checked."""

    begin: StillBegin
    data: bytes


@dataclass(frozen=True, kw_only=True)
class _UnderWay:
    begin: StillBegin
    parts: dict[int, bytes]


class Joiner:
    """Puts the chunks of one connection's stills together."""

    def __init__(self) -> None:
        self._under_way: dict[int, _UnderWay] = {}

    def begin(self, still: StillBegin) -> None:
        """A still begins; the oldest unfinished one gives way when there are too many."""
        self._under_way.pop(still.number, None)
        self._under_way[still.number] = _UnderWay(begin=still, parts={})
        while len(self._under_way) > MAX_UNDER_WAY:
            del self._under_way[next(iter(self._under_way))]

    def chunk(self, data: bytes) -> None:
        """A chunk arrived; one of a still given up is passed over. Raises StillError."""
        if len(data) <= HEADER_BYTES:
            raise StillError("a chunk has a header and a payload")
        number, index = _HEADER.unpack_from(data)
        under_way = self._under_way.get(number)
        if under_way is None:
            return
        still = under_way.begin
        if index >= still.chunks:
            raise StillError("a chunk's index is beyond the still")
        if len(data) - HEADER_BYTES != min(still.chunk_size, still.size - index * still.chunk_size):
            raise StillError("a chunk has not the size that was announced")
        under_way.parts[index] = data[HEADER_BYTES:]

    def end(self, id: str) -> Still | StillMissing | None:
        """The whole still, or what to ask for again; None for a still that is not under way.

        When every chunk came and the sha256 is wrong, all are asked for again. The still is forgotten once whole.
        """
        under_way = next((other for other in self._under_way.values() if other.begin.id == id), None)
        if under_way is None:
            return None
        still, parts = under_way.begin, under_way.parts
        missing = [index for index in range(still.chunks) if index not in parts]
        if missing:
            return StillMissing(id=id, chunks=tuple(missing[:MAX_MISSING_NAMED]))
        data = b"".join(parts[index] for index in range(still.chunks))
        if hashlib.sha256(data).hexdigest() != still.sha256:
            parts.clear()
            return StillMissing(id=id, chunks=tuple(range(min(still.chunks, MAX_MISSING_NAMED))))
        del self._under_way[still.number]
        return Still(begin=still, data=data)

    def forget(self, id: str) -> None:
        """The still failed or was given up."""
        self._under_way = {number: other for number, other in self._under_way.items() if other.begin.id != id}


def ack(still: Still) -> StillAck:
    """What the viewer answers a whole still with."""
    return StillAck(id=still.begin.id, sha256=still.begin.sha256)


def _decode(decoder: msgspec.json.Decoder[_Message], text: str) -> _Message:
    if len(text) > MAX_CONTROL_CHARS:
        raise StillError("a message is too long")
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise StillError(str(error)) from None
