"""A pattern of cells is told from a sheet by lines that run from side to side both ways."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.desks import make_desk
from etapalvelu.room.page import find_page
from etapalvelu.room.vision.pattern import is_pattern

SHAPE = np.array([[40, 30], [280, 50], [270, 210], [30, 190]], np.float32)
Plane = NDArray[np.float32]


def ruled(across: int, down: int, part: float = 1.0) -> Plane:
    """A bright shape with so many lines each way, ruled on the upper `part` of it."""
    page = np.full((240, 240), 220, np.float32)
    end = round(240 * part)
    for number in range(1, across + 1):
        cv2.line(page, (240 * number // (across + 1), 0), (240 * number // (across + 1), end), 90, 5)
    for number in range(1, down + 1):
        cv2.line(page, (0, end * number // (down + 1)), (240, end * number // (down + 1)), 90, 5)
    square = np.array([[0, 0], [240, 0], [240, 240], [0, 240]], np.float32)
    picture = np.full((240, 320), 60, np.float32)
    view = cv2.getPerspectiveTransform(square, SHAPE)
    cv2.warpPerspective(page, view, (320, 240), dst=picture, borderMode=cv2.BORDER_TRANSPARENT)
    return np.asarray(picture + np.random.default_rng(3).normal(0, 2, picture.shape), np.float32)


@pytest.mark.parametrize(("across", "down"), [(4, 4), (12, 4), (7, 9)])
def test_cells_all_over_are_a_pattern(across: int, down: int) -> None:
    assert is_pattern(ruled(across, down), SHAPE)


@pytest.mark.parametrize(("across", "down", "part"), [(0, 0, 1.0), (0, 12, 1.0), (12, 0, 1.0), (1, 12, 1.0), (5, 12, 0.6)])
def test_rows_and_a_table_on_a_part_of_it_are_none(across: int, down: int, part: float) -> None:
    assert not is_pattern(ruled(across, down, part), SHAPE)


def test_fields_with_boxes_at_both_ends_are_none() -> None:
    page = ruled(0, 12)
    for share in (0.05, 0.09, 0.13, 0.17, 0.87, 0.91, 0.95):
        ends = [(1 - share) * SHAPE[left] + share * SHAPE[right] for left, right in ((0, 1), (3, 2))]
        start, end = (tuple(int(value) for value in point) for point in ends)
        cv2.line(page, start, end, 90, 2)

    assert not is_pattern(page, SHAPE)


@pytest.mark.parametrize("seed", [30026, 30029])
def test_a_keyboard_on_an_empty_table_is_no_sheet(seed: int) -> None:
    assert find_page(make_desk(seed, "empty").image_bgr) is None
