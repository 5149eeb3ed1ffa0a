import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from bench.sheets import Sheet, make_sheet
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.flat import ENLARGED, LONGEST_SIDE, make_page, page_size, straightened
from tests.room.vision.scenes import above, lit, seen, shade

SIZE = (1280, 720)
SKEWED = np.array([[430, 40], [840, 60], [865, 690], [400, 660]], np.float32)


def paper_of(sheet: Sheet, page: Bgr) -> NDArray[np.float64]:
    """Brightness of the page where the original is bare paper, without grain, one figure a place."""
    like = cv2.resize(sheet.image, page.shape[1::-1], interpolation=cv2.INTER_AREA).min(axis=2)
    bare = cv2.erode((like >= like.max() - 4).astype(np.uint8), np.ones((9, 9), np.uint8))
    calm = cv2.blur(page, (5, 5)).mean(axis=2)
    inside = np.s_[8:-8, 8:-8]
    return np.asarray(calm[inside][bare[inside] > 0], np.float64)


def spread(levels: NDArray[np.float64]) -> float:
    low, high = np.percentile(levels, (1, 99))
    return float(high / low) - 1


def test_the_page_has_its_own_proportions_and_begins_at_the_first_corner() -> None:
    sheet = make_sheet(3, "letter", 90)
    picture, corners = seen(sheet, SIZE, SKEWED)

    page = straightened(picture, corners)

    high, wide = page.shape[:2]
    assert high / wide == pytest.approx(2**0.5, rel=0.002)
    like = cv2.resize(sheet.image, (wide, high), interpolation=cv2.INTER_AREA)
    calm = [cv2.GaussianBlur(one, (0, 0), 4).astype(np.float32) for one in (page, like)]
    assert float(np.abs(calm[0] - calm[1]).mean()) < 2


def test_corners_named_from_another_side_turn_the_page() -> None:
    picture, corners = seen(make_sheet(3, "letter", 90), SIZE, SKEWED)

    upright, turned = straightened(picture, corners), straightened(picture, np.roll(corners, -1, axis=0))

    assert turned.shape[:2] == upright.shape[1::-1]
    again = cv2.rotate(turned, cv2.ROTATE_90_CLOCKWISE)
    assert float(np.abs(again.astype(np.float32) - upright).mean()) < 1


def test_a_page_loses_no_pixel_and_is_enlarged_only_a_little() -> None:
    picture = np.zeros((1080, 1920, 3), np.uint8)
    small = np.array([[100, 100], [300, 100], [300, 383], [100, 383]], np.float32)

    assert page_size(picture, small) == (round(200 * ENLARGED), round(200 * ENLARGED * 2**0.5))
    assert page_size(picture, small, within=(1920, 1080)) == (764, 1080)


@pytest.mark.parametrize("side", [1, 12000])
def test_neither_a_speck_nor_a_wall_is_too_much(side: int) -> None:
    picture = np.zeros((64, 64, 3), np.uint8)
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], np.float32)

    assert max(page_size(picture, corners)) <= LONGEST_SIDE
    assert min(page_size(picture, corners)) >= 16


@pytest.mark.parametrize("softness", [0.0, 0.01, 0.08])
@pytest.mark.parametrize("kind", ["letter", "decision", "form"])
def test_a_shadow_is_taken_from_the_paper(kind: str, softness: float) -> None:
    sheet = make_sheet(5, kind, 110)
    picture, corners = above(sheet, SIZE)
    picture = lit(picture, shade(SIZE, depth=0.6, softness=softness))

    before, after = (paper_of(sheet, how(picture, corners)) for how in (straightened, make_page))

    # A hard edge of shadow leaves a seam as wide as the level is coarse; nearly all of the paper is even.
    assert spread(before) > 1
    assert float(np.mean(np.abs(after / np.median(after) - 1) < 0.05)) > 0.97


