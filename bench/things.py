"""What lies on a table beside paper, and hands: drawn onto float32 BGR pictures, `scale` in pixels per millimetre."""

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.grounds import Field, Random, colour, smooth_noise

Point: TypeAlias = NDArray[np.float64]
Thing: TypeAlias = Callable[[Random, Field, Point, float], None]

_SKINS: Final = ((120, 150, 205), (140, 172, 226), (90, 120, 180), (60, 85, 135), (155, 185, 235))


def add_hand(random: Random, field: Field, corner: Point, middle: Point, scale: float) -> None:
    """A hand that comes from outside over `corner` of a sheet around `middle`, its fingers on the paper."""
    high, wide = field.shape[:2]
    inward = (middle - corner) / max(1.0, float(np.linalg.norm(middle - corner)))
    turn = random.uniform(-0.6, 0.6)
    reach = np.array([inward[0] * np.cos(turn) - inward[1] * np.sin(turn), inward[0] * np.sin(turn) + inward[1] * np.cos(turn)])
    side = np.array([-reach[1], reach[0]])
    knuckles = corner - reach * random.uniform(5, 25) * scale
    mask = np.zeros((high, wide), np.uint8)
    back = knuckles - reach * 55 * scale
    _stroke(mask, knuckles - reach * 28 * scale, knuckles - reach * 30 * scale, 78 * scale)
    _stroke(mask, back, back - reach * 700 * scale, random.uniform(55, 75) * scale)
    shading = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(1.0, 9 * scale))
    for number, length in enumerate((62, 74, 70, 55)):
        root = knuckles + side * (number - 1.5) * 20 * scale
        spread = reach + side * (number - 1.5) * random.uniform(0.02, 0.16)
        finger = np.zeros((high, wide), np.uint8)
        _stroke(finger, root - reach * 15 * scale, root + spread * random.uniform(0.3, 1.0) * length * scale, 17 * scale)
        shading = np.maximum(shading, cv2.GaussianBlur(finger.astype(np.float32) / 255, (0, 0), max(1.0, 4 * scale)))
        mask = np.maximum(mask, finger)
    thumb = knuckles + side * random.choice([-1, 1]) * 38 * scale - reach * 15 * scale
    _stroke(mask, thumb - reach * 25 * scale, thumb + reach * random.uniform(10, 35) * scale, 20 * scale)
    tone = np.array(_SKINS[int(random.integers(len(_SKINS)))], np.float32)
    value = 0.62 + 0.42 * shading + 0.03 * smooth_noise(random, high, wide, 12 * scale)
    _shade(field, mask, scale, random)
    alpha = cv2.GaussianBlur(mask, (0, 0), 0.8).astype(np.float32)[..., None] / 255
    field[:] = field * (1 - alpha) + np.clip(tone * value[..., None], 0, 255) * alpha


def _stroke(mask: NDArray[np.uint8], start: Point, end: Point, thick: float) -> None:
    ends = [tuple(int(value) for value in np.clip(point, -3000, 8000)) for point in (start, end)]
    cv2.line(mask, ends[0], ends[1], 255, max(1, int(thick)), cv2.LINE_AA)


def _shade(field: Field, mask: NDArray[np.uint8], scale: float, random: Random) -> None:
    """The soft shadow a thing throws beside itself."""
    away = random.uniform(-6, 6, 2) * scale
    moved = cv2.warpAffine(mask, np.array([[1, 0, away[0]], [0, 1, away[1]]], np.float32), mask.shape[::-1])
    soft = cv2.GaussianBlur(moved, (0, 0), max(1.0, 3 * scale)).astype(np.float32)[..., None] / 255
    field *= 1 - soft * np.float32(random.uniform(0.15, 0.5))


def _filled(random: Random, field: Field, outline: NDArray[np.int32], tone: Field, scale: float) -> None:
    mask = np.zeros(field.shape[:2], np.uint8)
    cv2.fillPoly(mask, [outline], 255, cv2.LINE_AA)
    _shade(field, mask, scale, random)
    alpha = mask.astype(np.float32)[..., None] / 255
    field[:] = field * (1 - alpha) + tone * alpha


