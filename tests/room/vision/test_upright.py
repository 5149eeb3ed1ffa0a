from functools import cache

import cv2
import numpy as np
import pytest

from bench.sheets import make_sheet
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.upright import orientation

TURNS = {0: None, 90: cv2.ROTATE_90_COUNTERCLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_CLOCKWISE}


def lying(page: Bgr, turn: int) -> Bgr:
    """The page as it lies when it must be turned by `turn` clockwise to be read."""
    how = TURNS[turn]
    return page if how is None else np.asarray(cv2.rotate(page, how), np.uint8)


@cache
def as_seen(kind: str) -> Bgr:
    """A page a little soft, grainy and askew."""
    page = make_sheet(21, kind, 120).image
    high, wide = page.shape[:2]
    askew = cv2.getRotationMatrix2D((wide / 2, high / 2), 0.6, 1)
    soft = cv2.GaussianBlur(cv2.warpAffine(page, askew, (wide, high), borderMode=cv2.BORDER_REPLICATE), (0, 0), 0.9)
    return np.clip(soft + np.random.default_rng(1).normal(0, 4, page.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", ["letter", "decision", "dense", "form", "brochure", "slip", "text"])
def test_a_page_of_text_is_turned_to_be_read(kind: str, turn: int) -> None:
    assert orientation(lying(as_seen(kind), turn)) == turn


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", ["photo", "blank"])
def test_a_page_without_text_is_left_as_it_lies(kind: str, turn: int) -> None:
    assert orientation(lying(as_seen(kind), turn)) == 0


def test_a_large_picture_of_a_page_is_turned_too() -> None:
    page = make_sheet(21, "letter", 260).image

    assert orientation(lying(page, 180)) == 180


def test_capitals_and_figures_alone_are_at_least_not_laid_on_their_side() -> None:
    page = np.full((900, 640, 3), 255, np.uint8)
    for row in range(12):
        cv2.putText(page, f"TILI {row} HAMEET {row * 137}", (60, 100 + 60 * row), (0, 0, 0), cv2.FontFace("sans"), 30, 400)

    assert orientation(page) in (0, 180)
    assert orientation(lying(page, 90)) in (90, 270)


def test_a_narrow_column_of_short_words_is_not_laid_on_its_side() -> None:
    page = np.full((900, 1200, 3), 255, np.uint8)
    for row, word in enumerate(("palvelu", "kysymys", "jalkine", "galleria", "hakemus", "lausunto")):
        cv2.putText(page, word, (60, 100 + 80 * row), (0, 0, 0), cv2.FontFace("sans"), 22, 400)

    assert orientation(page) in (0, 180)
    assert orientation(lying(page, 270)) in (90, 270)


@pytest.mark.parametrize("size", [(1, 1), (16, 400), (400, 16)])
def test_a_scrap_is_left_as_it_lies(size: tuple[int, int]) -> None:
    assert orientation(np.full((*size, 3), 200, np.uint8)) == 0
