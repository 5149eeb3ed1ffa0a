"""The document camera as the event loop sees it: the newest picture, whether it is there, and stills.

A thread of its own drains the source into one slot, so nothing here ever waits for the device, and no old picture queues up.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import cv2

from etapalvelu.room.capture import Capture, CaptureError, Holding, OpenCapture, open_capture
from etapalvelu.room.framing import Framing
from etapalvelu.room.pixels import Picture, PictureError
from etapalvelu.room.pulse import Health, Pulse
from etapalvelu.room.source import Kind, Source
from etapalvelu.tasks import spawn
from signaling.document import CameraState

log = logging.getLogger(__name__)

# Told everywhere within 2 s of the last picture.
LOST_AFTER_SECONDS: Final = 1.7
# Longer than any opening may take: a camera that opens but gives nothing is lost too.
OPENING_SECONDS: Final = 6.0
FIRST_RETRY_SECONDS: Final = 0.5
# A camera that comes back is shown again within 5 s, its opening included.
LAST_RETRY_SECONDS: Final = 2.0
# A frozen camera is opened anew this often. A black one that repeats itself is mostly only covered or in a dark room.
FROZEN_REOPEN_SECONDS: Final = 5.0
BLACK_REOPEN_SECONDS: Final = 60.0
# Enough to find a sharp one while a hand still trembles; each is held at full size for a moment.
BURST_PICTURES: Final = 8
BURST_SECONDS: Final = 0.7
_LOOK_SECONDS: Final = 0.1
# A driver that hangs must not keep the program from ending; its thread is left behind.
_JOIN_SECONDS: Final = 1.0

# Files show the same picture for as long as they are there.
_FILES: Final = frozenset({Kind.FILE, Kind.IMAGES, Kind.TEST})
WHOLE: Final = Framing()


class CameraLostError(Exception):
    """A still was asked for while the camera gives no pictures, or none that show what lies there."""


@dataclass(frozen=True, kw_only=True)
class CameraStatus:
    """What is told of the camera; the size is that of a still, 0 before the first picture."""

    camera: CameraState
    width: int
    height: int


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A picture with its number (rising by one, across reopenings too), the monotonic time it was read, and whether it shows
    what lies there now.
    """

    number: int
    at: float
    picture: Picture
    health: Health = "ok"


Listener = Callable[[CameraStatus], None]


