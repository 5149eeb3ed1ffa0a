"""Papers on a table for tests of what is done with a page: exact corners, light of one's own making."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.sheets import Sheet
from etapalvelu.room.pixels import Bgr

Corners = NDArray[np.float32]
TABLE_BGR = (70, 90, 100)


def above(sheet: Sheet, size: tuple[int, int], share: float = 0.9, shift: tuple[float, float] = (0, 0)) -> tuple[Bgr, Corners]:
    """The sheet straight from above in the middle of a picture of `size`, filling `share` of its tighter side."""
    high, wide = sheet.image.shape[:2]
    scale = share * min(size[0] / wide, size[1] / high)
    box = np.array([[0, 0], [wide, 0], [wide, high], [0, high]]) * scale
    return seen(sheet, size, (box + (np.array(size) - box[2]) / 2 + shift).astype(np.float32))


def seen(sheet: Sheet, size: tuple[int, int], corners: Corners) -> tuple[Bgr, Corners]:
    """The sheet with its corners there."""
    high, wide = sheet.image.shape[:2]
    edge = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32) - np.float32(0.5)
    picture = np.empty((size[1], size[0], 3), np.uint8)
    picture[:] = TABLE_BGR
    shrink = float(np.sqrt(wide * high / cv2.contourArea(corners)))
    calm = cv2.GaussianBlur(sheet.image, (0, 0), max(0.1, 0.42 * shrink))
    view = cv2.getPerspectiveTransform(edge, corners)
    cv2.warpPerspective(calm, view, size, dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    return picture, corners


def lit(picture: Bgr, light: NDArray[np.float32], grain: float = 2.0) -> Bgr:
    """The picture under light that is 1 where it is as bright as it was, with the sensor's grain."""
    noise = np.random.default_rng(1).normal(0, grain, picture.shape)
    factor = light if light.ndim == 3 else light[..., None]
    return np.clip(picture * factor + noise, 0, 255).astype(np.uint8)


def shade(size: tuple[int, int], *, depth: float, softness: float, where: float = 0.5) -> NDArray[np.float32]:
    """Light with a shadow over the right of the picture, whose edge is `softness` wide (a share of the picture)."""
    across = (np.arange(size[0], dtype=np.float32) / size[0] - where) / max(softness, 1e-3)
    row = 1 - depth / (1 + np.exp(-np.clip(across, -50, 50)))
    return np.asarray(np.broadcast_to(row[None, :], (size[1], size[0])), np.float32)


def pinhole(
    size_mm: tuple[float, float], size: tuple[int, int], *, tilt: float, towards: float, turn: float, focal: float
) -> Corners:
    """Corners of a sheet as a camera with that focal length (in widths of the picture) sees it; angles in degrees."""
    wide, high = size_mm
    flat = np.array([[-wide, -high, 0], [wide, -high, 0], [wide, high, 0], [-wide, high, 0]]) / 2
    slope, axis, about = np.radians([tilt, towards, turn])
    lean, _ = cv2.Rodrigues(np.array([np.cos(axis), np.sin(axis), 0]) * slope)
    spin, _ = cv2.Rodrigues(np.array([0, 0, 1.0]) * about)
    space = flat @ spin.T @ lean.T
    away = 1.5 * focal * max(size_mm)
    inside = focal * size[0] * space[:, :2] / (space[:, 2:] + away)
    return np.asarray(inside + np.array(size) / 2, np.float32)
