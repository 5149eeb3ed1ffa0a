"""Both halves of a still's way over the data channel `document`: cut into chunks, put together, within limits. No I/O.

A chunk is 4 bytes still number, 4 bytes chunk index (both big-endian), then payload. `web/static/js/stills.js` is the
browser's half.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from signaling.document import (
    HEADER_BYTES,
    MAX_MISSING_NAMED,
    MAX_PAYLOAD_BYTES,
    MAX_STILL_BYTES,
    Corners,
    DocumentError,
    PageVerdict,
    Part,
    StillAck,
    StillBegin,
    StillMissing,
)

# A viewer has this many stills under way at most; the oldest is given up for a newer one.
MAX_UNDER_WAY: Final = 4

_HEADER = struct.Struct(">II")


def begin(
    *,
    id: str,
    number: int,
    data: bytes,
    width: int,
    height: int,
    capture: str | None = None,
    part: Part = "raw",
    page: int = 0,
    verdict: PageVerdict | None = None,
    corners: Corners | None = None,
    ppi: int | None = None,
    turn: Literal[0, 90, 180, 270] = 0,
    mime: Literal["image/jpeg", "image/png"] = "image/jpeg",
    chunk_size: int = MAX_PAYLOAD_BYTES,
) -> StillBegin:
    """The first message of a picture; without `capture` it is the first one of the asking `id`.

    Raises DocumentError when the picture is empty or too large.
    """
    if not 1 <= len(data) <= MAX_STILL_BYTES:
        raise DocumentError(f"a still has 1 to {MAX_STILL_BYTES} bytes")
    return StillBegin(
        id=id,
        capture=capture or id,
        part=part,
        page=page,
        verdict=verdict,
        corners=corners,
        ppi=ppi,
        turn=turn,
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
        """A still begins, or goes on over a new connection with what came before; the oldest unfinished one gives way."""
        known = next((other for other in self._under_way.values() if other.begin.id == still.id), None)
        is_same = known is not None and (known.begin.sha256, known.begin.chunk_size) == (still.sha256, still.chunk_size)
        parts = known.parts if known is not None and is_same else {}
        self.forget(still.id)
        self._under_way.pop(still.number, None)
        self._under_way[still.number] = _UnderWay(begin=still, parts=parts)
        while len(self._under_way) > MAX_UNDER_WAY:
            del self._under_way[next(iter(self._under_way))]

    def chunk(self, data: bytes) -> None:
        """A chunk arrived; one of a still given up is passed over. Raises DocumentError."""
        if len(data) <= HEADER_BYTES:
            raise DocumentError("a chunk has a header and a payload")
        number, index = _HEADER.unpack_from(data)
        under_way = self._under_way.get(number)
        if under_way is None:
            return
        still = under_way.begin
        if index >= still.chunks:
            raise DocumentError("a chunk's index is beyond the still")
        if len(data) - HEADER_BYTES != min(still.chunk_size, still.size - index * still.chunk_size):
            raise DocumentError("a chunk has not the size that was announced")
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
