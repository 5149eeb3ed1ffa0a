"""What the expert points at and draws on the sheet: pure state, told to everybody as a whole.

Places are fractions of the sheet, so that they move with it. Every deed answers None, or the code of why it was not done.
"""

from typing import Final

import cv2
import numpy as np

from signaling.document import MAX_ALL_POINTS, MAX_MARKS, MAX_POINTS, AddMark, Mark, Marks, Point, PointAt

# Marks of a sheet that was taken away for a moment are there again when it is back.
KEPT_SECONDS: Final = 10.0
# A tenth of a millimetre on A4: no eye sees more, and the whole state is sent on each change.
_DECIMALS: Final = 4
_HARDLY_BENDS: Final = 0.0012


class SheetMarks:
    """The marks on the sheet that lies there now. Only for callers who may mark; the clock is the caller's."""

    def __init__(self) -> None:
        self._page = 0
        self._marks: tuple[Mark, ...] = ()
        self._pointer: Point | None = None
        self._away: tuple[int, tuple[Mark, ...], float] | None = None

    @property
    def state(self) -> Marks:
        """All that is to be shown."""
        return Marks(page=self._page, marks=self._marks, pointer=self._pointer)

    def turn_to(self, page: int, now: float) -> bool:
        """Sheet `page` lies there now, 0 for none: what was on another one is gone. Whether that changed anything."""
        if page == self._page:
            return False
        if self._page and self._marks:
            self._away = (self._page, self._marks, now)
        self._page, self._marks, self._pointer = page, (), None
        if self._away is not None and page:
            before, marks, since = self._away
            if before == page and now - since <= KEPT_SECONDS:
                self._marks = marks
            self._away = None
        return True

    def point(self, message: PointAt) -> str | None:
        """Move the pointer."""
        if refusal := self._refusal(message.page, (message.point,)):
            return refusal
        self._pointer = _rounded(message.point)
        return None

    def point_end(self) -> None:
        """Take the pointer away."""
        self._pointer = None

    def add(self, message: AddMark) -> str | None:
        """Draw a stroke, or draw the one of that id anew."""
        if refusal := self._refusal(message.page, message.points):
            return refusal
        others = tuple(mark for mark in self._marks if mark.id != message.id)
        mark = Mark(id=message.id, points=_simplified(message.points))
        if len(others) >= MAX_MARKS or len(message.points) > MAX_POINTS:
            return "too_many"
        if len(mark.points) + sum(len(other.points) for other in others) > MAX_ALL_POINTS:
            return "too_many"
        self._marks = (*others, mark)
        return None

    def undo(self) -> None:
        """Take the newest mark away."""
        self._marks = self._marks[:-1]

    def clear(self) -> None:
        """Take all marks away."""
        self._marks = ()

    def _refusal(self, page: int, points: tuple[Point, ...]) -> str | None:
        if page == 0 or page != self._page:
            return "page_gone"
        is_inside = all(0 <= x <= 1 and 0 <= y <= 1 for x, y in points)
        return None if is_inside else "outside_page"


def _rounded(point: Point) -> Point:
    return round(point[0], _DECIMALS), round(point[1], _DECIMALS)


def _simplified(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The same stroke with as few points as its bends need."""
    if len(points) < 3:
        return tuple(_rounded(point) for point in points)
    kept = cv2.approxPolyDP(np.array(points, np.float32), _HARDLY_BENDS, False).reshape(-1, 2)
    return tuple(_rounded((float(x), float(y))) for x, y in kept)
