from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from etapalvelu.room.pixels import Jpeg, PictureError, Pixels, bgr, fitted, jpeg


def test_a_grey_picture_becomes_colour() -> None:
    grey = np.array([[0, 255], [128, 7]], np.uint8)

    assert bgr(grey).tolist() == np.stack([grey] * 3, axis=2).tolist()
    assert bgr(grey[:, :, np.newaxis]).tolist() == bgr(grey).tolist()


def test_sixteen_bits_keep_their_upper_half() -> None:
    deep = np.array([[[0, 0x1234, 0xFFFF]]], np.uint16)

    assert bgr(deep).tolist() == [[[0, 0x12, 0xFF]]]


def test_transparency_is_dropped() -> None:
    assert bgr(np.array([[[1, 2, 3, 77]]], np.uint8)).tolist() == [[[1, 2, 3]]]


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((0, 4, 3), np.uint8), "the camera sent an empty picture"),
        (np.zeros((4,), np.uint8), "the camera sent an empty picture"),
        (np.zeros((4, 4, 3), np.float32), "pictures of type float32 are not supported"),
        (np.zeros((4, 4, 2), np.uint8), "pictures with 2 channels are not supported"),
    ],
)
def test_what_is_no_picture_is_told_in_words(array: NDArray[Any], words: str) -> None:
    with pytest.raises(PictureError) as refusal:
        bgr(array)

    assert str(refusal.value) == words


@pytest.mark.parametrize(
    ("size", "live"),
    [
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),
        ((4000, 3000), (1440, 1080)),
        ((641, 481), (640, 480)),
        ((1, 1), (2, 2)),
    ],
)
def test_live_pictures_are_even_and_never_larger_than_video(size: tuple[int, int], live: tuple[int, int]) -> None:
    picture = fitted(np.zeros((size[1], size[0], 3), np.uint8))

    assert (picture.shape[1], picture.shape[0]) == live


def test_an_array_keeps_its_full_size_for_stills() -> None:
    picture = Pixels(np.zeros((2160, 3840, 3), np.uint8))

    assert picture.size == (3840, 2160)
    assert picture.full().shape == (2160, 3840, 3)
    assert picture.live().shape == (1080, 1920, 3)


@pytest.mark.parametrize(("size", "live"), [((3840, 2160), (1920, 1080)), ((1280, 720), (1280, 720))])
def test_a_jpeg_from_the_device_is_decoded_as_large_as_asked(size: tuple[int, int], live: tuple[int, int]) -> None:
    width, height = size
    picture = Jpeg(np.frombuffer(jpeg(np.full((height, width, 3), 90, np.uint8)), np.uint8), size)

    assert picture.full().shape == (height, width, 3)
    assert picture.live().shape == (live[1], live[0], 3)
    assert abs(int(picture.live()[5, 5, 0]) - 90) < 3


def test_a_damaged_jpeg_is_told_in_words() -> None:
    picture = Jpeg(np.frombuffer(b"\xff\xd8 nothing", np.uint8), (640, 480))

    with pytest.raises(PictureError, match="damaged"):
        picture.full()


def test_jpeg_keeps_the_size() -> None:
    data = jpeg(np.full((33, 57, 3), 200, np.uint8))

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (33, 57, 3)
