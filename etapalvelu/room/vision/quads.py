"""Four-cornered shapes that lines make where they cross, with the support along each of their four sides."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.vision.edges import Plane
from etapalvelu.room.vision.lines import STEP, Lines

LEAST_SIDE_PIXELS: Final = 24
_MOST_SKEW: Final = 0.30
_LEAST_ACROSS: Final = 0.80
_LEAST_SUPPORT: Final = 0.36
_OVERHANG_PIXELS: Final = 3
_GOING_ON: Final = 0.3
# How much at a corner is not looked at (it may be round), and how far past it the line is followed.
_TRIM: Final = 4.0
_TAIL: Final = 24.0
_NO_SIDE: Final = -9.0
# How much more a shape found as one patch is worth.
_SURE: Final = 0.5
# One side may go on in a stripe of the table; of a pattern's cell all do, and there are more cells than shapes are looked at.
_ALL_GOING_ON: Final = 0.5
_CLEAR_SIDE: Final = 0.55
_SPARE: Final = 12
_ALIKE_PIXELS: Final = 4.0
# What twice the area is worth in support.
_PER_DOUBLE: Final = 0.06


@dataclass(frozen=True, kw_only=True)
class Quads:
    """n shapes: `corners` n x 4 x 2 going round, `support` and `beyond` n x 4 (side k from corner k to k + 1), 0 to 1.

    `support` is the share of a side where the picture has an edge, `beyond` that of its continuation past the corners: the
    sides of a sheet end there, those of a pattern go on.
    """

    corners: Plane
    support: Plane
    beyond: Plane

    def picked(self, which: NDArray[np.intp]) -> "Quads":
        return Quads(corners=self.corners[which], support=self.support[which], beyond=self.beyond[which])


def quads_from(lines: Lines, size: tuple[int, int], most: int, sure: NDArray[np.intp] | None = None) -> Quads:
    """The `most` best supported shapes in a picture of `size` (width, height), first those of the lines `sure` (m x 4)."""
    crossing, position = crossings(lines, size)
    sums = _Sums(lines, position)
    around = _best_rounds(lines, sums, size, most)
    if sure is not None:
        around = np.concatenate([sure, around])
    # Side k lies on line k and goes from the line before it to the one after it.
    before, after = np.roll(around, 1, axis=1), np.roll(around, -1, axis=1)
    corners = crossing[before, around]
    support, beyond = sums.along(around, before, after)
    extent = np.abs(corners - corners.mean(axis=1, keepdims=True)).mean(axis=1)
    worth = support - np.float32(_GOING_ON) * beyond
    rank = worth.mean(axis=1) + 0.5 * worth.min(axis=1) + np.float32(_PER_DOUBLE) * np.log2(np.maximum(extent.prod(axis=1), 1))
    rank[: 0 if sure is None else len(sure)] += _SURE
    rank -= np.float32(_ALL_GOING_ON) * _second(*beyond.T)
    rank[~np.isfinite(corners).all(axis=(1, 2)) | (support.min(axis=1) <= 0)] = -np.inf
    order = np.argsort(-rank)
    order = order[np.isfinite(rank[order])]
    # Two lines along one edge make the same shape twice, and a small thing must not crowd out a large one.
    alike = np.rint(np.concatenate([corners.mean(axis=1), extent], axis=1)[order] / _ALIKE_PIXELS).astype(np.int64)
    _, kept = np.unique(alike @ (1 << np.array([0, 16, 32, 48])), return_index=True)
    return Quads(corners=corners, support=support, beyond=beyond).picked(order[np.sort(kept)[:most]])


def _best_rounds(lines: Lines, sums: "_Sums", size: tuple[int, int], most: int) -> NDArray[np.intp]:
    """Several times as many shapes as are wanted, as four lines going round."""
    first, second, inward = _pairs(lines, size)
    worth = np.full((len(lines.distance), len(first)), _NO_SIDE, np.float32)
    line, pair = np.divmod(sums.crossed(first, second), len(first))
    support, beyond = sums.along(line, first[pair], second[pair])
    good = np.flatnonzero(support >= _LEAST_SUPPORT)
    worth[line[good], pair[good]] = support[good] - np.float32(_GOING_ON) * beyond[good]
    # What a side is worth and how much goes on past its ends, as one number: so both are looked up at once.
    known = worth.astype(np.complex64)
    known.imag[line[good], pair[good]] = beyond[good]
    bounded = (worth > _NO_SIDE).sum(axis=0) > 1
    both, one_of_them, none = (np.flatnonzero(bounded & (inward == number)) for number in (2, 1, 0))
    sign = np.sign((lines.normal[first] * lines.normal[second]).sum(axis=1, keepdims=True))
    facing = lines.normal[first] + sign * lines.normal[second]
    facing /= np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-6)
    # Paper is brighter than the table all around, or darker; but a dark bar may be printed along one of its sides.
    groups = [
        _opposites(facing, worth > least, (first, second), ones, others)
        for ones, others, least in ((both, both, _NO_SIDE), (none, none, _NO_SIDE), (both, one_of_them, _CLEAR_SIDE))
    ]
    one, other = (np.concatenate([group[number] for group in groups]) for number in (0, 1))
    around = ((first[one], other), (second[one], other), (first[other], one), (second[other], one))
    sides = np.stack([np.take(known, side * len(first) + bounds) for side, bounds in around])
    rank = sides.real.mean(axis=0) + 0.5 * sides.real.min(axis=0) - np.float32(_ALL_GOING_ON) * _second(*sides.imag)
    if len(rank) > _SPARE * most:
        best = np.argpartition(-rank, _SPARE * most)[: _SPARE * most]
        one, other = one[best], other[best]
    return np.stack([first[one], first[other], second[one], second[other]], axis=1)


def _second(one: Plane, two: Plane, three: Plane, four: Plane) -> Plane:
    """The second smallest of four, place by place."""
    return np.minimum(
        np.maximum(np.minimum(one, two), np.minimum(three, four)), np.minimum(np.maximum(one, two), np.maximum(three, four))
    )


def crossings(lines: Lines, size: tuple[int, int]) -> tuple[Plane, Plane]:
    """Where lines i and j cross (n x n x 2, NaN outside the picture), and at which position of line i."""
    normal, distance = lines.normal, lines.distance
    cross = normal[:, None, 0] * normal[None, :, 1] - normal[:, None, 1] * normal[None, :, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (distance[:, None] * normal[None, :, 1] - distance[None, :] * normal[:, None, 1]) / cross
        y = (distance[None, :] * normal[:, None, 0] - distance[:, None] * normal[None, :, 0]) / cross
    wide, high = size
    rim = _OVERHANG_PIXELS
    outside = (np.abs(cross) < 0.5) | (x < -rim) | (y < -rim) | (x > wide - 1 + rim) | (y > high - 1 + rim)
    point = np.stack([x, y], axis=2)
    point[outside] = np.nan
    position = (point * lines.along[:, None, :]).sum(axis=2)
    return point.astype(np.float32), position.astype(np.float32)


def _pairs(lines: Lines, size: tuple[int, int]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Lines that may be opposite sides, being nearly parallel; and how many of the two are brighter inward."""
    normal = lines.normal
    middle = np.array([size[0] / 2, size[1] / 2], np.float32)
    foot = middle - (normal @ middle - lines.distance)[:, None] * normal
    towards = normal @ foot.T - lines.distance[:, None] > 0
    skew = np.abs(normal[:, None, 0] * normal[None, :, 1] - normal[:, None, 1] * normal[None, :, 0])
    # Where the foot lies on the wrong side, the two cross near by and are no sides of anything.
    sound = (normal @ normal.T < 0) == (towards == towards.T)
    first, second = np.nonzero(np.triu((skew < _MOST_SKEW) & sound, 1))
    return first, second, towards[first, second].astype(np.intp) + towards[second, first]


