"""Edges of a small copy of the picture, from brightness and from colour, each weighed against what surrounds it."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Plane = NDArray[np.float32]

# Rows: brightness, red against blue, green against red and blue.
_OPPONENT: Final = np.array([[0.114, 0.587, 0.299], [-0.6, 0.0, 0.6], [-0.35, 0.7, -0.35]], np.float32)
_AROUND_PIXELS: Final = 15
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
    colours = cv2.transform(small.astype(np.float32), _OPPONENT)
    soft = np.asarray(cv2.GaussianBlur(colours, (0, 0), 1.0), np.float32)
    across, down, strength = _strongest(soft)
    usual = cv2.blur(strength, (_AROUND_PIXELS, _AROUND_PIXELS), borderType=cv2.BORDER_REFLECT)
    share = 1.0 / (usual + _FLOOR)
    across, down = across * share, down * share
    fixed = [(plane * 1000).astype(np.int16) for plane in (across, down)]
    thin = np.asarray(cv2.Canny(fixed[0], fixed[1], 800, 800, L2gradient=True), np.uint8)
    return Edges(across=across, down=down, thin=thin, colours=soft)


def _strongest(planes: Plane) -> tuple[Plane, Plane, Plane]:
    """The gradient of whichever plane changes most at each pixel, and its length."""
    across = np.asarray(cv2.Scharr(planes, cv2.CV_32F, 1, 0, scale=1 / 32), np.float32)
    down = np.asarray(cv2.Scharr(planes, cv2.CV_32F, 0, 1, scale=1 / 32), np.float32)
    lengths = across * across + down * down
    best, chosen_across, chosen_down = lengths[..., 0], across[..., 0], down[..., 0]
    for plane in (1, 2):
        better = lengths[..., plane] > best
        best = np.where(better, lengths[..., plane], best)
        chosen_across = np.where(better, across[..., plane], chosen_across)
        chosen_down = np.where(better, down[..., plane], chosen_down)
    return chosen_across, chosen_down, np.sqrt(best)
