"""Tables to lay paper on: pictures of table tops as float32 BGR, 0..255, before any light falls on them."""

from collections.abc import Callable
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Field: TypeAlias = NDArray[np.float32]
Random: TypeAlias = np.random.Generator
# A ground draws itself for a number of pixels along each side of a square and pixels per millimetre.
Ground: TypeAlias = Callable[[Random, int, float], Field]


def colour(random: Random, brightness: tuple[float, float], saturation: tuple[float, float] = (0.0, 0.6)) -> Field:
    """One BGR colour of any hue within a brightness (0..255) and a saturation (0..1)."""
    hsv = np.array([[[random.uniform(0, 360), random.uniform(*saturation), random.uniform(*brightness) / 255]]], np.float32)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0, 0] * 255, np.float32)


def smooth_noise(random: Random, high: int, wide: int, grain_pixels: float) -> Field:
    """Noise about 0 with deviation 1 whose blobs are about `grain_pixels` large."""
    rows, columns = (max(2, int(side / grain_pixels) + 2) for side in (high, wide))
    coarse = random.standard_normal((rows, columns)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (wide, high), interpolation=cv2.INTER_CUBIC), np.float32)


def painted(value: Field, tone: Field) -> Field:
    """A colour made lighter and darker by a field about 1."""
    return np.asarray(tone * value[..., None], np.float32)


def plain(random: Random, side: int, scale: float) -> Field:
    value = 1 + random.uniform(0, 0.02) * smooth_noise(random, side, side, 60 * scale)
    value += random.uniform(0, 0.03) * smooth_noise(random, side, side, 1.5)
    return painted(value, colour(random, (70, 200), (0.05, 0.6)))


def dark(random: Random, side: int, scale: float) -> Field:
    value = 1 + random.uniform(0.02, 0.12) * smooth_noise(random, side, side, 1.5 * scale + 1)
    return painted(value, colour(random, (18, 70), (0.0, 0.5)))


def white(random: Random, side: int, scale: float) -> Field:
    value = 1 + random.uniform(0, 0.008) * smooth_noise(random, side, side, 80 * scale)
    value += random.uniform(0, 0.008) * smooth_noise(random, side, side, 1.5)
    return painted(value, colour(random, (222, 246), (0.0, 0.06)))


