"""How far the full picture bears a shape out: whether a straight edge runs all along each of its sides, and where these end.

In the small copy a grain, a shadow or a few things in a row may look like a side. In the full picture a sheet's side is one
unbroken step from paper to table, in the same place and the same way round all along it.
"""

from typing import Final

import cv2
import numpy as np

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import Plane
from etapalvelu.room.vision.likeness import usual
from etapalvelu.room.vision.refine import outward_of, refined

_STRETCHES: Final = 8
_POINTS: Final = 8
# Corners may be round or under a hand.
_ENDS: Final = 0.06
# Across the side, in pixels of a picture of 1080p: how far is looked, where the edge may be, and where it is no more.
_REACH: Final = 12
_HERE: Final = 2
_BESIDE: Final = 4
_USUAL_SIDE: Final = 1920
# An edge stands out by so many times the unrest beside it, and that is never less than this (grey levels a pixel).
_STANDS_OUT: Final = 2.0
_LEAST_UNREST: Final = 0.3
# A line of print may pass for a side: then both of its neighbours go on. They are followed by this share of their length at
# a time, and never by fewer pixels than that, while this much of them is seen.
_ADVANCE: Final = 0.05
_LEAST_ADVANCE: Final = 24.0
_GOES_ON: Final = 0.6
_TIMES: Final = 4
_ALL_ALONG: Final = 0.85
# So little of it goes on past the corners of a whole sheet.
_ENDED: Final = 0.3
# Paper beyond a line of print is the paper before it: grey levels, all channels together, and a share of what it has.
_SAME_PAPER: Final = 12.0
_SAME_SHARE: Final = 0.06
_PAPER_PERCENTILE: Final = 85
# Past a corner: what may be its roundness or shadow, and how much is followed, as a share of the side.
_PAST: Final = 6.0
_FOLLOWING: Final = 0.15
_PLAIN: Final = np.array([0.114, 0.587, 0.299], np.float32)


def borne_out(picture: Bgr, corners: Plane) -> Plane:
    """For each side of the refined `corners` the share of its length on which an edge is seen, 0 to 1."""
    step = max(1.0, max(picture.shape[:2]) / _USUAL_SIDE)
    middle = corners.mean(axis=0)
    return np.array([_share(picture, corners[k], corners[(k + 1) % 4], middle, step) for k in range(4)], np.float32)


def grown(picture: Bgr, corners: Plane) -> Plane:
    """The refined `corners`, or those of the whole sheet where they are only of a part that ends at a line of print."""
    step = max(1.0, max(picture.shape[:2]) / _USUAL_SIDE)
    for side in range(4):
        whole = corners
        # The farther the neighbours are known, the better is known where they lead.
        for _ in range(_TIMES):
            farther = _moved_out(picture, whole, side, step)
            if farther is None:
                break
            whole = refined(picture, farther, 1.0)
        if whole is not corners and borne_out(picture, whole).min() >= _ALL_ALONG and going_on(picture, whole) < _ENDED:
            corners = whole
    return corners


def going_on(picture: Bgr, corners: Plane) -> float:
    """How much of what follows past the corners is an edge too, 0 to 1: a sheet's sides end, a pattern's go on."""
    step = max(1.0, max(picture.shape[:2]) / _USUAL_SIDE)
    middle, limit = corners.mean(axis=0), np.array(picture.shape[1::-1], np.float32) - 1
    seen = []
    for corner, other in ((k, j) for k in range(4) for j in (k - 1, (k + 1) % 4)):
        way = corners[corner] - corners[other]
        length = max(float(np.linalg.norm(way)), 1.0)
        near, far = (corners[corner] + way / length * pixels for pixels in (_PAST * step, _PAST * step + _FOLLOWING * length))
        is_inside = bool(((far >= 0) & (far <= limit)).all())
        seen.append(_share(picture, near, far, middle, step) if is_inside else 0.0)
    return sum(seen) / len(seen)


