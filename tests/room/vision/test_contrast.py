"""How far paper stands apart from what lies around it."""

import cv2
import numpy as np
import pytest

from bench.desks import make_desk, overlap
from etapalvelu.room.page import find_page
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.contrast import contrast_of

WHOLE = np.array([[200, 80], [440, 80], [440, 280], [200, 280]], np.float32)
PART = np.array([[200, 80], [440, 80], [440, 180], [200, 180]], np.float32)


def _table(level: int = 90) -> Bgr:
    return np.full((360, 640, 3), level, np.uint8)


def _with_sheet(table: Bgr) -> Bgr:
    table[80:281, 200:441] = 235
    for row in range(100, 265, 14):
        table[row : row + 3, 220:420] = 60
    return table


def test_a_written_sheet_on_a_table_stands_apart() -> None:
    assert contrast_of(_with_sheet(_table()), WHOLE[None])[0] > 0.95


def test_each_shape_is_judged_by_itself() -> None:
    whole, part = contrast_of(_with_sheet(_table()), np.stack([WHOLE, PART]))
    assert whole > 0.95
    assert part < 0.1


def test_a_few_cells_of_a_cloth_do_not_stand_apart() -> None:
    cloth = _table()
    rows, columns = np.mgrid[0:360, 0:640] // 24
    cloth[(rows + columns) % 2 == 0] = 220
    cells = np.array([[192, 96], [432, 96], [432, 264], [192, 264]], np.float32)
    assert contrast_of(cloth, cells[None])[0] < 0.3


def test_light_that_falls_off_over_the_table_does_not_hide_the_sheet() -> None:
    light = np.linspace(1.0, 0.6, 640, dtype=np.float32)[:, None]
    assert contrast_of(np.asarray(_with_sheet(_table()) * light, np.uint8), WHOLE[None])[0] > 0.7


def test_what_lies_outside_the_picture_counts_for_nothing() -> None:
    picture = _table()
    picture[:200, :300] = 235
    at_the_rim = np.array([[0, 0], [300, 0], [300, 200], [0, 200]], np.float32)
    assert contrast_of(picture, at_the_rim[None])[0] > 0.9


def test_a_colour_alone_tells_paper_from_table() -> None:
    picture = np.full((360, 640, 3), (200, 200, 200), np.uint8)
    cv2.fillPoly(picture, [WHOLE.astype(np.int32)], (180, 205, 200))
    assert contrast_of(picture, WHOLE[None])[0] > 0.9


@pytest.mark.parametrize(("kind", "seed"), [("cloth", 87006), ("shadow", 87003)])
def test_a_card_or_receipt_is_found_among_the_checks_of_a_cloth(kind: str, seed: int) -> None:
    desk = make_desk(seed, kind)

    assert overlap(desk, find_page(desk.image_bgr)) > 0.95
