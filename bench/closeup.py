"""A sheet that fills the picture: what the camera sees when paper and camera are as near as reading wants them."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.grounds import Field, Random
from bench.lens import lit, shadowed
from bench.sheets import Sheet
from etapalvelu.room.pixels import Bgr

_TILT_DEGREES: Final = 7.0
_FOCAL: Final = (0.9, 1.5)
_FILLS: Final = (0.93, 0.97)


@dataclass(frozen=True, kw_only=True)
class Closeup:
    """`light` is the picture before sensor and JPEG (float32, 0..255); corners as `find_page` would give them."""

    light: Field
    corners: NDArray[np.float32]

    @property
    def image_bgr(self) -> Bgr:
        return np.asarray(np.clip(self.light + 0.5, 0, 255), np.uint8)

    def in_shadow(self, random: Random) -> "Closeup":
        return replace(self, light=shadowed(random, self.light, self.corners.astype(np.float64)))

    def taken(self, random: Random, *, exposure: float = 1.0, blur: float = 0.5, drag: float = 0.0) -> Bgr:
        """One frame: `blur` is a lens out of focus (sigma), `drag` a movement during the exposure, both in pixels."""
        picture = cv2.GaussianBlur(self.light, (0, 0), max(blur, 0.1))
        if drag > 1:
            picture = cv2.filter2D(picture, -1, _streak(drag, random.uniform(0, np.pi)))
        noise = random.standard_normal(picture.shape, dtype=np.float32) * np.float32(random.uniform(1.0, 4.0))
        eight = np.clip(picture * exposure + noise, 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, 92])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def make_closeup(random: Random, sheet: Sheet, size: tuple[int, int], *, turn: float = 0.0) -> Closeup:
    """The sheet from nearly above in even light, turned by about `turn` degrees clockwise, as large as it fits."""
    corners = _seen(random, sheet, size, turn)
    wide, high = size
    field = np.empty((high, wide, 3), np.float32)
    field[:] = random.uniform(30, 140, 3)
    edge = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * sheet.image.shape[1::-1] - np.float32(0.5)
    view = cv2.getPerspectiveTransform(edge.astype(np.float32), corners)
    # A pixel of the camera averages all it covers of the paper.
    shrink = float(np.sqrt(sheet.image.shape[0] * sheet.image.shape[1] / cv2.contourArea(corners)))
    calm = cv2.GaussianBlur(sheet.image, (0, 0), max(0.1, 0.42 * shrink)).astype(np.float32)
    cv2.warpPerspective(calm, view, size, dst=field, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    return Closeup(light=lit(random, field), corners=corners)


def _seen(random: Random, sheet: Sheet, size: tuple[int, int], turn: float) -> NDArray[np.float32]:
    """The sheet's corners through a pinhole."""
    broad, tall = sheet.size_mm
    flat = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * np.array([broad, tall, 0]) / 2
    about_x, about_y, about_z = np.radians([*random.uniform(-_TILT_DEGREES, _TILT_DEGREES, 2), turn + random.uniform(-3, 3)])
    space = flat @ (_turned(about_y, 0, 2) @ _turned(about_x, 1, 2) @ _turned(about_z, 0, 1)).T
    focal = random.uniform(*_FOCAL) * size[0]
    away, fills, share = 4.0 * max(sheet.size_mm), random.uniform(*_FILLS), 0.0
    seen = space[:, :2]
    while abs(share - fills) > 0.001:
        seen = focal * space[:, :2] / (space[:, 2:] + away)
        share = float((np.ptp(seen, axis=0) / size).max())
        away *= share / fills
    return np.asarray(seen - (seen.min(axis=0) + seen.max(axis=0)) / 2 + np.array(size) / 2, np.float32)


def _turned(angle: float, first: int, second: int) -> NDArray[np.float64]:
    matrix = np.eye(3)
    matrix[first, first] = matrix[second, second] = np.cos(angle)
    matrix[first, second], matrix[second, first] = -np.sin(angle), np.sin(angle)
    return matrix


def _streak(length: float, angle: float) -> NDArray[np.float32]:
    side = int(np.ceil(length)) // 2 * 2 + 3
    kernel = np.zeros((side, side), np.float32)
    along = np.linspace(-length / 2, length / 2, 8 * side)
    rows, columns = (np.round(side // 2 + along * part).astype(int) for part in (np.sin(angle), np.cos(angle)))
    np.add.at(kernel, (rows, columns), 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)
