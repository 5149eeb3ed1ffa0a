"""Straight outlines of bright, unbroken patches: where a sheet's sides may run though stripes and grain drown their edges."""

from dataclasses import dataclass
from typing import Any, Final

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
_MOST_PATCHES: Final = 10
# Percentiles of how far a colour is from the usual one, and the least that is another colour at all.
_STRANGE: Final = (80, 90, 96, 98.5)
_LEAST_STRANGE: Final = 8
_NEAR_PIXELS: Final = 2.5


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """Lines as unit normals (n x 2, towards the patch) and distances; `round` (m x 4): four of them going round one patch."""

    normal: Plane
    distance: Plane
    round: NDArray[np.intp]


def outlines_in(small: Bgr) -> Outlines:
    size = max(8, small.shape[1] // 2), max(8, small.shape[0] // 2)
    half = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA), np.uint8)
    patches: list[tuple[float, NDArray[np.int32]]] = []
    for mask in _masks(half):
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        found = [np.asarray(contour, np.int32) for contour in contours]
        patches += [(fill, contour) for contour in found if (fill := _fill(contour, mask.size)) > _FILL]
    patches.sort(key=lambda patch: -patch[0])
    sides: list[_Side] = []
    four: list[list[int]] = []
    for contour in _different([contour for _, contour in patches]):
        more = _sides(contour.reshape(-1, 2))
        if len(more) >= 4:
            # They come in order going round; the longest four are the sheet's sides, the rest is cut corners and fingers.
            longest = sorted(sorted(range(len(more)), key=lambda index: -more[index].length)[:4])
            four.append([len(sides) + index for index in longest])
        sides += more
    normal = np.array([side.normal for side in sides], np.float32).reshape(-1, 2)
    distance = np.array([side.distance for side in sides], np.float32)
    # The middle of a pixel of the half picture lies between two of the small one.
    distance = 2 * distance + np.float32(0.5) * normal.sum(axis=1)
    return Outlines(normal=normal, distance=distance, round=np.array(four, np.intp).reshape(-1, 4))


def _masks(half: Bgr) -> list[NDArray[np.uint8]]:
    """Where it is bright and colourless, or of another colour than most; print filled up and threads taken away."""
    white = _closed(cv2.min(cv2.min(half[..., 0], half[..., 1]), half[..., 2]))
    around = cv2.blur(white, (91, 91), borderType=cv2.BORDER_REFLECT).astype(np.float32)
    masks = [white > level for level in _levels(white, _PERCENTILES)]
    masks += [white > level * around + 1 for level in _LEVELS]
    colour = cv2.GaussianBlur(half, (5, 5), 0).astype(np.float32)
    tint = colour[..., 1:] - colour[..., :2]
    other = np.abs(tint - np.median(tint[::4, ::4].reshape(-1, 2), axis=0)) @ np.ones(2, np.float32)
    strange = _closed(np.clip(other, 0, 255).astype(np.uint8))
    masks += [strange > level for level in _levels(strange, _STRANGE) if level > _LEAST_STRANGE]
    return [mask.astype(np.uint8) for mask in masks]


def _levels(plane: NDArray[np.uint8], percentiles: tuple[float, ...]) -> NDArray[np.uint8]:
    """The different ones of the percentiles, as every fourth pixel tells them."""
    levels = np.sort(plane[::2, ::2], axis=None)
    return np.unique(levels[(np.array(percentiles) / 100 * (len(levels) - 1)).astype(np.intp)])


def _closed(plane: NDArray[Any]) -> NDArray[Any]:
    plane = cv2.morphologyEx(cv2.GaussianBlur(plane, (3, 3), 0), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    return cv2.morphologyEx(plane, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))


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


@dataclass(frozen=True, kw_only=True)
class _Side:
    normal: Plane
    distance: float
    length: float


def _sides(points: NDArray[np.int32]) -> list[_Side]:
    """The long straight pieces of an outline, dents bridged, in order going round."""
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
        normal = normal if float((middle - start) @ normal) > 0 else -normal
        sides.append(_Side(normal=normal, distance=float(normal @ start), length=length))
    return sides
