"""How much a four-cornered shape looks like a sheet: what lies just inside and outside its sides, its form, its surface."""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from etapalvelu.room.vision.edges import Edges, Plane
from etapalvelu.room.vision.quads import Quads

_SAMPLES: Final = 24
# Pixels of the small picture, inward; the corners themselves may be round or covered.
_DEPTHS: Final = np.array([1.7, 2.5, 3.5, 5.0], np.float32)
_ENDS: Final = 0.07


@dataclass(frozen=True, kw_only=True)
class Likeness:
    """Per shape (n) or side (n x 4). `brighter`: grey levels the inside is brighter by; `quiet`: how even the inside is along a
    side; `alike`: how much the four insides are one paper; `bright`: whether they are bright for this picture; `form`: how
    usual its proportions are; `size`: its share of the picture; `margins` (n x 4 x depths x 3 x samples) and `outsides`
    (n x 4 x 3 x samples): the colours close inside, and outside.
    """

    brighter: Plane
    quiet: Plane
    alike: Plane
    bright: Plane
    form: Plane
    size: Plane
    margins: Plane
    outsides: Plane


def likeness_of(edges: Edges, quads: Quads) -> Likeness:
    rims, beyond = _strips(edges, quads.corners)
    inside, outside = (strip[:, :, 1:].mean(axis=2) for strip in (rims, beyond))
    tone = usual(inside)
    roughness = usual(np.abs(inside - tone[..., None]).sum(axis=2))
    spread = np.abs(tone - np.median(tone, axis=1, keepdims=True)).sum(axis=2).max(axis=1)
    level = np.median(tone[..., 0], axis=1)
    return Likeness(
        brighter=usual(inside[:, :, 0] - outside[:, :, 0]),
        quiet=1 - roughness / (roughness + 6),
        alike=1 - spread / (spread + 0.35 * level + 5),
        bright=np.clip((level / max(_white(edges), 1.0) - np.float32(0.3)) / np.float32(0.4), 0, 1),
        form=_form(quads.corners),
        size=areas_of(quads.corners) / np.float32(edges.thin.size),
        margins=rims[:, :, :3],
        outsides=outside,
    )


def _white(edges: Edges) -> float:
    """What is bright in this picture; a blink of glare is not."""
    return float(np.percentile(edges.colours[::4, ::4, 0], 99))


def _strips(edges: Edges, corners: Plane) -> tuple[Plane, Plane]:
    """Colours inside and outside the sides at each depth, n x 4 x depths x 3 x samples."""
    start, end = corners, np.roll(corners, -1, axis=1)
    side = end - start
    along = side / np.maximum(np.linalg.norm(side, axis=2, keepdims=True), 1e-3)
    turning = np.sign(side[:, 0, 0] * side[:, 1, 1] - side[:, 0, 1] * side[:, 1, 0])[:, None, None]
    inward = np.stack([-along[..., 1], along[..., 0]], axis=2) * turning
    share = np.linspace(_ENDS, 1 - _ENDS, _SAMPLES, dtype=np.float32)[:, None]
    points = start[:, :, None] + side[:, :, None] * share
    strips = []
    for depths in (_DEPTHS, -_DEPTHS):
        x, y = (points[:, :, None, :, way] + inward[:, :, None, None, way] * depths[:, None] for way in (0, 1))
        flat = len(corners) * 4, -1
        found = cv2.remap(edges.colours, x.reshape(flat), y.reshape(flat), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        strips.append(np.ascontiguousarray(np.moveaxis(np.reshape(found, (*x.shape, 3)), 4, 3)))
    return strips[0], strips[1]


def usual(samples: Plane) -> Plane:
    """The median along the last axis."""
    number = samples.shape[-1]
    return np.asarray(np.sort(samples, axis=-1)[..., (number - 1) // 2 : number // 2 + 1].mean(axis=-1), np.float32)


def areas_of(corners: Plane) -> Plane:
    """How many pixels each of n shapes holds."""
    x, y = corners[..., 0], corners[..., 1]
    return np.asarray(np.abs((x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)) / 2, np.float32)


def _form(corners: Plane) -> Plane:
    """1 for the proportions of A4, A5 and cards, less for strips, little for squares; none for what tilts too much."""
    lengths = np.linalg.norm(np.roll(corners, -1, axis=1) - corners, axis=2)
    first, second = lengths[:, ::2], lengths[:, 1::2]
    one, other = first.mean(axis=1), second.mean(axis=1)
    ratio = np.maximum(one, other) / np.maximum(np.minimum(one, other), 1)
    usual = np.maximum(_near(ratio, 2**0.5), _near(ratio, 1.586))
    free = np.clip((ratio - 1.1) / 0.15, 0, 1) * np.clip((9 - ratio) / 2, 0, 1) * 0.6
    skew = np.maximum(
        first.max(axis=1) / np.maximum(first.min(axis=1), 1), second.max(axis=1) / np.maximum(second.min(axis=1), 1)
    )
    return np.asarray(np.maximum(usual, free) * np.clip((1.6 - skew) / 0.25, 0, 1), np.float32)


def _near(ratio: Plane, wanted: float) -> Plane:
    return np.asarray(np.clip(1.4 - np.abs(np.log(ratio / wanted)) / 0.1, 0, 1), np.float32)
