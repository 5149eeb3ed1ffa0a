"""The set-up of a room's camera while it is open: whoever installs the room looks, and the room's agent shows the table.

Only the newest look is kept, in memory, and no longer than somebody looks. It lives on this server alone: page and agent have
to be on the same one. That no session is open in the room, the callers ask each time.
"""

import asyncio
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from etapalvelu.domain.cameras import Mode, Source
from etapalvelu.ports import Board, Clock, room_topic

# Nobody has asked for so long: the page is gone.
UNWATCHED_SECONDS = 10.0
# A question waits this long for the next look.
PATIENCE_SECONDS = 2.0

Figure = Annotated[float, Meta(ge=0, le=1_000_000)]
Name = Annotated[str, Meta(max_length=300)]


class CameraFound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A camera plugged into the room PC, as settings name it and as people know it."""

    source: Source
    name: Name


class TargetRead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the printed test sheet says of the camera: pixels an inch, line pairs a millimetre with half the contrast and the
    finest told apart, the smallest capitals that can be read.
    """

    ppi: Figure
    mtf50: Figure
    line_pairs: Figure
    smallest_text_mm: Figure
    grade: Literal["good", "enough", "poor"]


class CameraLook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One look at the table, as the agent shows it to the set-up named. The picture is a JPEG of all that the camera sees."""

    setup: Name
    camera: Literal["opening", "ok", "lost", "frozen", "black"]
    picture: bytes = b""
    width: Annotated[int, Meta(ge=0, le=100_000)] = 0
    height: Annotated[int, Meta(ge=0, le=100_000)] = 0
    light: Figure = 0.0
    sharpness: Figure = 0.0
    needs_mat: bool = False
    target: TargetRead | None = None
    source: Source = ""
    is_given: bool = False
    sources: Annotated[tuple[CameraFound, ...], Meta(max_length=32)] = ()
    modes: Annotated[tuple[Mode, ...], Meta(max_length=64)] = ()


class CameraSetups:
    """Made once by `app`."""

    def __init__(self, *, board: Board, clock: Clock) -> None:
        self._board = board
        self._clock = clock
        self._open: dict[str, _Setup] = {}

    def wanted(self, room: str) -> str:
        """The name of the room's open set-up; empty when there is none."""
        setup = self._of(room)
        return "" if setup is None else setup.id

    def watch(self, room: str) -> str:
        """Somebody looks: open the room's set-up, or keep it open. Returns its name."""
        now, setup = self._clock(), self._of(room)
        if setup is None:
            setup = self._open[room] = _Setup(now)
            self._board.announce({room_topic(room)})
        setup.watched_at = now
        return setup.id

    def end(self, room: str) -> None:
        """End the room's set-up, if one is open, and forget what was seen."""
        setup = self._open.pop(room, None)
        if setup is not None:
            setup.look = None
            setup.arrived.set()
            self._board.announce({room_topic(room)})

    def show(self, room: str, id: str, look: CameraLook) -> bool:
        """Take the agent's look; False when nobody wants any (more)."""
        setup = self._of(room)
        if setup is None or setup.id != id:
            return False
        setup.look, setup.number = look, setup.number + 1
        setup.arrived.set()
        return True

    async def next(self, room: str, after: int) -> tuple[int, CameraLook | None]:
        """The newest look numbered above `after`, waited for a moment; the number stays when there is none."""
        setup = self._of(room)
        if setup is not None and setup.number <= after:
            setup.arrived.clear()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await setup.arrived.wait()
            except TimeoutError:
                return setup.number, None
        return (0, None) if setup is None else (setup.number, setup.look)

    def _of(self, room: str) -> "_Setup | None":
        setup = self._open.get(room)
        if setup is None:
            return None
        if self._clock() - setup.watched_at > timedelta(seconds=UNWATCHED_SECONDS):
            self.end(room)
            return None
        return setup


class _Setup:
    """One that is open."""

    def __init__(self, now: datetime) -> None:
        self.id = secrets.token_urlsafe(16)
        self.watched_at = now
        self.number = 0
        self.look: CameraLook | None = None
        self.arrived = asyncio.Event()
