"""What everybody sees: the table as the camera sees it, or the sheet alone, straight, evenly lit and as large as the stream.

`show` runs in the thread that makes the stream's pictures; all else belongs to the event loop. Each sets whole values only.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.camera import Frame
from etapalvelu.room.eye import Sighting
from etapalvelu.room.follower import Corners
from etapalvelu.room.pixels import Bgr, Picture, live_size
from etapalvelu.room.vision.paper import WHITE, Level, paper_level
from etapalvelu.room.vision.proportions import proportions
from signaling.document import View

# Around the sheet; calm, and dark enough to say that there is nothing.
BACKDROP_BGR: Final = (46, 40, 36)
# A sheet that would be enlarged by more than this is taken from the camera's full picture, where that has more of it.
_ENLARGED: Final = 1.2
# Decoding full pictures may take this share of one core; then fewer are sent.
_DECODING_SHARE: Final = 0.4
LIGHT_SECONDS: Final = 1.0
_LIGHT_SIDE: Final = 192
# Light that changed by less stays as it was, so that a still sheet makes a still picture.
_SAME_LIGHT: Final = 0.02
_UNIT: Final = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A sheet as it is to be shown: corners are shares of the camera's picture in the order they come to stand in, from the
    upper left; `place` is left, top, right, bottom as shares of the picture sent.
    """

    page: int
    corners: Corners
    place: tuple[float, float, float, float]


