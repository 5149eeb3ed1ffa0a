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
# Lines that cross at a sine of less do not tell a corner.
_HARDLY: Final = 0.2
_PASSES: Final = (6.0, 3.0, 2.0, 1.2, 1.2)


def refined(picture: Bgr, corners: Plane, blur_pixels: float) -> Plane:
    """The corners to a fraction of a pixel; `blur_pixels` of this picture are one of that in which they were found."""
    for share, least, most in _REACHES:
        seen = [
            _seen(picture, corners[k], corners[(k + 1) % 4], corners.mean(axis=0), (share, least, most), blur_pixels)
            for k in range(4)
        ]
        sides = _fitted(*(np.stack(parts) for parts in zip(*seen, strict=True)))
        corners = _meeting(corners, sides)
        blur_pixels = 1.0
    return corners


# How far outward a side really lies at each point of the way along it, 0 to 1; or as a polynomial of it, highest power first.
Bow = NDArray[np.float64]
_WAY: Final = np.linspace(_ENDS, 1 - _ENDS, _POINTS)
_POWERS: Final = np.vander(_WAY, 3)


def _seen(
    picture: Bgr, start: Plane, end: Plane, middle: Plane, looked: tuple[float, float, float], blur: float
) -> tuple[Bow, Bow]:
    """How far outward the side seems to lie at each point, and how clearly."""
    share, least, most = looked
    length = float(np.linalg.norm(end - start))
    outward = outward_of(start, end, middle)
    reach = min(max(share * length, least * blur), 30 * max(1.0, blur))
    steps = np.arange(-np.ceil(reach) - 2, np.ceil(reach) + 3, dtype=np.float32)
    base = start + _WAY[:, None].astype(np.float32) * (end - start)
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
    return (inner[best] + shift).astype(np.float64), peak.astype(np.float64)


def _usual(colours: Plane) -> Plane:
    flat = colours.reshape(-1, 3)
    return np.asarray(np.partition(flat, len(flat) // 2, axis=0)[len(flat) // 2], np.float32)


def outward_of(start: Plane, end: Plane, middle: Plane) -> Plane:
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1e-3)
    normal = np.array([-along[1], along[0]], np.float32)
    sign = -1 if float(normal @ (middle - start)) > 0 else 1
    return np.asarray(sign * normal, np.float32)


def _fitted(offset: Bow, weight: Bow) -> Bow:
    """For each side a straight line through most of its points, or a bow where that fits clearly better."""
    strong = np.minimum(weight, np.median(weight, axis=1, keepdims=True) + 1e-3) + 1e-6
    straight, miss = _robust(offset, strong, 1)
    bows = np.pad(straight, ((0, 0), (1, 0)))
    # A bow never misses by less than its own price.
    bent = np.flatnonzero(_CLEARLY_LESS * miss > 2 * _PRICE)
    if len(bent):
        bowed, less = _robust(offset[bent], strong[bent], 2)
        better = less < _CLEARLY_LESS * miss[bent]
        bows[bent[better]] = bowed[better]
    return bows


def _robust(offset: Bow, weight: Bow, degree: int) -> tuple[Bow, Bow]:
    """Weighted fits in which points far off count less and less; with the usual miss of a point."""
    trust = weight * np.exp(-0.5 * ((offset - np.median(offset, axis=1, keepdims=True)) / 12) ** 2)
    powers = _POWERS[:, 2 - degree :]
    bow: Bow = np.zeros((len(offset), degree + 1))
    rest = offset
    for width in _PASSES:
        scaled = powers.T * trust[:, None]
        found = np.linalg.solve(scaled @ powers + 1e-6 * np.eye(degree + 1), scaled @ offset[..., None])
        bow = np.asarray(found[..., 0], np.float64)
        rest = np.abs(offset - bow @ powers.T)
        trust = weight / (1 + (rest / width) ** 2) ** 2
    return bow, (trust * rest).sum(axis=1) / np.maximum(trust.sum(axis=1), 1e-9) + _PRICE * degree


def _meeting(corners: Plane, bows: Bow) -> Plane:
    """Where each side meets the one before it; where two hardly cross, the corner stays as it is."""
    start = corners.astype(np.float64)
    side = np.roll(start, -1, axis=0) - start
    outward = np.stack([outward_of(corners[k], corners[(k + 1) % 4], corners.mean(axis=0)) for k in range(4)])
    here, way = start, np.repeat([[0.0], [1.0]], 4, axis=1)
    # The straight lines that touch the sides at `way`, near where they begin and where they end.
    for _ in range(3):
        off, slope = bows.T[0] * way**2 + bows.T[1] * way + bows.T[2], 2 * bows.T[0] * way + bows.T[1]
        point = start + way[..., None] * side + off[..., None] * outward
        ahead = side + slope[..., None] * outward
        ahead /= np.maximum(np.linalg.norm(ahead, axis=2, keepdims=True), 1e-6)
        (x, y), (back_x, back_y) = ahead[0].T, np.roll(ahead[1], 1, axis=0).T
        cross = x * back_y - y * back_x
        apart = np.roll(point[1], 1, axis=0) - point[0]
        far = (apart[:, 0] * back_y - apart[:, 1] * back_x) / np.where(np.abs(cross) < _HARDLY, np.inf, cross)
        here = np.where(np.abs(cross)[:, None] < _HARDLY, here, point[0] + far[:, None] * ahead[0])
        ends = np.stack([here, np.roll(here, -1, axis=0)])
        way = np.clip(((ends - start) * side).sum(axis=2) / np.maximum((side * side).sum(axis=1), 1e-6), -0.2, 1.2)
    return here.astype(np.float32)
