"""Straight lines through edges, and how well the picture bears each of them out along its length."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from etapalvelu.room.vision.edges import Edges, Plane

# The direction in which it gets brighter: two edges side by side, one up and one down, stay two lines.
ANGLES: Final = 360
STEP: Final = 2
_SPREAD: Final = (-2, -1, 0, 1, 2)
_BESIDE: Final = 4.0
# How much of the support an edge without a change of colour across it loses, and which change is half of a clear one.
_STEP_SHARE: Final = 0.35
_CHANGE: Final = 4.0
_OFFSETS: Final = (-1.5, -0.5, 0.5, 1.5)


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
    rows, columns = np.nonzero(edges.thin)
    across, down = edges.across[rows, columns], edges.down[rows, columns]
    weight = np.clip(np.hypot(across, down) - np.float32(0.7), 0, 4) ** 2
    own = np.rint(np.degrees(np.arctan2(down, across))).astype(np.int64) % ANGLES
    high, wide = edges.thin.shape
    middle = int(np.hypot(high, wide)) + 2
    width = 2 * middle + 1
    cosine = np.cos(np.radians(np.arange(ANGLES))).astype(np.float32)
    sine = np.sin(np.radians(np.arange(ANGLES))).astype(np.float32)
    votes = np.zeros(ANGLES * width, np.float64)
    for shift in _SPREAD:
        angle = (own + shift) % ANGLES
        place = np.rint(columns * cosine[angle] + rows * sine[angle]).astype(np.int64) + middle
        votes += np.bincount(angle * width + place, weights=weight, minlength=ANGLES * width)
    board = votes.reshape(ANGLES, width).astype(np.float32)
    # The angle goes round.
    rim = 4
    board = np.vstack([board[-rim:], board, board[:rim]])
    board = np.asarray(cv2.GaussianBlur(board, (3, 3), 0), np.float32)
    board -= cv2.blur(board, (21, 1))
    top = cv2.dilate(board, np.ones((7, 7), np.uint8))
    angle, place = np.nonzero(((board == top) & (board > 0))[rim:-rim])
    best = np.argsort(-board[angle + rim, place])[:most]
    angle, place = angle[best], place[best]
    return np.stack([cosine[angle], sine[angle]], axis=1), (place - middle).astype(np.float32)


def _sums(edges: Edges, normal: Plane, distance: Plane, along: Plane, reach: int) -> Plane:
    steps = np.arange(-reach, reach + 1, STEP, dtype=np.float32)
    if not len(normal):
        return np.zeros((0, 2, len(steps) + 1), np.float32)
    middle_x = distance[:, None] * normal[:, :1] + steps * along[:, :1]
    middle_y = distance[:, None] * normal[:, 1:] + steps * along[:, 1:]
    gradient = cv2.merge([edges.across, edges.down])
    support = np.zeros((len(normal), 2, len(steps)), np.float32)
    for offset in _OFFSETS:
        found = cv2.remap(
            gradient,
            middle_x + np.float32(offset) * normal[:, :1],
            middle_y + np.float32(offset) * normal[:, 1:],
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT,
        )
        through = found[..., 0] * normal[:, :1] + found[..., 1] * normal[:, 1:]
        beside = found[..., 0] * along[:, :1] + found[..., 1] * along[:, 1:]
        through[np.abs(through) < 1.3 * np.abs(beside)] = 0
        np.maximum(support[:, 0], through, out=support[:, 0])
        np.maximum(support[:, 1], -through, out=support[:, 1])
    support = np.clip((support - np.float32(0.5)) / np.float32(1.5), 0, 1)
    # A printed rule has the same paper on both sides.
    around = [
        cv2.remap(
            edges.colours,
            middle_x + np.float32(offset) * normal[:, :1],
            middle_y + np.float32(offset) * normal[:, 1:],
            cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for offset in (_BESIDE, -_BESIDE)
    ]
    change = np.abs(around[0] - around[1]).sum(axis=2)
    support *= (np.float32(1 - _STEP_SHARE) + np.float32(_STEP_SHARE) * change / (change + np.float32(_CHANGE)))[:, None, :]
    return np.pad(np.cumsum(support, axis=2, dtype=np.float32), ((0, 0), (0, 0), (1, 0)))
