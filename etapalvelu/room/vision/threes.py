"""Shapes of three clear sides: the fourth, too faint for a line of its own, lies where its two neighbours end together."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.vision.edges import Plane
from etapalvelu.room.vision.lines import STEP, Lines
from etapalvelu.room.vision.quads import LEAST_SIDE_PIXELS, crossings

# A line is followed while it gains: a step that is borne out by more than this gains, one by less loses.
_EVEN: Final = 0.5
_MOST_LINES: Final = 56
_MOST_OF_BASE: Final = 4
_LEAST_GAIN: Final = 8.0
_LEAST_BASE: Final = 0.6
_LEAST_ACROSS: Final = 0.9
_MOST_SKEW: Final = 0.2
# How much longer one neighbour may seem than the other.
_LENGTHS: Final = 1.15
_ANOTHER_PIXELS: Final = 6.0


def three_sided(lines: Lines, size: tuple[int, int], most: int) -> list[Plane]:
    """The `most` likeliest shapes (4 x 2) in a picture of `size` (width, height), the likeliest first."""
    lines = _longest(lines)
    crossing, position = crossings(lines, size)
    gain, far = _followed(lines, position)
    across = np.abs(lines.normal @ np.stack([-lines.normal[:, 1], lines.normal[:, 0]])) > _LEAST_ACROSS
    found: list[tuple[float, Plane]] = []
    for base in range(len(lines.distance)):
        # Towards the side to which the base's normal points a line goes on along itself or back.
        forward = lines.along @ lines.normal[base] > 0
        for way in (forward, ~forward):
            gains = np.where(way, gain[0][:, base], gain[1][:, base])
            ends = np.where(way, far[0][:, base], far[1][:, base])
            sides = np.flatnonzero(across[:, base] & np.isfinite(position[:, base]) & (gains > _LEAST_GAIN))
            found += _with_base(lines, base, sides, (gains, ends), (crossing, position))
    found.sort(key=lambda one: -one[0])
    kept: list[Plane] = []
    for _, corners in found:
        if len(kept) == most:
            break
        if all(np.abs(corners - other).max() > _ANOTHER_PIXELS for other in kept):
            kept.append(corners)
    return kept


def _longest(lines: Lines) -> Lines:
    gained = lines.sums - np.float32(_EVEN) * np.arange(lines.sums.shape[2], dtype=np.float32)
    most = (gained - np.minimum.accumulate(gained, axis=2)).max(axis=(1, 2))
    best = np.argsort(-most)[:_MOST_LINES]
    return Lines(
        normal=lines.normal[best],
        distance=lines.distance[best],
        along=lines.along[best],
        sums=lines.sums[best],
        reach=lines.reach,
    )


def _followed(lines: Lines, position: Plane) -> tuple[tuple[Plane, Plane], tuple[Plane, Plane]]:
    """For line i from where it crosses line j on along itself, and back: what is gained at best, and up to which position."""
    steps = lines.sums.shape[2]
    gained = lines.sums - np.float32(_EVEN) * np.arange(steps, dtype=np.float32)
    top = np.maximum.accumulate(gained[:, :, ::-1], axis=2)[:, :, ::-1]
    low = np.minimum.accumulate(gained, axis=2)
    here = np.clip(np.rint((np.nan_to_num(position) + lines.reach) / STEP), 0, steps - 1).astype(np.intp)
    start = np.take_along_axis(gained, here[:, None, :], axis=2)
    on = np.take_along_axis(top, here[:, None, :], axis=2)
    back = np.take_along_axis(low, here[:, None, :], axis=2)
    # The place of a running extreme is where it last was equal to what is gained there.
    place = np.arange(steps)
    top_place = np.minimum.accumulate(np.where(top == gained, place, steps)[:, :, ::-1], axis=2)[:, :, ::-1]
    low_place = np.maximum.accumulate(np.where(low == gained, place, -1), axis=2)
    gains, ends = [], []
    for gain, places in ((on - start, top_place), (start - back, low_place)):
        which = gain.argmax(axis=1)[:, None, :]
        end = np.take_along_axis(np.take_along_axis(places, here[:, None, :], axis=2), which, axis=1)[:, 0]
        gains.append(np.take_along_axis(gain, which, axis=1)[:, 0].astype(np.float32))
        ends.append((end * STEP - lines.reach).astype(np.float32))
    return (gains[0], gains[1]), (ends[0], ends[1])


def _with_base(
    lines: Lines, base: int, sides: NDArray[np.intp], followed: tuple[Plane, Plane], crossed: tuple[Plane, Plane]
) -> list[tuple[float, Plane]]:
    """All shapes with that base whose neighbours are two of `sides`, with what they gain together."""
    gains, ends = followed
    crossing, position = crossed
    one, other = (sides[index] for index in np.triu_indices(len(sides), 1))
    places = (position[base, one], position[base, other])
    apart = np.abs(places[0] - places[1])
    lengths = [np.abs(ends[side] - position[side, base]) for side in (one, other)]
    skew = np.abs(lines.normal[one, 0] * lines.normal[other, 1] - lines.normal[one, 1] * lines.normal[other, 0])
    ratio = np.maximum(*lengths) / np.maximum(np.minimum(*lengths), 1)
    at = [np.clip(np.rint((place + lines.reach) / STEP), 0, lines.sums.shape[2] - 1).astype(np.intp) for place in places]
    borne = np.abs(lines.sums[base][:, at[1]] - lines.sums[base][:, at[0]]).max(axis=0)
    steps = np.maximum(apart / STEP, 1)
    good = (skew < _MOST_SKEW) & (ratio < _LENGTHS) & (borne > _LEAST_BASE * steps)
    good &= (apart >= LEAST_SIDE_PIXELS) & (np.minimum(*lengths) >= LEAST_SIDE_PIXELS)
    total = np.where(good, gains[one] + gains[other] + borne - np.float32(_EVEN) * steps, 0)
    found = []
    for index in np.argsort(-total)[: min(_MOST_OF_BASE, int(good.sum()))]:
        first, second = int(one[index]), int(other[index])
        tips = [ends[side] * lines.along[side] + lines.distance[side] * lines.normal[side] for side in (first, second)]
        corners = np.array([crossing[base, first], tips[0], tips[1], crossing[base, second]], np.float32)
        found.append((float(total[index]), corners))
    return found
