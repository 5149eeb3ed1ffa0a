"""Who asks for stills and gets them over lines that break, and the table they are taken of."""

import asyncio

from etapalvelu.room.shot import Quad
from etapalvelu.room.still import ChannelClosedError, Stills
from signaling.document import (
    FromAgent,
    StillBegin,
    StillEnd,
    StillFailed,
    decode_from_agent,
    encode,
)
from signaling.messages import Seat
from signaling.stills import Joiner, Still, ack
from tests.room.test_shot import SHEET


class Viewer:
    """Who gets the stills: joins what comes over its lines and answers, unless it is told to be silent."""

    def __init__(self, stills: Stills, seat: Seat = "expert") -> None:
        self.seat: Seat = seat
        self.stills = stills
        self.told: list[FromAgent] = []
        self.got: list[Still] = []
        self.chunks = 0
        self.loses: set[int] = set()
        self.answers = True
        self.passes_over: set[str] = set()
        self.joiner = Joiner()

    def line(self) -> "Line":
        line = Line(self)
        self.stills.opened(line)
        return line

    def hear(self, message: FromAgent) -> None:
        self.told.append(message)
        if isinstance(message, StillBegin):
            self.joiner.begin(message)
        if isinstance(message, StillEnd) and self.answers and message.id not in self.passes_over:
            self._end(message.id)

    def take(self, chunk: bytes) -> None:
        index = self.chunks
        self.chunks += 1
        if index not in self.loses:
            self.joiner.chunk(chunk)

    def _end(self, id: str) -> None:
        result = self.joiner.end(id)
        if isinstance(result, Still):
            self.got.append(result)
            self.stills.heard(self.seat, ack(result))
        elif result is not None:
            self.stills.heard(self.seat, result)

    @property
    def failures(self) -> list[StillFailed]:
        return [message for message in self.told if isinstance(message, StillFailed)]

    def ends(self) -> int:
        return sum(isinstance(message, StillEnd) for message in self.told)


class Line:
    """One data channel to a viewer; it breaks after so many chunks."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.seat = viewer.seat
        self.is_open = True
        self.has_successor = False
        self.breaks_after: int | None = None

    def send(self, message: FromAgent) -> None:
        if self.is_open:
            self.viewer.hear(decode_from_agent(encode(message)))

    async def send_chunk(self, chunk: bytes) -> None:
        await asyncio.sleep(0)
        if self.breaks_after == 0:
            self.close()
        if not self.is_open or self.has_successor:
            raise ChannelClosedError("the channel closed, or has a successor")
        if self.breaks_after is not None:
            self.breaks_after -= 1
        self.viewer.take(chunk)

    def end_chunks(self) -> None:
        self.has_successor = True

    def close(self) -> None:
        self.is_open = False
        self.viewer.stills.closed(self)


class Table:
    """What is known of the sheet: where it lies, and when it is calm."""

    def __init__(self) -> None:
        self.is_calm = asyncio.Event()
        self.waited: list[float] = []

    async def calm(self, timeout: float) -> bool:
        self.waited.append(timeout)
        return await self.is_calm.wait()

    def sighting(self) -> tuple[int, Quad | None]:
        return 3, SHEET
