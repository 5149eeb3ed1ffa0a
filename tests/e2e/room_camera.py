"""A demo whose room looks through a `file:` camera at made-up tables, which a test lays anew as it goes."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.desks import make_desk
from bench.sheets import make_sheet
from etapalvelu.room.pixels import Bgr
from tests.e2e.processes import running_demo, wait_until

Corners = NDArray[np.float32]

WIDE, HIGH = 1920, 1080
# White paper in the light of that table.
PAPER_LIGHT = 0.9
SLEEVE = (52, 44, 40)


class Table:
    """What lies under the camera: a picture file that is replaced in one go."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def show(self, image: Bgr) -> None:
        half = self._path.with_suffix(".half.jpg")
        cv2.imwrite(str(half), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        half.replace(self._path)


class Point(NamedTuple):
    """A service with one room, and its table."""

    address: str
    places: dict[str, str]
    table: Table


@contextmanager
def service_over(folder: Path, first: Bgr) -> Iterator[Point]:
    """The demo's service and room, the same in all but the camera."""
    picture = folder / "table.jpg"
    table = Table(picture)
    table.show(first)
    with running_demo(folder / "data") as demo:
        places = {name: demo.place(name) for name in ("Advisor", "Expert", "Room screen")}
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "ETAPALVELU_LOG__LEVEL": "warning"}
    server = ["serve", "--config", str(demo.data / "config.toml")]
    room = ["room", "--server", demo.address, "--camera", f"file:{picture}", "--state", str(demo.data / "agent")]
    with ExitStack() as stack:
        stack.enter_context(_running(server, environ))
        wait_until(lambda: _answers(f"{demo.address}/readyz"), 20)
        stack.enter_context(_running(room, environ))
        yield Point(demo.address, places, table)


def sheet_of(seed: int, kind: str) -> Bgr:
    """A made-up paper as printed."""
    return make_sheet(seed, kind).image


def empty_table() -> Bgr:
    return make_desk(2, "empty", ground="wood").image_bgr


def lying(degrees: float, height: float = 0.8, middle: tuple[float, float] = (0.5, 0.5)) -> Corners:
    """The corners of an A4 sheet that lies there, turned clockwise; `height` and `middle` are shares of the picture's."""
    down = height * HIGH
    across = down / 2**0.5
    upright = np.array([[-across, -down], [across, -down], [across, down], [-across, down]]) / 2
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.asarray(upright @ turn + np.array(middle) * (WIDE, HIGH), np.float32)


def laid(table: Bgr, sheet: Bgr, corners: Corners) -> Bgr:
    """The table with the sheet on it."""
    height, width = sheet.shape[:2]
    from_sheet = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
    there = cv2.getPerspectiveTransform(from_sheet, corners)
    over = cv2.warpPerspective(sheet, there, (WIDE, HIGH), flags=cv2.INTER_AREA)
    share = cv2.warpPerspective(np.full((height, width, 1), 255, np.uint8), there, (WIDE, HIGH))[..., None] / 255.0
    return (over * PAPER_LIGHT * share + table * (1 - share)).astype(np.uint8)


def covered(image: Bgr, corners: Corners) -> Bgr:
    """An arm in a dark sleeve lies over the whole sheet."""
    under = image.copy()
    middle, size = corners.mean(axis=0), float(np.ptp(corners, axis=0).max())
    start, end = middle + np.array([-0.1, 0.0]) * size, middle + np.array([0.5, 1.2]) * size
    cv2.line(under, start.astype(int).tolist(), end.astype(int).tolist(), SLEEVE, int(1.4 * size), cv2.LINE_AA)
    return under


def fractions(corners: Corners) -> list[list[float]]:
    """As the protocol tells them."""
    return [[float(x + 0.5) / WIDE, float(y + 0.5) / HIGH] for x, y in corners]


@contextmanager
def _running(words: Sequence[str], environ: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-m", "etapalvelu", *words], env=environ)
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
