"""What following the sheet costs: a look, a straightened picture, the room program with and without it. Exit 1 when missed.

`python -m bench.live_page [--seed N] [--tables N]`. Tables are made up anew each time; the seed is printed. Times are a core's.
"""

import argparse
import asyncio
import secrets
import sys
import time
from statistics import mean, median
from typing import Final

import cv2
import numpy as np

from bench.desks import WITH_PAPER, Desk, make_desk, overlap
from bench.grounds import Random
from bench.read_page import Rows
from etapalvelu.room.camera import Camera, Frame
from etapalvelu.room.capture import Capture, Pace
from etapalvelu.room.eye import LOOK_WIDTH, Eye, Sighting, Vision
from etapalvelu.room.follower import Corners
from etapalvelu.room.letter import FRAMES_PER_SECOND
from etapalvelu.room.line import Line
from etapalvelu.room.pixels import Bgr, Picture, Pixels
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import LiveView
from etapalvelu.room.view import SheetView
from etapalvelu.room.watch import NOTHING, SIGHT, PageWatch
from etapalvelu.tasks import spawn

MOST_TRACKING_MS: Final = 25.0
LEAST_OVERLAP: Final = 0.95
LOOKS: Final = 24
LOOK_SECONDS: Final = 0.125
WARM_SECONDS: Final = 3.0
MEASURED_SECONDS: Final = 8.0
BITS_PER_SECOND: Final = 3_000_000
SIZE: Final = (1920, 1080)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--tables", type=int, default=len(WITH_PAPER))
    wishes = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"live_page: seed {wishes.seed}, {wishes.tables} tables")  # noqa: T201
    rows = Rows()
    desks = [make_desk(wishes.seed + number, WITH_PAPER[number % len(WITH_PAPER)], SIZE) for number in range(wishes.tables)]
    _follow(rows, np.random.default_rng(wishes.seed), desks)
    _show(rows, desks[0])
    for name, source, is_watched in (
        ("room program, one viewer, sheet never looked at", [desks[0].image_bgr], False),
        ("the same, looked at, lying still", [desks[0].image_bgr], True),
        ("the same, looked at, always moving", _moved(desks[0]), True),
    ):
        load, pictures, looks = asyncio.run(_load(source, is_watched=is_watched))
        rows.add(f"{name}, % of a core", 100 * load)
        rows.add(f"    at {looks:.1f} looks a second, pictures a second", pictures)
    return int(rows.missed > 0)


def _follow(rows: Rows, random: Random, desks: list[Desk]) -> None:
    """Move each table a little from look to look, so that every look has to follow."""
    tracking: list[float] = []
    looking: list[float] = []
    overlaps: list[float] = []

    def find_page(picture: Bgr, near: Corners | None) -> Corners | None:
        began = time.thread_time()
        found = SIGHT.find_page(picture, near)
        if near is not None:
            tracking.append((time.thread_time() - began) * 1000)
        return found

    vision = Vision(find_page=find_page, verdict=SIGHT.verdict, straightened=SIGHT.straightened, orientation=SIGHT.orientation)
    for desk in desks:
        eye, place, sighting = Eye(vision), np.zeros(2), NOTHING
        for look in range(LOOKS):
            place += random.normal(0, 3, 2)
            way = np.array([[1, 0, place[0]], [0, 1, place[1]]], np.float32)
            picture = np.asarray(cv2.warpAffine(desk.image_bgr, way, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)
            began = time.thread_time()
            sighting = eye.look(picture, look * LOOK_SECONDS, full_width=SIZE[0])
            looking.append((time.thread_time() - began) * 1000)
        overlaps.append(_overlap(desk, sighting, place))
    rows.add(f"live tracking at {LOOK_WIDTH} px, median, ms", median(tracking), MOST_TRACKING_MS)
    rows.add("a whole look with imprint and verdict, median, ms", median(looking))
    # Among several sheets another one may have been chosen.
    followed = [value for value in overlaps if value > 0]
    rows.add("share of tables on which the sheet was followed", len(followed) / len(overlaps))
    rows.add("overlap of the followed sheet, mean", mean(followed or [0.0]), LEAST_OVERLAP, at_least=True)


def _overlap(desk: Desk, sighting: Sighting, place: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> float:
    if sighting.corners is None:
        return 0.0
    return overlap(desk, (sighting.corners * np.array(SIZE) - 0.5 - place).astype(np.float32))


def _show(rows: Rows, desk: Desk) -> None:
    """The sheet alone, once more for each picture of the camera."""
    if desk.corners is None:
        raise AssertionError("there is paper on this table")
    view = SheetView(offer=lambda _frame, _picture: None)
    view.choose("page", 0)
    corners = ((desk.corners + 0.5) / np.array(SIZE)).astype(np.float32)
    view.see(Sighting(at=0.0, page=1, corners=corners, is_calm=True), SIZE)
    took = []
    for number in range(40):
        began = time.thread_time()
        view.show(Frame(number=number, at=0.0, picture=Pixels(desk.image_bgr)))
        took.append((time.thread_time() - began) * 1000)
    rows.add("the sheet alone, straight and evenly lit, median, ms", median(took))


def _moved(desk: Desk) -> list[Bgr]:
    steps = range(12)
    ways = [np.array([[1, 0, 8 * step], [0, 1, 4 * step]], np.float32) for step in (*steps, *reversed(steps))]
    return [np.asarray(cv2.warpAffine(desk.image_bgr, way, SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8) for way in ways]


class Reel:
    """A camera that shows these pictures again and again."""

    def __init__(self, pictures: list[Bgr]) -> None:
        self._pictures = [Pixels(picture) for picture in pictures]
        self._number = 0
        self._pace = Pace(FRAMES_PER_SECOND)

    def open(self, source: Source) -> Capture:
        return self

    def read(self) -> Picture:
        self._pace.wait()
        self._number += 1
        return self._pictures[self._number % len(self._pictures)]

    def release(self) -> None:
        """There is nothing to give back."""


async def _load(pictures: list[Bgr], *, is_watched: bool) -> tuple[float, float, float]:
    """The share of one core that camera, encoder and, if wished, the watch take together; pictures sent and looks, a second."""
    camera = Camera(Source(Kind.TEST), open_source=Reel(pictures).open)
    watch = PageWatch(camera, SIGHT)
    stream = DocumentStream(LiveView(camera, show=SheetView(offer=watch.offer).show))
    await camera.start()
    feed = stream.join(Line(BITS_PER_SECOND))

    sent = looks = 0

    async def take() -> None:
        nonlocal sent
        while True:
            await feed.next()
            sent += 1

    def looked(_: Sighting) -> None:
        nonlocal looks
        looks += 1

    watch.listen(looked)

    taking = spawn(take(), name="viewer")
    if is_watched:
        watch.start()
    await asyncio.sleep(WARM_SECONDS)
    before, sent, looks = time.process_time(), 0, 0
    await asyncio.sleep(MEASURED_SECONDS)
    used = time.process_time() - before
    taking.cancel()
    feed.leave()
    watch.stop()
    stream.close()
    await camera.stop()
    return used / MEASURED_SECONDS, sent / MEASURED_SECONDS, looks / MEASURED_SECONDS


if __name__ == "__main__":
    sys.exit(main())
