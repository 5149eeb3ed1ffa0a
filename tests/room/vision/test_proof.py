"""How far the full picture bears a shape's sides out, and what that is worth where a sheet is hard to see."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.desks import make_desk, overlap
from etapalvelu.room.page import find_page
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.proof import borne_out, going_on, grown, is_of_one_paper

CORNERS = np.array([[300, 200], [900, 240], [880, 620], [280, 600]], np.float32)
TABLE = 118


def table(paper: int) -> Bgr:
    """Grainy, with paper of that brightness on it."""
    light = np.full((800, 1200, 3), TABLE, np.uint8)
    cv2.fillPoly(light, [CORNERS.astype(np.int32)], (paper, paper, paper), cv2.LINE_AA)
    noise = np.random.default_rng(5).normal(0, 6, light.shape)
    return np.asarray(np.clip(light + noise, 0, 255), np.uint8)


@pytest.mark.parametrize("paper", [TABLE + 12, TABLE - 12, 240])
def test_a_sheet_hardly_brighter_or_darker_than_the_table_is_borne_out_all_round(paper: int) -> None:
    assert borne_out(table(paper), CORNERS).min() >= 0.85


def test_where_there_is_only_grain_nothing_is_borne_out() -> None:
    assert borne_out(table(TABLE), CORNERS).max() < 0.5


@pytest.mark.parametrize("side", range(4))
def test_a_side_that_lies_elsewhere_is_not_borne_out_and_the_others_are(side: int) -> None:
    corners: NDArray[np.float32] = CORNERS.copy()
    middle = corners.mean(axis=0)
    corners[[side, (side + 1) % 4]] += (middle - (corners[side] + corners[(side + 1) % 4]) / 2) * np.float32(0.2)

    shares = borne_out(table(200), corners)

    assert shares[side] < 0.3
    assert np.delete(shares, [side, (side - 1) % 4, (side + 1) % 4]).min() >= 0.85


def test_a_side_half_under_something_is_borne_out_by_half() -> None:
    picture = table(200)
    cv2.rectangle(picture, (600, 100), (1000, 320), (90, 120, 160), cv2.FILLED)

    shares = borne_out(picture, CORNERS)

    assert 0.3 < shares[0] < 0.7
    assert shares[2] >= 0.85


def test_in_a_picture_of_4k_sides_as_soft_as_such_cameras_see_them_are_borne_out() -> None:
    large = np.asarray(cv2.resize(table(150), None, fx=3.2, fy=3.2, interpolation=cv2.INTER_LINEAR), np.uint8)

    assert borne_out(large, CORNERS * np.float32(3.2)).min() >= 0.85


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        ("white", 5015),
        ("clutter", 5003),
        ("card", 5009),
        ("several", 8035),
        ("card", 95009),
        ("clutter", 30009),
        ("glare", 72001),
    ],
)
def test_a_sheet_that_looks_doubtful_is_found_by_its_sides(kind: str, seed: int) -> None:
    desk = make_desk(seed, kind)

    assert overlap(desk, find_page(desk.image_bgr)) > 0.95


@pytest.mark.parametrize(
    ("kind", "seed"),
    [
        # A stripe of the cloth beside the sheet is no part of it.
        ("plain", 10009),
        # Two sheets lie there: the larger counts.
        ("several", 10005),
        # A cell of the pattern looks better than the sheet.
        ("curl", 30008),
        # Text beside a side is clearer than the side.
        ("white", 10006),
        # One side is hardly there.
        ("white", 10012),
    ],
)
def test_what_the_small_picture_mistakes_the_full_picture_puts_right(kind: str, seed: int) -> None:
    desk = make_desk(seed, kind)

    assert overlap(desk, find_page(desk.image_bgr)) > 0.95


def test_the_sides_of_a_sheet_end_at_its_corners_and_those_of_a_cell_go_on() -> None:
    cells = np.kron(np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]), np.ones((100, 100))) * 100 + 80
    square = np.array([[100, 100], [200, 100], [200, 200], [100, 200]], np.float32) - np.float32(0.5)
    board = cv2.warpPerspective(
        np.repeat(cells[..., None], 3, axis=2).astype(np.uint8), cv2.getPerspectiveTransform(square, CORNERS), (1200, 800)
    )

    assert going_on(table(225), CORNERS) < 0.2
    assert going_on(np.asarray(board, np.uint8), CORNERS) > 0.7


def test_what_lies_past_the_picture_is_nothing_that_goes_on() -> None:
    corners = CORNERS - CORNERS.min(axis=0)

    assert going_on(table(TABLE), corners) < 0.2


def test_a_frame_and_the_sheet_around_it_are_of_one_paper_and_a_sheet_and_its_table_are_not() -> None:
    middle = CORNERS.mean(axis=0)
    frame, beyond = middle + (CORNERS - middle) * np.float32(0.9), middle + (CORNERS - middle) * np.float32(1.15)
    picture = table(225)
    cv2.polylines(picture, [np.rint(frame).astype(np.int32)], True, (40, 40, 40), 4, cv2.LINE_AA)

    assert is_of_one_paper(picture, frame, CORNERS)
    assert not is_of_one_paper(picture, CORNERS, beyond)


def halves(corners: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """That part of the sheet that is left when one side is moved half of the way to the other."""
    part = corners.copy()
    first, second = side, (side + 1) % 4
    part[first] = (corners[first] + corners[first - 1]) / 2
    part[second] = (corners[second] + corners[(second + 1) % 4]) / 2
    return part


@pytest.mark.parametrize("side", range(4))
def test_a_part_that_ends_at_a_line_of_print_grows_to_the_whole_sheet(side: int) -> None:
    picture, part = table(225), halves(CORNERS, side)
    ends = [(round(float(x)), round(float(y))) for x, y in part[[side, (side + 1) % 4]]]
    cv2.line(picture, ends[0], ends[1], (40, 40, 40), 6, cv2.LINE_AA)

    assert np.abs(grown(picture, part) - CORNERS).max() < 2


def test_a_whole_sheet_does_not_grow() -> None:
    assert np.array_equal(grown(table(225), CORNERS), CORNERS)


def test_a_sheet_does_not_grow_along_lines_of_the_table_it_lies_against() -> None:
    picture = table(225)
    for start, end in ((0, 3), (1, 2)):
        way = (CORNERS[end] - CORNERS[start]) / np.linalg.norm(CORNERS[end] - CORNERS[start])
        ends = [tuple(np.rint(point).astype(int).tolist()) for point in (CORNERS[start] - 180 * way, CORNERS[start] - 2 * way)]
        cv2.line(picture, ends[0], ends[1], (20, 20, 20), 5, cv2.LINE_AA)

    assert np.array_equal(grown(picture, CORNERS), CORNERS)


def test_a_sheet_that_is_cut_by_the_pictures_edge_grows_no_further_than_that() -> None:
    picture, part = table(225)[:, :700], CORNERS.copy()
    part[[1, 2], 0] = 640

    assert grown(np.ascontiguousarray(picture), part)[:, 0].max() < 700
