"""A side is followed in the full picture although what is printed beside it is far clearer."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.refine import refined

SHEET = np.array([[400, 100], [700, 100], [700, 950], [400, 950]], np.float32)


def printed_to_the_edge(paper: int, table: int) -> Bgr:
    """Rows of bold words that end 16 pixels from the sheet's long sides."""
    picture = np.full((1080, 1200, 3), table, np.uint8)
    cv2.fillPoly(picture, [SHEET.astype(np.int32)], (paper, paper, paper), cv2.LINE_AA)
    for row in range(130, 930, 24):
        cv2.rectangle(picture, (416, row), (500, row + 12), (50, 50, 50), cv2.FILLED)
        cv2.rectangle(picture, (600, row), (684, row + 12), (50, 50, 50), cv2.FILLED)
    noise: NDArray[np.float64] = np.random.default_rng(8).normal(0, 2, picture.shape)
    return np.asarray(np.clip(picture + noise, 0, 255), np.uint8)


@pytest.mark.parametrize(("paper", "table"), [(232, 222), (222, 232), (240, 120)])
def test_a_side_is_not_mistaken_for_the_column_of_text_beside_it(paper: int, table: int) -> None:
    guessed = SHEET + np.array([[3, -2], [-3, 2], [2, 3], [-2, -3]], np.float32)

    assert np.abs(refined(printed_to_the_edge(paper, table), guessed, 3.0) - SHEET).max() < 2
