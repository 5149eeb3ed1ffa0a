"""The printed test sheet under the camera: how fine the camera sees, in line pairs a millimetre and pixels an inch.

Pure functions on arrays. Sharpness is measured at edges that lie a little aslant (after ISO 12233), so that the camera's pixels
are no limit to how well it is known; `target_sheet` says where they stand.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.verdict import READABLE_MM, smallest_mm
from etapalvelu.target_sheet import HEIGHT_MM, MARK_MM, MARKS, SQUARES, WIDTH_MM, corners_of

Grade = Literal["good", "enough", "poor"]
Floats = NDArray[np.float64]

# Capitals of 6 points: small print.
SMALL_PRINT_MM: Final = 1.5
# Line pairs whose contrast is at least this are told apart by eye.
_TOLD_APART: Final = 0.2
_HALF: Final = 0.5
# No camera shows more line pairs than one to two pixels.
_NYQUIST: Final = 0.5
# A normal curve of sigma pixels halves the contrast at this many line pairs a pixel, divided by sigma.
_HALVED_AT: Final = float(np.sqrt(np.log(2) / 2) / np.pi)
_LEAST_MARKS: Final = 3
_LEAST_CONTRAST: Final = 25.0
# Marks that shadow and blur hide are looked for in a picture of that length; a mark is narrower than `_PAPER` of its fourths,
# and a blur of about `_BLUR` pixels is undone.
_MARKS_SIDE: Final = 1920
_PAPER: Final = 41
_BLUR: Final = 4.0
_UNDONE: Final = 3.0
# Of an edge the middle is used: its ends are round where the lens is soft.
_MIDDLE: Final = 0.7
_REACH_PIXELS: Final = 18.0
_REACH_SHARE: Final = 0.4
_FINER: Final = 4
_STEPS: Final = 1024
_LEAST_PIXELS: Final = 10.0
_STRETCHES: Final = 12
_LEAST_EDGES: Final = 4

_DETECTOR: Final = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the sheet says of the camera above it. `mtf50` is where contrast is halved, `line_pairs` the finest that can be told
    apart, both in line pairs a millimetre on the table; `ppi` are the camera's own pixels; `smallest_text_mm` the height of the
    smallest capitals that can be read. `corners` are the sheet's (4 x 2, pixels), from its upper left clockwise.
    """

    ppi: int
    mtf50: float
    line_pairs: float
    smallest_text_mm: float
    grade: Grade
    corners: NDArray[np.float32]


def read_target(image_bgr: Bgr) -> Reading | None:
    """Find the test sheet and read it; None where it does not lie whole and large enough under the camera."""
    grey = np.asarray(cv2.cvtColor(image_bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    places = _places(grey)
    if places is None:
        return None
    corners = _there(places, [(0, 0), (WIDTH_MM, 0), (WIDTH_MM, HEIGHT_MM), (0, HEIGHT_MM)])
    density = float(np.sqrt(cv2.contourArea(corners.astype(np.float32)) / (WIDTH_MM * HEIGHT_MM)))
    found = [seen for square in SQUARES for seen in _edges(grey, _there(places, list(corners_of(square))))]
    if len(found) < _LEAST_EDGES:
        return None
    half, apart = (float(value) for value in np.median(np.array(found), axis=0))
    smallest = smallest_mm(density * 25.4, _HALVED_AT / half)
    return Reading(
        ppi=round(density * 25.4),
        mtf50=round(half * density, 2),
        line_pairs=round(apart * density, 2),
        smallest_text_mm=round(smallest, 2),
        grade="good" if smallest <= SMALL_PRINT_MM else "enough" if smallest <= READABLE_MM else "poor",
        corners=corners.astype(np.float32),
    )


def _places(grey: NDArray[np.uint8]) -> Floats | None:
    """The way from millimetres on the sheet to pixels, by the marks in its corners."""
    known = _marks(grey)
    if len(known) < len(MARKS):
        # What was seen as it is lies more exactly.
        known = _marks_through_blur(grey) | known
    if len(known) < _LEAST_MARKS:
        return None
    flat = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float64) * MARK_MM / 2
    there = np.concatenate([flat + np.array(MARKS[id]) for id in known])
    found, _ = cv2.findHomography(there, np.concatenate(list(known.values())))
    # Where there is no way OpenCV gives nothing, which is no number.
    way = np.asarray(found, np.float64)
    return way if np.isfinite(way).all() else None


def _marks(grey: NDArray[np.uint8]) -> dict[int, Floats]:
    """The corners (4 x 2) of the sheet's marks that are seen, by their number."""
    seen, ids, _ = _DETECTOR.detectMarkers(grey)
    found = zip(ids.ravel() if len(seen) else (), seen, strict=True)
    return {int(id): quad.reshape(4, 2).astype(np.float64) for id, quad in found if id in MARKS}


def _marks_through_blur(grey: NDArray[np.uint8]) -> dict[int, Floats]:
    """The same in a picture without shadows and with its blur undone as far as marks need it."""
    scale = min(1.0, _MARKS_SIDE / max(grey.shape))
    size = round(grey.shape[1] * scale), round(grey.shape[0] * scale)
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    quarter = cv2.resize(small, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(quarter, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_PAPER, _PAPER)))
    even = 230 * small / np.maximum(cv2.resize(paper, size, interpolation=cv2.INTER_LINEAR), 1)
    even = np.clip(even, 0, 255).astype(np.uint8)
    sharp = cv2.addWeighted(even, 1 + _UNDONE, cv2.GaussianBlur(even, (0, 0), _BLUR), -_UNDONE, 0)
    zoom = np.array(grey.shape[::-1]) / np.array(size)
    return {id: (quad + 0.5) * zoom - 0.5 for id, quad in _marks(np.asarray(sharp, np.uint8)).items()}


