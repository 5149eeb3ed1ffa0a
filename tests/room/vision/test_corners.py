"""Finding the sheet: on made-up tables with a known answer, on what is no table at all, and followed from frame to frame."""

import warnings
from statistics import mean

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.desks import Desk, make_desk, overlap
from etapalvelu.room.page import find_page
from etapalvelu.room.pixels import Bgr

SMALL = (960, 540)
EASY = ("plain", "cloth", "shadow", "printed", "receipt", "curl", "hand", "glare", "dark", "clutter")


@pytest.fixture(scope="module")
def desk() -> Desk:
    return make_desk(4, "plain", SMALL, sheet="letter", ground="wood")


@pytest.fixture(scope="module")
def corners(desk: Desk) -> NDArray[np.float32]:
    found = find_page(desk.image_bgr)
    assert found is not None
    return found


def test_a_sheet_is_found_to_about_a_pixel_with_its_corners_going_round_clockwise(
    desk: Desk, corners: NDArray[np.float32]
) -> None:
    away = np.linalg.norm(_any_start(corners, _known(desk)) - _known(desk), axis=1)

    assert corners.shape == (4, 2)
    assert corners.dtype == np.dtype(np.float32)
    assert away.max() < 1.5
    assert cv2.contourArea(corners, oriented=True) > 0
    assert int(np.argmin(corners.sum(axis=1))) == 0


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_turning_the_picture_turns_the_answer(desk: Desk, corners: NDArray[np.float32], turns: int) -> None:
    high, wide = desk.image_bgr.shape[:2]
    expected = corners
    for _ in range(turns):
        expected = np.stack([expected[:, 1], wide - 1 - expected[:, 0]], axis=1)
        high, wide = wide, high

    found = find_page(np.rot90(desk.image_bgr, turns).copy())

    assert found is not None
    assert np.abs(_any_start(found, expected) - expected).max() < 2
    assert int(np.argmin(found.sum(axis=1))) == 0


@pytest.mark.parametrize("scale", [0.5, 1.7, 3.0])
def test_scaling_the_picture_scales_the_answer(desk: Desk, corners: NDArray[np.float32], scale: float) -> None:
    picture = np.asarray(cv2.resize(desk.image_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)

    found = find_page(picture)

    assert found is not None
    assert np.abs((found + 0.5) / scale - 0.5 - corners).max() < 2


def test_a_grey_picture_is_as_good(desk: Desk) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(desk.image_bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)

    assert overlap(desk, find_page(np.asarray(grey, np.uint8))) > 0.98


def test_the_picture_is_left_as_it_was(desk: Desk) -> None:
    before = desk.image_bgr.copy()

    find_page(desk.image_bgr)

    assert np.array_equal(desk.image_bgr, before)


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (63, 63), (64, 64), (65, 97), (640, 64), (64, 1500), (4000, 70)])
@pytest.mark.parametrize("kind", ["black", "white", "noise", "gradient"])
def test_no_sheet_is_found_where_there_is_nothing(size: tuple[int, int], kind: str) -> None:
    assert find_page(_nothing(size, kind)) is None


def test_nothing_is_found_in_noise_of_full_size() -> None:
    assert find_page(_nothing((1080, 1920), "noise")) is None


@pytest.mark.parametrize("ground", ["plain", "dark", "white", "wood", "checks", "stripes", "flowers", "speckled", "mat"])
def test_a_bare_table_has_no_sheet(ground: str) -> None:
    assert find_page(make_desk(1, "empty", SMALL, ground=ground).image_bgr) is None


def test_a_frame_printed_on_a_sheet_gives_way_to_the_sheet() -> None:
    picture = np.full((540, 960, 3), 90, np.uint8)
    sheet = np.array([[300, 60], [620, 60], [620, 500], [300, 500]])
    cv2.fillPoly(picture, [sheet], (245, 245, 245))
    cv2.rectangle(picture, (325, 85), (595, 475), (20, 20, 20), 4)

    found = find_page(picture)

    assert found is not None
    assert np.abs(found - sheet).max() < 2


def test_a_pattern_of_cells_is_no_sheet() -> None:
    rows, columns = np.mgrid[0:540, 0:960]
    board = ((rows // 60 + columns // 85) % 2 * 150 + 60).astype(np.uint8)

    assert find_page(np.asarray(cv2.cvtColor(board, cv2.COLOR_GRAY2BGR), np.uint8)) is None


def test_a_sheet_that_moved_a_little_is_followed_with_its_corners_in_their_order(desk: Desk) -> None:
    before = np.roll(_known(desk), 2, axis=0)
    angle = 0.02
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    near = ((before - before.mean(axis=0)) @ turn + before.mean(axis=0) + [7, -5]).astype(np.float32)

    found = find_page(desk.image_bgr, near=near)

    assert found is not None
    assert np.abs(found - before).max() < 2


def test_a_sheet_that_left_or_went_too_far_is_not_followed(desk: Desk) -> None:
    bare = make_desk(3, "empty", SMALL, ground="wood").image_bgr

    assert find_page(bare, near=_known(desk)) is None
    assert find_page(desk.image_bgr, near=_known(desk) * np.float32(0.4)) is None


@pytest.mark.parametrize("near", [np.zeros((4, 2)), np.full((4, 2), 1e6), np.array([[0, 0], [9, 9], [9, 0], [0, 9]])])
def test_nonsense_to_follow_is_nothing_found(desk: Desk, near: NDArray[np.float64]) -> None:
    assert find_page(desk.image_bgr, near=near.astype(np.float32)) is None


def test_most_sheets_are_found_well_and_few_answers_are_wrong() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [(desk, find_page(desk.image_bgr)) for desk in (make_desk(70, kind, SMALL) for kind in EASY)]
    shares = [overlap(desk, corners) for desk, corners in found]

    assert mean(shares) > 0.85
    assert mean(share > 0.95 for share in shares) > 0.8
    assert sum(0 < share < 0.75 for share in shares) <= 1


def _known(desk: Desk) -> NDArray[np.float32]:
    assert desk.corners is not None
    return desk.corners


def _any_start(found: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """The found corners begun where the known ones begin: a printed page may lie any way up."""
    return min((np.roll(found, shift, axis=0) for shift in range(4)), key=lambda way: float(np.linalg.norm(way - known)))


def _nothing(size: tuple[int, int], kind: str) -> Bgr:
    match kind:
        case "noise":
            return np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
        case "gradient":
            ramp = np.linspace(20, 220, size[1], dtype=np.float32)[None, :, None]
            return np.broadcast_to(ramp, (*size, 3)).astype(np.uint8)
        case _:
            return np.full((*size, 3), 255 if kind == "white" else 0, np.uint8)
