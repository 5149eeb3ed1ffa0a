import time

import cv2
import numpy as np
import pytest

from etapalvelu.room.clock import CELL, COLUMNS, LEFT, ROWS, TOP, draw_clock, read_clock
from etapalvelu.room.letter import Letter
from etapalvelu.room.pixels import Bgr

NOON_MS = 1_790_000_000_123


def squeezed(frame: Bgr, quality: int) -> Bgr:
    _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


@pytest.mark.parametrize("unix_ms", [0, 1, 2**32 - 1, NOON_MS, NOON_MS + 1])
def test_the_clock_is_read_back_from_the_live_picture(unix_ms: int) -> None:
    frame = Letter(unix_ms).live()

    assert read_clock(frame) == unix_ms % 2**32


def test_the_clock_is_read_back_from_the_still_at_full_size() -> None:
    frame = Letter(NOON_MS).full()

    assert frame.shape == (2160, 3840, 3)
    assert read_clock(frame) == NOON_MS % 2**32


@pytest.mark.parametrize("width", [1920, 1280, 640, 480])
def test_the_clock_survives_scaling_and_hard_compression(width: int) -> None:
    small = np.asarray(cv2.resize(Letter(NOON_MS).live(), (width, width * 9 // 16), interpolation=cv2.INTER_AREA), np.uint8)

    assert read_clock(squeezed(small, 25)) == NOON_MS % 2**32


@pytest.mark.parametrize("cell", range(COLUMNS * ROWS))
def test_one_wrong_cell_makes_the_clock_unreadable(cell: int) -> None:
    frame = Letter(NOON_MS).live()
    x, y = LEFT + cell % COLUMNS * CELL, TOP + cell // COLUMNS * CELL
    part = frame[y : y + CELL, x : x + CELL]
    part[:] = 255 - part

    assert read_clock(frame) is None


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_plain_picture_has_no_clock(shade: int) -> None:
    assert read_clock(np.full((1080, 1920, 3), shade, np.uint8)) is None


def test_a_picture_too_small_for_the_cells_has_no_clock() -> None:
    frame = np.zeros((45, 80, 3), np.uint8)
    draw_clock(frame, NOON_MS)

    assert read_clock(frame) is None


def test_only_the_clock_changes_from_frame_to_frame() -> None:
    first, second = Letter(NOON_MS).live(), Letter(NOON_MS + 1).live()

    rows, columns = np.nonzero((first != second).any(axis=2))
    assert columns.min() >= LEFT
    assert columns.max() < LEFT + COLUMNS * CELL
    assert rows.min() >= TOP
    assert rows.max() < TOP + ROWS * CELL


def test_the_time_for_people_moves_on() -> None:
    first, later = Letter(NOON_MS).live(), Letter(NOON_MS + 60_000).live()

    below_the_strip = slice(TOP + ROWS * CELL + 20, 400)
    assert (first[below_the_strip, :600] != later[below_the_strip, :600]).any()


def test_a_frame_is_drawn_in_five_milliseconds() -> None:
    Letter(NOON_MS).live()
    times = []
    for moment in range(40):
        before = time.thread_time()
        Letter(NOON_MS + moment).live()
        times.append(time.thread_time() - before)

    assert sorted(times)[len(times) // 2] < 0.005