class SheetView:
    """The expert's choice, and the pictures that follow from it and from the sightings."""

    def __init__(self, *, offer: Callable[[Frame, Bgr], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.choice: View = "table"
        self._turns = 0
        self._offer = offer
        self._clock = clock
        self._setting: Setting | None = None
        self._ratio = (0, 1.0)
        self._light = Light()
        self._full_due = 0.0

    @property
    def shown(self) -> View:
        """What is really shown: without a sheet it is the table."""
        return "table" if self._setting is None else "page"

    def choose(self, view: View, turn: int) -> None:
        """Show this from the next sighting on, the sheet turned `turn` degrees further clockwise."""
        self.choice = view
        self._turns = (self._turns + turn // 90) % 4

    def see(self, sighting: Sighting, picture_size: tuple[int, int]) -> None:
        """Follow the sheet; `picture_size` is width and height of the camera's picture."""
        if self.choice == "table" or sighting.corners is None:
            self._setting = None
            return
        corners = np.roll(sighting.corners, self._turns, axis=0)
        ratio = self._true_ratio(sighting, picture_size)
        if self._turns % 2:
            ratio = 1 / ratio
        self._setting = Setting(page=sighting.page, corners=corners, place=_place(ratio, picture_size))

    def corners_sent(self, sighting: Sighting) -> Corners | None:
        """Where the sheet's corners are in the picture that is sent, as shares of it."""
        if self._setting is None or sighting.corners is None:
            return sighting.corners
        left, top, right, bottom = self._setting.place
        rectangle = _UNIT * _pair((right - left, bottom - top)) + _pair((left, top))
        return np.roll(rectangle, -self._turns, axis=0)

    def forget(self) -> None:
        """Nobody looks: nothing of the sheet is kept."""
        self._setting = None
        self._light = Light()

    def _true_ratio(self, sighting: Sighting, size: tuple[int, int]) -> float:
        """The sheet's height over its width; while it is moved it keeps the proportions it had."""
        if sighting.corners is not None and (self._ratio[0] != sighting.page or sighting.is_calm):
            measured = proportions(sighting.corners * _pair(size), size).ratio
            if self._ratio[0] != sighting.page or abs(measured / self._ratio[1] - 1) > _SAME_LIGHT:
                self._ratio = sighting.page, measured
        return self._ratio[1]

    # In the thread that makes the stream's pictures.

    def show(self, frame: Frame) -> Bgr | None:
        """The picture to send for this frame; None when it is passed over, since making it would take too long."""
        setting = self._setting
        if setting is None:
            table = frame.picture.live()
            self._offer(frame, table)
            return table
        size = live_size(frame.picture.size)
        left, top, right, bottom = (round(share * size[axis % 2]) for axis, share in enumerate(setting.place))
        source = self._source(frame.picture, setting, bottom - top)
        if source is None:
            return None
        self._offer(frame, source)
        page, view = _straight(source, setting.corners, (right - left, bottom - top))
        page = self._light.even(page, setting.page, self._clock())
        if not ((setting.corners >= 0) & (setting.corners <= 1)).all():
            _blank_outside(page, view, source)
        sent = np.full((size[1], size[0], 3), BACKDROP_BGR, np.uint8)
        sent[top:bottom, left:right] = page
        return sent

    def _source(self, picture: Picture, setting: Setting, height: int) -> Bgr | None:
        """The picture to take the sheet from: as large as is worth it, or None where the large one has to wait."""
        live = live_size(picture.size)
        side = float(np.linalg.norm((setting.corners[3] - setting.corners[0]) * _pair(live)))
        if picture.size[0] <= live[0] or height <= _ENLARGED * side:
            return picture.live()
        began = self._clock()
        if began < self._full_due:
            return None
        full = picture.full()
        took = self._clock() - began
        self._full_due = began + took / _DECODING_SHARE
        return full


class Light:
    """The light on the sheet that is shown, measured now and then, and taken away from every picture."""

    def __init__(self) -> None:
        self._page = 0
        self._due = 0.0
        self._level: Level | None = None
        # What every picture is divided by, in eight bits that are all used.
        self._divisor: Bgr | None = None
        self._scale = 1.0

    def even(self, page_bgr: Bgr, page: int, now: float) -> Bgr:
        """The straightened sheet under even light."""
        if now >= self._due or page != self._page:
            level = _level_of(page_bgr)
            if self._level is None or not _alike(level, self._level):
                self._level, self._divisor = level, None
            self._page, self._due = page, now + LIGHT_SECONDS
        if self._level is None:
            return page_bgr
        height, width = page_bgr.shape[:2]
        if self._divisor is None or self._divisor.shape[:2] != (height, width):
            used = 250.0 / float(self._level.max())
            small = np.clip(self._level * used + 0.5, 1, 255).astype(np.uint8)
            self._divisor = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
            self._scale = WHITE * used
        return np.asarray(cv2.divide(page_bgr, self._divisor, scale=self._scale), np.uint8)


def _level_of(page_bgr: Bgr) -> Level:
    height, width = page_bgr.shape[:2]
    share = min(1.0, _LIGHT_SIDE / max(height, width))
    size = max(8, round(width * share)), max(8, round(height * share))
    return paper_level(np.asarray(cv2.resize(page_bgr, size, interpolation=cv2.INTER_AREA), np.float32) + 1)


def _alike(one: Level, other: Level) -> bool:
    return one.shape == other.shape and float(np.abs(one / other - 1).max()) < _SAME_LIGHT


def _place(ratio: float, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Where a sheet of that height over width stands in a picture of that size when it is as large as can be."""
    wide = min(1.0, size[1] / (ratio * size[0]))
    high = min(1.0, ratio * size[0] / size[1])
    return (1 - wide) / 2, (1 - high) / 2, (1 + wide) / 2, (1 + high) / 2


def _straight(source: Bgr, corners: Corners, size: tuple[int, int]) -> tuple[Bgr, NDArray[np.float64]]:
    """The sheet inside `corners` as a picture of that size, and the way of every point into it."""
    # Pixels have their middles at whole numbers, so edges run half a pixel outside.
    places = corners * _pair((source.shape[1], source.shape[0])) - np.float32(0.5)
    view = cv2.getPerspectiveTransform(places, _UNIT * _pair(size) - np.float32(0.5))
    page = cv2.warpPerspective(source, view, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(page, np.uint8), np.asarray(view, np.float64)


def _blank_outside(page: Bgr, view: NDArray[np.float64], source: Bgr) -> None:
    """Take away what the camera does not see of the sheet."""
    whole = _UNIT * _pair((source.shape[1], source.shape[0])) - np.float32(0.5)
    seen = cv2.perspectiveTransform(whole[None], view)[0]
    mask = cv2.fillConvexPoly(np.zeros(page.shape[:2], np.uint8), np.rint(seen).astype(np.int32), 255)
    page[mask == 0] = BACKDROP_BGR


def _pair(values: tuple[float, float]) -> Corners:
    return np.array(values, np.float32)
