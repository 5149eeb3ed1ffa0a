"""Which sheet lies on the table, and where: made of what was found in each picture. Pure; clock and vision are the caller's.

A sheet has a number, and corners that keep their names however it is moved or turned. Nothing here believes a single picture.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.imprint import Imprint, same_share, same_turned

Corners = NDArray[np.float32]

SIGHTINGS_NEEDED: Final = 3
# A hand that passes over the sheet takes it away for less than that.
GONE_SECONDS: Final = 1.0
CALM_SECONDS: Final = 0.5
CALM_SHARE: Final = 0.01
# The same sheet laid back soon is the same sheet; so are the marks on it.
REMEMBERED_SECONDS: Final = 10.0
# What has another print for that long is another sheet, laid where the last one was.
STRANGE_SECONDS: Final = 0.8
# Of the picture's width: what moves less stays where it is, so that nothing trembles.
_UNMOVED_SHARE: Final = 0.0015
# Of what could be seen of the print when it lay free, less than this can be seen now: a hand is on it.
_COVERED: Final = 0.6
_WELL_KNOWN: Final = 0.75
_STILL_THERE: Final = 0.4
_UNCHANGED: Final = 0.8
_SURELY_SAME: Final = 0.55
_LIKELY_SAME: Final = 0.45
_OTHER: Final = 0.3
_STEADIED_FROM: Final = 5


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one picture shows: a sheet's corners (TL TR BR BL as one sees them), and two questions that cost something.

    `imprint` is what is printed inside corners in the order given, `upright` how many quarter turns clockwise make it readable.
    """

    corners: Corners
    imprint: Callable[[Corners], Imprint]
    upright: Callable[[Corners], int]


@dataclass(frozen=True, kw_only=True)
class _Gone:
    page: int
    imprint: Imprint
    at: float


