"""Where the paper lies in a picture of the table, or that none lies there."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

SEARCH_SIDE_PIXELS: Final = 640
LEAST_SHARE_OF_PICTURE: Final = 0.02

Corners = NDArray[np.float32]


def find_page(image_bgr: Bgr, near: Corners | None = None) -> Corners | None:
    """The sheet's corners TL TR BR BL in pixels, or None. `near`: where it lay a moment ago, to look only there."""
    height, width = image_bgr.shape[:2]
    scale = min(1.0, SEARCH_SIDE_PIXELS / max(height, width))
    small = cv2.resize(image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = cv2.dilate(cv2.Canny(cv2.GaussianBlur(small, (5, 5), 0), 40, 120), np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(edges, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:5]:
        quad = cv2.approxPolyDP(contour, 0.02 * cv2.arcLength(contour, True), True)
        if (
            len(quad) == 4
            and cv2.isContourConvex(quad)
            and cv2.contourArea(quad) > LEAST_SHARE_OF_PICTURE * small.shape[0] * small.shape[1]
        ):
            return in_order(quad.reshape(4, 2).astype(np.float32) / np.float32(scale))
    return None


def in_order(corners: Corners) -> Corners:
    """The corners clockwise as one sees them, first the one nearest the picture's upper left by x + y."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)
