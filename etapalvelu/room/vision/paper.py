"""The light on a page: how bright the bare paper is at every place, and the page as it would look under even light.

A place is judged by what surrounds it. What is dark and comes in from beyond the sheet's edge, or has a soft edge, is a shadow
and is lifted; what lies within the sheet with a hard edge (a photo, a bar, a logo), or has a colour of its own, is printed and
stays.
"""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Level = NDArray[np.float32]

# What bare paper is brought to: white, with room above for grain.
WHITE: Final = 244.0
# The level is judged on a small picture of the page; the lengths below are in its pixels.
_SMALL_SIDE: Final = 512
_LETTERS: Final = 13
_COARSE: Final = 4
_STEPS_BETWEEN_LOOKS: Final = 16
# Darker than this share of the brightest paper is not shadow but ink.
_DARKEST_PAPER: Final = 0.16
# A colour in which two channels stand this much farther apart than in the paper is print.
_OWN_COLOUR: Final = 1.15
# A basin this much below its rim is a thing; falling by this share of its depth within a step, its edge is hard.
_DEEP: Final = 0.12
_HARD_EDGE: Final = 0.45
# At least this share of a page is bare paper; otherwise it is a picture, and its light is left as it is.
_LEAST_PAPER: Final = 0.3
_PAPER_WITHIN: Final = 0.07
# Paper tinted by no more than the first is made white; beyond the second (log ratio of channels) it is coloured and stays so.
_TINT_OF_LIGHT: Final = 0.18
_TINT_OF_PAPER: Final = 0.5
# The light's colour may differ this much from place to place.
_MIXED_LIGHT: Final = 1.08
_MOST_GAIN_OF_PICTURE: Final = 1.6
# How far in from the edge table may show, as a share of the page's longer side, and how bright paper is again.
_RIM: Final = 0.012
_RIM_PAPER: Final = 0.88
_RIM_CALM: Final = 9


def evened(page_bgr: Bgr) -> Bgr:
    """The page under even light: bare paper becomes white, ink and print keep their share of it in every channel."""
    height, width = page_bgr.shape[:2]
    # Whole numbers of pixels are averaged fastest; the few left over at two sides have the level of their neighbours.
    step = max(1, round(max(height, width) / _SMALL_SIDE))
    high, wide = max(1, height // step), max(1, width // step)
    small = (
        np.asarray(cv2.resize(page_bgr[: high * step, : wide * step], (wide, high), interpolation=cv2.INTER_AREA), np.float32)
        + 1
    )
    level = paper_level(small)
    # Eight bits are enough for the level when all of them are used.
    used = 250.0 / float(level.max())
    divisor = cv2.resize(np.clip(level * used + 0.5, 1, 255).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.divide(page_bgr, divisor, scale=WHITE * used), np.uint8)


def without_rim(page_bgr: Bgr) -> Bgr:
    """The evened page, changed in place: the strip of table along its edges is painted white where paper begins just beside.

    Corners are never exact to the pixel, and who reads the page with a machine reads that strip as bars and letters.
    """
    wide = max(2, round(_RIM * max(page_bgr.shape[:2])))
    for turned in (page_bgr, page_bgr[::-1], page_bgr.transpose(1, 0, 2), page_bgr.transpose(1, 0, 2)[::-1]):
        _paint_rim(turned, wide)
    return page_bgr


def _paint_rim(page_bgr: Bgr, wide: int) -> None:
    """Paint what is dark from the first rows on, as far as it goes within `wide` rows."""
    band = cv2.blur(np.ascontiguousarray(page_bgr[: wide + 1]), (_RIM_CALM, 1)).min(axis=2)
    depth = np.argmax(band >= _RIM_PAPER * WHITE, axis=0)
    # An edge is a little soft: one row more goes with it, and a place does not lag behind its neighbours.
    depth = cv2.dilate(np.where(depth > 0, depth + 1, 0).astype(np.uint8)[None], np.ones((1, _RIM_CALM), np.uint8))[0]
    strip = page_bgr[: wide + 2]
    strip[np.arange(len(strip))[:, None] < depth] = round(WHITE)


def paper_level(small: Level) -> Level:
    """What divides the small page, three channels: the paper's level, also under what is printed on it.

    A page that is no paper but a picture gets one level all over, and not much more light than it had.
    """
    closed = _closed(small, cv2.MORPH_RECT)
    tint = _tint(closed, _grey(closed))
    # A disc follows the edge of a shadow that runs aslant; a square is faster, and good enough for colour.
    grey = _closed(_grey(small), cv2.MORPH_ELLIPSE)
    bare = _bare(closed, grey, tint)
    # The edge of a shadow must stay where it is, or text along it is lost.
    even = np.asarray(cv2.GaussianBlur(cv2.medianBlur(_filled(grey, bare), 5), (0, 0), 0.8), np.float32)
    lightness = _grey(small) / even
    paper = bare & (np.abs(lightness - 1) < 2 * _PAPER_WITHIN)
    if _share(np.abs(lightness - 1) < _PAPER_WITHIN) < _LEAST_PAPER or not paper.any():
        return np.full_like(small, max(float(np.percentile(small[::3, ::3], 98)), WHITE / _MOST_GAIN_OF_PICTURE))
    # Grain lifts the level a little; the bare paper's own middle is what becomes white.
    even *= np.float32(np.median(lightness[paper][::5]))
    return np.asarray(even[..., None] * _light_colour(closed, grey, bare, tint), np.float32)


def _closed(small: Level, shape: int) -> Level:
    """The picture without anything dark that is no wider than letters are: rules too, and a strip of the table at the edge."""
    kernel = cv2.getStructuringElement(shape, (_LETTERS, _LETTERS))
    return np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel), np.float32)


