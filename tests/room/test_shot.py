import logging
from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import pytest

from etapalvelu.room.letter import Letter
from etapalvelu.room.page import Turn
from etapalvelu.room.pixels import Bgr, Jpeg, Picture, PictureError, Pixels
from etapalvelu.room.shot import NO_PAGE, Quad, Vision, develop, named_as
from etapalvelu.room.shot import VISION as OURS
from signaling.document import PageVerdict
from tests.room.cameras import pixels

SHEET = np.array([[100, 50], [300, 50], [300, 150], [100, 150]], np.float32)
READABLE = PageVerdict(code="readable", ppi=100)
DAMAGED = Jpeg(np.frombuffer(b"\xff\xd8 nothing", np.uint8), (400, 200))


def brightest(frames: Sequence[Bgr], corners: Quad | None) -> int:
    return int(np.argmax([frame.mean() for frame in frames]))


def upright(page: Bgr) -> Turn:
    return 90


# Finds the sheet where it lies, whatever the picture; a page is twice the size.
VISION = Vision(
    find_page=lambda image, near: SHEET,
    make_page=lambda image, corners: np.full((200, 400, 3), 255, np.uint8),
    sharpest=brightest,
    verdict=lambda image, corners: READABLE,
    turn=upright,
)


def shade(value: int, width: int = 400, height: int = 200) -> Pixels:
    return Pixels(np.full((height, width, 3), value, np.uint8))


def middle(data: bytes) -> int:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return int(picture[picture.shape[0] // 2, picture.shape[1] // 2, 0])


def test_the_page_comes_first_and_the_raw_picture_says_where_it_lay() -> None:
    shot = develop([shade(10), shade(90), shade(40)], VISION)

    page, raw = shot.prints
    assert shot.verdict == READABLE
    assert (page.part, page.width, page.height, page.ppi, page.turn, page.corners) == ("page", 400, 200, 200, 90, None)
    assert (raw.part, raw.width, raw.height, raw.ppi, raw.turn) == ("raw", 400, 200, 100, 0)
    assert raw.corners == ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
    assert abs(middle(raw.jpeg) - 90) <= 1
    assert middle(page.jpeg) >= 254


def test_a_table_without_a_page_gives_the_raw_picture_alone() -> None:
    shot = develop([shade(10)], replace(VISION, find_page=lambda image, near: None))

    assert [(one.part, one.ppi, one.corners) for one in shot.prints] == [("raw", None, None)]
    assert shot.verdict == NO_PAGE


def test_a_page_of_unknown_size_has_no_pixels_per_inch() -> None:
    shot = develop([shade(10)], replace(VISION, verdict=lambda image, corners: PageVerdict(code="blurred")))

    assert [one.ppi for one in shot.prints] == [None, None]


def test_a_fault_while_the_page_is_made_still_gives_the_raw_picture(caplog: pytest.LogCaptureFixture) -> None:
    def fail(image: Bgr, corners: Quad) -> Bgr:
        raise cv2.error("impossible corners")

    shot = develop([shade(10)], replace(VISION, make_page=fail))

    assert [one.part for one in shot.prints] == ["raw"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize(
    "pictures",
    [
        [DAMAGED, shade(50), DAMAGED],
        [pixels(200, 100), pixels(640, 480), shade(50), shade(20)],
    ],
)
def test_of_a_burst_the_readable_pictures_of_the_newest_size_count(pictures: list[Picture]) -> None:
    (raw,) = develop(pictures, replace(VISION, find_page=lambda image, near: None)).prints

    assert (raw.width, raw.height) == (400, 200)
    assert abs(middle(raw.jpeg) - 50) <= 1


@pytest.mark.parametrize("pictures", [[], [DAMAGED, DAMAGED]])
def test_a_burst_without_a_readable_picture_gives_nothing(pictures: list[Picture]) -> None:
    with pytest.raises(PictureError, match="no picture of the burst"):
        develop(pictures, VISION)


def test_a_picture_that_can_be_seen_small_but_not_in_full_is_damaged() -> None:
    class Torn(Pixels):
        def full(self) -> Bgr:
            raise cv2.error("the end is missing")

    with pytest.raises(PictureError, match="damaged"):
        develop([Torn(np.zeros((20, 40, 3), np.uint8))], VISION)


def test_the_sheet_is_looked_for_near_its_last_place_first_and_then_everywhere() -> None:
    asked: list[Quad | None] = []

    def find(image: Bgr, near: Quad | None) -> Quad | None:
        asked.append(near)
        return None if near is not None else SHEET

    shot = develop([shade(10)], replace(VISION, find_page=find), SHEET + 3)

    assert [None if near is None else near.tolist() for near in asked] == [(SHEET + 3).tolist(), None]
    assert [one.part for one in shot.prints] == ["page", "raw"]


def test_sharpness_is_judged_on_the_sheet_in_the_picture_s_own_pixels() -> None:
    asked: list[tuple[tuple[int, ...], list[list[float]]]] = []

    def judged(frames: Sequence[Bgr], corners: Quad | None) -> int:
        assert corners is not None
        asked.append((frames[0].shape, corners.tolist()))
        return 0

    near = np.array([[384, 216], [768, 216], [768, 432], [384, 432]], np.float32)
    develop([pixels(3840, 2160), pixels(3840, 2160)], replace(VISION, sharpest=judged), near)

    assert asked == [((1080, 1920, 3), (near / 2).tolist())]


@pytest.mark.parametrize("turn", range(4))
def test_corners_keep_the_names_they_had_on_the_table(turn: int) -> None:
    near = np.roll(SHEET, turn, axis=0)

    assert named_as(SHEET, near + 5).tolist() == near.tolist()


def test_what_the_room_program_sees_makes_a_readable_page_of_a_letter_on_its_side() -> None:
    desk = np.asarray(cv2.rotate(Letter(0).live(), cv2.ROTATE_90_CLOCKWISE), np.uint8)

    page, raw = develop([Pixels(desk)], OURS).prints

    assert (raw.width, raw.height) == (1080, 1920)
    assert page.width / page.height == pytest.approx(2**0.5, rel=0.01)
    assert page.turn == 270
