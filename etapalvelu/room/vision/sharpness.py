"""How sharp a picture of a page is, whatever its light: how steep its steepest edges are for how bright it is."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Corners = NDArray[np.float32]

# The steepest gradients of a page are the edges of its letters, however few of them there are.
_STEEPEST_PERCENT: Final = 99.5
# The middle gradient of a page is bare paper's, so grain only.
_GRAIN_PERCENT: Final = 50.0
_CALM_SIGMA: Final = 1.0
_INSIDE: Final = 0.97
_ENOUGH_PIXELS: Final = 1_500_000


def sharpest(frames: Sequence[Bgr], corners: Corners | None = None) -> int:
    """The index of the sharpest of at least one frame; of equals the first. With `corners` only the page is looked at."""
    return int(np.argmax([sharpness(frame, corners) for frame in frames]))


def sharpness(frame: Bgr, corners: Corners | None = None) -> float:
    """A figure that compares frames of one scene and size, independent of exposure; greater is sharper."""
    top, left, bottom, right = (0, 0, *frame.shape[:2]) if corners is None else _bounds(frame, corners)
    grey = cv2.cvtColor(frame[top:bottom, left:right], cv2.COLOR_BGR2GRAY)
    across, down = cv2.spatialGradient(cv2.GaussianBlur(grey, (0, 0), _CALM_SIGMA))
    step = 1 + int(np.sqrt(grey.size / _ENOUGH_PIXELS))
    thin = np.s_[::step, ::step]
    steep = cv2.magnitude(across[thin].astype(np.float32), down[thin].astype(np.float32))
    level = grey[thin]
    if corners is not None:
        page = np.zeros(grey.shape, np.uint8)
        cv2.fillConvexPoly(page, np.round(_shrunk(corners) - (left, top)).astype(np.int32), 1)
        steep, level = steep[page[thin] > 0], level[page[thin] > 0]
    if steep.size == 0:
        return 0.0
    grain, edges = np.percentile(steep, (_GRAIN_PERCENT, _STEEPEST_PERCENT))
    return float(np.sqrt(max(0.0, float(edges**2 - grain**2))) / (level.mean() + 1))


def _bounds(frame: Bgr, corners: Corners) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the part of the frame that holds the page."""
    height, width = frame.shape[:2]
    left, top = np.floor(np.clip(corners.min(axis=0), 0, (width - 1, height - 1))).astype(int).tolist()
    right, bottom = np.ceil(np.clip(corners.max(axis=0) + 1, 1, (width, height))).astype(int).tolist()
    return top, left, max(bottom, top + 1), max(right, left + 1)


def _shrunk(corners: Corners) -> Corners:
    """The page without its edge, which says more about the table than about the print."""
    middle = corners.mean(axis=0)
    return np.asarray(middle + (corners - middle) * _INSIDE, np.float32)
