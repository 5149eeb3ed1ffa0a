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


def quads_from(lines: Lines, size: tuple[int, int], most: int) -> Quads:
    """The `most` best supported shapes within a picture of `size` (width, height)."""
    crossing, position = _crossings(lines, size)
    first, second, inward = _pairs(lines, size)
    support, beyond = _borne_out(lines, position, first, second)
    worth = np.where(support < _LEAST_SUPPORT, _NO_SIDE, support - np.float32(_GOING_ON) * beyond)
    both, one_of_them, none = (np.flatnonzero(inward == number) for number in (2, 1, 0))
    # Paper is brighter than the table all around, or darker; but a dark bar may be printed along one of its sides.
    groups = [
        _opposites(lines, worth > least, (first, second), ones, others)
        for ones, others, least in ((both, both, _NO_SIDE), (none, none, _NO_SIDE), (both, one_of_them, _CLEAR_SIDE))
    ]
    one, other = (np.concatenate([group[number] for group in groups]) for number in (0, 1))
    sides = np.stack([worth[first[one], other], worth[second[one], other], worth[first[other], one], worth[second[other], one]])
    rank = sides.mean(axis=0) + 0.5 * sides.min(axis=0)
    best = np.arange(len(rank))
    if len(best) > _SPARE * most:
        best = np.argpartition(-rank, _SPARE * most)[: _SPARE * most]
    best = best[np.argsort(-rank[best])]
    one, other = one[best], other[best]
    a, b, c, d = first[one], second[one], first[other], second[other]
    # Going round: a with c, c with b, b with d, d with a; its sides lie on c, b, d, a.
    corners = np.stack([crossing[a, c], crossing[c, b], crossing[b, d], crossing[d, a]], axis=1)
    order = np.stack([(c, one), (b, other), (d, one), (a, other)])
    # Two lines along one edge make the same shape twice, and a small thing must not crowd out a large one.
    extent = np.abs(corners - corners.mean(axis=1, keepdims=True)).mean(axis=1)
    rank = rank[best] + np.float32(_PER_DOUBLE) * np.log2(np.maximum(extent.prod(axis=1), 1))
    again = np.argsort(-rank)
    alike = np.concatenate([corners.mean(axis=1), extent], axis=1)[again]
    _, kept = np.unique(np.rint(alike / _ALIKE_PIXELS), axis=0, return_index=True)
    kept = again[np.sort(kept)]
    return Quads(
        corners=corners,
        support=np.stack([support[line, pair] for line, pair in order], axis=1),
        beyond=np.stack([beyond[line, pair] for line, pair in order], axis=1),
    ).picked(kept[:most])


def _crossings(lines: Lines, size: tuple[int, int]) -> tuple[Plane, Plane]:
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


def _borne_out(lines: Lines, position: Plane, first: NDArray[np.intp], second: NDArray[np.intp]) -> tuple[Plane, Plane]:
    """The support of each line between the two lines of each pair, and of what follows past both ends (lines x pairs)."""
    place = np.nan_to_num(position, nan=0.0)
    before, low, high, after = (_sums_at(lines, place + shift) for shift in (-_TAIL, -_TRIM, _TRIM, _TAIL))
    going_before = ((low - before) / np.float32((_TAIL - _TRIM) / STEP)).max(axis=0)
    going_after = ((after - high) / np.float32((_TAIL - _TRIM) / STEP)).max(axis=0)
    # Sums only grow: the difference the wrong way round is below 0.
    sums = [
        np.maximum(low[sign][:, second] - high[sign][:, first], low[sign][:, first] - high[sign][:, second]) for sign in (0, 1)
    ]
    apart = position[:, second] - position[:, first]
    length = np.abs(apart)
    inner = np.maximum(sums[0], sums[1]) / np.maximum((length - np.float32(2 * _TRIM)) / np.float32(STEP), 1)
    inner[~(length >= LEAST_SIDE_PIXELS)] = 0
    past = np.where(
        apart > 0,
        np.maximum(going_before[:, first], going_after[:, second]),
        np.maximum(going_before[:, second], going_after[:, first]),
    )
    return np.minimum(inner, 1), past


def _sums_at(lines: Lines, place: Plane) -> Plane:
    """The running sums at places of each line: 2 x lines x places."""
    at = np.clip(np.rint((place + np.float32(lines.reach)) / STEP), 0, lines.sums.shape[2] - 1).astype(np.int32)
    return np.asarray(np.take_along_axis(lines.sums, at[:, None, :], axis=2).transpose(1, 0, 2), np.float32)


def _opposites(
    lines: Lines,
    sides: NDArray[np.bool_],
    pairs: tuple[NDArray[np.intp], NDArray[np.intp]],
    ones: NDArray[np.intp],
    others: NDArray[np.intp],
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Of two groups of pairs, those two that bound each other's sides and cross at about a right angle."""
    first, second = pairs
    packed_ones, packed_others = np.packbits(sides[:, ones], axis=1), np.packbits(sides[:, others], axis=1)
    same = ones is others
    ones = ones[(packed_others[first[ones]] & packed_others[second[ones]]).any(axis=1)]
    others = ones if same else others[(packed_ones[first[others]] & packed_ones[second[others]]).any(axis=1)]
    bounded = sides[:, others][first[ones]] & sides[:, others][second[ones]]
    bounded &= (sides[:, ones][first[others]] & sides[:, ones][second[others]]).T
    one, other = np.divmod(np.flatnonzero(bounded), max(len(others), 1))
    if same:
        one, other = one[one < other], other[one < other]
    one, other = ones[one], others[other]
    sign = np.sign((lines.normal[first] * lines.normal[second]).sum(axis=1))[:, None]
    normal = lines.normal[first] + sign * lines.normal[second]
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-6)
    across = np.abs(normal[one, 0] * normal[other, 1] - normal[one, 1] * normal[other, 0]) > _LEAST_ACROSS
    return one[across], other[across]
