"""How far the full picture bears a shape out: whether a straight edge runs all along each of its sides.

In the small copy a grain, a shadow or a few things in a row may look like a side. In the full picture a sheet's side is one
unbroken step from paper to table, in the same place and the same way round all along it.
"""

from typing import Final

import cv2
import numpy as np

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Plane
from etapalvelu.room.vision.refine import outward_of

_STRETCHES: Final = 8
_POINTS: Final = 8
# Corners may be round or under a hand.
_ENDS: Final = 0.06
# Across the side, in pixels of a picture of 1080p: how far is looked, where the edge may be, and where it is no more.
_REACH: Final = 12
_HERE: Final = 2
_BESIDE: Final = 4
_USUAL_SIDE: Final = 1920
# An edge stands out by so many times the unrest beside it, and that is never less than this (grey levels a pixel).
_STANDS_OUT: Final = 2.0
_LEAST_UNREST: Final = 0.3
_PLAIN: Final = np.array([0.114, 0.587, 0.299], np.float32)


def borne_out(picture: Bgr, corners: Plane) -> Plane:
    """For each side of the refined `corners` the share of its length on which an edge is seen, 0 to 1."""
    step = max(1.0, max(picture.shape[:2]) / _USUAL_SIDE)
    return np.array([_share(picture, corners, k, step) for k in range(4)], np.float32)


def _share(picture: Bgr, corners: Plane, side: int, step: float) -> float:
    start, end = corners[side], corners[(side + 1) % 4]
    across = np.arange(-_REACH, _REACH + 1, dtype=np.float32) * np.float32(step)
    way = np.linspace(_ENDS, 1 - _ENDS, _STRETCHES * _POINTS, dtype=np.float32)
    at = (start + way[:, None] * (end - start))[:, None] + across[:, None] * outward_of(start, end, corners.mean(axis=0))
    seen = cv2.remap(
        picture, at[..., 0].astype(np.float32), at[..., 1].astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    inside, outside = seen[:, _REACH - _BESIDE : _REACH - 1], seen[:, _REACH + 2 : _REACH + _BESIDE + 1]
    change = np.median(inside.mean(axis=1) - outside.mean(axis=1), axis=0)
    size = float(np.linalg.norm(change))
    profile = seen @ (change / size if size > 1 else _PLAIN).astype(np.float32)
    fall = (profile[:, :-2] - profile[:, 2:]).reshape(_STRETCHES, _POINTS, -1).mean(axis=1)
    middle = _REACH - 1
    edge = fall[:, middle - _HERE : middle + _HERE + 1].max(axis=1)
    beside = np.concatenate([fall[:, : middle - _BESIDE], fall[:, middle + _BESIDE + 1 :]], axis=1)
    unrest = np.sqrt((beside**2).mean(axis=1)) + _LEAST_UNREST
    return float((edge > _STANDS_OUT * unrest).mean())
