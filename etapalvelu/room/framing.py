"""A camera's picture as the room uses it: turned, then cropped. The camera's own picture stays within reach."""

from dataclasses import dataclass
from typing import Final, Literal

import cv2
import numpy as np

from etapalvelu.room.pixels import Bgr, Picture, live_size

WHOLE: Final = (0.0, 0.0, 1.0, 1.0)
_TURNS: Final = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
# No side of a picture gets smaller than that, whatever the crop.
_LEAST_SIDE: Final = 16


@dataclass(frozen=True)
class Framing:
    """`turn` is clockwise; `crop` is left, top, right, bottom as shares of the turned picture."""

    turn: Literal[0, 90, 180, 270] = 0
    crop: tuple[float, float, float, float] = WHOLE

    @property
    def is_whole(self) -> bool:
        return self.turn == 0 and self.crop == WHOLE

    def frame(self, picture: Picture) -> Picture:
        return picture if self.is_whole else Framed(picture, self)

    def bounds(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels of a turned picture of that size."""
        width, height = size
        left, right = _side(self.crop[0], self.crop[2], width)
        top, bottom = _side(self.crop[1], self.crop[3], height)
        return left, top, right, bottom

    def turned_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return (size[1], size[0]) if self.turn in (90, 270) else size

    def turned(self, picture: Bgr) -> Bgr:
        return picture if self.turn == 0 else np.asarray(cv2.rotate(picture, _TURNS[self.turn]), np.uint8)

    def applied(self, picture: Bgr) -> Bgr:
        """The picture turned and cropped, whole in memory as encoders want it."""
        turned = self.turned(picture)
        left, top, right, bottom = self.bounds((turned.shape[1], turned.shape[0]))
        return np.ascontiguousarray(turned[top:bottom, left:right])


class Framed:
    """A picture in its frame. Costs nothing until somebody looks."""

    def __init__(self, picture: Picture, framing: Framing) -> None:
        self.unframed = picture
        self._framing = framing

    @property
    def size(self) -> tuple[int, int]:
        left, top, right, bottom = self._framing.bounds(self._framing.turned_size(self.unframed.size))
        return right - left, bottom - top

    def full(self) -> Bgr:
        return self._framing.applied(self.unframed.full())

    def live(self) -> Bgr:
        """From the small picture where it has enough of the part that is used, else from the full one."""
        wanted = live_size(self.size)
        small = self._framing.turned_size(live_size(self.unframed.size))
        left, _, right, _ = self._framing.bounds(small)
        part = self._framing.applied(self.unframed.live()) if right - left >= wanted[0] else self.full()
        if part.shape[1::-1] == wanted:
            return part
        return np.asarray(cv2.resize(part, wanted, interpolation=cv2.INTER_AREA), np.uint8)


def unframed(picture: Picture) -> Picture:
    """The camera's own picture."""
    return picture.unframed if isinstance(picture, Framed) else picture


def _side(begin: float, end: float, length: int) -> tuple[int, int]:
    first = min(round(begin * length), max(0, length - _LEAST_SIDE))
    return first, min(length, max(round(end * length), first + _LEAST_SIDE))
