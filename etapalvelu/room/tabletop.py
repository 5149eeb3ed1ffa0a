"""The table in one call, as all its viewers are told of it: where the sheet is, what is shown of it, what is marked on it.

Everything is told as a whole state, so whoever comes late or missed something knows as much as the others a moment later.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import numpy as np

from etapalvelu.room.camera import Camera
from etapalvelu.room.eye import Sighting, Vision
from etapalvelu.room.follower import Corners
from etapalvelu.room.marks import SheetMarks
from etapalvelu.room.view import SheetView
from etapalvelu.room.watch import HUSH_SECONDS, PageWatch
from signaling import document
from signaling.document import (
    CAPTURE_SEATS,
    AddMark,
    FromAgent,
    MarkClear,
    MarkUndo,
    Page,
    PointAt,
    PointEnd,
    Refused,
    SetView,
)
from signaling.messages import ROOM_SEATS, Seat

# From look to look the sheet is told of when something changed, and at least about once a second.
LONGEST_SILENCE_SECONDS: Final = 0.85
MARKS_SECONDS: Final = 0.05
# Marks are told as often as this rate allows, so that a moving pointer leaves room for the picture.
MARKS_BYTES_PER_SECOND: Final = 30_000
_BYTES_A_POINT: Final = 17
_MOVED_SHARE: Final = 0.0012
_CORNER_DECIMALS: Final = 5

Wish = SetView | PointAt | PointEnd | AddMark | MarkUndo | MarkClear


class Outlet(Protocol):
    """One viewer's data channel."""

    @property
    def seat(self) -> Seat: ...

    @property
    def has_room(self) -> bool:
        """What is sent now goes out soon."""
        ...

    def send(self, message: FromAgent) -> None: ...


@dataclass
class _Viewer:
    """What one viewer was told."""

    outlet: Outlet
    page: Page | None = None
    told_at: float = 0.0
    is_owed_marks: bool = True


class Tabletop:
    """Watches while at least one viewer is there. Belongs to the event loop."""

    def __init__(
        self, camera: Camera, *, vision: Vision, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.watch = PageWatch(camera, vision, clock=clock)
        self.view = SheetView(offer=self.watch.offer, clock=clock)
        self._camera = camera
        self._now = now
        self._clock = clock
        self._marks = SheetMarks()
        self._viewers: list[_Viewer] = []
        self._marks_due = 0.0
        self._marks_timer: asyncio.TimerHandle | None = None
        self.watch.listen(self._seen)
        self._pace()

    def joined(self, outlet: Outlet) -> None:
        """A viewer looks from now on, and is told how things stand."""
        self.watch.hush(HUSH_SECONDS)
        self._viewers.append(_Viewer(outlet))
        self._pace()
        self.watch.start()
        self._tell_page(self.watch.last)
        self._tell_marks()

    def left(self, outlet: Outlet) -> None:
        """A viewer looks no more; with the last one everything is forgotten."""
        self._viewers = [viewer for viewer in self._viewers if viewer.outlet is not outlet]
        self._pace()
        if not self._viewers:
            self.watch.stop()
            self.view.forget()
            self._marks.turn_to(0, self._clock())
            self._stop_timer()

    def _pace(self) -> None:
        self.watch.is_alone = all(viewer.outlet.seat in ROOM_SEATS for viewer in self._viewers)

    def receive(self, outlet: Outlet, wish: Wish) -> None:
        """Do what a viewer asks, or tell it why not."""
        refusal = self._do(wish) if outlet.seat in CAPTURE_SEATS else "not_allowed"
        if refusal is not None:
            outlet.send(Refused(what=document.tag_of(wish), code=refusal))

    def _do(self, wish: Wish) -> str | None:
        refusal = None
        match wish:
            case SetView():
                self.view.choose(wish.view, wish.turn)
                self._seen(self.watch.last)
                return None
            case PointAt():
                refusal = self._marks.point(wish)
            case AddMark():
                refusal = self._marks.add(wish)
            case PointEnd():
                self._marks.point_end()
            case MarkUndo():
                self._marks.undo()
            case MarkClear():
                self._marks.clear()
        if refusal is None:
            self._owe_marks()
        return refusal

    # Where the sheet is.

    def _seen(self, sighting: Sighting) -> None:
        status = self._camera.status
        self.view.see(sighting, (status.width, status.height))
        self._tell_page(sighting)
        if self._marks.turn_to(sighting.page, self._clock()):
            self._owe_marks()
        elif any(viewer.is_owed_marks for viewer in self._viewers):
            self._tell_marks_soon()

    def _tell_page(self, sighting: Sighting) -> None:
        now = self._clock()
        message = Page(
            page=sighting.page,
            at=self._wall_time(sighting.at, now),
            view=self.view.shown,
            corners=_told(self.view.corners_sent(sighting)),
            hint=sighting.hint,
            calm=sighting.is_calm,
            ppi=sighting.ppi,
        )
        for viewer in self._viewers:
            silence = now - viewer.told_at
            has_changed = viewer.page is None or (viewer.outlet.has_room and _differ(viewer.page, message))
            if has_changed or silence >= LONGEST_SILENCE_SECONDS:
                viewer.outlet.send(message)
                viewer.page, viewer.told_at = message, now

    def _wall_time(self, at: float, now: float) -> str:
        """The agent's clock at the monotonic moment `at`."""
        moment = self._now() - timedelta(seconds=max(0.0, now - at) if at else 0.0)
        return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    # What is marked.

    def _owe_marks(self) -> None:
        """Something has changed for everybody."""
        for viewer in self._viewers:
            viewer.is_owed_marks = True
        self._tell_marks_soon()

    def _tell_marks_soon(self) -> None:
        wait = self._marks_due - self._clock()
        if wait <= 0:
            self._tell_marks()
        elif self._marks_timer is None:
            self._marks_timer = asyncio.get_running_loop().call_later(wait, self._tell_marks)

    def _tell_marks(self) -> None:
        self._stop_timer()
        state = self._marks.state
        points = sum(len(mark.points) for mark in state.marks)
        self._marks_due = self._clock() + max(MARKS_SECONDS, points * _BYTES_A_POINT / MARKS_BYTES_PER_SECOND)
        for viewer in self._viewers:
            if viewer.is_owed_marks and viewer.outlet.has_room:
                viewer.is_owed_marks = False
                viewer.outlet.send(state)

    def _stop_timer(self) -> None:
        if self._marks_timer is not None:
            self._marks_timer.cancel()
            self._marks_timer = None


def _told(corners: Corners | None) -> document.Corners | None:
    if corners is None:
        return None
    first, second, third, fourth = ((round(float(x), _CORNER_DECIMALS), round(float(y), _CORNER_DECIMALS)) for x, y in corners)
    return first, second, third, fourth


def _differ(before: Page, after: Page) -> bool:
    """Something a person could see or hear of has changed."""
    if before.corners is None or after.corners is None:
        has_moved = before.corners != after.corners
    else:
        has_moved = bool(np.abs(np.subtract(before.corners, after.corners)).max() > _MOVED_SHARE)
    same = (before.page, before.view, before.hint, before.calm) == (after.page, after.view, after.hint, after.calm)
    return has_moved or not same