def is_of_one_paper(picture: Bgr, inner: Plane, outer: Plane) -> bool:
    """Whether along the sides of `outer` there lies what lies along those of `inner` on their inside."""
    step = max(1.0, max(picture.shape[:2]) / _USUAL_SIDE)
    for side in range(4):
        ends, opposite = outer[[side, (side + 1) % 4]], outer[[side - 1, (side + 2) % 4]]
        depth = _LEAST_ADVANCE / 2 * step / max(float(np.linalg.norm(opposite - ends, axis=1).mean()), 1.0)
        beyond = _paper(picture, ends, (opposite - ends) * np.float32(depth))
        near = _nearest_side(inner, ends)
        ends, opposite = inner[[near, (near + 1) % 4]], inner[[near - 1, (near + 2) % 4]]
        paper = _paper(picture, ends, (opposite - ends) * np.float32(depth))
        if np.abs(beyond - paper).sum() > _SAME_PAPER + _SAME_SHARE * paper.sum():
            return False
    return True


def _nearest_side(corners: Plane, ends: Plane) -> int:
    middles = (corners + np.roll(corners, -1, axis=0)) / 2
    return int(np.linalg.norm(middles - ends.mean(axis=0), axis=1).argmin())


def _moved_out(picture: Bgr, corners: Plane, side: int, step: float) -> Plane | None:
    """The corners with one side moved to where both its neighbours end; None where these end already."""
    first, second = side, (side + 1) % 4
    ways = corners[[first, second]] - corners[[first - 1, (second + 1) % 4]]
    length = float(np.linalg.norm(ways, axis=1).mean())
    advance = ways * np.float32(max(_ADVANCE, _LEAST_ADVANCE * step / max(length, 1.0)))
    middle, limit = corners.mean(axis=0), np.array(picture.shape[1::-1], np.float32) - 1
    ends, paper = corners[[first, second]], _paper(picture, corners[[first, second]], -advance)
    moved = 0
    while True:
        following = ends + advance
        if not ((following >= 0) & (following <= limit)).all():
            break
        seen = [_share(picture, start, end, middle, step) for start, end in zip(ends, following, strict=True)]
        beyond = _paper(picture, ends, advance)
        if sum(seen) / 2 < _GOES_ON or np.abs(beyond - paper).sum() > _SAME_PAPER + _SAME_SHARE * paper.sum():
            break
        ends, moved = following, moved + 1
    if not moved:
        return None
    farther = corners.copy()
    farther[[first, second]] = ends
    return farther


def _paper(picture: Bgr, ends: Plane, advance: Plane) -> Plane:
    """The paper's colour between two ends and where they advance to; what is printed on it is darker."""
    across = np.linspace(0.1, 0.9, 24, dtype=np.float32)[:, None, None]
    deep = np.linspace(0.25, 0.9, 6, dtype=np.float32)[:, None]
    points = ends[0] + across * (ends[1] - ends[0]) + deep * (advance[0] + across * (advance[1] - advance[0]))
    found = cv2.remap(
        picture,
        points[..., 0].astype(np.float32),
        points[..., 1].astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(np.percentile(found.reshape(-1, 3), _PAPER_PERCENTILE, axis=0), np.float32)


def _share(picture: Bgr, start: Plane, end: Plane, inwards: Plane, step: float) -> float:
    across = np.arange(-_REACH, _REACH + 1, dtype=np.float32) * np.float32(step)
    way = np.linspace(_ENDS, 1 - _ENDS, _STRETCHES * _POINTS, dtype=np.float32)
    at = (start + way[:, None] * (end - start))[:, None] + across[:, None] * outward_of(start, end, inwards)
    seen = cv2.remap(
        picture, at[..., 0].astype(np.float32), at[..., 1].astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.float32)
    inside, outside = seen[:, _REACH - _BESIDE : _REACH - 1], seen[:, _REACH + 2 : _REACH + _BESIDE + 1]
    change = usual((inside.mean(axis=1) - outside.mean(axis=1)).T)
    size = float(np.linalg.norm(change))
    profile = seen @ (change / size if size > 1 else _PLAIN).astype(np.float32)
    fall = (profile[:, :-2] - profile[:, 2:]).reshape(_STRETCHES, _POINTS, -1).mean(axis=1)
    middle = _REACH - 1
    edge = fall[:, middle - _HERE : middle + _HERE + 1].max(axis=1)
    beside = np.concatenate([fall[:, : middle - _BESIDE], fall[:, middle + _BESIDE + 1 :]], axis=1)
    unrest = np.sqrt((beside**2).mean(axis=1)) + _LEAST_UNREST
    return float((edge > _STANDS_OUT * unrest).mean())
