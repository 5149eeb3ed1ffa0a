"""The made-up tables that finding is judged by: exact, repeatable, and of the kinds they say."""

import cv2
import numpy as np
import pytest

from bench.desks import EMPTY, KINDS, WITH_PAPER, make_desk, overlap
from bench.grounds import GROUNDS

SIZE = (640, 360)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_table(kind: str) -> None:
    first, second = make_desk(9, kind, SIZE), make_desk(9, kind, SIZE)

    assert np.array_equal(first.image_bgr, second.image_bgr)
    assert not np.array_equal(first.image_bgr, make_desk(10, kind, SIZE).image_bgr)


@pytest.mark.parametrize("kind", WITH_PAPER)
def test_the_whole_sheet_lies_in_the_picture(kind: str) -> None:
    desk = make_desk(11, kind, SIZE)

    assert desk.image_bgr.shape == (SIZE[1], SIZE[0], 3)
    assert desk.corners is not None
    assert desk.corners.min() > 0
    assert (desk.corners < SIZE).all()
    assert overlap(desk, desk.corners) == pytest.approx(1, abs=1e-3)
    assert overlap(desk, np.roll(desk.corners, 1, axis=0)) == pytest.approx(1, abs=1e-3)


def test_the_printed_page_lies_where_the_corners_say() -> None:
    desk = make_desk(2, "plain", (1920, 1080), sheet="decision", ground="plain")
    assert desk.corners is not None
    assert desk.page_bgr is not None
    high, wide = desk.page_bgr.shape[:2]
    flat = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32) - np.float32(0.5)

    seen = cv2.warpPerspective(desk.image_bgr, cv2.getPerspectiveTransform(desk.corners, flat), (wide, high))
    pictures = [cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (0, 0), 1.5) for picture in (seen, desk.page_bgr)]

    assert np.corrcoef(pictures[0].ravel(), pictures[1].ravel())[0, 1] > 0.8


@pytest.mark.parametrize("ground", GROUNDS)
def test_an_empty_table_has_no_corners(ground: str) -> None:
    desk = make_desk(3, EMPTY, SIZE, ground=ground)

    assert (desk.corners, desk.page_bgr, desk.text, desk.size_mm) == (None, None, "", None)
    assert overlap(desk, np.zeros((4, 2), np.float32)) == 0


def test_a_sheet_that_is_half_covered_by_the_answer_counts_as_half() -> None:
    desk = make_desk(2, "plain", SIZE, sheet="letter")
    assert desk.corners is not None
    wide, high = 210.0, 297.0
    page = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    half = np.array([[0, 0], [wide, 0], [wide, high / 2], [0, high / 2]], np.float32)
    onto = cv2.getPerspectiveTransform(page, desk.corners)

    answer = cv2.perspectiveTransform(half[None], onto)[0].astype(np.float32)

    assert overlap(desk, answer) == pytest.approx(0.5, abs=1e-3)
    assert overlap(desk, None) == 0
    assert overlap(desk, answer[[0, 2, 1, 3]]) == 0
