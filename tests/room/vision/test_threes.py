"""A sheet of which one side is too faint to be seen in the small picture."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from etapalvelu.room.page import find_page
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.edges import edges_of
from etapalvelu.room.vision.lines import lines_in
from etapalvelu.room.vision.threes import three_sided

SIZE = (640, 360)
SHEET = np.array([[180, 60], [420, 60], [420, 300], [180, 300]], np.float32)


def three_clear_sides(missing: int) -> Bgr:
    picture = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    for side in range(4):
        if side != missing:
            start, end = (tuple(int(value) for value in SHEET[corner % 4]) for corner in (side, side + 1))
            cv2.line(picture, start, end, (150, 150, 150), 3, cv2.LINE_AA)
    return picture


@pytest.mark.parametrize("missing", range(4))
def test_the_fourth_side_lies_where_its_neighbours_end(missing: int) -> None:
    lines = lines_in(edges_of(three_clear_sides(missing)), 40)

    best = three_sided(lines, SIZE, 1)[0]

    assert max(np.linalg.norm(SHEET - corner, axis=1).min() for corner in best) < 6


def test_two_sides_make_no_shape() -> None:
    picture = np.full((SIZE[1], SIZE[0], 3), 200, np.uint8)
    cv2.line(picture, (180, 60), (420, 60), (150, 150, 150), 3, cv2.LINE_AA)
    cv2.line(picture, (180, 60), (180, 300), (150, 150, 150), 3, cv2.LINE_AA)

    assert three_sided(lines_in(edges_of(picture), 40), SIZE, 3) == []


def test_no_more_shapes_are_given_than_asked_for_and_no_shape_twice() -> None:
    shapes = three_sided(lines_in(edges_of(three_clear_sides(9)), 40), SIZE, 3)

    assert 1 <= len(shapes) <= 3
    assert all(np.abs(one - other).max() > 6 for one, other in pairwise(shapes))


def test_a_sheet_with_one_faint_side_is_found() -> None:
    light: NDArray[np.float64] = np.full((1080, 1920), 206.0)
    page = np.s_[180:900, 540:1260]
    light[page] += 9
    # The light falls off towards the right of the sheet, where table and paper come to be almost alike.
    light[:, 900:1260] -= np.linspace(0, 7.4, 360)
    light[:, 1260:] -= 1.4
    picture = np.clip(light[..., None] + np.random.default_rng(4).normal(0, 1.5, (1080, 1920, 3)), 0, 255).astype(np.uint8)

    found = find_page(picture)

    assert found is not None
    assert np.abs(found - [[540, 180], [1260, 180], [1260, 900], [540, 900]]).max() < 12
