"""Where the paper lies in a picture of the table, or that none lies there.

Lines are looked for in a small copy, and four of them at a time make a shape; the shapes that look most like a sheet and are
no pattern are tried in the full picture, where their sides are followed and must be borne out. When one is sure to be a sheet
that only tells which; else, where none is borne out, shapes of three clear sides are tried.
"""

from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.contrast import contrast_of
from etapalvelu.room.vision.edges import Edges, Plane, edges_of
from etapalvelu.room.vision.likeness import Likeness, likeness_of, usual
from etapalvelu.room.vision.lines import Lines, lines_in
from etapalvelu.room.vision.pattern import is_pattern
from etapalvelu.room.vision.proof import borne_out, going_on, grown, is_of_one_paper
from etapalvelu.room.vision.quads import Quads, quads_from
from etapalvelu.room.vision.refine import refined
from etapalvelu.room.vision.regions import outlines_in
from etapalvelu.room.vision.threes import three_sided

SEARCH_SIDE_PIXELS: Final = 640
FOLLOW_SIDE_PIXELS: Final = 480
_MOST_LINES: Final = 80
_MOST_QUADS: Final = 220
_MOST_COMPARED: Final = 14
_LIKE_A_PART: Final = 1.93
_ENOUGH: Final = 1.85
_STILL_ENOUGH: Final = 1.75
# A shape rated lower than enough is doubtful: it is one if the full picture bears each of its sides out, this much of it.
_DOUBTFUL: Final = 1.7
# A side of which less is seen may be none at all.
_HALF_SEEN: Final = 0.5
_PROVEN: Final = 0.85
_MOST_TRIED: Final = 3
# How well sides are taken to be supported that are known to be there only from where their neighbours end.
_IF_THERE: Final = 0.75
# No sheet that can be read takes a smaller share of the picture.
_LEAST_SIZE: Final = 0.007
_MUCH_SMALLER: Final = 0.5
# What is no larger than this times a pattern is a part of it.
_MUCH_LARGER: Final = 1.3
# How much may go on past the corners of a doubtful shape, of one with a side that was not seen, and more than in the frame.
_MOST_GOING_ON: Final = 0.3
_MOST_OF_ROUGH: Final = 0.2
_NO_MORE: Final = 0.05
_ANOTHER_PIXELS: Final = 4.0
# Shapes rated so little below one that is sure are tried too.
_RIVAL: Final = 0.3
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
    if near is None:
        return _looked_for(image_bgr)
    small, zoom = _smaller(image_bgr, FOLLOW_SIDE_PIXELS)
    before = _zoomed(np.asarray(near, np.float32), np.float32(1) / zoom)
    moved = _followed(edges_of(small), before)
    return None if moved is None else refined(image_bgr, _zoomed(_as_before(moved, before), zoom), float(zoom.max()))


