"""The printed test sheet under made-up cameras, sharp and blurred."""

import shutil

import cv2
import numpy as np
import pytest

from bench.desks import desk_with, make_desk
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.target import Reading, read_target
from etapalvelu.target_sheet import MARKS
from tests.room.printed import paper, printed

pytestmark = pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils is not installed")

PPI = 150


def blurred(picture: Bgr, sigma: float) -> Bgr:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8) if sigma else picture


def scanned(sigma: float) -> Bgr:
    """The sheet straight from above at 150 pixels an inch, each pixel the mean of what it covers, then blurred."""
    fine = printed(4 * PPI)
    small = cv2.resize(fine, (fine.shape[1] // 4, fine.shape[0] // 4), interpolation=cv2.INTER_AREA)
    return blurred(
        np.asarray(cv2.copyMakeBorder(small, 40, 40, 60, 60, cv2.BORDER_CONSTANT, value=(90, 90, 90)), np.uint8), sigma
    )


def read(picture: Bgr) -> Reading:
    reading = read_target(picture)
    assert reading is not None
    return reading


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.5, 4.0])
def test_a_known_blur_is_measured(sigma: float) -> None:
    reading = read(scanned(sigma))

    # A normal curve halves the contrast at 0.187 line pairs a pixel over its sigma; a pixel's own width adds a twelfth.
    expected = 0.1874 / np.sqrt(sigma**2 + 1 / 12) * PPI / 25.4
    assert reading.mtf50 == pytest.approx(expected, rel=0.08)
    assert reading.ppi == pytest.approx(PPI, abs=2)
    assert reading.line_pairs > reading.mtf50


def test_the_corners_are_the_sheets_own() -> None:
    reading = read(scanned(0.8))

    width, height = 210 / 25.4 * PPI, 297 / 25.4 * PPI
    expected = np.array([[60, 40], [60 + width, 40], [60 + width, 40 + height], [60, 40 + height]])
    assert np.abs(reading.corners - expected).max() < 3


def test_no_camera_tells_more_line_pairs_apart_than_its_pixels_can() -> None:
    reading = read(scanned(0))

    assert reading.line_pairs <= 0.5 * PPI / 25.4 + 0.01


@pytest.mark.parametrize("turn", [cv2.ROTATE_90_CLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_COUNTERCLOCKWISE])
def test_however_the_sheet_lies_it_says_the_same(turn: int) -> None:
    straight, turned = read(scanned(1.2)), read(np.asarray(cv2.rotate(scanned(1.2), turn), np.uint8))

    assert turned.mtf50 == pytest.approx(straight.mtf50, rel=0.03)
    assert turned.ppi == pytest.approx(straight.ppi, abs=1)


@pytest.mark.parametrize("seed", [*range(6), *range(106, 110)])
@pytest.mark.parametrize(("kind", "sigmas"), [("plain", (0.0, 1.0, 2.0, 3.0)), ("shadow", (0.0, 1.0, 2.0, 3.0))])
def test_more_blur_is_always_told_as_less_sharp(seed: int, kind: str, sigmas: tuple[float, ...]) -> None:
    desk = desk_with(paper(), seed, kind)

    readings = [read(blurred(desk.image_bgr, sigma)) for sigma in sigmas]

    figures = [reading.mtf50 for reading in readings]
    finest = [reading.line_pairs for reading in readings]
    smallest = [reading.smallest_text_mm for reading in readings]
    assert figures == sorted(figures, reverse=True)
    assert figures[-1] < 0.9 * figures[0]
    assert finest == sorted(finest, reverse=True)
    assert smallest == sorted(smallest)


@pytest.mark.parametrize("seed", range(6))
def test_the_pixels_for_an_inch_are_those_of_the_made_up_camera(seed: int) -> None:
    desk = desk_with(paper(), seed)
    assert desk.corners is not None

    true = np.sqrt(cv2.contourArea(desk.corners) / (210 * 297)) * 25.4
    assert read(desk.image_bgr).ppi == pytest.approx(true, rel=0.02)


def test_words_go_from_good_over_enough_to_poor() -> None:
    grades = [read(scanned(sigma)).grade for sigma in (0.5, 2.5, 5.0)]

    assert grades == ["good", "enough", "poor"]


def covered(count: int) -> Bgr:
    """Something lies over that many of the marks."""
    picture = scanned(0.8).copy()
    for x, y in list(MARKS.values())[:count]:
        cv2.circle(picture, (round(60 + x / 25.4 * PPI), round(40 + y / 25.4 * PPI)), 60, (60, 90, 160), -1)
    return picture


def test_three_marks_are_enough_and_two_are_not() -> None:
    assert read(covered(1)).ppi == pytest.approx(PPI, abs=2)
    assert read_target(covered(2)) is None


def test_where_no_sheet_lies_none_is_read() -> None:
    for desk in (make_desk(1, "empty"), make_desk(2, "plain"), make_desk(3, "printed")):
        assert read_target(desk.image_bgr) is None


@pytest.mark.parametrize(("share", "grade"), [(0.3, "poor"), (0.12, "poor"), (0.05, None)])
def test_a_sheet_far_away_is_poor_and_farther_still_not_read(share: float, grade: str | None) -> None:
    small = cv2.resize(scanned(0.5), None, fx=share, fy=share, interpolation=cv2.INTER_AREA)

    reading = read_target(np.asarray(small, np.uint8))
    assert (reading and reading.grade) == grade


def test_a_sheet_without_contrast_is_not_read() -> None:
    pale = np.asarray(scanned(0.8) * 0.06 + 200, np.uint8)

    assert read_target(pale) is None
