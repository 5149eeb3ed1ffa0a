"""Four-cornered shapes that lines make where they cross, with the support along each of their four sides."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.vision.edges import Plane
from etapalvelu.room.vision.lines import Lines

LEAST_SIDE_PIXELS: Final = 24
_MOST_SKEW: Final = 0.30
_LEAST_ACROSS: Final = 0.80
_LEAST_SUPPORT: Final = 0.30
_OVERHANG_PIXELS: Final = 3


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
    first, second = _pairs(lines)
    support, beyond = _borne_out(lines, position, crossing, first, second)
    one, other = _opposites(lines, first, second)
    sides = np.empty((4, len(one)), np.float32)
    for side in range(4):
        line = (first, second)[side % 2]
        found = support[line[one], other] if side < 2 else support[line[other], one]
        keep = found >= _LEAST_SUPPORT
        one, other, sides = one[keep], other[keep], sides[:, keep]
        sides[side] = found[keep]
    rank = sides.mean(axis=0) + 0.5 * sides.min(axis=0)
    best = np.argsort(-rank)[:most]
    one, other = one[best], other[best]
    a, b, c, d = first[one], second[one], first[other], second[other]
    # Going round: a with c, c with b, b with d, d with a; its sides lie on c, b, d, a.
    corners = np.stack([crossing[a, c], crossing[c, b], crossing[b, d], crossing[d, a]], axis=1)
    order = np.stack([(c, one), (b, other), (d, one), (a, other)])
    return Quads(
        corners=corners,
        support=np.stack([support[line, pair] for line, pair in order], axis=1),
        beyond=np.stack([beyond[line, pair] for line, pair in order], axis=1),
    )


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


def _pairs(lines: Lines) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Lines that may be opposite sides: nearly parallel."""
    skew = np.abs(lines.normal[:, None, 0] * lines.normal[None, :, 1] - lines.normal[:, None, 1] * lines.normal[None, :, 0])
    first, second = np.nonzero(np.triu(skew < _MOST_SKEW, 1))
    return first, second


def _borne_out(
    lines: Lines, position: Plane, crossing: Plane, first: NDArray[np.intp], second: NDArray[np.intp]
) -> tuple[Plane, Plane]:
    """The support of each line between the two lines of each pair, and of what follows past both ends (lines x pairs)."""
    start, end = position[:, first], position[:, second]
    start, end = np.minimum(start, end), np.maximum(start, end)
    length = end - start
    usable = length >= LEAST_SIDE_PIXELS
    start, end, length = (np.where(usable, value, fallback) for value, fallback in ((start, 0), (end, 1), (length, 1)))
    trim = np.minimum(0.05 * length, 8)
    tail = np.clip(0.15 * length, 8, 30)
    inner = _between(lines, start + trim, end - trim).max(axis=1)
    after = _between(lines, end + 3, end + 3 + tail).sum(axis=1)
    before = _between(lines, start - 3 - tail, start - 3).sum(axis=1)
    return np.where(usable, inner, 0), np.minimum(np.maximum(before, after), 1)


def _between(lines: Lines, start: Plane, end: Plane) -> Plane:
    """The mean support between two positions of each line (lines x 2 x pairs)."""
    last = lines.sums.shape[2] - 1
    low, high = (np.clip(np.rint(value) + lines.reach, 0, last).astype(np.int32) for value in (start, end))
    total = np.take_along_axis(lines.sums, high[:, None, :], axis=2) - np.take_along_axis(lines.sums, low[:, None, :], axis=2)
    return np.asarray(total / np.maximum(high - low, 1)[:, None, :], np.float32)


def _opposites(lines: Lines, first: NDArray[np.intp], second: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pairs of pairs that cross each other at about a right angle."""
    normal = (
        lines.normal[first] + lines.normal[second] * np.sign((lines.normal[first] * lines.normal[second]).sum(axis=1))[:, None]
    )
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    across = np.abs(normal[:, None, 0] * normal[None, :, 1] - normal[:, None, 1] * normal[None, :, 0])
    one, other = np.nonzero(np.triu(across > _LEAST_ACROSS, 1))
    return one, other