class Camera:
    """Start it once, stop it once. All but `_read` and what it calls belongs to the event loop."""

    def __init__(self, source: Source, *, framing: Framing = WHOLE, open_source: OpenCapture = open_capture) -> None:
        self.source = source
        self._framing = framing
        self._open = open_source
        self._status = CameraStatus(camera="opening", width=0, height=0)
        self._listeners: list[Listener] = []
        self._slot: Frame | None = None
        self._newest: Frame | None = None
        self._arrived = asyncio.Event()
        self._ending = threading.Event()
        self._has_changed = threading.Event()
        self._bursts = 0
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._watch: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._opening_until = time.monotonic() + OPENING_SECONDS
        self._watch = spawn(self._look_after(), name="camera watch")
        self._thread.start()

    async def stop(self) -> None:
        """Let go of the device and of the last picture."""
        self._ending.set()
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait([self._watch])
            await asyncio.to_thread(self._thread.join, _JOIN_SECONDS)
        self._slot = self._newest = None

    @property
    def status(self) -> CameraStatus:
        return self._status

    def listen(self, listener: Listener) -> None:
        """Call `listener` on every change of the status."""
        self._listeners.append(listener)

    def change(self, source: Source, framing: Framing) -> None:
        """Go on with this source and this part of its picture; what stays as it was is not interrupted."""
        self._framing = framing
        if source != self.source:
            log.info("document camera is opened anew, source=%s", source.kind.value)
            self.source = source
            self._has_changed.set()

    async def next_frame(self, after: int) -> Frame:
        """The newest frame whose number is above `after`; waits as long as the camera is away."""
        while self._newest is None or self._newest.number <= after:
            self._arrived.clear()
            await self._arrived.wait()
        return self._newest

    async def burst(self) -> list[Picture]:
        """The newest full pictures one after the other, as many as come in a moment, at least one; raises CameraLostError.

        Where the camera can, focus and exposure stay as they are meanwhile.
        """
        if self._newest is None:
            raise CameraLostError("the document camera gives no picture")
        self._refuse_blind()
        frames = [self._newest]
        self._bursts += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(BURST_SECONDS):
                    while len(frames) < BURST_PICTURES:
                        frames.append(await self.next_frame(frames[-1].number))
        finally:
            self._bursts -= 1
        self._refuse_blind()
        return [frame.picture for frame in frames]

    def _refuse_blind(self) -> None:
        if self._status.camera in ("frozen", "black"):
            raise CameraLostError(f"the document camera's picture is {self._status.camera}")

    async def _look_after(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._take_newest()
            now = time.monotonic()
            if self._newest is None:
                is_lost = self._status.camera == "opening" and now > self._opening_until
            else:
                is_lost = now - self._newest.at > LOST_AFTER_SECONDS
            if is_lost:
                self._lose()

    def _take_newest(self) -> None:
        """Move the reader's slot to the loop's side; called soon after each new picture."""
        frame = self._slot
        if frame is None or self._ending.is_set():
            return
        if time.monotonic() - frame.at > LOST_AFTER_SECONDS:
            return
        self._newest = frame
        width, height = frame.picture.size
        self._say(CameraStatus(camera=frame.health, width=width, height=height))
        self._arrived.set()

    def _lose(self) -> None:
        self._slot = self._newest = None
        self._say(CameraStatus(camera="lost", width=self._status.width, height=self._status.height))

    def _not_opened(self) -> None:
        if self._newest is None:
            self._lose()

    def _say(self, status: CameraStatus) -> None:
        if status == self._status:
            return
        if status.camera != self._status.camera:
            log.info("document camera is %s, source=%s", status.camera, self.source.kind.value)
        self._status = status
        for listener in self._listeners:
            listener(status)

    # From here on in the camera's thread.

    def _read(self) -> None:
        retry, number = FIRST_RETRY_SECONDS, 0
        source = self.source
        pulse = Pulse(may_repeat=source.kind in _FILES)
        while not self._ending.is_set():
            if self._has_changed.is_set():
                self._has_changed.clear()
                source = self.source
                pulse = Pulse(may_repeat=source.kind in _FILES)
            before = number
            number = self._read_until_dead(source, number, pulse)
            if number > before:
                retry, self._trouble = FIRST_RETRY_SECONDS, ""
            self._ending.wait(retry)
            retry = min(retry * 2, LAST_RETRY_SECONDS)

    def _read_until_dead(self, source: Source, number: int, pulse: Pulse) -> int:
        """Open the source and read until it fails, stays frozen, or another is wanted; return the number of the last frame."""
        capture: Capture | None = None
        is_held = False
        try:
            capture = self._open(source)
            opened = time.monotonic()
            pulse.opened()
            while not (self._ending.is_set() or self._has_changed.is_set()):
                if is_held != (self._bursts > 0):
                    is_held = not is_held
                    _hold(capture, is_held)
                picture = capture.read()
                at = time.monotonic()
                number += 1
                health, seen = pulse.feel(picture, at), self._framing.frame(picture)
                self._slot = Frame(number=number, at=at, picture=seen, health=health)
                self._tell(self._take_newest)
                if _needs_reopening(pulse, at - opened):
                    log.debug("document camera is opened anew, source=%s", self.source.kind.value)
                    break
        except (CaptureError, PictureError, cv2.error) as error:
            self._complain(_in_a_line(error))
            self._tell(self._not_opened)
        # The thread must outlive a fault of ours, or the room loses its camera until somebody comes.
        except Exception:
            log.exception("document camera failed unexpectedly, source=%s", self.source.kind.value)
            self._tell(self._not_opened)
        finally:
            if capture is not None:
                _hold(capture, False)
                capture.release()
        return number

    def _complain(self, trouble: str) -> None:
        """Say what is wrong, once for as long as nothing else is."""
        if trouble != self._trouble:
            log.warning("document camera failed, source=%s: %s", self.source.kind.value, trouble)
        self._trouble = trouble

    def _tell(self, change: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(change)
        except RuntimeError:
            # The loop has ended before us: so do we.
            self._ending.set()


def _hold(capture: Capture, still: bool) -> None:
    if isinstance(capture, Holding):
        capture.hold(still)


def _needs_reopening(pulse: Pulse, open_seconds: float) -> bool:
    return pulse.is_frozen and open_seconds >= (BLACK_REOPEN_SECONDS if pulse.is_black else FROZEN_REOPEN_SECONDS)


def _in_a_line(error: Exception) -> str:
    # OpenCV's own texts run over lines and hold build paths.
    return "OpenCV could not read the source" if isinstance(error, cv2.error) else str(error)
