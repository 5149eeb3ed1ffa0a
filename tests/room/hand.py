"""A view and a clock in the hand of the test."""

import asyncio

import numpy as np

from etapalvelu.room.camera import Frame
from etapalvelu.room.h264 import VideoPacket
from etapalvelu.room.pixels import Bgr, Pixels
from etapalvelu.room.stream import Feed

PICTURE = Pixels(np.zeros((48, 64, 3), np.uint8))


class Hand:
    """A view whose pictures the test lays down one by one."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.planes: Bgr = np.zeros((72, 64), np.uint8)
        self.forgotten = 0
        self._laid = asyncio.Event()

    def lay(self, width: int = 64, height: int = 48, *, at: float = 0.0) -> None:
        number = 1 if self.frame is None else self.frame.number + 1
        self.planes = np.full((height * 3 // 2, width), 16 + number % 200, np.uint8)
        self.frame = Frame(number=number, at=at, picture=PICTURE)
        self._laid.set()

    async def next_planes(self, after: int) -> tuple[Frame, Bgr]:
        while self.frame is None or self.frame.number <= after:
            self._laid.clear()
            await self._laid.wait()
        return self.frame, self.planes

    def forget(self) -> None:
        self.forgotten += 1


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def next_of(feed: Feed) -> VideoPacket:
    async with asyncio.timeout(5):
        packet = await feed.next()
    assert packet is not None
    return packet
