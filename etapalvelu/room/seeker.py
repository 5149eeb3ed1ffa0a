"""Where the sheet is in each picture: followed from the last one, and looked for in the whole of it only when need be.

A table on which nothing changes costs next to nothing. Time is an argument.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.follower import Corners, overlap
from etapalvelu.room.pixels import Bgr

FindPage = Callable[[Bgr, Corners | None], Corners | None]

# A sheet that is being followed is looked for in the whole picture this often: a better one may lie beside it.
CHECK_SECONDS: Final = 2.0
RECHECK_SECONDS: Final = 0.5
# What has not changed is not looked at again for so long.
UNCHANGED_FOUND_SECONDS: Final = 0.4
UNCHANGED_EMPTY_SECONDS: Final = 2.0
RESTLESS_SECONDS: Final = 0.5
# A sheet lost this often in that time lies on a table too much like it.
SHAKY_TIMES: Final = 4
SHAKY_SECONDS: Final = 10.0
# Grey levels: bright paper on a table hardly darker than it.
BRIGHT: Final = 130
HARDLY_DARKER: Final = 22

_THUMB_WIDTH: Final = 96
# Grey levels a cell of the thumbnail may change by for noise alone.
_NOISE: Final = 4
_AGREES: Final = 0.7
_DISSENT_NEEDED: Final = 2
_NEVER: Final = -1e9


class Seeker:
    """Looks for the sheet in pictures of one size, one after the other."""

    def __init__(self, find_page: FindPage) -> None:
        self._find_page = find_page
        self._found: Corners | None = None
        self._thumb: Bgr | None = None
        self._tracked_at = self._searched_at = self._check_at = self._changed_at = _NEVER
        self._dissent: list[Corners] = []
        self._lost_at: deque[float] = deque()

    def find(self, small: Bgr, at: float) -> Corners | None:
        """The sheet's corners in this picture, or None."""
        changed = self._changes(small)
        if changed.any():
            self._changed_at = at
        before = self._found
        if before is None:
            if at - self._changed_at < RESTLESS_SECONDS or at - self._searched_at >= UNCHANGED_EMPTY_SECONDS:
                self._found = self._search(small, at)
        elif _within(changed, before, small).any() or at - self._tracked_at >= UNCHANGED_FOUND_SECONDS:
            self._tracked_at = at
            tracked = self._find_page(small, before)
            self._found = self._search(small, at) if tracked is None else self._checked(tracked, small, at)
        if before is not None and self._found is None and _looks_like_its_table(small, before):
            self._lost_at.append(at)
        return self._found

    def forget(self) -> None:
        """There was no picture for a while."""
        self._found = self._thumb = None

    def is_shaky(self, at: float) -> bool:
        """The sheet is found and lost again and again, and is about as bright as the table."""
        while self._lost_at and at - self._lost_at[0] > SHAKY_SECONDS:
            self._lost_at.popleft()
        return len(self._lost_at) >= SHAKY_TIMES

    def _search(self, small: Bgr, at: float) -> Corners | None:
        self._searched_at, self._check_at = at, at + CHECK_SECONDS
        self._dissent.clear()
        return self._find_page(small, None)

    def _checked(self, tracked: Corners, small: Bgr, at: float) -> Corners:
        """What is followed, or what a search finds again and again instead."""
        if at < self._check_at:
            return tracked
        other = self._find_page(small, None)
        if other is None or overlap(other, tracked) >= _AGREES:
            self._dissent.clear()
            self._check_at = at + CHECK_SECONDS
            return tracked
        if self._dissent and overlap(other, self._dissent[-1]) < _AGREES:
            self._dissent.clear()
        self._dissent.append(other)
        self._check_at = at + RECHECK_SECONDS
        if len(self._dissent) < _DISSENT_NEEDED:
            return tracked
        self._dissent.clear()
        return other

    def _changes(self, small: Bgr) -> NDArray[np.bool_]:
        """Which cells of a thumbnail changed since they were last believed to have."""
        thumb, before = _thumb_of(small), self._thumb
        if before is None:
            self._thumb = thumb
            return np.ones(thumb.shape, np.bool_)
        changed = np.asarray(cv2.absdiff(thumb, before) > _NOISE, np.bool_)
        # What changes too slowly to be seen from look to look is measured from where it began.
        self._thumb = np.where(changed, thumb, before)
        return changed


def _thumb_of(small: Bgr) -> Bgr:
    size = (_THUMB_WIDTH, max(1, round(small.shape[0] * _THUMB_WIDTH / small.shape[1])))
    return np.asarray(cv2.cvtColor(cv2.resize(small, size, interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY), np.uint8)


def _within(changed: NDArray[np.bool_], corners: Corners, small: Bgr) -> NDArray[np.bool_]:
    """The changes on the sheet and close around it."""
    scale = changed.shape[1] / small.shape[1]
    left, top = np.floor(corners.min(axis=0) * scale).astype(int) - 1
    right, bottom = np.ceil(corners.max(axis=0) * scale).astype(int) + 2
    return changed[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]


def _looks_like_its_table(small: Bgr, corners: Corners) -> bool:
    """The sheet is bright, and so is what lies around it."""
    thumb = _thumb_of(small)
    places = np.rint(corners * (_THUMB_WIDTH / small.shape[1])).astype(np.int32)
    sheet = cv2.fillPoly(np.zeros_like(thumb), [places], 255)
    inside = cv2.erode(sheet, np.ones((3, 3), np.uint8)) > 0
    around = (cv2.dilate(sheet, np.ones((11, 11), np.uint8)) > 0) & (cv2.dilate(sheet, np.ones((3, 3), np.uint8)) == 0)
    if not inside.any() or not around.any():
        return False
    # Letters make paper darker; its own level is that of its brighter half.
    paper, table = float(np.percentile(thumb[inside], 75)), float(np.median(thumb[around]))
    return table > BRIGHT and abs(paper - table) < HARDLY_DARKER
