"""Edges of a small copy of the picture, from brightness and from colour, each weighed against what surrounds it."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Plane = NDArray[np.float32]

# Rows: brightness, red against blue, green against red and blue.
_OPPONENT: Final = np.array([[0.114, 0.587, 0.299], [-0.6, 0.0, 0.6], [-0.35, 0.7, -0.35]], np.float32)
_AROUND_PIXELS: Final = 7
_COARSE: Final = 1.5
_CLEAR: Final = 0.8
# As a share of what is usual: beside a fine edge as clear as this the coarse ones are only its echo.
_SHARP: Final = 2.5
_HALO: Final = 11
# Below this gradient (grey levels per pixel) there is nothing but the noise of a camera.
_FLOOR: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Edges:
    """`across`, `down`: the gradient as a share of what is usual around it; `thin`: not 0 on its ridges."""

    across: Plane
    down: Plane
    thin: NDArray[np.uint8]
    colours: Plane


def edges_of(small: Bgr) -> Edges:
    """The edges in a small picture (about 640 pixels long)."""
    high, wide = small.shape[:2]
    soft = np.asarray(cv2.GaussianBlur(cv2.transform(small.astype(np.float32), _OPPONENT), (0, 0), 1.0), np.float32)
    across, down = _standing_out(soft)
    # Grain and weave drown a sheet's side in the fine picture and are gone in a coarse one.
    half = cv2.resize(soft, (max(1, wide // 2), max(1, high // 2)), interpolation=cv2.INTER_AREA)
    coarse = _standing_out(np.asarray(cv2.GaussianBlur(half, (0, 0), _COARSE), np.float32))
    broad = [np.asarray(cv2.resize(plane, (wide, high), interpolation=cv2.INTER_LINEAR), np.float32) for plane in coarse]
    fine = across**2 + down**2
    clear = cv2.dilate((fine > _SHARP**2).astype(np.uint8), np.ones((_HALO, _HALO), np.uint8))
    better = (clear == 0) & (broad[0] ** 2 + broad[1] ** 2 > fine)
    across, down = np.where(better, broad[0], across), np.where(better, broad[1], down)
    fixed = [(plane * 100).clip(-3e4, 3e4).astype(np.int16) for plane in (across, down)]
    thin = np.asarray(cv2.Canny(fixed[0], fixed[1], _CLEAR * 100, _CLEAR * 100, L2gradient=True), np.uint8)
    return Edges(across=across, down=down, thin=thin, colours=soft)


def _standing_out(planes: Plane) -> tuple[Plane, Plane]:
    """The gradient as a share of what is usual around it."""
    across, down, strength = _strongest(planes)
    high, wide = strength.shape
    half = cv2.resize(strength, (max(1, wide // 2), max(1, high // 2)), interpolation=cv2.INTER_AREA)
    usual = cv2.resize(cv2.blur(half, (_AROUND_PIXELS, _AROUND_PIXELS), borderType=cv2.BORDER_REFLECT), (wide, high))
    share = np.asarray(1.0 / (usual + _FLOOR), np.float32)
    return across * share, down * share


def _strongest(planes: Plane) -> tuple[Plane, Plane, Plane]:
    """The gradient of whichever plane changes most at each pixel, and its length."""
    best, *others = (_gradient(plane) for plane in cv2.split(planes))
    for found in others:
        better = cv2.compare(found[2], best[2], cv2.CMP_GT)
        for new, old in zip(found, best, strict=True):
            cv2.copyTo(new, better, old)
    across, down, square = best
    return across, down, np.sqrt(square)


def _gradient(plane: NDArray[Any]) -> tuple[Plane, Plane, Plane]:
    """Of one plane: across, down, and the square of its length."""
    across, down = (np.asarray(cv2.Scharr(plane, cv2.CV_32F, *way, scale=1 / 32), np.float32) for way in ((1, 0), (0, 1)))
    return across, down, across * across + down * down