class _Sums:
    """The running sums of all lines near their crossings with all others, from which any side's support is told at once."""

    def __init__(self, lines: Lines, position: Plane) -> None:
        self._position = position.ravel()
        self._number = len(position)
        place = np.nan_to_num(position, nan=0.0)
        before, low, high, after = (_sums_at(lines, place + shift) for shift in (-_TAIL, -_TRIM, _TRIM, _TAIL))
        self._low, self._high = low.reshape(2, -1), high.reshape(2, -1)
        steps = np.float32((_TAIL - _TRIM) / STEP)
        self._before, self._after = (
            np.ravel(((one - other) / steps).max(axis=0)) for one, other in ((low, before), (after, high))
        )

    def along(self, line: NDArray[np.intp], start: NDArray[np.intp], end: NDArray[np.intp]) -> tuple[Plane, Plane]:
        """The support of `line` between its crossings with two others, and of what follows past both ends."""
        one, other = line * self._number + start, line * self._number + end
        apart = self._position[other] - self._position[one]
        first, last = np.where(apart > 0, one, other), np.where(apart > 0, other, one)
        length = np.abs(apart)
        inner = np.maximum(*(low[last] - high[first] for low, high in zip(self._low, self._high, strict=True)))
        inner /= np.maximum((length - np.float32(2 * _TRIM)) / np.float32(STEP), 1)
        inner[~(length >= LEAST_SIDE_PIXELS)] = 0
        return np.clip(inner, 0, 1), np.maximum(self._before[first], self._after[last])

    def crossed(self, start: NDArray[np.intp], end: NDArray[np.intp]) -> NDArray[np.intp]:
        """Which lines cross both of each pair far enough apart, as places in lines x pairs."""
        position = self._position.reshape(self._number, self._number)
        apart = np.take(position, start, axis=1) - np.take(position, end, axis=1)
        return np.flatnonzero(np.abs(apart) >= LEAST_SIDE_PIXELS)


def _sums_at(lines: Lines, place: Plane) -> Plane:
    """The running sums at places of each line: 2 x lines x places."""
    at = np.clip(np.rint((place + np.float32(lines.reach)) / STEP), 0, lines.sums.shape[2] - 1).astype(np.int32)
    return np.asarray(np.take_along_axis(lines.sums, at[:, None, :], axis=2).transpose(1, 0, 2), np.float32)


def _opposites(
    facing: Plane,
    sides: NDArray[np.bool_],
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
    ones: NDArray[np.intp],
    others: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Of two groups of pairs, those two that bound each other's sides and cross at about a right angle."""
    first, second = pairs
    # Few bound each other: they are looked for eight at a time.
    packed = np.packbits(sides[:, others], axis=1)
    bits = packed[first[ones]] & packed[second[ones]]
    some = np.flatnonzero(bits)
    which, bit = np.nonzero(np.unpackbits(bits.ravel()[some][:, None], axis=1))
    row, eight = np.divmod(some[which], max(bits.shape[1], 1))
    one, other = ones[row], others[8 * eight + bit]
    kept = sides[first[other], one] & sides[second[other], one]
    if ones is others:
        kept &= one < other
    one, other = one[kept], other[kept]
    across = np.abs(facing[one, 0] * facing[other, 1] - facing[one, 1] * facing[other, 0]) > _LEAST_ACROSS
    return one[across], other[across]