def test_a_shadow_that_lies_wholly_on_the_page_is_taken_too() -> None:
    sheet = make_sheet(5, "letter", 110)
    picture, corners = above(sheet, SIZE)
    down, across = np.mgrid[0:720, 0:1280].astype(np.float32)
    blob = 1 - 0.5 / (1 + np.exp((np.hypot(across - 640, down - 400) - 90) / 8))

    after = paper_of(sheet, make_page(lit(picture, blob.astype(np.float32)), corners))

    assert spread(after) < 0.12


def test_paper_becomes_white_and_is_not_burnt_in_dim_and_warm_light() -> None:
    sheet = make_sheet(8, "letter", 110)
    picture, corners = above(sheet, SIZE)
    light = np.empty((720, 1280, 3), np.float32)
    light[:] = (0.2, 0.23, 0.235)

    page = make_page(lit(picture, light, grain=1.0), corners)

    assert np.median(page.reshape(-1, 3), axis=0) == pytest.approx([242, 242, 242], abs=8)
    assert float(np.mean(page >= 255)) < 0.05


def test_coloured_paper_keeps_its_colour() -> None:
    sheet = make_sheet(8, "letter", 110)
    picture, corners = above(sheet, SIZE)
    yellow = np.empty((720, 1280, 3), np.float32)
    yellow[:] = (0.5, 0.9, 0.95)

    blue, green, red = np.median(make_page(lit(picture, yellow), corners).reshape(-1, 3), axis=0)

    assert blue < 0.7 * green
    assert green == pytest.approx(red, rel=0.15)


def test_print_keeps_its_colour_and_its_darkness() -> None:
    sheet = make_sheet(1, "brochure", 110)
    picture, corners = above(sheet, SIZE)
    flat = make_page(picture, corners)
    like = cv2.resize(sheet.image, flat.shape[1::-1], interpolation=cv2.INTER_AREA)
    photo = cv2.morphologyEx((like.max(axis=2) < 215).astype(np.uint8), cv2.MORPH_OPEN, np.ones((15, 15), np.uint8)) > 0

    shaded = make_page(lit(picture, shade(SIZE, depth=0.3, softness=0.4)), corners)

    assert photo.mean() > 0.15
    for page in (flat, shaded):
        told = page[photo].astype(np.float32).mean(axis=0) / like[photo].mean(axis=0)
        assert told == pytest.approx([1, 1, 1], abs=0.13)


def test_a_red_stamp_stays_red_and_a_dark_bar_dark() -> None:
    sheet = np.full((1000, 707, 3), 255, np.uint8)
    cv2.rectangle(sheet, (60, 60), (650, 130), (40, 36, 34), cv2.FILLED)
    cv2.circle(sheet, (500, 800), 80, (48, 40, 190), 14, cv2.LINE_AA)
    corners = np.array([[0, 0], [707, 0], [707, 1000], [0, 1000]], np.float32)
    shadow = shade((707, 1000), depth=0.5, softness=0.1)

    page = make_page(lit(sheet, shadow), corners, within=(707, 1000))

    assert page[95, 350].mean() < 60
    blue, green, red = page[800, 420].astype(float)
    assert red > 3 * green
    assert red > 3 * blue


def test_a_picture_without_bare_paper_is_left_as_it_is() -> None:
    sheet = make_sheet(2, "photo", 110)
    height, width = sheet.image.shape[:2]
    inside = sheet.image[60:-60, 60:-60]
    corners = np.array([[0, 0], [width - 120, 0], [width - 120, height - 120], [0, height - 120]], np.float32)

    page = make_page(inside, corners, within=(width - 120, height - 120))

    like = cv2.resize(inside, page.shape[1::-1]).astype(np.float32)
    gain = float(page.mean()) / float(like.mean())
    assert 1 <= gain < 1.7
    assert float(np.corrcoef(page.ravel(), like.ravel())[0, 1]) > 0.97


@pytest.mark.parametrize("grey", [0, 7, 128, 255])
def test_a_page_of_one_colour_is_no_trouble(grey: int) -> None:
    page = np.full((200, 141, 3), grey, np.uint8)
    corners = np.array([[0, 0], [141, 0], [141, 200], [0, 200]], np.float32)

    assert int(np.ptp(make_page(page, corners))) <= 2
