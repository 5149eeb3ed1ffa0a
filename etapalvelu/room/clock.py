"""The strip of black and white cells that tells a machine when a picture was drawn.

Places are in pixels of a 1920x1080 frame; in a frame of another size everything scales with it. The strip is a grid of
COLUMNS x ROWS square cells whose outer corner lies at (LEFT, TOP), read row by row, white = 1:

    cells  0-1   mark: white, black
    cells  2-33  Unix time in milliseconds modulo 2**32, highest bit first
    cells 34-41  parity: the exclusive or of the four bytes of the time, highest bit first
    cells 42-43  mark: white, black

A reader takes the brightness in the middle of each cell; above 128 is white.
"""

from typing import Final

import cv2
import numpy as np

from etapalvelu.room.pixels import Bgr

FRAME_WIDTH: Final = 1920
FRAME_HEIGHT: Final = 1080
LEFT: Final = 80
TOP: Final = 80
CELL: Final = 40
COLUMNS: Final = 11
ROWS: Final = 4
# White round the strip, so that blur from the desk does not reach the outer cells.
MARGIN: Final = 20

_MARK: Final = (1, 0)
_TIME_BITS: Final = 32
_PARITY_BITS: Final = 8
_WHITE_ABOVE: Final = 128


def draw_clock(frame: Bgr, unix_ms: int) -> None:
    """Burn the time into `frame`, in place."""
    cells = np.array(_cells(unix_ms % 2**_TIME_BITS), np.uint8).reshape(ROWS, COLUMNS) * 255
    left, top, right, bottom = _box(frame, 0)
    strip = cv2.resize(cells, (right - left, bottom - top), interpolation=cv2.INTER_NEAREST)
    outer_left, outer_top, outer_right, outer_bottom = _box(frame, MARGIN)
    frame[outer_top:outer_bottom, outer_left:outer_right] = 255
    frame[top:bottom, left:right] = strip[:, :, np.newaxis]


def read_clock(frame: Bgr) -> int | None:
    """Return the burnt-in time (Unix milliseconds modulo 2**32), or None where marks or parity do not fit."""
    left, top, right, bottom = _box(frame, 0)
    strip = frame[top:bottom, left:right].mean(axis=2)
    height, width = strip.shape[0] / ROWS, strip.shape[1] / COLUMNS
    if min(height, width) < 2:
        return None
    bits = [
        int(_middle(strip, row * height, column * width, height, width) > _WHITE_ABOVE)
        for row in range(ROWS)
        for column in range(COLUMNS)
    ]
    unix_ms = _number(bits[2 : 2 + _TIME_BITS])
    return unix_ms if bits == _cells(unix_ms) else None


def _cells(unix_ms: int) -> list[int]:
    parity = 0
    for byte in unix_ms.to_bytes(4, "big"):
        parity ^= byte
    return [*_MARK, *_bits(unix_ms, _TIME_BITS), *_bits(parity, _PARITY_BITS), *_MARK]


def _bits(number: int, count: int) -> list[int]:
    return [number >> place & 1 for place in reversed(range(count))]


def _number(bits: list[int]) -> int:
    number = 0
    for bit in bits:
        number = number << 1 | bit
    return number


def _middle(strip: np.ndarray[tuple[int, ...], np.dtype[np.float64]], y: float, x: float, high: float, wide: float) -> float:
    part = strip[int(y + high / 4) : int(y + high * 3 / 4) + 1, int(x + wide / 4) : int(x + wide * 3 / 4) + 1]
    return float(part.mean())


def _box(frame: Bgr, margin: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of the strip with its margin, in this frame's pixels."""
    across, down = frame.shape[1] / FRAME_WIDTH, frame.shape[0] / FRAME_HEIGHT
    return (
        round((LEFT - margin) * across),
        round((TOP - margin) * down),
        round((LEFT + COLUMNS * CELL + margin) * across),
        round((TOP + ROWS * CELL + margin) * down),
    )
