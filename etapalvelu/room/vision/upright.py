"""Which way up a page is, by the habits of Latin script alone; nothing is read.

Letters stand side by side, so that ink makes long runs in one direction: the words. Upright, letters end together at the
base line but reach up to different heights; dots stand over i, ä and ö and never under them; lines begin together and end
where they may; and a page is filled from the top.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Turn: TypeAlias = Literal[0, 90, 180, 270]
# 1 where there is ink.
Ink: TypeAlias = NDArray[np.uint8]
# Connected pieces of ink, one a row: left, top, width, height, area in pixels.
Pieces: TypeAlias = NDArray[np.int32]

_SIDE: Final = 1700
# Ink is darker than the paper around it by at least one part in so many.
_INK_PART: Final = 4
_PAPER_KERNEL: Final = 25
# Pieces larger than this share of the page are no letters; fewer letters than these are no text.
_LARGEST_LETTER: Final = 0.05
_LEAST_AREA: Final = 3
_LEAST_LETTERS: Final = 12
# Lines are looked at in strips this wide, so that they may run a little askew.
_STRIP: Final = 96
# Gaps between letters are shorter than this share of a letter's smaller side.
_GAP: Final = 0.6
# A word is so many times longer than high; on a page of text at least this share of the ink is in words.
_WORD: Final = 2
_LEAST_WORDS: Final = 0.4
# Weights of the habits, as logarithms of odds, and how much any of them may say.
_BASE_LINE: Final = 25.0
_DOTS: Final = 6.0
_FLUSH: Final = 6.0
_TOP: Final = 1.5
_MOST: Final = 4.0


@dataclass(frozen=True, kw_only=True)
class _Text:
    """The letters of a page and nothing else."""

    ink: Ink
    pieces: Pieces


def orientation(page_bgr: Bgr) -> Turn:
    """The clockwise turn after which the page can be read; 0 also where no lines of text are found."""
    text = _text(page_bgr)
    if len(text.pieces) < _LEAST_LETTERS:
        return 0
    gap = max(3, round(_GAP * float(np.median(text.pieces[:, 2:4].min(axis=1)))))
    across, down = (_wordy_share(ink, gap) for ink in (text.ink, _turned(text.ink)))
    if max(across, down) < _LEAST_WORDS:
        return 0
    if across >= down:
        return 0 if _upright(text) >= 0 else 180
    turned = _Text(ink=_turned(text.ink), pieces=_turned_pieces(text.pieces, text.ink.shape[0]))
    return 90 if _upright(turned) >= 0 else 270


def _text(page_bgr: Bgr) -> _Text:
    scale = min(1.0, _SIDE / max(page_bgr.shape[:2]))
    page = page_bgr if scale == 1 else cv2.resize(page_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY), (0, 0), 0.8)
    paper = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((_PAPER_KERNEL, _PAPER_KERNEL), np.uint8))
    paper = cv2.blur(paper, (_PAPER_KERNEL // 2, _PAPER_KERNEL // 2))
    ink = cv2.compare(cv2.subtract(paper, grey), cv2.convertScaleAbs(paper, alpha=1 / _INK_PART), cv2.CMP_GT)
    number, labels, pieces, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    largest = _LARGEST_LETTER * max(grey.shape)
    letters = (pieces[:, 2] < largest) & (pieces[:, 3] < largest) & (pieces[:, 4] >= _LEAST_AREA)
    letters[0] = False
    shown = np.zeros(number, np.uint8)
    shown[letters] = 1
    return _Text(ink=shown[labels], pieces=pieces[letters])


def _wordy_share(ink: Ink, gap: int) -> float:
    """The share of ink that makes long runs across, when gaps between letters are closed."""
    runs = cv2.connectedComponentsWithStats(_runs(ink, gap), connectivity=8)[2][1:]
    return float(runs[runs[:, 2] > _WORD * runs[:, 3], 4].sum() / runs[:, 4].sum())


def _runs(ink: Ink, gap: int) -> Ink:
    return np.asarray(cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, gap), np.uint8)), np.uint8)


def _upright(text: _Text) -> float:
    """The logarithm of the odds that a page whose lines lie across stands on its feet."""
    base_line = _BASE_LINE * _base_line(text.ink)
    dots = _DOTS * _dots(text)
    flush = _FLUSH * _flush(text.ink)
    top = _TOP * _top_heaviness(text.ink)
    return sum(min(_MOST, max(-_MOST, habit)) for habit in (base_line, dots, flush, top))


def _base_line(ink: Ink) -> float:
    """How much more suddenly ink ends, going down, than it begins; from -1 to 1."""
    profiles = _profiles(ink)
    step = profiles[2:] - profiles[:-2]
    size = float((np.abs(step) ** 3).sum())
    return -float((step**3).sum()) / size if size > 0 else 0.0


def _profiles(ink: Ink) -> NDArray[np.float32]:
    """The share of ink in every row, a column for each strip of the page."""
    high, wide = ink.shape
    strips = max(1, wide // _STRIP)
    return np.asarray(cv2.resize(ink.astype(np.float32), (strips, high), interpolation=cv2.INTER_AREA), np.float32)


def _dots(text: _Text) -> float:
    """How many more small pieces stand over a letter than under one; from -1 to 1."""
    left, top, wide, high, _ = text.pieces.T
    letter = int(np.median(high))
    small = (2 * high <= letter) & (10 * wide <= 9 * letter)
    left, top, wide, high = (side[small] for side in (left, top, wide, high))
    sums = cv2.integral(text.ink)
    rows, columns = text.ink.shape

    def share(first: NDArray[np.int32], last: NDArray[np.int32]) -> NDArray[np.float64]:
        """The share of ink from row `first` up to `last`, as wide as the piece."""
        ends = [np.clip(row, 0, rows) for row in (first, last)]
        sides = [np.clip(column, 0, columns) for column in (left - 1, left + wide + 1)]
        held = sums[ends[1], sides[1]] - sums[ends[0], sides[1]] - sums[ends[1], sides[0]] + sums[ends[0], sides[0]]
        return np.asarray(held / np.maximum((ends[1] - ends[0]) * (sides[1] - sides[0]), 1), np.float64)

    above, below = share(top - 1 - letter, top - 1), share(top + high + 1, top + high + 1 + letter)
    over, under = (int(np.count_nonzero((full > 0.25) & (empty < 0.1))) for full, empty in ((below, above), (above, below)))
    return (over - under) / (over + under + 8)


def _flush(ink: Ink) -> float:
    """How many more lines begin at one place than end at one place, as a share of them."""
    wide = ink.shape[1]
    lines = cv2.connectedComponentsWithStats(_runs(ink, max(9, wide // 4)), connectivity=8)[2][1:]
    lines = lines[lines[:, 2] > 0.15 * wide]
    if len(lines) == 0:
        return 0.0
    starts, ends = lines[:, 0], lines[:, 0] + lines[:, 2]
    together = [
        int(np.count_nonzero(np.abs(places[:, None] - places) < 0.012 * wide, axis=1).max()) for places in (starts, ends)
    ]
    return (together[0] - together[1]) / (len(lines) + 3)


def _top_heaviness(ink: Ink) -> float:
    """How much more ink the upper half has, as a share; from -1 to 1."""
    middle = ink.shape[0] // 2
    upper, lower = float(ink[:middle].sum()), float(ink[-middle:].sum())
    return (upper - lower) / max(1.0, upper + lower)


def _turned(ink: Ink) -> Ink:
    return np.asarray(cv2.rotate(ink, cv2.ROTATE_90_CLOCKWISE), np.uint8)


def _turned_pieces(pieces: Pieces, page_height: int) -> Pieces:
    left, top, wide, high, area = pieces.T
    return np.stack([page_height - top - high, left, high, wide, area], axis=1)