def _box(at: Point, angle: float, wide: float, high: float) -> NDArray[np.int32]:
    return np.asarray(cv2.boxPoints(((float(at[0]), float(at[1])), (wide, high), float(np.degrees(angle)))), np.int32)


def _pen(random: Random, field: Field, at: Point, scale: float) -> None:
    _filled(random, field, _box(at, random.uniform(0, 3.14), 140 * scale, 9 * scale), colour(random, (20, 230), (0, 1)), scale)


def _cup(random: Random, field: Field, at: Point, scale: float) -> None:
    tone, radius = colour(random, (60, 250), (0, 0.9)), random.uniform(36, 45) * scale
    turn = np.linspace(0, 2 * np.pi, 90)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    for share, shade in ((1.0, tone), (0.88, tone * 0.6), (0.84, np.array([20, 35, 55], np.float32))):
        _filled(random, field, (at + circle * radius * share).astype(np.int32), shade.astype(np.float32), scale * share)


def _keyboard(random: Random, field: Field, at: Point, scale: float) -> None:
    angle = random.choice([0, np.pi / 2, random.uniform(-0.3, 0.3)])
    body = colour(random, (15, 60) if random.random() < 0.7 else (170, 230), (0, 0.15))
    _filled(random, field, _box(at, angle, 440 * scale, 130 * scale), body, scale)
    axis, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    key = body + np.float32(random.choice([-14, 20]))
    for row in range(5):
        for column in range(15):
            middle = at + axis * (column - 7) * 28 * scale + down * (row - 2) * 23 * scale
            cv2.fillPoly(field, [_box(middle, angle, 23 * scale, 19 * scale)], key.tolist(), cv2.LINE_AA)


def _glasses(random: Random, field: Field, at: Point, scale: float) -> None:
    angle, thick = random.uniform(0, 3.14), max(1, int(3 * scale))
    axis, down = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    tone = colour(random, (10, 80)).tolist()
    for sign in (-1, 1):
        middle = at + axis * sign * 33 * scale
        axes = (max(1, int(26 * scale)), max(1, int(20 * scale)))
        cv2.ellipse(field, (int(middle[0]), int(middle[1])), axes, np.degrees(angle), 0, 360, tone, thick, cv2.LINE_AA)
        hinge = middle + axis * sign * 28 * scale
        tip = hinge + down * 120 * scale
        cv2.line(field, (int(hinge[0]), int(hinge[1])), (int(tip[0]), int(tip[1])), tone, thick, cv2.LINE_AA)


def _phone(random: Random, field: Field, at: Point, scale: float) -> None:
    angle = random.uniform(0, 3.14)
    _filled(random, field, _box(at, angle, 148 * scale, 72 * scale), colour(random, (8, 50), (0, 0.4)), scale)
    _filled(random, field, _box(at, angle, 138 * scale, 65 * scale), colour(random, (4, 30), (0, 0.3)), scale * 0.1)


def _mouse(random: Random, field: Field, at: Point, scale: float) -> None:
    outline = cv2.ellipse2Poly(
        (int(at[0]), int(at[1])), (max(2, int(55 * scale)), max(2, int(32 * scale))), int(random.uniform(0, 180)), 0, 360, 5
    )
    _filled(random, field, np.asarray(outline, np.int32), colour(random, (15, 230), (0, 0.4)), scale)


CLUTTER: Final[tuple[Thing, ...]] = (_pen, _pen, _cup, _keyboard, _glasses, _phone, _mouse)


def add_clutter(random: Random, field: Field, number: int, scale: float) -> None:
    """Lay things anywhere on the table; paper that counts is laid on top of them afterwards."""
    high, wide = field.shape[:2]
    for _ in range(number):
        thing = CLUTTER[int(random.integers(len(CLUTTER)))]
        thing(random, field, random.uniform(0.02, 0.98, 2) * np.array([wide, high]), scale)
