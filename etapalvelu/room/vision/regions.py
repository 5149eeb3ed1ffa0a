"""Straight outlines of bright, unbroken patches: where a sheet's sides may run though stripes and grain drown their edges."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Plane

_PERCENTILES: Final = (35, 50, 62, 74, 84, 91, 96, 98.5)
# Times the brightness all around.
_LEVELS: Final = (1.05, 1.15, 1.3)
_LEAST_SHARE: Final = 0.003
_MOST_SHARE: Final = 0.92
# How much of the upright or slanting box around it a patch must fill.
_FILL: Final = 0.62
_MOST_PATCHES: Final = 8
_NEAR_PIXELS: Final = 2.5


def outlines_in(small: Bgr) -> tuple[Plane, Plane]:
    """Lines as unit normals (n x 2), towards the patch, and distances, in pixels of `small`."""
    size = max(8, small.shape[1] // 2), max(8, small.shape[0] // 2)
    half = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    patches: list[tuple[float, NDArray[np.int32]]] = []
    for mask in _masks(half):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        found = [np.asarray(contour, np.int32) for contour in contours]
        patches += [(fill, contour) for contour in found if (fill := _fill(contour, mask.size)) > _FILL]
    patches.sort(key=lambda patch: -patch[0])
    normals: list[Plane] = []
    distances: list[float] = []
    for contour in _different([contour for _, contour in patches]):
        for normal, distance in _sides(contour.reshape(-1, 2)):
            normals.append(normal)
            # Half a pixel: the middle of a pixel of the half picture lies between two of the small one.
            distances.append(2 * distance + 0.5 * float(normal.sum()))
    return np.array(normals, np.float32).reshape(-1, 2), np.array(distances, np.float32)


def _masks(half: Bgr) -> list[NDArray[np.uint8]]:
    """Where it is bright and colourless by several measures, print filled up and threads taken away."""
    white = cv2.min(cv2.min(half[..., 0], half[..., 1]), half[..., 2])
    white = cv2.morphologyEx(cv2.GaussianBlur(white, (3, 3), 0), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    white = cv2.morphologyEx(white, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    around = cv2.blur(white, (91, 91), borderType=cv2.BORDER_REFLECT).astype(np.float32)
    masks = [white > level for level in np.unique(np.percentile(white, _PERCENTILES))]
    masks += [white > level * around + 1 for level in _LEVELS]
    return [mask.astype(np.uint8) for mask in masks]


def _fill(contour: NDArray[np.int32], pixels: int) -> float:
    area = cv2.contourArea(contour)
    if not _LEAST_SHARE * pixels < area < _MOST_SHARE * pixels:
        return 0.0
    wide, high = cv2.minAreaRect(contour)[1]
    return float(area / max(wide * high, 1.0))


def _different(contours: list[NDArray[np.int32]]) -> list[NDArray[np.int32]]:
    """The first few that are not the same patch once more."""
    kept: list[NDArray[np.int32]] = []
    boxes: list[NDArray[np.int64]] = []
    for contour in contours:
        box = np.array(cv2.boundingRect(contour))
        if len(kept) < _MOST_PATCHES and all(np.abs(box - other).max() > 2 for other in boxes):
            kept.append(contour)
            boxes.append(box)
    return kept


def _sides(points: NDArray[np.int32]) -> list[tuple[Plane, float]]:
    """The long straight pieces of an outline, dents bridged."""
    hull = cv2.convexHull(points)
    around = cv2.arcLength(hull, True)
    polygon = cv2.approxPolyDP(hull, 0.015 * around, True).reshape(-1, 2).astype(np.float32)
    middle = polygon.mean(axis=0)
    sides = []
    for start, end in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        length = float(np.linalg.norm(end - start))
        if length < 0.07 * around:
            continue
        along = (end - start) / length
        normal = np.array([-along[1], along[0]], np.float32)
        off, way = (points - start) @ normal, (points - start) @ along
        close = points[(np.abs(off) < _NEAR_PIXELS) & (way > 0.05 * length) & (way < 0.95 * length)]
        if len(close) > 0.3 * length:
            over, down, x, y = cv2.fitLine(close.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
            normal, start = np.array([-down, over], np.float32), np.array([x, y], np.float32)
        inward = np.float32(1 if float((middle - start) @ normal) > 0 else -1)
        sides.append((inward * normal, float(inward * (normal @ start))))
    return sides