class Follower:
    """Follows sheets through pictures `width` pixels wide. `page` is 0 and `corners` None while none lies there."""

    def __init__(self, width: int, *, page: int = 0) -> None:
        self.page = 0
        self.corners: Corners | None = None
        self.calm_since: float | None = None
        self.width = width
        self._last_page = page
        self._seen_at = 0.0
        self._recent: deque[tuple[float, Corners]] = deque()
        self._candidate: deque[tuple[float, Corners]] = deque(maxlen=SIGHTINGS_NEEDED)
        self._imprint: Imprint | None = None
        self._is_settled = False
        self._is_doubted = False
        # Something hides a good part of the sheet that was free before.
        self.is_covered = False
        self._free_share = 0.0
        self._strange_since: float | None = None
        self._gone: _Gone | None = None

    @property
    def last_page(self) -> int:
        """The number of the newest sheet."""
        return self._last_page

    def is_calm(self, now: float) -> bool:
        """A sheet has lain still for CALM_SECONDS."""
        return self.calm_since is not None and now - self.calm_since >= CALM_SECONDS

    def see(self, at: float, found: Found | None) -> None:
        """Take what the picture of the moment `at` shows."""
        if found is None:
            self._miss(at)
        elif self.corners is None or not self._goes_on(at, found, self.corners):
            self._consider(at, found)

    # A sheet that is known.

    def _miss(self, at: float) -> None:
        if self.page and at - self._seen_at > GONE_SECONDS:
            self._let_go(at)

    def _goes_on(self, at: float, found: Found, known: Corners) -> bool:
        """Whether this is the sheet we know, lately at `known`; if so its place is taken."""
        corners = self._named(found, known)
        if corners is None:
            self._miss(at)
            return False
        self._seen_at = at
        self._move(at, corners, known)
        self._compare(at, found, corners)
        return True

    def _named(self, found: Found, known: Corners) -> Corners | None:
        """The corners under the names they had, when they are our sheet's; else None."""
        corners = _nearest(found.corners, known)
        if overlap(corners, known) >= _STILL_THERE:
            return corners
        if self._imprint is None:
            return None
        same = same_turned(self._imprint, found.imprint(found.corners))
        return np.roll(found.corners, -same[1], axis=0) if same is not None and same[0] >= _LIKELY_SAME else None

    def _move(self, at: float, corners: Corners, known: Corners) -> None:
        while self._recent and at - self._recent[0][0] > CALM_SECONDS:
            self._recent.popleft()
        places = [known, *(before for _, before in self._recent)]
        has_moved = any(self._distance(corners, place) > CALM_SHARE for place in places)
        if has_moved and self.is_calm(at) and not self._is_doubted:
            # One look that says so may be a finger on the edge; the second is believed.
            self._is_doubted = True
            return
        self._is_doubted = False
        if has_moved:
            self._recent.clear()
            self.calm_since = at
        self._recent.append((at, corners))
        newest = [place for _, place in list(self._recent)[-_STEADIED_FROM:]]
        if all(self._distance(corners, before) < 2 * _UNMOVED_SHARE for before in newest):
            # The middle of several looks lies nearer to the truth than any one of them.
            corners = np.median(newest, axis=0).astype(np.float32)
        if self._distance(corners, known) > _UNMOVED_SHARE:
            self.corners = corners

    def _compare(self, at: float, found: Found, corners: Corners) -> None:
        """Whether what is printed is what it was: another sheet may lie exactly where the last one did."""
        if not self._is_settled or self._imprint is None:
            # While it was being laid down it was blurred, or a hand was on it.
            self._imprint = found.imprint(corners)
            self._is_settled = self.is_calm(at)
            return
        if not self.is_calm(at):
            self._strange_since = None
            return
        share = same_share(self._imprint, found.imprint(corners))
        if share is not None:
            self._free_share = max(self._free_share, share)
            self.is_covered = self._free_share >= _WELL_KNOWN and share < _COVERED * self._free_share
        if share is None or share >= _OTHER:
            self._strange_since = None
        elif self._strange_since is None:
            self._strange_since = at
        elif at - self._strange_since >= STRANGE_SECONDS:
            self._begin(at, found)

    # A sheet that may be new.

    def _consider(self, at: float, found: Found) -> None:
        while self._candidate and at - self._candidate[0][0] > GONE_SECONDS:
            self._candidate.popleft()
        if self._candidate:
            last = self._candidate[-1][1]
            if overlap(_nearest(found.corners, last), last) < _UNCHANGED:
                self._candidate.clear()
        self._candidate.append((at, found.corners))
        if len(self._candidate) >= SIGHTINGS_NEEDED:
            self._begin(at, found)

    def _begin(self, at: float, found: Found) -> None:
        """Take what was found for the sheet from now on."""
        if self.page:
            self._let_go(at)
        imprint = found.imprint(found.corners)
        turns = self._returned(at, imprint)
        if turns is None:
            self._last_page += 1
            self.page = self._last_page
            turns = found.upright(found.corners)
            self._imprint, self._is_settled = found.imprint(np.roll(found.corners, turns, axis=0)), False
        self.corners = np.roll(found.corners, turns, axis=0)
        self._gone = None
        self._seen_at = self.calm_since = at
        self._recent.clear()
        self._recent.append((at, self.corners))

    def _returned(self, at: float, imprint: Imprint) -> int | None:
        """When this is the sheet that was there last, its number is taken again: the quarter turns its corners need."""
        if self._gone is None or at - self._gone.at > REMEMBERED_SECONDS:
            return None
        same = same_turned(self._gone.imprint, imprint)
        if same is None or same[0] < _SURELY_SAME:
            return None
        self.page, self._imprint, self._is_settled = self._gone.page, self._gone.imprint, True
        return -same[1]

    def _let_go(self, at: float) -> None:
        if self._imprint is not None:
            self._gone = _Gone(page=self.page, imprint=self._imprint, at=at)
        self.page, self.corners, self.calm_since, self._imprint = 0, None, None, None
        self._strange_since = None
        self.is_covered, self._free_share = False, 0.0
        self._recent.clear()
        self._candidate.clear()

    def _distance(self, one: Corners, other: Corners) -> float:
        """How far the corner that moved most has moved, as a share of the picture's width."""
        return float(np.linalg.norm(one - other, axis=1).max()) / self.width


def _nearest(corners: Corners, names: Corners) -> Corners:
    """The same corners, beginning with the one that is the first of `names` moved as little as may be."""
    turned = [np.roll(corners, -turns, axis=0) for turns in range(4)]
    return min(turned, key=lambda one: float(np.square(one - names).sum()))


def overlap(one: Corners, other: Corners) -> float:
    """Shared area over the area of both."""
    shared = float(cv2.intersectConvexConvex(one.reshape(4, 1, 2), other.reshape(4, 1, 2))[0])
    both = float(cv2.contourArea(one)) + float(cv2.contourArea(other)) - shared
    return shared / both if both > 0 else 0.0
