"""A coarse imprint of what is on a sheet: enough to say whether the same one lies there, too little to read a word of it."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Imprint = NDArray[np.float32]

_SIDE: Final = 64
_BLOCK: Final = 8
_ACROSS: Final = _SIDE // _BLOCK
# The straightened sheet is taken this much larger first, so that letters become an even grey.
_FINER: Final = 4
# Light and shadow change over more than this many cells, print over fewer.
_LIGHT_CELLS: Final = 5.0
# A block with less than this (share of the paper's brightness) is bare paper and says nothing.
_LEAST_PRINT: Final = 0.03
_LEAST_BLOCKS: Final = 4
_SAME_BLOCK: Final = 0.6


def imprint_of(image_bgr: Bgr, corners: NDArray[np.float32]) -> Imprint:
    """What is printed on the sheet inside `corners` (TL TR BR BL), 64 x 64, without the light on it."""
    side = _SIDE * _FINER
    square = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32) - np.float32(0.5)
    view = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), square)
    page = cv2.warpPerspective(image_bgr, view, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    grey = cv2.resize(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    light = cv2.GaussianBlur(grey, (0, 0), _LIGHT_CELLS, borderType=cv2.BORDER_REPLICATE)
    return np.asarray((grey - light) / (light + 8), np.float32)


def same_share(one: Imprint, other: Imprint) -> float | None:
    """The share of printed blocks that both have alike, 0 to 1; None when too little is printed to tell."""
    first, second = _blocks(one), _blocks(other)
    strengths = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    printed = np.maximum(*strengths) > _LEAST_PRINT * _BLOCK
    if np.count_nonzero(printed) < _LEAST_BLOCKS:
        return None
    likeness = (first * second).sum(axis=1) / np.maximum(strengths[0] * strengths[1], 1e-6)
    return float(np.mean(likeness[printed] > _SAME_BLOCK))


def same_turned(one: Imprint, other: Imprint) -> tuple[float, int] | None:
    """The best share over all quarter turns, and how many corners `other` has to be rolled back for it; None as above."""
    shares = [same_share(one, np.rot90(other, turns)) for turns in range(4)]
    known = [(share, turns) for turns, share in enumerate(shares) if share is not None]
    return max(known, key=lambda pair: pair[0], default=None)


def _blocks(imprint: Imprint) -> Imprint:
    """One row for each block, less its mean."""
    rows = imprint.reshape(_ACROSS, _BLOCK, _ACROSS, _BLOCK).swapaxes(1, 2).reshape(_ACROSS**2, -1)
    return np.asarray(rows - rows.mean(axis=1, keepdims=True), np.float32)
