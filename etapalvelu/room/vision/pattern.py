"""Whether what lies within a shape is a pattern of cells: keys, checks, tiles. A sheet is ruled one way or for a part only."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.vision.edges import Plane

_SIDES: Final = (96, 640)
# This share is left out all round: the sides themselves are no lines within.
_RIM: Final = 0.06
_BANDS: Final = 4
# A line runs through all bands, and stands out from what is usual between lines so many times and by so many grey levels.
_STANDS_OUT: Final = 2.5
_LEAST_STEP: Final = 0.4
# Edges of lines each way, two for a line, that make a pattern.
_LEAST_EDGES: Final = 6
# The fields of a form have lines at both ends and a blank between them: cells leave no such share free.
_LARGEST_GAP: Final = 0.3


def is_pattern(brightness: Plane, corners: Plane) -> bool:
    """Lines from side to side, several each way."""
    lengths = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    # No smaller than it is: fine lines would fall between the pixels.
    wide, high = (int(np.clip(lengths[side::2].max(), *_SIDES)) for side in (0, 1))
    square = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32) - np.float32(0.5)
    view = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), square)
    within = cv2.warpPerspective(brightness, view, (wide, high), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    across, down = round(_RIM * wide), round(_RIM * high)
    inner = within[down : high - down, across : wide - across]
    return all(_edges_across(np.asarray(turned, np.float32)) >= _LEAST_EDGES for turned in (inner, inner.T))


def _edges_across(within: Plane) -> int:
    """Edges of lines that run from the first row to the last; none where these do not come all over."""
    step = within[:, 2:] - within[:, :-2]
    bands: NDArray[np.float32] = np.stack([band.mean(axis=0) for band in np.array_split(step, _BANDS)])
    least = _STANDS_OUT * np.median(np.abs(bands), axis=1, keepdims=True) + _LEAST_STEP
    # A line may lean by a pixel from band to band.
    up, down = (cv2.dilate(np.where(sign * bands > least, 1, 0).astype(np.uint8), np.ones((1, 3))) for sign in (1, -1))
    places = np.concatenate([np.flatnonzero(np.diff(seen.min(axis=0).astype(np.int8), prepend=0) > 0) for seen in (up, down)])
    gaps = np.diff(np.sort(places), prepend=0, append=bands.shape[1])
    return len(places) if gaps.max() < _LARGEST_GAP * bands.shape[1] else 0
