"""Simple tables with simple sheets on them, and the simplest eyes that see those. Difficult ones are made by bench/desks.py."""

from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr

Quad = NDArray[np.float32]
Turn = Literal[0, 90, 180, 270]

WIDTH, HEIGHT = 480, 270
A4 = 2**0.5
_TABLE = 70
_BRIGHT = 150


def paper(seed: int, *, print_: bool = True) -> Bgr:
    """A sheet with bars for words, other ones for each seed; upright its first corner has a black block."""
    random = np.random.default_rng(seed)
    sheet = np.full((594, 420, 3), 235, np.uint8)
    if not print_:
        return sheet
    for line in range(40, 560, 18):
        left = 40
        while left < 380:
            length = int(random.integers(12, 90))
            if random.random() < 0.6:
                cv2.rectangle(sheet, (left, line), (min(380, left + length), line + 9), (40, 40, 40), cv2.FILLED)
            left += length + 10
    cv2.rectangle(sheet, (24, 10), (110, 30), (0, 0, 0), cv2.FILLED)
    return sheet


def lying(x: float, y: float, angle: float = 0.0, *, high: float = 200.0) -> Quad:
    """The corners TL TR BR BL of an A4 sheet about that middle, turned clockwise by `angle` degrees."""
    across, down = high / A4 / 2, high / 2
    flat = np.array([[-across, -down], [across, -down], [across, down], [-across, down]])
    turn = np.radians(angle)
    turned = flat @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(turned + np.array([x, y]), np.float32)


def table(*sheets: tuple[Bgr, Quad], size: tuple[int, int] = (WIDTH, HEIGHT), ground: int = _TABLE) -> Bgr:
    """A plain table with sheets on it, the last one on top."""
    picture = np.full((size[1], size[0], 3), ground, np.uint8)
    for sheet, corners in sheets:
        high = max(8, round(float(np.linalg.norm(corners[3] - corners[0]))))
        small = cv2.resize(sheet, (round(high / A4), high), interpolation=cv2.INTER_AREA)
        edge = np.array([[0, 0], [small.shape[1], 0], [small.shape[1], high], [0, high]], np.float32) - np.float32(0.5)
        view = cv2.getPerspectiveTransform(edge, corners)
        cv2.warpPerspective(small, view, size, dst=picture, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    return picture


def bright_rectangle(picture: Bgr, near: Quad | None = None) -> Quad | None:
    """`find_page` for such tables: the largest bright thing."""
    bright = (cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) > _BRIGHT).astype(np.uint8)
    outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is None or cv2.contourArea(largest) < 0.02 * bright.size:
        return None
    corners = cv2.boxPoints(cv2.minAreaRect(largest)).astype(np.float32)
    return np.roll(corners, -int(np.argmin(corners.sum(axis=1))), axis=0)


def block_turn(page: Bgr) -> Turn:
    """`orientation` for such sheets: where the black block is."""
    turns: tuple[Turn, ...] = (0, 90, 180, 270)
    for turn in turns:
        grey = cv2.cvtColor(np.rot90(page, -turn // 90).copy(), cv2.COLOR_BGR2GRAY)
        part = grey[: max(1, grey.shape[0] // 14), : grey.shape[1] // 3]
        if float((part < 60).mean()) > 0.25:
            return turn
    return 0
