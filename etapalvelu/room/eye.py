"""One look after the other at the table: which sheet lies where, and what is the matter with it.

Heavy and not shared: one thread at a time. What it needs of vision it is given, and time is an argument.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import cv2
import numpy as np

from etapalvelu.room.follower import Corners, Follower, Found
from etapalvelu.room.hints import Hints
from etapalvelu.room.imprint import imprint_of
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.seeker import FindPage, Seeker

LOOK_WIDTH: Final = 960
JUDGE_SECONDS: Final = 0.4
NO_PAGE_SECONDS: Final = 4.0


class Verdict(Protocol):
    """How the sheet looks: what the customer can do about it, and the camera's own pixels for an inch of the sheet."""

    @property
    def hint(self) -> str | None: ...

    @property
    def ppi(self) -> int | None: ...


@dataclass(frozen=True, kw_only=True)
class Vision:
    """The functions of `room.page` that an eye needs. `verdict` takes, last, how many of the camera's own pixels stand side by
    side in one of the picture; `orientation` a straightened page.
    """

    find_page: FindPage
    verdict: Callable[[Bgr, Corners, float], Verdict]
    straightened: Callable[[Bgr, Corners], Bgr]
    orientation: Callable[[Bgr], Literal[0, 90, 180, 270]]


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What is known of the table at the moment `at` (monotonic). Corners are shares of the picture's width and height,
    from its outer edge.

    `ppi` is pixels of the camera's own picture for an inch of the sheet.
    """

    at: float
    page: int = 0
    corners: Corners | None = None
    is_calm: bool = False
    hint: str | None = None
    ppi: int | None = None


class Eye:
    """Looks at pictures of any size, and of another one from now on if it must; numbers of sheets go on rising."""

    def __init__(self, vision: Vision, *, page: int = 0) -> None:
        self._vision = vision
        self._hints = Hints()
        self._size = (0, 0)
        self._seeker = Seeker(vision.find_page)
        self._follower = Follower(LOOK_WIDTH, page=page)
        self._verdict: Verdict | None = None
        self._judged_at = 0.0
        self._empty_since: float | None = None

    def look(self, picture: Bgr, at: float, *, full_width: int) -> Sighting:
        """See what lies there; the camera's own picture is `full_width` wide."""
        small = _small(picture)
        size = picture.shape[1], picture.shape[0]
        if size != self._size:
            self._size = size
            self._seeker = Seeker(self._vision.find_page)
            self._follower = Follower(small.shape[1], page=self._follower.last_page)
        corners = self._seeker.find(small, at)
        self._follower.see(at, None if corners is None else self._found(picture, small, corners))
        self._judge(picture, at, full_width / size[0])
        return self._sighting(at)

    def blink(self, at: float) -> Sighting:
        """There is no picture: soon no sheet either, and nothing that the customer could do about it."""
        self._seeker.forget()
        self._follower.see(at, None)
        self._verdict = self._empty_since = None
        return self._sighting(at)

    def successor(self) -> "Eye":
        """An eye that has seen nothing but goes on counting sheets."""
        return Eye(self._vision, page=self._follower.last_page)

    def _found(self, picture: Bgr, small: Bgr, corners: Corners) -> Found:
        enlarged = picture.shape[1] / small.shape[1]

        def upright(named: Corners) -> int:
            return self._vision.orientation(self._vision.straightened(picture, scaled(named, enlarged))) // 90

        return Found(corners=corners, imprint=lambda named: imprint_of(small, named), upright=upright)

    def _judge(self, picture: Bgr, at: float, detail: float) -> None:
        corners = self._follower.corners
        if corners is None:
            self._verdict, self._judged_at = None, at - JUDGE_SECONDS
            self._empty_since = at if self._empty_since is None else self._empty_since
            return
        self._empty_since = None
        if at - self._judged_at >= JUDGE_SECONDS:
            known = scaled(corners, self._size[0] / self._follower.width)
            self._verdict, self._judged_at = self._vision.verdict(picture, known, detail), at

    def _sighting(self, at: float) -> Sighting:
        """What is told."""
        follower = self._follower
        is_calm = follower.is_calm(at)
        hint = self._hints.see(self._troubles(at), at, is_moving=follower.corners is not None and not is_calm)
        if follower.corners is None:
            return Sighting(at=at, hint=hint)
        width, height = self._size
        small = np.array([follower.width, follower.width * height / width], np.float32)
        ppi = None if self._verdict is None else self._verdict.ppi
        corners = ((follower.corners + np.float32(0.5)) / small).astype(np.float32)
        return Sighting(at=at, page=follower.page, corners=corners, is_calm=is_calm, hint=hint, ppi=ppi)

    def _troubles(self, at: float) -> set[str]:
        troubles: set[str] = set()
        if self._seeker.is_shaky(at):
            troubles.add("mat")
        if self._empty_since is not None and at - self._empty_since >= NO_PAGE_SECONDS:
            troubles.add("no_page")
        if self._follower.is_covered:
            troubles.add("hand")
        if self._verdict is not None and self._verdict.hint is not None:
            troubles.add(self._verdict.hint)
        return troubles


def scaled(corners: Corners, scale: float) -> Corners:
    """The same corners in a picture `scale` times as large; pixels have their middles at whole numbers."""
    return np.asarray((corners + np.float32(0.5)) * np.float32(scale) - np.float32(0.5), np.float32)


def _small(picture: Bgr) -> Bgr:
    height, width = picture.shape[:2]
    if width <= LOOK_WIDTH:
        return picture
    size = (LOOK_WIDTH, max(1, round(height * LOOK_WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