def _there(way: Floats, millimetres: list[tuple[float, float]]) -> Floats:
    return np.asarray(cv2.perspectiveTransform(np.array([millimetres], np.float64), way)[0], np.float64)


def _edges(grey: NDArray[np.uint8], square: Floats) -> list[tuple[float, float]]:
    """For each edge of a black square that can be measured: line pairs a pixel with half the contrast, and that can be told
    apart.
    """
    sides = zip(square, np.roll(square, -1, axis=0), strict=True)
    curves = [_transfer(grey, start, end) for start, end in sides]
    return [(_falls_below(curve, _HALF), _falls_below(curve, _TOLD_APART)) for curve in curves if curve is not None]


def _transfer(grey: NDArray[np.uint8], start: Floats, end: Floats) -> Floats | None:
    """The contrast that is left of line pairs across this edge, from none a pixel upwards in equal steps."""
    length = float(np.linalg.norm(end - start))
    reach = min(_REACH_PIXELS, length * _REACH_SHARE)
    around = _around(grey, start, end, reach)
    if length < _LEAST_PIXELS or around is None:
        return None
    along, across, light = around
    if np.percentile(light, 95) - np.percentile(light, 5) < _LEAST_CONTRAST:
        return None
    # Where the marks said that the edge is, is right to a pixel only, and the lens bends it.
    across = across - _bend(along, across, light)
    near = np.abs(across) < reach - 1
    profile = _profile(across[near], light[near], reach - 1, _FINER)
    if profile is None:
        return None
    spread = np.diff(profile)
    # Far from the edge there is only grain; near it nothing may be lost of a wide blur.
    spread *= np.minimum(1, 2 * np.hanning(len(spread) + 2)[1:-1])
    curve = np.abs(np.fft.rfft(spread, _STEPS))
    return None if curve[0] < 1 else np.asarray(curve / curve[0], np.float64)


def _around(grey: NDArray[np.uint8], start: Floats, end: Floats, reach: float) -> tuple[Floats, Floats, Floats] | None:
    """The pixels beside the middle of the edge: how far along it, how far across (outwards is more), how light."""
    length = float(np.linalg.norm(end - start))
    direction = (end - start) / max(length, 1e-6)
    outwards = np.array([direction[1], -direction[0]])
    low = np.floor(np.minimum(start, end) - reach).astype(int)
    high = np.ceil(np.maximum(start, end) + reach).astype(int) + 1
    if (low < 0).any() or high[0] > grey.shape[1] or high[1] > grey.shape[0]:
        return None
    down, right = np.mgrid[low[1] : high[1], low[0] : high[0]]
    offset = np.stack([right - start[0], down - start[1]], axis=-1).astype(np.float64)
    along, across = offset @ direction, offset @ outwards
    used = (np.abs(along / length - 0.5) < _MIDDLE / 2) & (np.abs(across) < reach)
    light = grey[low[1] : high[1], low[0] : high[0]].astype(np.float64)
    return along[used], across[used], light[used]


def _bend(along: Floats, across: Floats, light: Floats) -> Floats:
    """How far from where it was looked for the edge lies, for each pixel: a parabola through where it steps."""
    bounds = np.linspace(along.min(), along.max() + 1e-6, _STRETCHES + 1)
    middles, steps = [], []
    for begin, finish in pairwise(bounds):
        here = (along >= begin) & (along < finish)
        profile = _profile(across[here], light[here], float(np.abs(across).max()), 1)
        if profile is not None:
            slope = np.clip(np.diff(profile), 0, None) ** 2
            if slope.sum() > 0:
                places = np.arange(len(slope)) - (len(slope) - 1) / 2
                steps.append(float((slope * places).sum() / slope.sum()))
                middles.append(float((begin + finish) / 2))
    if len(steps) <= _STRETCHES // 2:
        return np.zeros_like(across)
    return np.asarray(np.polyval(np.polyfit(middles, steps, 2), along), np.float64)


def _profile(across: Floats, light: Floats, reach: float, finer: int) -> Floats | None:
    """Mean light by the distance from the edge, `finer` values for a pixel; None where too many of them are missing."""
    count = int(2 * reach * finer)
    bins = np.floor((across + reach) * finer).astype(int)
    inside = (bins >= 0) & (bins < count)
    sums = np.bincount(bins[inside], light[inside], count)
    numbers = np.bincount(bins[inside], minlength=count)
    filled = numbers > 0
    if count == 0 or filled.sum() < count * 0.8:
        return None
    return np.asarray(np.interp(np.arange(count), np.flatnonzero(filled), sums[filled] / numbers[filled]), np.float64)


def _falls_below(curve: Floats, contrast: float) -> float:
    """The first line pairs a pixel whose contrast is less; one to two pixels at most."""
    below = np.flatnonzero(curve < contrast)
    if not len(below):
        return _NYQUIST
    first = int(below[0])
    share = (curve[first - 1] - contrast) / max(1e-9, curve[first - 1] - curve[first])
    return float(min(_NYQUIST, (first - 1 + share) * _FINER / _STEPS))
