"""How far the paper within a shape stands apart, by its colour, from what lies beyond each of the sides."""

from typing import Final

import cv2
import numpy as np

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Plane

# In a picture half as large print no wider than this is filled up.
_PRINT: Final = 7
_SAMPLES: Final = 10
_ENDS: Final = 0.05
# How far outside is looked, as shares of the shape.
_BEYOND: Final = (0.07, 0.13, 0.2)
# How far colours may be from the paper's (logarithms), the likeness that tells most being taken.
_NEAR: Final = np.geomspace(0.005, 0.8, 24).astype(np.float32)
# Of a difference in colour and one in light the former says more: light changes over a sheet too.
_COLOUR: Final = 1.5
_LEAST_LIGHT: Final = 4.0


def contrast_of(small: Bgr, shapes: Plane) -> Plane:
    """For each of n shapes (n x 4 x 2): the share of it that is of the paper's colour less the share of that close outside,
    beyond the side where there is most of it; below 0 where paper goes on, near 1 for a bare sheet on a table.
    """
    high, wide = small.shape[:2]
    half = cv2.resize(small, (max(1, wide // 2), max(1, high // 2)), interpolation=cv2.INTER_AREA)
    half = cv2.morphologyEx(cv2.GaussianBlur(half, (3, 3), 0), cv2.MORPH_CLOSE, np.ones((_PRINT, _PRINT), np.uint8))
    at = np.asarray(_WEIGHTS @ shapes, np.float32)
    is_seen = np.asarray(((at >= 0) & (at <= np.array([wide - 1, high - 1]))).all(axis=2), np.float32)
    at = np.asarray((at - np.float32(0.5)) / 2, np.float32)
    light = np.log(half.astype(np.float32) + np.float32(_LEAST_LIGHT))
    found = np.asarray(cv2.remap(light, at[..., 0], at[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    within = found[:, : _SAMPLES**2]
    # What is printed is darker than the paper: its brighter half is paper.
    order = np.argsort(within.mean(axis=2), axis=1)[:, _SAMPLES**2 // 2 :, None]
    off = found - np.median(np.take_along_axis(within, order, axis=1), axis=1, keepdims=True)
    lighter = np.asarray(off.mean(axis=2), np.float32)
    far = np.asarray(_COLOUR * np.abs(off - lighter[..., None]).sum(axis=2) + np.abs(lighter), np.float32)
    is_near = np.asarray(far[..., None] <= _NEAR, np.float32)
    inside = is_near[:, : _SAMPLES**2].mean(axis=1)
    beyond = is_near[:, _SAMPLES**2 :].reshape(len(shapes), 4, -1, len(_NEAR))
    seen = is_seen[:, _SAMPLES**2 :].reshape(len(shapes), 4, -1, 1)
    # Nothing is known of what lies outside the picture.
    known = seen.sum(axis=2)
    outside = (beyond * seen).sum(axis=2) / np.maximum(known, 1)
    all_round = (outside * known).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    best = (inside - all_round).argmax(axis=1)
    rows = np.arange(len(shapes))
    return np.asarray(inside[rows, best] - outside[rows, :, best].max(axis=1), np.float32)


def _weights() -> Plane:
    """What each corner counts for at the samples: those within, and then side by side those outside."""
    along = np.linspace(_ENDS, 1 - _ENDS, _SAMPLES, dtype=np.float32)
    across, down = (plane.ravel() for plane in np.meshgrid(along, along))
    beyond, way = (plane.ravel() for plane in np.meshgrid(np.array(_BEYOND, np.float32), along))
    u = np.concatenate([across, way, 1 + beyond, way, -beyond])
    v = np.concatenate([down, -beyond, way, 1 + beyond, way])
    return np.stack([(1 - u) * (1 - v), u * (1 - v), u * v, (1 - u) * v], axis=1)


_WEIGHTS: Final = _weights()
