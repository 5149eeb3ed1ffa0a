"""How sharp a picture of a page is, whatever its light: by how steep its steepest edges are, and how they take blur."""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Corners = NDArray[np.float32]
Field = NDArray[np.float32]

# The steepest gradients of a page are the edges of its letters, however few of them there are.
_EDGES_SHARE: Final = 0.995
# The middle gradient of a page is bare paper's, so grain only.
_GRAIN_SHARE: Final = 0.5
# Slight blur takes the grain away; a second, wider one shows how sharp the edges are.
_CALM_SIGMA: Final = 1.0
_CALMER_SIGMA: Final = 2.0
_MOST_BLUR: Final = 8.0
# Edges no steeper than this share of the light, as the Sobel operator counts, are no print.
_NO_PRINT: Final = 0.12
# The part of the page away from its own edge, which says more about the table than about the print.
_INSIDE: Final = 0.97
_ENOUGH_PIXELS: Final = 500_000
_BINS: Final = 4096


def sharpest(frames: Sequence[Bgr], corners: Corners | None = None) -> int:
    """The index of the sharpest of at least one frame; of equals the first. With `corners` only the page is looked at."""
    return int(np.argmax([sharpness(frame, corners) for frame in frames]))


def sharpness(frame: Bgr, corners: Corners | None = None) -> float:
    """A figure that compares frames of one scene and size, independent of exposure; greater is sharper."""
    grey, page = _seen(frame, corners)
    level = float(cv2.mean(grey, page)[0])
    return _steepness(grey, page, _CALM_SIGMA) / (level + 1)


def blur(frame: Bgr, corners: Corners) -> float | None:
    """How far a point has spread, as the sigma of a normal curve in pixels of the frame; None without print to judge by."""
    grey, page = _seen(frame, corners)
    middle = _middle(grey)
    grey, page = grey[middle], page[middle]
    fine = _steepness(grey, page, _CALM_SIGMA)
    if fine <= _NO_PRINT * (float(cv2.mean(grey, page)[0]) + 1):
        return None
    # An edge's slope is as 1 / sqrt(blur^2 + sigma^2), so it falls most where the edge was sharp.
    fall = max(1 + 1e-6, (fine / max(_steepness(grey, page, _CALMER_SIGMA), 1e-3)) ** 2)
    return min(_MOST_BLUR, float(np.sqrt(max(0.0, (_CALMER_SIGMA**2 - fall * _CALM_SIGMA**2) / (fall - 1)))))


def _seen(frame: Bgr, corners: Corners | None) -> tuple[Field, Bgr]:
    """What is looked at in grey, and where in it the page is (not 0)."""
    top, left, bottom, right = (0, 0, *frame.shape[:2]) if corners is None else _bounds(frame, corners)
    grey = cv2.cvtColor(frame[top:bottom, left:right], cv2.COLOR_BGR2GRAY).astype(np.float32)
    page = np.full(grey.shape, corners is None, np.uint8)
    if corners is not None:
        cv2.fillConvexPoly(page, np.round(_shrunk(corners) - (left, top)).astype(np.int32), 1)
    return grey, page


def _steepness(grey: Field, page: Bgr, sigma: float) -> float:
    """The slope of the page's steepest edges after a blur, without the grain's own."""
    calm = cv2.GaussianBlur(grey, (0, 0), sigma)
    steep = cv2.magnitude(cv2.Sobel(calm, cv2.CV_32F, 1, 0), cv2.Sobel(calm, cv2.CV_32F, 0, 1))
    top = float(steep.max()) + 1
    counts = np.cumsum(cv2.calcHist([steep], [0], page, [_BINS], [0, top]))
    grain, edges = np.searchsorted(counts, np.array([_GRAIN_SHARE, _EDGES_SHARE]) * counts[-1]) * (top / _BINS)
    return float(np.sqrt(max(0.0, edges**2 - grain**2)))


def _middle(grey: Field) -> tuple[slice, slice]:
    """As much of the middle as is enough to judge by."""
    height, width = grey.shape
    share = min(1.0, float(np.sqrt(_ENOUGH_PIXELS / grey.size)))
    top, left = round(height * (1 - share) / 2), round(width * (1 - share) / 2)
    return slice(top, height - top), slice(left, width - left)


def _bounds(frame: Bgr, corners: Corners) -> tuple[int, int, int, int]:
    """Top, left, bottom, right of the part of the frame that holds the page."""
    height, width = frame.shape[:2]
    left, top = np.floor(np.clip(corners.min(axis=0), 0, (width - 1, height - 1))).astype(int).tolist()
    right, bottom = np.ceil(np.clip(corners.max(axis=0) + 1, 1, (width, height))).astype(int).tolist()
    return top, left, max(bottom, top + 1), max(right, left + 1)


def _shrunk(corners: Corners) -> Corners:
    middle = corners.mean(axis=0)
    return np.asarray(middle + (corners - middle) * _INSIDE, np.float32)
