"""Where the paper lies in a picture of the table, or that none lies there.

Lines are looked for in a small copy, four of them at a time make a shape, and the shape that looks most like a sheet wins, if
it looks enough like one. Then its sides are followed in the full picture.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Edges, edges_of
from etapalvelu.room.vision.likeness import Likeness, likeness_of
from etapalvelu.room.vision.lines import lines_in
from etapalvelu.room.vision.proof import borne_out, grown
from etapalvelu.room.vision.quads import Quads, quads_from
from etapalvelu.room.vision.refine import refined
from etapalvelu.room.vision.regions import outlines_in

SEARCH_SIDE_PIXELS: Final = 640
FOLLOW_SIDE_PIXELS: Final = 480
_MOST_LINES: Final = 80
_MOST_QUADS: Final = 220
_ENOUGH: Final = 1.93
_STILL_ENOUGH: Final = 1.75
# A shape rated lower is doubtful: it is one if the full picture bears each of its sides out, this much of it.
_DOUBTFUL: Final = 1.72
_PROVEN: Final = 0.85
_MOST_TRIED: Final = 3
_ANOTHER_PIXELS: Final = 4.0
# Shapes rated so little below the best are its rivals; the more there are, the better it has to be.
_RIVAL: Final = 0.15
_PER_RIVAL: Final = 0.05
_MOST_RIVALS: Final = 8
# A frame printed on a sheet gives way to the sheet: how much larger that is at least, how much lower it may be rated.
_MOST_FRAMES: Final = 3
_LARGER: Final = 1.03
_ALMOST: Final = 0.35
_BORNE_OUT: Final = 0.6
_OVER_PIXELS: Final = 3.0
# As a share of how much paper and table differ.
_SAME_PAPER: Final = 0.4
_MOST_FOLLOWED_LINES: Final = 20
_MOST_FOLLOWED_QUADS: Final = 40
# How far a sheet may move between two looks, as a share of its size.
_FOLLOWED: Final = 0.08
# Grey levels by which paper is brighter than a table, beyond any doubt.
_CLEARLY_BRIGHTER: Final = 8.0
_LEAST_PIXELS: Final = 64

Corners = NDArray[np.float32]


def find_page(image_bgr: Bgr, near: Corners | None = None) -> Corners | None:
    """The sheet's corners in pixels, clockwise from the one nearest the upper left (`in_order`), or None.

    `near`: the corners a moment ago. Then the sheet is looked for close to them only, which is quick; the corners keep their
    order, and None says that it is not there any more, or went too far.
    """
    high, wide = image_bgr.shape[:2]
    if min(high, wide) < _LEAST_PIXELS:
        return None
    scale = min(1.0, (SEARCH_SIDE_PIXELS if near is None else FOLLOW_SIDE_PIXELS) / max(high, wide))
    size = round(wide * scale), round(high * scale)
    small = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    zoom = np.array([wide / size[0], high / size[1]], np.float32)
    edges = edges_of(small)
    if near is None:
        searched = _searched(small, edges)
        for corners in searched.ways:
            exact = refined(image_bgr, _zoomed(corners, zoom), float(zoom.max()))
            if searched.is_sure or borne_out(image_bgr, exact).min() >= _PROVEN:
                return in_order(grown(image_bgr, exact))
        return None
    before = _zoomed(np.asarray(near, np.float32), np.float32(1) / zoom)
    found = _followed(edges, before)
    return None if found is None else refined(image_bgr, _zoomed(_as_before(found, before), zoom), float(zoom.max()))


def in_order(corners: Corners) -> Corners:
    """The corners clockwise as one sees them, first the one nearest the picture's upper left by x + y."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)


@dataclass(frozen=True)
class _Found:
    """Shapes that may be the sheet, the likeliest first; where `is_sure` there is but one."""

    ways: tuple[Corners, ...] = ()
    is_sure: bool = False


def _searched(small: Bgr, edges: Edges) -> _Found:
    high, wide = edges.thin.shape
    outlines = outlines_in(small)
    lines = lines_in(edges, _MOST_LINES, (outlines.normal, outlines.distance))
    sure = outlines.round + len(lines.distance) - len(outlines.distance)
    quads = quads_from(lines, (wide, high), _MOST_QUADS, sure)
    return _best(edges, quads, _ENOUGH, _DOUBTFUL)


def _followed(edges: Edges, before: Corners) -> Corners | None:
    """The sheet, if its corners are still about where they were."""
    high, wide = edges.thin.shape
    reach = float(np.clip(_FOLLOWED * np.sqrt(cv2.contourArea(before)), 6, 40))
    band = np.zeros_like(edges.thin)
    cv2.polylines(band, [np.rint(before).astype(np.int32)], True, 255, int(2 * reach))
    lines = lines_in(replace(edges, thin=edges.thin & band), _MOST_FOLLOWED_LINES)
    quads = quads_from(lines, (wide, high), _MOST_FOLLOWED_QUADS)
    moved = [np.linalg.norm(_as_before(corners, before) - before, axis=1).max() for corners in quads.corners]
    found = _best(edges, quads.picked(np.flatnonzero(np.array(moved) < 1.5 * reach)), _STILL_ENOUGH, _STILL_ENOUGH)
    return found.ways[0] if found.ways else None


