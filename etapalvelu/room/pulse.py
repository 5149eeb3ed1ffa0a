"""Whether a camera that delivers still sees: a frozen one gives the same picture again and again, a covered one gives black.

A live sensor always has some noise, so only pictures equal to the last bit count as the same. Time is an argument.
"""

from typing import Final, Literal

import cv2
import numpy as np

from etapalvelu.room.pixels import Bgr, Jpeg, Picture, PictureError, Pixels

# Both are told within 2 s, the way to the screens included.
FROZEN_AFTER_SECONDS: Final = 1.3
# A camera may send each picture twice, and on a busy machine time passes between the two.
FROZEN_AFTER_PICTURES: Final = 4
BLACK_AFTER_SECONDS: Final = 0.8
# Light is looked at this often: a JPEG has to be decoded for it.
LIGHT_SECONDS: Final = 0.4
# Of 255. Some cameras put black at 16; the noise of a covered lens stays well below the other.
BLACK_MEAN: Final = 20.0
BLACK_DEVIATION: Final = 6.0
_SAMPLE_STEP: Final = 16
# What alike pictures are compared by: few rows tell most apart, many settle it.
_FEW_ROWS: Final = 64
_MANY_ROWS: Final = 4

Health = Literal["ok", "frozen", "black"]


class Pulse:
    """Judges one camera over all its openings; one thread at a time."""

    def __init__(self, *, may_repeat: bool) -> None:
        """`may_repeat`: a source of files, which shows the same picture for as long as it is there."""
        self._may_repeat = may_repeat
        self._last: Picture | None = None
        self._same_since = 0.0
        self._alike = 0
        self._light_due = 0.0
        self._dark_since: float | None = None
        self.is_frozen = False
        self.is_black = False

    def opened(self) -> None:
        """The next picture comes from a new opening. A frozen camera stays so until two of its pictures differ."""
        self._last = None

    def feel(self, picture: Picture, at: float) -> Health:
        """How the camera is with this picture, read at the monotonic time `at`."""
        if not self._may_repeat:
            self._compare(picture, at)
        if at >= self._light_due:
            self._light_due = at + LIGHT_SECONDS
            self._look_at_light(picture, at)
        if self.is_black:
            return "black"
        return "frozen" if self.is_frozen else "ok"

    def _compare(self, picture: Picture, at: float) -> None:
        last, self._last = self._last, picture
        if last is None or not same(last, picture):
            self._same_since, self._alike = at, 1
            # The first picture of an opening proves nothing.
            self.is_frozen = self.is_frozen and last is None
            return
        self._alike += 1
        if at - self._same_since >= FROZEN_AFTER_SECONDS and self._alike >= FROZEN_AFTER_PICTURES:
            self.is_frozen = True

    def _look_at_light(self, picture: Picture, at: float) -> None:
        if not is_dark(picture):
            self._dark_since, self.is_black = None, False
            return
        self._dark_since = at if self._dark_since is None else self._dark_since
        self.is_black = at - self._dark_since >= BLACK_AFTER_SECONDS


def same(one: Picture, other: Picture) -> bool:
    """The same picture to the last bit, as far as a sample of its rows shows; pictures of other kinds never are."""
    if isinstance(one, Jpeg) and isinstance(other, Jpeg):
        return one.size == other.size and np.array_equal(one.data, other.data)
    if isinstance(one, Pixels) and isinstance(other, Pixels):
        return one.size == other.size and all(
            np.array_equal(one.full()[::step], other.full()[::step]) for step in (_FEW_ROWS, _MANY_ROWS)
        )
    return False


def is_dark(picture: Picture) -> bool:
    """Nothing to be seen: near black all over."""
    try:
        sample = _sample(picture)
    except (PictureError, cv2.error):
        # Damaged, which is not the same as dark; whoever wants to see it is told.
        return False
    return sample is not None and float(sample.mean()) < BLACK_MEAN and float(sample.std()) < BLACK_DEVIATION


def _sample(picture: Picture) -> Bgr | None:
    """Some of the picture's pixels, cheaply; None for one that is made here and is never dark."""
    if isinstance(picture, Jpeg):
        return picture.eighth()
    return picture.full()[::_SAMPLE_STEP, ::_SAMPLE_STEP] if isinstance(picture, Pixels) else None
