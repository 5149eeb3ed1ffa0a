"""Where the paper lies in a picture of the table, or that none lies there.

Lines are looked for in a small copy, and four of them at a time make a shape; the few that are likeliest a sheet and no pattern
are tried in the full picture, where their sides are followed. What is seen there is added to what the small copy said. Where
none is likely enough to stand on its own, shapes of three clear sides are tried too.
"""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Edges, Plane, edges_of
from etapalvelu.room.vision.likeness import Likeness, areas_of, usual
from etapalvelu.room.vision.lines import Lines, lines_in
from etapalvelu.room.vision.odds import LEAST_SIZE, rated, rated_again
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
# Logarithms of odds: to stand on its own, to be the sheet that lay there, to be tried, and to be the one in the full picture.
_ENOUGH: Final = 0.0
_STILL_ENOUGH: Final = -1.0
_DOUBTFUL: Final = -5.5
_PROVEN: Final = -1.0
_PLAINLY_SEEN: Final = 0.85
_MOST_TRIED: Final = 3
# How well sides are taken to be supported that are known to be there only from where their neighbours end.
_IF_THERE: Final = 0.75
# What is no larger than this times a pattern is a part of it.
_MUCH_LARGER: Final = 1.3
# How much more may go on past the corners of a sheet than past those of a frame in it.
_NO_MORE: Final = 0.05
# Shapes rated so little below one that is sure are tried too.
_RIVAL: Final = 2.5
# A frame printed on a sheet gives way to the sheet: how much larger that is at least, how much lower it may be rated.
_MOST_FRAMES: Final = 3
_LARGER: Final = 1.03
_ALMOST: Final = 3.5
_BORNE_OUT: Final = 0.6
_OVER_PIXELS: Final = 3.0
# As a share of how much paper and table differ.
_SAME_PAPER: Final = 0.4
_MOST_FOLLOWED_LINES: Final = 20
_MOST_FOLLOWED_QUADS: Final = 40
# How far a sheet may move between two looks, as a share of its size.
_FOLLOWED: Final = 0.08
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
    moved = _followed(small, before)
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
    brightness = edges.colours[..., 0]
    lines, ways = _searched(small, edges)
    found = [_exact(image_bgr, way, zoom) for way in ways]
    if all(exact.rating < _ENOUGH for exact in found):
        threes = three_sided(lines, (small.shape[1], small.shape[0]), 2 * _MOST_TRIED)
        rough = [way for way in _paper_like(small, edges, threes) if not is_pattern(brightness, way.corners)]
        # Where a side was not seen it is known roughly only, and has to be found twice, and seen then.
        twice = [refined(image_bgr, _zoomed(way.corners, zoom), float(zoom.max())) for way in rough]
        ways = [replace(way, corners=_zoomed(one, np.float32(1) / zoom)) for way, one in zip(rough, twice, strict=True)]
        found += [exact for exact in (_exact(image_bgr, way, zoom) for way in ways) if exact.least_seen >= _PLAINLY_SEEN]
    proven = _chosen(found)
    # A part that was none may have grown to a pattern.
    return None if proven is None or is_pattern(brightness, _zoomed(proven, np.float32(1) / zoom)) else proven


def _paper_like(small: Bgr, edges: Edges, shapes: list[Corners]) -> list["_Way"]:
    """Those of the shapes that look like a sheet if all their sides are what they seem, the likeliest first."""
    if not shapes:
        return []
    full = np.full((len(shapes), 4), _IF_THERE, np.float32)
    rating, _ = rated(small, edges, Quads(corners=np.stack(shapes), support=full, beyond=np.zeros_like(full)))
    order = np.argsort(-rating)[:_MOST_TRIED]
    return [_Way(shapes[index], float(rating[index])) for index in order if rating[index] >= _DOUBTFUL]


def in_order(corners: Corners) -> Corners:
    """The corners clockwise as one sees them, first the one nearest the picture's upper left by x + y."""
    middle = corners.mean(axis=0)
    around = corners[np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))]
    return np.roll(around, -int(np.argmin(around.sum(axis=1))), axis=0)


@dataclass(frozen=True)
class _Way:
    """A shape that may be the sheet, how likely, and those around it, of which it may be only a frame; the likeliest first."""

    corners: Corners
    rating: float
    around: tuple[Corners, ...] = ()


@dataclass(frozen=True)
class _Exact:
    """A shape in the full picture: how likely it is the sheet by all that is known, and how much its faintest side is seen."""

    corners: Corners
    rating: float
    least_seen: float


def _exact(image_bgr: Bgr, way: _Way, zoom: Corners) -> _Exact:
    corners = grown(image_bgr, _whole(image_bgr, way, zoom))
    seen = borne_out(image_bgr, corners)
    return _Exact(corners, rated_again(way.rating, seen, going_on(image_bgr, corners)), float(seen.min()))


def _chosen(found: list[_Exact]) -> Corners | None:
    """The likeliest, if it is likely at all; of several sheets the largest."""
    best = max(found, key=lambda exact: exact.rating, default=None)
    if best is None or best.rating < _PROVEN:
        return None
    for other in found:
        is_larger = cv2.contourArea(other.corners) > _LARGER * cv2.contourArea(best.corners)
        if other.rating >= _ENOUGH and is_larger and _is_apart(other.corners, best.corners):
            best = other
    return in_order(best.corners)


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


def _searched(small: Bgr, edges: Edges) -> tuple[Lines, list[_Way]]:
    high, wide = edges.thin.shape
    outlines = outlines_in(small)
    lines = lines_in(edges, _MOST_LINES, (outlines.normal, outlines.distance))
    sure = outlines.round + len(lines.distance) - len(outlines.distance)
    quads = quads_from(lines, (wide, high), _MOST_QUADS, sure)
    return lines, _best(small, edges, quads)


def _followed(small: Bgr, before: Corners) -> Corners | None:
    """The sheet, if its corners are still about where they were."""
    edges = edges_of(small)
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
    rating, _ = rated(small, edges, quads)
    best = int(rating.argmax())
    return quads.corners[best] if rating[best] >= _STILL_ENOUGH else None


def _best(small: Bgr, edges: Edges, quads: Quads) -> list[_Way]:
    """The shapes to try: no patterns nor parts of such, the likeliest first."""
    quads = quads.picked(np.flatnonzero(areas_of(quads.corners) > LEAST_SIZE * edges.thin.size))
    if not len(quads.corners):
        return []
    rating, likeness = rated(small, edges, quads)
    places, patterns = _places(quads.corners), _Patterns(edges.colours[..., 0])
    tried: list[int] = []
    least, is_sure = _DOUBTFUL, False
    for index in np.argsort(-rating).tolist():
        if rating[index] < least or len(tried) == _MOST_TRIED:
            break
        if tried and not _is_other(places[index], places[tried]):
            continue
        # What lies within a sheet is print.
        is_print = is_sure and any(_is_within(quads.corners[index], quads.corners[other]) for other in tried)
        if is_print or patterns.have(quads.corners[index]):
            continue
        tried.append(index)
        if len(tried) == 1 and rating[index] >= _ENOUGH:
            least, is_sure = float(rating[index]) - _RIVAL, True
    return [_way(quads, likeness, rating, index) for index in tried]


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
    return _Way(inner, float(rating[index]), tuple(quads.corners[other] for other in around[:_MOST_FRAMES]))


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