def _tint(closed: Level, grey: Level) -> Level:
    """The paper's colour as three channels about 1: what most of the brighter half of the page has."""
    some, their_grey = closed[::3, ::3].reshape(-1, 3), grey[::3, ::3].ravel()
    bright = their_grey >= np.median(their_grey)
    return np.asarray(np.median(some[bright] / their_grey[bright, None], axis=0), np.float32)


def _light_colour(closed: Level, grey: Level, bare: NDArray[np.bool_], tint: Level) -> Level:
    """The light's colour all over the page: about what is taken of the paper's tint, but following glare and mixed light."""
    taken = _light_of(tint)
    high, wide = grey.shape
    coarse = max(2, wide // _COARSE), max(2, high // _COARSE)
    known = cv2.resize(bare.astype(np.uint8), coarse, interpolation=cv2.INTER_NEAREST) > 0
    colour = _scaled(closed, coarse, cv2.INTER_AREA)
    ratio = colour / _grey(colour)[..., None] / tint
    even = cv2.GaussianBlur(np.dstack([_filled(ratio[..., channel], known) for channel in range(3)]), (0, 0), 2.5)
    local = np.clip(even * taken, np.minimum(taken, 1) / _MIXED_LIGHT, np.maximum(taken, 1) * _MIXED_LIGHT)
    return _scaled(local.astype(np.float32), (wide, high), cv2.INTER_LINEAR)


def _light_of(tint: Level) -> Level:
    """How much of a tint is the light's, to be taken away."""
    strength = float(np.log(tint.max() / tint.min()))
    kept = np.clip((strength - _TINT_OF_LIGHT) / (_TINT_OF_PAPER - _TINT_OF_LIGHT), 0, 1)
    return np.asarray(tint ** (1 - kept), np.float32)


def _bare(closed: Level, grey: Level, tint: Level) -> NDArray[np.bool_]:
    """Where the level is the paper's own, in shadow or not."""
    blue, green, red = (channel / part for channel, part in zip(cv2.split(closed), tint.tolist(), strict=True))
    most, least = np.maximum(np.maximum(blue, green), red), np.minimum(np.minimum(blue, green), red)
    own_colour = most > least * _OWN_COLOUR
    ink = grey < _DARKEST_PAPER * float(np.percentile(grey[::3, ::3], 95))
    unsure = own_colour | ink | _printed_basins(grey)
    return np.asarray(cv2.dilate(unsure.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0, np.bool_)


def _printed_basins(grey: Level) -> NDArray[np.bool_]:
    """Dark regions that the sheet's edge does not reach and whose edge is hard."""
    high, wide = grey.shape
    coarse = _scaled(grey, (max(2, wide // _COARSE), max(2, high // _COARSE)), cv2.INTER_AREA)
    # The depth is enlarged and not the rim: at the edge of a shadow a coarse rim is not the fine level.
    depth = _scaled(_flooded(coarse) - coarse, (wide, high), cv2.INTER_LINEAR)
    basins = (depth > _DEEP * (grey + depth)).astype(np.uint8)
    number, labels = cv2.connectedComponents(basins, connectivity=4)
    if number == 1:
        return np.zeros(grey.shape, np.bool_)
    step = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    edge = (labels > 0) & (cv2.erode(basins, np.ones((3, 3), np.uint8)) == 0)
    # Sums over each basin: its area and depth, and the steps along its edge.
    area, edge_length = np.bincount(labels.ravel(), minlength=number), np.bincount(labels[edge], minlength=number)
    mean_depth = np.bincount(labels.ravel(), depth.ravel(), number) / np.maximum(area, 1)
    mean_step = np.bincount(labels[edge], step[edge], number) / np.maximum(edge_length, 1)
    hard = mean_step > _HARD_EDGE * mean_depth
    hard[0] = False
    return np.asarray(hard[labels], np.bool_)


def _flooded(grey: Level) -> Level:
    """The picture with every basin filled to its rim, the picture's own edge being open."""
    water = np.full_like(grey, grey.max())
    water[[0, -1]], water[:, [0, -1]] = grey[[0, -1]], grey[:, [0, -1]]
    kernel = np.ones((3, 3), np.uint8)
    while True:
        before = water
        for _ in range(_STEPS_BETWEEN_LOOKS):
            water = np.asarray(cv2.max(cv2.erode(water, kernel, borderType=cv2.BORDER_REPLICATE), grey), np.float32)
        if np.array_equal(before, water):
            return water


def _filled(grey: Level, known: NDArray[np.bool_]) -> Level:
    """The level where it is known, and between that what lies nearest, smoothly."""
    if known.all() or not known.any():
        return grey
    values: list[Level] = [np.where(known, grey, 0).astype(np.float32)]
    weights: list[Level] = [known.astype(np.float32)]
    while min(values[-1].shape) > 2 and weights[-1].min() < 0.5:
        for levels in (values, weights):
            levels.append(np.asarray(cv2.pyrDown(levels[-1]), np.float32))
    mean = float(grey[known].mean())
    level = np.full_like(values[-1], mean)
    for value, weight in zip(reversed(values), reversed(weights), strict=True):
        wider = _scaled(level, (value.shape[1], value.shape[0]), cv2.INTER_LINEAR)
        sure = np.minimum(weight * 4, 1)
        level = (sure * value / np.maximum(weight, 1e-3) + (1 - sure) * wider).astype(np.float32)
    return np.where(known, grey, level).astype(np.float32)


def _scaled(level: Level, size: tuple[int, int], how: int) -> Level:
    return np.asarray(cv2.resize(level, size, interpolation=how), np.float32)


def _grey(colour: Level) -> Level:
    """The mean of the channels."""
    return np.asarray(cv2.transform(colour, np.full((1, 3), 1 / 3, np.float32)), np.float32)


def _share(mask: NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(mask)) / mask.size