def wood(random: Random, side: int, scale: float) -> Field:
    long = random.uniform(40, 200)
    warp = smooth_noise(random, side, side, 120 * scale) * random.uniform(2, 10) * scale
    row, column = np.mgrid[0:side, 0:side].astype(np.float32)
    grain = np.zeros((side, side), np.float32)
    for width, strength in ((6.0, 0.08), (2.0, 0.07), (0.8, 0.05)):
        strokes = smooth_noise(random, side, max(4, int(side / long)), max(1.0, width * scale))
        strokes = np.asarray(cv2.resize(strokes, (side, side), interpolation=cv2.INTER_CUBIC), np.float32)
        grain += strokes * np.float32(strength * random.uniform(0.4, 1.6))
    value = 1 + cv2.remap(grain, column, row + warp, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    if random.random() < 0.6:
        plank = random.uniform(60, 150) * scale
        seams = np.abs((row[:, :1] / plank) % 1 - 0.5) * plank < max(0.6, 0.8 * scale)
        tones = random.uniform(0.85, 1.12, int(side / plank) + 2).astype(np.float32)
        value *= tones[((row / plank) + 0.5).astype(int)]
        value = np.where(seams, value * np.float32(random.uniform(0.4, 0.8)), value)
    tone = np.array([random.uniform(35, 130), random.uniform(90, 165), random.uniform(130, 215)], np.float32)
    return painted(np.asarray(value, np.float32), np.sort(tone))


def checks(random: Random, side: int, scale: float) -> Field:
    period = random.uniform(8, 60) * scale
    ground, stripe = colour(random, (170, 245), (0, 0.25)), colour(random, (40, 200), (0.2, 0.9))
    along = (np.arange(side, dtype=np.float32) / np.float32(period)) % 1 < random.uniform(0.15, 0.6)
    weight = (along[:, None].astype(np.float32) + along[None, :].astype(np.float32)) / 2
    return woven(random, (ground + (stripe - ground) * weight[..., None]).astype(np.float32), scale)


def stripes(random: Random, side: int, scale: float) -> Field:
    edges = np.cumsum(random.uniform(3, 45, 400) * scale)
    tones = np.stack([colour(random, (60, 245), (0, 0.8)) for _ in range(int(random.integers(2, 5)))])
    which = np.searchsorted(edges, np.arange(side)) % len(tones)
    field = np.repeat(tones[which][:, None, :], side, axis=1)
    return woven(random, field, scale)


def flowers(random: Random, side: int, scale: float) -> Field:
    field = np.full((side, side, 3), colour(random, (120, 245), (0, 0.4)), np.float32)
    tones = [colour(random, (60, 240), (0.2, 0.9)) for _ in range(4)]
    across = random.uniform(8, 35) * scale
    for _ in range(int(min(900, 0.6 * (side / across) ** 2))):
        middle = random.uniform(0, side, 2)
        petals, turn, size = int(random.integers(4, 8)), random.uniform(0, 6.3), across * random.uniform(0.25, 0.6)
        tone = tones[int(random.integers(len(tones)))].tolist()
        for petal in range(petals):
            angle = turn + petal * 2 * np.pi / petals
            at = middle + size * 0.6 * np.array([np.cos(angle), np.sin(angle)])
            axes = (max(1, int(size * 0.5)), max(1, int(size * 0.25)))
            cv2.ellipse(field, (int(at[0]), int(at[1])), axes, np.degrees(angle), 0, 360, tone, -1, cv2.LINE_AA)
        cv2.circle(field, (int(middle[0]), int(middle[1])), max(1, int(size * 0.2)), (40, 190, 220), -1, cv2.LINE_AA)
    return woven(random, field, scale)


def speckled(random: Random, side: int, scale: float) -> Field:
    value = 1 + random.uniform(0.03, 0.15) * smooth_noise(random, side, side, random.uniform(0.5, 4) * scale + 1)
    return painted(value, colour(random, (110, 225), (0, 0.2)))


def mat(random: Random, side: int, scale: float) -> Field:
    """A cutting mat: a grid of fine lines, every fifth stronger."""
    field = painted(1 + 0.03 * smooth_noise(random, side, side, 2), colour(random, (40, 130), (0.2, 0.8)))
    line = field.mean(axis=(0, 1)) + np.float32(random.uniform(30, 110))
    step = 10 * scale
    for number in range(int(side / step) + 1):
        thick = max(1, int((0.8 if number % 5 == 0 else 0.35) * scale))
        at = int(number * step)
        cv2.line(field, (at, 0), (at, side), line.tolist(), thick, cv2.LINE_AA)
        cv2.line(field, (0, at), (side, at), line.tolist(), thick, cv2.LINE_AA)
    return field


def woven(random: Random, field: Field, scale: float) -> Field:
    """Folds and thread over a cloth."""
    side = field.shape[0]
    value = 1 + random.uniform(0, 0.05) * smooth_noise(random, side, side, 50 * scale)
    value += random.uniform(0.01, 0.06) * smooth_noise(random, side, side, max(1.0, 0.8 * scale))
    return np.asarray(field * value[..., None], np.float32)


GROUNDS: Final[dict[str, Ground]] = {
    "plain": plain,
    "dark": dark,
    "white": white,
    "wood": wood,
    "checks": checks,
    "stripes": stripes,
    "flowers": flowers,
    "speckled": speckled,
    "mat": mat,
}
CLOTHS: Final = ("checks", "stripes", "flowers", "wood")