def _best(edges: Edges, quads: Quads, sure: float, doubtful: float) -> _Found:
    if not len(quads.corners):
        return _Found()
    likeness = likeness_of(edges, quads)
    rating = _rating(quads, likeness)
    best = int(np.argmax(rating))
    rivals = _rivals(quads.corners[np.argsort(-rating)[: int((rating > rating[best] - _RIVAL).sum())]])
    over = rating - np.float32(_PER_RIVAL * rivals * (rivals + 1) / 2)
    outermost = np.asarray(quads.corners[_outermost(quads, likeness, rating, best)], np.float32)
    if over[best] >= sure:
        return _Found((outermost,), is_sure=True)
    tried = [outermost] if over[best] >= doubtful else []
    for index in np.argsort(-rating):
        if over[index] < doubtful or len(tried) == _MOST_TRIED:
            break
        if all(np.abs(quads.corners[index] - other).max() > _ANOTHER_PIXELS for other in tried):
            tried.append(np.asarray(quads.corners[index], np.float32))
    return _Found(tuple(tried))


def _outermost(quads: Quads, likeness: Likeness, rating: NDArray[np.float32], best: int) -> int:
    """The sheet around `best`, where that is only a frame printed on it: almost as good, and of the same paper."""
    for _ in range(_MOST_FRAMES):
        larger = likeness.size > _LARGER * likeness.size[best]
        good = (rating > rating[best] - _ALMOST) & (quads.support.min(axis=1) > _BORNE_OUT)
        around = [
            index
            for index in np.flatnonzero(larger & good & _same_paper(likeness, best))
            if _is_within(quads.corners[best], quads.corners[index])
        ]
        if not around:
            break
        best = int(max(around, key=lambda index: rating[index]))
    return best


def _same_paper(likeness: Likeness, best: int) -> NDArray[np.bool_]:
    """Which shapes have the paper of `best` along all their sides: it is far nearer to that than the table is."""
    paper = np.median(likeness.margins[best, :, 1], axis=0)
    off = np.abs(likeness.margins - paper).sum(axis=3).min(axis=2)
    return np.asarray((off < _SAME_PAPER * np.abs(likeness.outsides - paper).sum(axis=2) + 6).all(axis=1), np.bool_)


def _is_within(inner: Corners, outer: Corners) -> bool:
    return all(cv2.pointPolygonTest(outer, (float(x), float(y)), True) > -_OVER_PIXELS for x, y in inner)


def _rivals(corners: Corners) -> int:
    """How many of the shapes are really others than the first and each other: in a pattern one cell is as good as the next.

    Parts of the first are none: a line of print makes a smaller sheet of every sheet.
    """
    corners = corners[[True, *(not _is_within(other, corners[0]) for other in corners[1:])]]
    middle = corners.mean(axis=1)
    extent = np.abs(corners - middle[:, None]).mean(axis=1)
    kept: list[int] = []
    for one in range(len(corners)):
        size = float(extent[one].max())
        others = np.abs(middle[kept] - middle[one]).max(axis=1) > 0.25 * size
        others |= np.abs(extent[kept] - extent[one]).max(axis=1) > 0.2 * size
        if others.all():
            kept.append(one)
        if len(kept) > _MOST_RIVALS:
            break
    return len(kept) - 1


def _as_before(corners: Corners, before: Corners) -> Corners:
    """The same corners, turned round and begun so that each is near its old place."""
    ways = [np.roll(turned, shift, axis=0) for turned in (corners, corners[::-1]) for shift in range(4)]
    return min(ways, key=lambda way: float(np.linalg.norm(way - before)))


def _zoomed(corners: Corners, zoom: Corners) -> Corners:
    """Corners in a picture `zoom` times as large; the middles of pixels have whole numbers."""
    return np.asarray((corners + np.float32(0.5)) * zoom - np.float32(0.5), np.float32)


def _rating(quads: Quads, likeness: Likeness) -> NDArray[np.float32]:
    """The four sides carry most of it, the weakest of them above all; the rest tips the scales."""
    sides = np.sort(quads.support * (0.5 + 0.5 * likeness.step), axis=1)
    brighter = np.clip(likeness.brighter / _CLEARLY_BRIGHTER, -1, 1).mean(axis=1)
    rating = 0.5 * sides.mean(axis=1) + 0.3 * sides[:, 0] + 0.2 * sides[:, 1]
    rating += 0.25 * np.abs(brighter) + 0.2 * brighter
    rating += 0.3 * likeness.form + 0.15 * likeness.alike + 0.25 * likeness.quiet.mean(axis=1) + 0.35 * likeness.bright
    # One or two sides may go on in a stripe of the table; of a pattern's cell all do.
    rating -= 0.5 * np.sort(quads.beyond, axis=1)[:, 1] + 0.1 * quads.beyond.mean(axis=1)
    rating += 0.08 * np.clip(np.log2(np.maximum(likeness.size, 1e-3) / 0.02), -3, 4)
    return np.asarray(rating, np.float32)
