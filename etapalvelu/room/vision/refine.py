"""Corners brought from the small copy to the full picture: each side is followed along; corners are where they meet."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Plane

_POINTS: Final = 80
# Corners may be round or under a hand: the ends of a side are not looked at.
_ENDS: Final = 0.06
# How far off the side is looked for, first and then again: a share of the side, and at least so many pixels. Print may lie
# within the first reach: a step higher than this share of that from paper to table is no better for it.
_REACHES: Final = ((0.03, 4.0, 0.7), (0.008, 3.0, np.inf))
# Grey levels, all channels together: less than this is no change of colour.
_LEAST_CHANGE: Final = 4.0
# What each degree of a bow costs, in pixels, and how much less it has to miss by.
_PRICE: Final = 0.08
_CLEARLY_LESS: Final = 0.6
_PASSES: Final = (6.0, 3.0, 2.0, 1.2, 1.2)


def refined(picture: Bgr, corners: Plane, blur_pixels: float) -> Plane:
    """The corners to a fraction of a pixel; `blur_pixels` of this picture are one of that in which they were found."""
    for share, least, most in _REACHES:
        sides = [
            _side(picture, corners[k], corners[(k + 1) % 4], corners.mean(axis=0), (share, least, most), blur_pixels)
            for k in range(4)
        ]
        corners = np.stack([_meeting(corners, sides, k) for k in range(4)])
        blur_pixels = 1.0
    return corners


Bow = NDArray[np.float64]


def _side(picture: Bgr, start: Plane, end: Plane, middle: Plane, looked: tuple[float, float, float], blur: float) -> Bow:
    """How far outward the side really lies, as a polynomial (highest power first) of the way along it, 0 to 1."""
    share, least, most = looked
    length = float(np.linalg.norm(end - start))
    outward = outward_of(start, end, middle)
    reach = float(np.clip(share * length, least * blur, 30 * max(1.0, blur)))
    steps = np.arange(-np.ceil(reach) - 2, np.ceil(reach) + 3, dtype=np.float32)
    way = np.linspace(_ENDS, 1 - _ENDS, _POINTS, dtype=np.float32)
    base = start + way[:, None] * (end - start)
    at = base[:, None] + steps[:, None] * outward
    found = cv2.remap(
        picture, at[..., 0].astype(np.float32), at[..., 1].astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    # Of all mixtures of the colours, the one in which inside and outside differ most.
    rim = max(2, len(steps) // 3)
    # What is printed beside the side is less than half of what lies there.
    change = _usual(found[::4, :rim]) - _usual(found[::4, -rim:])
    plain = np.array([0.114, 0.587, 0.299], np.float32)
    mixture = change / np.linalg.norm(change) if np.linalg.norm(change) > _LEAST_CHANGE else plain
    profile = cv2.GaussianBlur(found @ mixture.astype(np.float32), (5, 1), 0)
    fall = profile[:, :-2] - profile[:, 2:]
    if np.linalg.norm(change) <= _LEAST_CHANGE:
        fall = np.abs(fall)
    inner = steps[1:-1]
    fall = np.clip(fall, 0, most * max(float(np.linalg.norm(change)), _LEAST_CHANGE)) * np.exp(
        -0.5 * (inner / (0.7 * reach + 1)) ** 2
    )
    best = np.clip(fall.argmax(axis=1), 1, fall.shape[1] - 2)
    rows = np.arange(_POINTS)
    before, peak, after = fall[rows, best - 1], fall[rows, best], fall[rows, best + 1]
    bend = before - 2 * peak + after
    shift = np.where(bend < -1e-6, 0.5 * (before - after) / np.minimum(bend, -1e-6), 0)
    return _fitted(way.astype(np.float64), (inner[best] + shift).astype(np.float64), peak.astype(np.float64))


def _usual(colours: Plane) -> Plane:
    flat = colours.reshape(-1, 3)
    return np.asarray(np.partition(flat, len(flat) // 2, axis=0)[len(flat) // 2], np.float32)


def outward_of(start: Plane, end: Plane, middle: Plane) -> Plane:
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-3)
    normal = np.array([-along[1], along[0]], np.float32)
    sign = -1 if float(normal @ (middle - start)) > 0 else 1
    return np.asarray(sign * normal, np.float32)


def _fitted(way: Bow, offset: Bow, weight: Bow) -> Bow:
    """A straight line through most of the points, or a bow where that fits clearly better."""
    strong = np.minimum(weight, np.median(weight) + 1e-3) + 1e-6
    straight, miss = _robust(way, offset, strong, 1)
    # A bow never misses by less than its own price.
    if _CLEARLY_LESS * miss > 2 * _PRICE:
        bowed, less = _robust(way, offset, strong, 2)
        if less < _CLEARLY_LESS * miss:
            return bowed
    return np.concatenate([[0.0], straight])


def _robust(way: Bow, offset: Bow, weight: Bow, degree: int) -> tuple[Bow, float]:
    """Weighted fit in which points far off count less and less; with the usual miss of a point."""
    trust = weight * np.exp(-0.5 * ((offset - np.median(offset)) / 12) ** 2)
    bow: Bow = np.zeros(degree + 1)
    powers = np.vander(way, degree + 1)
    rest = offset
    for width in _PASSES:
        scaled = powers * trust[:, None]
        bow = np.asarray(np.linalg.solve(scaled.T @ powers + 1e-6 * np.eye(degree + 1), scaled.T @ offset), np.float64)
        rest = np.abs(offset - np.asarray(powers @ bow, np.float64))
        trust = weight / (1 + (rest / width) ** 2) ** 2
    return bow, float((trust * rest).sum() / max(trust.sum(), 1e-9)) + _PRICE * degree


def _meeting(corners: Plane, sides: list[Bow], k: int) -> Plane:
    """Where the side that ends in corner k meets the one that begins there."""
    middle: Plane = corners.mean(axis=0)
    last, corner, following = corners[k - 1], corners[k], corners[(k + 1) % 4]
    outwards = outward_of(last, corner, middle), outward_of(corner, following, middle)
    ended, begun = 1.0, 0.0
    here: Bow = corner.astype(np.float64)
    for _ in range(3):
        first = _tangent(last, corner, outwards[0], sides[k - 1], ended)
        second = _tangent(corner, following, outwards[1], sides[k], begun)
        normals = np.stack([first[0], second[0]])
        if abs(float(np.linalg.det(normals))) < 0.2:
            break
        here = np.asarray(np.linalg.solve(normals, np.array([first[1], second[1]])), np.float64)
        ended, begun = _way(here, last, corner), _way(here, corner, following)
    return here.astype(np.float32)


def _tangent(start: Plane, end: Plane, outward: Plane, bow: Bow, way: float) -> tuple[NDArray[np.float64], float]:
    """The straight line that touches a side at `way`: normal and distance."""
    point = start + way * (end - start) + np.polyval(bow, way) * outward
    direction = (end - start) + np.polyval(np.polyder(bow), way) * outward
    normal = np.array([-direction[1], direction[0]], np.float64) / max(float(np.linalg.norm(direction)), 1e-6)
    return normal, float(normal @ point)


def _way(point: NDArray[np.float64], start: Plane, end: Plane) -> float:
    side = (end - start).astype(np.float64)
    return float(np.clip((point - start) @ side / max(float(side @ side), 1e-6), -0.2, 1.2))
