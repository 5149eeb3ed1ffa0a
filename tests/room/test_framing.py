"""A camera's picture turned and cropped."""

import numpy as np
import pytest

from etapalvelu.room.framing import Framed, Framing, unframed
from etapalvelu.room.pixels import Bgr, Jpeg, Pixels, jpeg, live_size

# Four quarters of different shades, so that it shows which part of which turn is there.
SHADES = {(0, 0): 40, (0, 1): 100, (1, 0): 160, (1, 1): 220}


def quarters(width: int, height: int) -> Bgr:
    picture = np.zeros((height, width, 3), np.uint8)
    for (row, column), shade in SHADES.items():
        picture[row * height // 2 : (row + 1) * height // 2, column * width // 2 : (column + 1) * width // 2] = shade
    return picture


def shades(picture: Bgr) -> list[int]:
    """The shades in the four corners, rounded as JPEG leaves them: upper left, upper right, lower left, lower right."""
    return [round(float(picture[row, column].mean()) / 20) * 20 for row in (2, -3) for column in (2, -3)]


@pytest.mark.parametrize(
    ("turn", "expected"),
    [(0, [40, 100, 160, 220]), (90, [160, 40, 220, 100]), (180, [220, 160, 100, 40]), (270, [100, 220, 40, 160])],
)
def test_a_picture_is_turned_clockwise(turn: int, expected: list[int]) -> None:
    framed = Framing(turn=turn).frame(Pixels(quarters(64, 48)))  # type: ignore[arg-type]  # a parametrized literal

    assert shades(framed.full()) == expected
    assert framed.size == ((64, 48) if turn in (0, 180) else (48, 64))
    assert framed.full().shape[1::-1] == framed.size


def test_a_crop_is_of_the_turned_picture() -> None:
    framed = Framing(turn=90, crop=(0.5, 0.0, 1.0, 0.5)).frame(Pixels(quarters(64, 48)))

    assert (framed.size, set(shades(framed.full()))) == ((24, 32), {40})
    assert framed.full().flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    "framing", [Framing(turn=270), Framing(crop=(0.1, 0.1, 0.9, 0.95)), Framing(crop=(0.5, 0.5, 0.75, 0.75))]
)
@pytest.mark.parametrize("size", [(3840, 2160), (1920, 1080), (641, 479)])
def test_the_live_picture_has_the_size_that_it_is_said_to_have(framing: Framing, size: tuple[int, int]) -> None:
    picture = Jpeg(np.frombuffer(jpeg(quarters(*size)), np.uint8), size)

    framed = framing.frame(picture)

    assert framed.live().shape[1::-1] == live_size(framed.size)
    assert framed.full().shape[1::-1] == framed.size


def test_a_small_part_of_a_large_picture_is_taken_from_the_large_one() -> None:
    picture = np.tile(np.array([[[0] * 3, [255] * 3]], np.uint8), (2160, 1920, 1))

    framed = Framing(crop=(0.25, 0.25, 0.75, 0.75)).frame(Pixels(picture))

    assert framed.live().std() > 120


def test_a_whole_picture_is_left_as_it_is_and_a_framed_one_can_be_had_whole() -> None:
    picture = Pixels(quarters(64, 48))
    framed = Framing(turn=180).frame(picture)

    assert Framing().frame(picture) is picture
    assert isinstance(framed, Framed)
    assert unframed(framed) is picture
    assert unframed(picture) is picture


def test_a_crop_of_almost_nothing_still_leaves_a_picture() -> None:
    assert Framing(crop=(0.999, 0.999, 1.0, 1.0)).frame(Pixels(quarters(64, 48))).size == (16, 16)
