"""What a quad in a picture says about the sheet: its true proportions, its format, and how askew it lies to the camera.

The camera is taken for a pinhole that looks through the middle of the picture. Its focal length is not known, so all usual ones
are tried, and those under which the quad's sides stand at right angles count most; seen straight from above they all agree.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Corners = NDArray[np.float32]

A_SERIES: Final = 2**0.5
ID_CARD: Final = 85.6 / 53.98
# How far, as a share, a measured ratio may lie from a format's and still be taken for it: when sure, and at most.
_NEAR: Final = 0.04
_NEAR_AT_MOST: Final = 0.07
# Focal lengths in widths of the picture, and how usual they are (log-normal).
_FOCALS: Final = np.geomspace(0.5, 4.0, 25)
_USUAL_FOCAL: Final = 1.1
_FOCAL_SPREAD: Final = 0.5
# Found corners leave the angle between two sides about this unsure.
_SQUARE_DEGREES: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class Proportions:
    """`ratio` is the sheet's height over its width as the corners name them; `tilt` is 0 degrees seen straight from above."""

    ratio: float
    format: float | None
    tilt: float


def proportions(corners: Corners, picture_size: tuple[int, int]) -> Proportions:
    """Measure the sheet; `picture_size` is width and height. A ratio near to a format's is the format's."""
    width, height = picture_size
    middle = np.array([width, height], np.float64) / 2
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    centred = ((corners - middle) / width).astype(np.float32)
    across, down = cv2.getPerspectiveTransform(square, centred).T[:2]
    # Directions of the two sides in the camera's space, one row a focal length.
    rights, downs = (
        np.stack([side[0] / _FOCALS, side[1] / _FOCALS, np.full_like(_FOCALS, side[2])], axis=1) for side in (across, down)
    )
    long_right, long_down = np.linalg.norm(rights, axis=1), np.linalg.norm(downs, axis=1)
    off_square = np.degrees(np.arcsin(np.clip((rights * downs).sum(axis=1) / (long_right * long_down), -1, 1)))
    unlikely = (off_square / _SQUARE_DEGREES) ** 2 + (np.log(_FOCALS / _USUAL_FOCAL) / _FOCAL_SPREAD) ** 2
    weights = np.exp((unlikely.min() - unlikely) / 2)
    weights /= weights.sum()
    logs = np.log(long_down / long_right)
    log_ratio = float(weights @ logs)
    unsure = float(np.sqrt(weights @ (logs - log_ratio) ** 2))
    normals = np.cross(rights, downs)
    tilts = np.degrees(np.arccos(np.clip(np.abs(normals[:, 2]) / np.linalg.norm(normals, axis=1), 0, 1)))
    known = _format(log_ratio, unsure)
    ratio = float(np.exp(log_ratio)) if known is None else known if log_ratio > 0 else 1 / known
    return Proportions(ratio=ratio, format=known, tilt=float(weights @ tilts))


def _format(log_ratio: float, unsure: float) -> float | None:
    far, known = min((abs(abs(log_ratio) - float(np.log(known))), known) for known in (A_SERIES, ID_CARD))
    return known if far < min(_NEAR + unsure, _NEAR_AT_MOST) else None
