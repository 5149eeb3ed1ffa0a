"""Watches the table while anybody looks at it: about eight looks a second in a thread of its own, and what they have shown.

Never two looks at once. A machine that is too slow looks less often; nothing piles up.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np

from etapalvelu.room import page
from etapalvelu.room.camera import Camera, Frame
from etapalvelu.room.eye import Eye, Sighting, Vision
from etapalvelu.room.follower import Corners
from etapalvelu.room.pixels import Bgr
from etapalvelu.tasks import spawn

log = logging.getLogger(__name__)

LOOKS_PER_SECOND: Final = 8
# Enough to help with the paper while no expert is there to read it.
LOOKS_PER_SECOND_ALONE: Final = 2
# Of one core's time; the encoder needs the rest.
LARGEST_SHARE: Final = 0.33
NO_PICTURE_SECONDS: Final = 0.5
# Whoever comes needs the processor: first for the people's connection, and once the document's stands for its first picture.
HUSH_SECONDS: Final = 0.4
# A picture handed over for sending is good enough to look at when it is at most so many frames old.
_FRAMES_BEHIND: Final = 3

NOTHING: Final = Sighting(at=0.0)


SIGHT: Final = Vision(
    find_page=page.find_page,
    verdict=lambda picture, corners, detail: page.verdict(picture, corners, detail=detail),
    straightened=page.straightened,
    orientation=page.orientation,
)


class PageWatch:
    """Start it with the first viewer, stop it with the last. `listener` hears of each look, on the event loop."""

    def __init__(self, camera: Camera, vision: Vision, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._camera = camera
        self._vision = vision
        self._clock = clock
        self._eye = Eye(vision)
        self._worker: ThreadPoolExecutor | None = None
        self._looking: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Sighting], None]] = []
        self._changed = asyncio.Event()
        self._offered: tuple[Frame, Bgr] | None = None
        self._is_failing = False
        self.last = NOTHING
        # Only the room's own screen looks, so there is no hurry.
        self.is_alone = False
        self._hushed_until = 0.0

    def listen(self, listener: Callable[[Sighting], None]) -> None:
        """Call `listener` after each look."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Look from now on."""
        if self._looking is None:
            self._worker = ThreadPoolExecutor(1, "page watch")
            self._looking = spawn(self._look_on(self._worker), name="page watch")

    def stop(self) -> None:
        """Look no more, and keep no picture. Numbers of sheets go on where they are."""
        if self._looking is not None and self._worker is not None:
            self._looking.cancel()
            self._worker.shutdown(wait=False)
            self._looking = self._worker = None
            self._eye = self._eye.successor()
        self._offered, self.last = None, NOTHING

    def offer(self, frame: Frame, picture: Bgr) -> None:
        """A frame whose picture was made anyway, to spare making it once more; from any thread."""
        if self._looking is not None:
            self._offered = frame, picture

    def sighting(self) -> tuple[int, Corners | None]:
        """The sheet's number, 0 without one, and its corners in pixels of the camera's full picture."""
        last, status = self.last, self._camera.status
        if last.corners is None:
            return 0, None
        return last.page, last.corners * np.array([status.width, status.height], np.float32) - np.float32(0.5)

    def hush(self, seconds: float) -> None:
        """Look at nothing for that long, while nobody but the room looks."""
        if self.is_alone:
            self._hushed_until = self._clock() + seconds

    async def calm(self, timeout: float) -> bool:
        """Wait until a sheet lies still; False when none does in that time."""
        try:
            async with asyncio.timeout(timeout):
                while not self.last.is_calm:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    async def _look_on(self, worker: ThreadPoolExecutor) -> None:
        number = 0
        while True:
            await asyncio.sleep(max(0.0, self._hushed_until - self._clock()))
            began = self._clock()
            number, took = await self._look(worker, number)
            looks = LOOKS_PER_SECOND_ALONE if self.is_alone else LOOKS_PER_SECOND
            await asyncio.sleep(max(1 / looks, took / LARGEST_SHARE) - (self._clock() - began))

    async def _look(self, worker: ThreadPoolExecutor, after: int) -> tuple[int, float]:
        """One look at a picture later than `after`: its number, and the time of a core it took."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(NO_PICTURE_SECONDS):
                frame = await self._camera.next_frame(after)
        except TimeoutError:
            self._tell(await loop.run_in_executor(worker, self._eye.blink, self._clock()))
            return after, 0.0
        picture: Bgr | None = None
        offered = self._offered
        if offered is not None and offered[0].number > max(after, frame.number - _FRAMES_BEHIND):
            frame, picture = offered
        sighting, took = await loop.run_in_executor(worker, self._see, frame, picture)
        self._tell(sighting)
        return frame.number, took

    def _tell(self, sighting: Sighting) -> None:
        self.last = sighting
        self._changed.set()
        for listener in self._listeners:
            listener(sighting)

    # In the worker's thread.

    def _see(self, frame: Frame, picture: Bgr | None) -> tuple[Sighting, float]:
        """A look, and what it cost: on a busy machine a look takes long without costing more."""
        began = time.thread_time()
        try:
            seen = frame.picture.live() if picture is None else picture
            sighting = self._eye.look(seen, frame.at, full_width=frame.picture.size[0])
        # Whatever lies on the table, and whatever vision makes of it: the next picture may be better.
        except Exception:
            if not self._is_failing:
                log.exception("a picture of the table could not be understood")
            self._is_failing = True
            sighting = self._eye.blink(frame.at)
        else:
            self._is_failing = False
        return sighting, time.thread_time() - began
