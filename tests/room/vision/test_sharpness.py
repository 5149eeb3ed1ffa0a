import cv2
import numpy as np
import pytest

from bench.closeup import make_closeup
from bench.read_page import burst
from bench.sheets import make_sheet
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.sharpness import blur, sharpest, sharpness
from tests.room.vision.scenes import above, lit

SIZE = (960, 540)


def blurred(picture: Bgr, sigma: float) -> Bgr:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)


@pytest.mark.parametrize(("seed", "kind"), list(enumerate(("letter", "decision", "form", "receipt", "card", "brochure"))))
def test_the_sharpest_of_a_burst_is_found_whatever_its_exposure(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    closeup = make_closeup(random, make_sheet(seed, kind, 100), SIZE)

    frames, best = burst(random, closeup)

    assert sharpest(frames, closeup.corners) == best
    assert sharpest(frames) == best


def test_the_sharpness_of_the_page_counts_and_not_the_tables() -> None:
    picture, corners = above(make_sheet(4, "letter", 120), SIZE, share=0.8)
    table = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(table, corners.astype(np.int32), 1)
    carpet = picture.copy()
    carpet[table == 0] = np.random.default_rng(3).integers(0, 255, (int((table == 0).sum()), 3))
    sharp_page = np.where(table[..., None] > 0, picture, blurred(carpet, 3)).astype(np.uint8)
    sharp_carpet = np.where(table[..., None] > 0, blurred(picture, 1.5), carpet).astype(np.uint8)

    assert sharpest([sharp_carpet, sharp_page], corners) == 1


def test_light_does_not_change_how_sharp_a_page_is() -> None:
    picture, corners = above(make_sheet(4, "letter", 120), SIZE)
    half = np.full(SIZE[::-1], 0.5, np.float32)

    assert sharpness(lit(picture, half), corners) == pytest.approx(sharpness(picture, corners), rel=0.1)


def test_of_equal_frames_the_first_is_taken() -> None:
    frame = np.full((40, 60, 3), 90, np.uint8)

    assert sharpest([frame, frame, frame]) == 0


def test_a_page_outside_the_picture_has_no_sharpness() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (60, 90, 3)).astype(np.uint8)
    outside = np.array([[200, 200], [300, 200], [300, 300], [200, 300]], np.float32)

    assert sharpness(picture, outside) == 0
    assert blur(picture, outside) is None


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("kind", ["letter", "card"])
def test_the_width_of_the_blur_is_measured(kind: str, sigma: float) -> None:
    picture, corners = above(make_sheet(6, kind, 200), (1920, 1080))

    sharp, soft = (blur(lit(one, np.ones((1080, 1920), np.float32)), corners) for one in (picture, blurred(picture, sigma)))

    assert sharp is not None
    assert soft is not None
    assert sharp < 1.3
    assert soft == pytest.approx(sigma, abs=0.9)
    assert soft > sharp


def test_nothing_is_said_of_the_blur_of_a_page_without_print() -> None:
    picture, corners = above(make_sheet(6, "blank", 60), SIZE)

    assert blur(lit(picture, np.ones(SIZE[::-1], np.float32)), corners) is None


def test_a_page_of_soft_bars_is_very_blurred() -> None:
    page = np.zeros((400, 400, 3), np.uint8)
    page[:, 100:300] = 255
    corners = np.array([[0, 0], [399, 0], [399, 399], [0, 399]], np.float32)

    told = blur(blurred(page, 6), corners)

    assert told is not None
    assert 5 < told <= 8
