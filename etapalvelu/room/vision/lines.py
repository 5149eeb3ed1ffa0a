"""Straight lines through edges, and how well the picture bears each of them out along its length."""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.vision.edges import Edges, Plane

# The direction in which it gets brighter: two edges side by side, one up and one down, stay two lines.
ANGLES: Final = 360
STEP: Final = 2
_SPREAD: Final = (-2, -1, 0, 1, 2)
_BESIDE: Final = np.float32(4)
# How much of the support an edge without a change of colour across it loses, and which change is half of a clear one.
_STEP_SHARE: Final = 0.35
_CHANGE: Final = 4.0
# Lines one way are no more degrees apart; so many of them halve what the next one counts.
_ONE_WAY: Final = 4
_CROWD: Final = 6
_LOOKED_AT: Final = 6
_OFFSETS: Final = (-1.5, -0.5, 0.5, 1.5)
# Beyond this nothing of the picture is seen from a line, and so much is put round it that none looks farther.
_RIM: Final = 2
_FRAME: Final = 8


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Lines as normals (n x 2, unit) and distances: points p with normal . p = distance.

    Position t on line i is distance[i] * normal[i] + t * along[i]. `sums` (n x 2 x m) are running sums of the support by
    steps of STEP pixels from t = -`reach`: first where the picture gets brighter along the normal, then where it gets darker.
    """

    normal: Plane
    distance: Plane
    along: Plane
    sums: Plane
    reach: int


def lines_in(edges: Edges, most: int, more: tuple[Plane, Plane] | None = None) -> Lines:
    """The `most` lines with most edges on them, and `more` (normals and distances) that were found otherwise."""
    normal, distance = _peaks(edges, most)
    if more is not None:
        normal, distance = np.concatenate([normal, more[0]]), np.concatenate([distance, more[1]])
    along = np.stack([-normal[:, 1], normal[:, 0]], axis=1)
    high, wide = edges.thin.shape
    reach = int(np.hypot(high, wide)) + 2
    return Lines(normal=normal, distance=distance, along=along, sums=_sums(edges, normal, distance, along, reach), reach=reach)


def _peaks(edges: Edges, most: int) -> tuple[Plane, Plane]:
    high, wide = edges.thin.shape
    ridges = np.flatnonzero(edges.thin)
    rows, columns = (place.astype(np.float32) for place in np.divmod(ridges, wide))
    across, down = edges.across.ravel()[ridges], edges.down.ravel()[ridges]
    weight = np.clip(np.hypot(across, down) - np.float32(0.7), 0, 4) ** 2
    own = np.rint(np.degrees(np.arctan2(down, across))).astype(np.int64) % ANGLES
    middle = int(np.hypot(high, wide)) + 2
    width = 2 * middle + 1
    cosine = np.cos(np.radians(np.arange(ANGLES))).astype(np.float32)
    sine = np.sin(np.radians(np.arange(ANGLES))).astype(np.float32)
    angle = (own + np.array(_SPREAD)[:, None]) % ANGLES
    place = np.rint(columns * cosine[angle] + rows * sine[angle]).astype(np.int32) + middle
    voices = np.broadcast_to(weight, angle.shape).ravel()
    votes = np.bincount((angle * width + place).ravel(), weights=voices, minlength=ANGLES * width)
    board = votes.reshape(ANGLES, width).astype(np.float32)
    # The angle goes round.
    rim = 4
    board = np.vstack([board[-rim:], board, board[:rim]])
    board = np.asarray(cv2.GaussianBlur(board, (3, 3), 0), np.float32)
    board -= cv2.blur(board, (21, 1))
    top = cv2.dilate(board, np.ones((7, 7), np.uint8))
    found = np.flatnonzero(((board == top) & (board > 0))[rim:-rim])
    height = board[rim:-rim].ravel()[found]
    order = np.argsort(-height)[: _LOOKED_AT * most]
    angle, place = np.divmod(found[order], width)
    # Of many lines one way, as a pattern and print have them, each counts less than the one before.
    before = np.tril(np.abs((angle[:, None] - angle + ANGLES // 2) % ANGLES - ANGLES // 2) <= _ONE_WAY, -1).sum(axis=1)
    best = np.argsort(-height[order] / (1 + before / _CROWD))[:most]
    angle, place = angle[best], place[best]
    return np.stack([cosine[angle], sine[angle]], axis=1), (place - middle).astype(np.float32)


def _sums(edges: Edges, normal: Plane, distance: Plane, along: Plane, reach: int) -> Plane:
    steps = np.arange(-reach, reach + 1, STEP, dtype=np.float32)
    if not len(normal):
        return np.zeros((0, 2, len(steps) + 1), np.float32)
    x = distance[:, None] * normal[:, :1] + steps * along[:, :1]
    y = distance[:, None] * normal[:, 1:] + steps * along[:, 1:]
    high, wide = edges.thin.shape
    within = (x > -_RIM) & (y > -_RIM) & (x < wide - 1 + _RIM) & (y < high - 1 + _RIM)
    line = np.nonzero(within)[0]
    # Turned by its line's normal a gradient is what goes through the line and what goes along it.
    normals = (normal[:, 0] + 1j * normal[:, 1]).astype(np.complex64)[line]
    at = (x[within] + 1j * y[within]).astype(np.complex64)
    gradient = cv2.copyMakeBorder(cv2.merge([edges.across, edges.down]), *4 * (_FRAME,), cv2.BORDER_CONSTANT, value=0)
    turned = np.ascontiguousarray(gradient).view(np.complex64)[..., 0]
    support = np.zeros((2, len(line)), np.float32)
    for offset in _OFFSETS:
        found = _taken(turned, at + np.float32(offset) * normals) * normals.conj()
        through = np.where(np.abs(found.real) < np.float32(1.3) * np.abs(found.imag), 0, found.real)
        np.maximum(support[0], through, out=support[0])
        np.maximum(support[1], -through, out=support[1])
    support = np.clip((support - np.float32(0.5)) / np.float32(1.5), 0, 1)
    # A printed rule has the same paper on both sides.
    colours = cv2.copyMakeBorder(edges.colours, *4 * (_FRAME,), cv2.BORDER_REPLICATE)
    change = np.abs(_taken(colours, at + _BESIDE * normals) - _taken(colours, at - _BESIDE * normals)) @ np.ones(3, np.float32)
    support *= np.float32(1 - _STEP_SHARE) + np.float32(_STEP_SHARE) * change / (change + np.float32(_CHANGE))
    sums = np.zeros((len(normal), 2, len(steps) + 1), np.float32)
    for way in (0, 1):
        sums[:, way, 1:][within] = support[way]
    return np.asarray(np.cumsum(sums, axis=2, out=sums), np.float32)


def _taken(framed: NDArray[Any], at: NDArray[np.complex64]) -> NDArray[Any]:
    """What is nearest to the places `at` (x + iy) in a picture with a frame round it."""
    wide = framed.shape[1]
    columns, rows = (np.rint(part).astype(np.intp) + _FRAME for part in (at.real, at.imag))
    return np.asarray(np.take(framed.reshape(-1, *framed.shape[2:]), rows * wide + columns, axis=0))