def _smaller(image_bgr: Bgr, side: int) -> tuple[Bgr, Corners]:
    """A copy no longer than `side` pixels, and how many times as large the picture is each way."""
    high, wide = image_bgr.shape[:2]
    scale = min(1.0, side / max(high, wide))
    size = round(wide * scale), round(high * scale)
    small = np.asarray(cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, np.array([wide / size[0], high / size[1]], np.float32)


def _looked_for(image_bgr: Bgr) -> Corners | None:
    small, zoom = _smaller(image_bgr, SEARCH_SIDE_PIXELS)
    edges = edges_of(small)
    lines, found = _searched(small, edges)
    proven = _proven(image_bgr, found, zoom)
    brightness = edges.colours[..., 0]
    if proven is None:
        threes = three_sided(lines, (small.shape[1], small.shape[0]), 2 * _MOST_TRIED)
        # Where a side was not seen it is known roughly only, and has to be found twice.
        shapes = [_zoomed(shape, zoom) for shape in _paper_like(edges, threes) if not is_pattern(brightness, shape)]
        rough = [refined(image_bgr, shape, float(zoom.max())) for shape in shapes]
        ways = tuple(_Way(_zoomed(shape, np.float32(1) / zoom)) for shape in rough)
        proven = _proven(image_bgr, _Found(ways, most_going_on=_MOST_OF_ROUGH), zoom)
    # A part that was none may have grown to a pattern.
    return None if proven is None or is_pattern(brightness, _zoomed(proven, np.float32(1) / zoom)) else proven


def _paper_like(edges: Edges, shapes: list[Corners]) -> list[Corners]:
    """Those of the shapes that look like a sheet if all their sides are what they seem, the likeliest first."""
    if not shapes:
        return []
    full = np.full((len(shapes), 4), _IF_THERE, np.float32)
    quads = Quads(corners=np.stack(shapes), support=full, beyond=np.zeros_like(full))
    likeness = likeness_of(edges, quads)
    rating = np.where(likeness.size > _LEAST_SIZE, _rating(quads, likeness), 0)
    return [shapes[index] for index in np.argsort(-rating)[:_MOST_TRIED] if rating[index] >= _DOUBTFUL]


def in_order(corners: Corners) -> Corners:
    """The corners clockwise as one sees them, first the one nearest the picture's upper left by x + y."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)


@dataclass(frozen=True)
class _Way:
    """A shape that may be the sheet, and those around it, of which it may be only a frame; the likeliest first."""

    corners: Corners
    around: tuple[Corners, ...] = ()


@dataclass(frozen=True)
class _Found:
    """Shapes that may be the sheet, the likeliest first. Where `is_sure` one of them is; else they go on no more than so."""

    ways: tuple[_Way, ...] = ()
    is_sure: bool = False
    most_going_on: float = _MOST_GOING_ON


def _proven(image_bgr: Bgr, found: _Found, zoom: Corners) -> Corners | None:
    """The first of the shapes that the full picture bears out; the likeliest when one of them has to be it."""
    likeliest, chosen = None, None
    for way in found.ways:
        if chosen is not None and not _is_apart(_zoomed(way.corners, zoom), chosen):
            continue
        exact = _whole(image_bgr, way, zoom)
        exact = exact if found.is_sure else grown(image_bgr, exact)
        is_first = likeliest is None and found.is_sure
        likeliest = exact if likeliest is None else likeliest
        # What is small does not stand in for a large sheet of which a side is faint.
        if found.is_sure and cv2.contourArea(exact) < _MUCH_SMALLER * cv2.contourArea(likeliest):
            continue
        if borne_out(image_bgr, exact).min() < _PROVEN or not (is_first or going_on(image_bgr, exact) < found.most_going_on):
            continue
        # Of several sheets the largest counts.
        if chosen is None or cv2.contourArea(exact) > _LARGER * cv2.contourArea(chosen):
            chosen = exact
        if not found.is_sure:
            break
    if chosen is None and found.is_sure:
        chosen = likeliest
    return None if chosen is None else in_order(grown(image_bgr, chosen))


def _is_apart(corners: Corners, other: Corners) -> bool:
    """Whether neither has the other's middle within."""
    pairs = ((corners, other), (other, corners))
    return all(cv2.pointPolygonTest(one, two.mean(axis=0).tolist(), False) < 0 for one, two in pairs)


def _whole(image_bgr: Bgr, way: _Way, zoom: Corners) -> Corners:
    """The refined corners of a shape, or of the sheet around it."""
    exact = refined(image_bgr, _zoomed(way.corners, zoom), float(zoom.max()))
    for larger in way.around:
        if not is_of_one_paper(image_bgr, exact, _zoomed(larger, zoom)):
            continue
        whole = refined(image_bgr, _zoomed(larger, zoom), float(zoom.max()))
        is_one = is_of_one_paper(image_bgr, exact, whole) and borne_out(image_bgr, whole).min() >= _BORNE_OUT
        # A stripe of the paper's colour is told by its going on.
        if is_one and going_on(image_bgr, whole) <= going_on(image_bgr, exact) + _NO_MORE:
            exact = whole
    return exact


def _searched(small: Bgr, edges: Edges) -> tuple[Lines, _Found]:
    high, wide = edges.thin.shape
    outlines = outlines_in(small)
    lines = lines_in(edges, _MOST_LINES, (outlines.normal, outlines.distance))
    sure = outlines.round + len(lines.distance) - len(outlines.distance)
    quads = quads_from(lines, (wide, high), _MOST_QUADS, sure)
    return lines, _best(small, edges, quads)


def _followed(edges: Edges, before: Corners) -> Corners | None:
    """The sheet, if its corners are still about where they were."""
    high, wide = edges.thin.shape
    reach = float(np.clip(_FOLLOWED * np.sqrt(cv2.contourArea(before)), 6, 40))
    band = np.zeros_like(edges.thin)
    cv2.polylines(band, [np.rint(before).astype(np.int32)], True, 255, int(2 * reach))
    lines = lines_in(replace(edges, thin=edges.thin & band), _MOST_FOLLOWED_LINES)
    quads = quads_from(lines, (wide, high), _MOST_FOLLOWED_QUADS)
    moved = [np.linalg.norm(_as_before(corners, before) - before, axis=1).max() for corners in quads.corners]
    quads = quads.picked(np.flatnonzero(np.array(moved) < 1.5 * reach))
    if not len(quads.corners):
        return None
    likeness = likeness_of(edges, quads)
    rating = np.where(likeness.size > _LEAST_SIZE, _rating(quads, likeness), 0)
    best = int(rating.argmax())
    return quads.corners[best] if rating[best] >= _STILL_ENOUGH else None


def _best(small: Bgr, edges: Edges, quads: Quads) -> _Found:
    """The shapes to try: no patterns nor parts of such, the likeliest first."""
    if not len(quads.corners):
        return _Found()
    likeness = likeness_of(edges, quads)
    rating = _rating(quads, likeness)
    compared = _different(quads.corners, [int(index) for index in np.argsort(-rating) if likeness.size[index] > _LEAST_SIZE])
    if not compared:
        return _Found()
    final = _final_rating(quads, likeness, compared, contrast_of(small, quads.corners[compared]))
    places, patterns = _places(quads.corners), _Patterns(edges.colours[..., 0])
    tried: list[int] = []
    least, is_sure = _DOUBTFUL, False
    for place in np.argsort(-final):
        index = compared[place]
        if final[place] < least or len(tried) == _MOST_TRIED:
            break
        if (is_sure and _is_known(quads.corners, places, index, tried)) or patterns.have(quads.corners[index]):
            continue
        tried.append(index)
        if len(tried) == 1 and final[place] >= _ENOUGH:
            least, is_sure = float(final[place]) - _RIVAL, True
    if not is_sure:
        # What looks most like a sheet but for what lies around may be a part of one.
        parts = (index for index in compared if rating[index] >= _LIKE_A_PART and index not in tried)
        tried += list(islice((index for index in parts if not patterns.have(quads.corners[index])), _MOST_TRIED - len(tried)))
    return _Found(tuple(_way(quads, likeness, rating, index) for index in tried), is_sure=is_sure)


def _different(shapes: Corners, order: list[int]) -> list[int]:
    """The first few that are not the same shape once more."""
    kept: list[int] = []
    for one in order:
        if len(kept) == _MOST_COMPARED:
            break
        if all(np.abs(shapes[one] - shapes[other]).max() > _ANOTHER_PIXELS for other in kept):
            kept.append(one)
    return kept


def _is_known(shapes: Corners, places: Corners, one: int, tried: list[int]) -> bool:
    """Whether it is nearly one of those tried, or lies within one: that is print."""
    return not _is_other(places[one], places[tried]) or any(_is_within(shapes[one], shapes[other]) for other in tried)


def _final_rating(quads: Quads, likeness: Likeness, which: list[int], contrast: NDArray[np.float32]) -> NDArray[np.float32]:
    """What tells a sheet from the rest when few are left: above all that no paper like its own lies around."""
    support, beyond = quads.support[which], np.sort(quads.beyond[which], axis=1)
    rating = support.mean(axis=1) - 1.5 * np.maximum(_HALF_SEEN - support.min(axis=1), 0) - 0.3 * beyond[:, 2:].sum(axis=1)
    rating += (
        0.65 * likeness.bright[which] + 0.4 * likeness.form[which] + 0.45 * contrast + 0.09 * _largeness(likeness.size[which])
    )
    return np.asarray(rating, np.float32)


class _Patterns:
    """The patterns met so far in a picture."""

    def __init__(self, brightness: Plane) -> None:
        self._brightness = brightness
        self._met: list[Corners] = []

    def have(self, corners: Corners) -> bool:
        """Whether the shape is a pattern, or a part of one."""
        middle, size = corners.mean(axis=0).tolist(), cv2.contourArea(corners)
        for pattern in self._met:
            if size < _MUCH_LARGER * cv2.contourArea(pattern) and cv2.pointPolygonTest(pattern, middle, False) >= 0:
                return True
        if is_pattern(self._brightness, corners):
            self._met.append(corners)
            return True
        return False


def _way(quads: Quads, likeness: Likeness, rating: NDArray[np.float32], index: int) -> _Way:
    """The shape with the likeliest of those around it, of the same paper as far as the small picture tells."""
    larger = likeness.size > _LARGER * likeness.size[index]
    good = (rating > rating[index] - _ALMOST) & (quads.support.min(axis=1) > _BORNE_OUT)
    inner = quads.corners[index]
    around = np.array([other for other in np.flatnonzero(larger & good) if _is_within(inner, quads.corners[other])], np.intp)
    around = around[_same_paper(likeness, index, around)]
    around = around[np.argsort(-rating[around])]
    return _Way(inner, tuple(quads.corners[other] for other in around[:_MOST_FRAMES]))


def _same_paper(likeness: Likeness, best: int, others: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which of the others have the paper of `best` along all their sides: it is far nearer to that than the table is."""
    paper = np.median(usual(likeness.margins[best, :, 1]), axis=0)
    off = np.abs(usual(likeness.margins[others]) - paper).sum(axis=3).min(axis=2)
    table = np.abs(usual(likeness.outsides[others]) - paper).sum(axis=2)
    return np.asarray((off < _SAME_PAPER * table + 6).all(axis=1), np.bool_)


def _is_within(inner: Corners, outer: Corners) -> bool:
    return all(cv2.pointPolygonTest(outer, (float(x), float(y)), True) > -_OVER_PIXELS for x, y in inner)


def _places(corners: Corners) -> Corners:
    """Where shapes (n x 4 x 2) lie and how far they reach: n x 4."""
    middle = corners.mean(axis=1)
    return np.concatenate([middle, np.abs(corners - middle[:, None]).mean(axis=1)], axis=1)


def _is_other(place: Corners, places: Corners) -> bool:
    """Whether it lies elsewhere than each of `places`, or is of another size."""
    off, size = np.abs(places - place), float(place[2:].max())
    return bool(((off[:, :2].max(axis=1) > 0.25 * size) | (off[:, 2:].max(axis=1) > 0.2 * size)).all())


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
    rating += 0.08 * _largeness(likeness.size)
    return np.asarray(rating, np.float32)


def _largeness(size: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.clip(np.log2(np.maximum(size, 1e-3) / 0.02), -3, 4), np.float32)
