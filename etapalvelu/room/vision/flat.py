"""A page made flat: straight from above in its true proportions, the paper evenly white, every colour kept."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.paper import evened, without_rim
from etapalvelu.room.vision.proportions import proportions

Corners = NDArray[np.float32]

# A small page is enlarged towards this many pixels, by no more than the second: text is read better from larger letters.
READABLE_PIXELS: Final = 2_000_000
ENLARGED: Final = 1.6
LONGEST_SIDE: Final = 5000
_SHORTEST_SIDE: Final = 16


def make_page(image_bgr: Bgr, corners: Corners, within: tuple[int, int] | None = None) -> Bgr:
    """The page inside `corners` (TL TR BR BL) as a picture of its own, its upper left being the first corner.

    It is as large as its pixels are worth, or as fits `within` (width, height).
    """
    return without_rim(evened(straightened(image_bgr, corners, within)))


def straightened(image_bgr: Bgr, corners: Corners, within: tuple[int, int] | None = None) -> Bgr:
    """The page as make_page gives it, in the light it lay in."""
    width, height = page_size(image_bgr, corners, within)
    # Pixels have their middles at whole numbers, so the page's edge runs half a pixel outside.
    edge = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - np.float32(0.5)
    view = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), edge)
    page = cv2.warpPerspective(image_bgr, view, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(page, np.uint8)


def page_size(image_bgr: Bgr, corners: Corners, within: tuple[int, int] | None = None) -> tuple[int, int]:
    """Width and height that lose nothing where the camera saw the sheet largest."""
    ratio = proportions(corners, (image_bgr.shape[1], image_bgr.shape[0])).ratio
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width = max(float(sides[[0, 2]].max()), float(sides[[1, 3]].max()) / ratio)
    if within is None:
        wanted = float(np.sqrt(READABLE_PIXELS / (width * width * ratio)))
        scale = min(max(1.0, wanted), ENLARGED, LONGEST_SIDE / (width * max(1.0, ratio)))
    else:
        scale = min(within[0] / width, within[1] / (width * ratio))
    return max(_SHORTEST_SIDE, round(width * scale)), max(_SHORTEST_SIDE, round(width * ratio * scale))
