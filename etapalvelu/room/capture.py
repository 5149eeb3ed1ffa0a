"""One opened camera: every kind of source behind `read` and `release`. All of it blocks; only the camera's thread comes here.

After one failed read a capture is dead: release it and open a new one.
"""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.letter import FRAMES_PER_SECOND, Letter
from etapalvelu.room.pixels import Jpeg, Picture, Pixels
from etapalvelu.room.source import Kind, Mode, Source

OPEN_LIMIT_MS: Final = 5000
READ_LIMIT_MS: Final = 2000
# The camera is asked for its best mode and answers with the nearest it has.
_BEST: Final = Mode(width=3840, height=2160, frames_per_second=FRAMES_PER_SECOND)
# What a camera does by itself, the value that stops it (V4L2's, as OpenCV hands it on), and what it was set to meanwhile.
_AUTOMATICS: Final = (
    (cv2.CAP_PROP_AUTOFOCUS, 0.0, cv2.CAP_PROP_FOCUS),
    (cv2.CAP_PROP_AUTO_EXPOSURE, 1.0, cv2.CAP_PROP_EXPOSURE),
)
_SLOWEST: Final = 1.0
_FASTEST: Final = 60.0


class CaptureError(Exception):
    """The source did not open, or gives no more pictures. The text is fit for a log: no address, no path."""


class Capture(Protocol):
    def read(self) -> Picture:
        """Wait for the next picture; raise CaptureError or PictureError when there is none."""
        ...

    def release(self) -> None: ...


@runtime_checkable
class Holding(Protocol):
    """A capture whose focus and exposure can be kept as they are for a moment."""

    def hold(self, still: bool) -> None:
        """Keep them from now on, or let them go again; never raises."""
        ...


class Pace:
    """Holds a reader of ready-made pictures to their own rate."""

    def __init__(self, per_second: float) -> None:
        rate = per_second if math.isfinite(per_second) and per_second > 0 else FRAMES_PER_SECOND
        self._interval = 1 / min(max(rate, _SLOWEST), _FASTEST)
        self._due = time.monotonic()

    def wait(self) -> None:
        now = time.monotonic()
        time.sleep(max(0.0, self._due - now))
        self._due = max(self._due, now - self._interval) + self._interval


class Device:
    """A V4L2 camera. Its JPEG is kept as it comes where the driver hands it over, so that idle pictures cost nothing."""

    def __init__(self, path: str, mode: Mode | None = None) -> None:
        # A missing device fails here, before OpenCV looks for another one.
        if not Path(path).exists():
            raise CaptureError("the camera is not plugged in")
        self._capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
        self._held: list[tuple[int, float]] = []
        wanted = mode or _BEST
        # Format first, then size, then rate: a driver forgets the later ones otherwise.
        for setting, value in (
            (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
            (cv2.CAP_PROP_FRAME_WIDTH, wanted.width),
            (cv2.CAP_PROP_FRAME_HEIGHT, wanted.height),
            (cv2.CAP_PROP_FPS, wanted.frames_per_second),
            (cv2.CAP_PROP_CONVERT_RGB, 0),
        ):
            self._capture.set(setting, value)
        if not self._capture.isOpened():
            raise CaptureError("the camera did not open; another program may hold it")
        is_mjpg = int(self._capture.get(cv2.CAP_PROP_FOURCC)) == cv2.VideoWriter.fourcc(*"MJPG")
        self._is_raw = is_mjpg and self._capture.get(cv2.CAP_PROP_CONVERT_RGB) == 0
        if not self._is_raw:
            self._capture.set(cv2.CAP_PROP_CONVERT_RGB, 1)
        self._size = (
            int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )

    def read(self) -> Picture:
        array = _next_of(self._capture)
        return Jpeg(np.asarray(array, np.uint8).reshape(-1), self._size) if self._is_raw else Pixels(array)

    def hold(self, still: bool) -> None:
        try:
            if still:
                self._hold()
            else:
                self._let_go()
        except cv2.error:
            # A camera that knows no such thing goes on as it is.
            return

    def release(self) -> None:
        self.hold(False)
        self._capture.release()

    def _hold(self) -> None:
        for automatic, by_hand, value in _AUTOMATICS:
            was, now = self._capture.get(automatic), self._capture.get(value)
            # Nothing and less: the camera does not have it. By hand already: somebody set it so.
            if was <= 0 or was == by_hand or not self._capture.set(automatic, by_hand):
                continue
            self._held.append((automatic, was))
            if now > 0:
                self._capture.set(value, now)

    def _let_go(self) -> None:
        while self._held:
            self._capture.set(*self._held.pop())


class Stream:
    """A network camera, read through FFmpeg as fast as it sends."""

    def __init__(self, url: str) -> None:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_LIMIT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_LIMIT_MS]
        self._capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, limits)
        if not self._capture.isOpened():
            raise CaptureError("the network camera did not answer")

    def read(self) -> Picture:
        return Pixels(_next_of(self._capture))

    def release(self) -> None:
        self._capture.release()


class Film:
    """A video file or a series of pictures, played at its own rate, again and again."""

    def __init__(self, path: str, backend: int) -> None:
        self._path = path
        self._backend = backend
        self._capture = self._opened()
        # A series of pictures has no rate of its own.
        per_second = self._capture.get(cv2.CAP_PROP_FPS) if backend == cv2.CAP_FFMPEG else FRAMES_PER_SECOND
        self._pace = Pace(per_second)

    def read(self) -> Picture:
        self._pace.wait()
        is_there, array = self._capture.read()
        if not is_there:
            self._capture.release()
            self._capture = self._opened()
            array = _next_of(self._capture)
        return Pixels(array)

    def release(self) -> None:
        self._capture.release()

    def _opened(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self._path, self._backend)
        if not capture.isOpened():
            raise CaptureError("the file is gone or is neither a picture nor a video")
        return capture


class Sheet:
    """One picture file, shown as long as it is there, and read anew when it changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pace = Pace(FRAMES_PER_SECOND)
        self._changed_ns = 0
        self._picture: Picture | None = None

    def read(self) -> Picture:
        self._pace.wait()
        try:
            changed_ns = self._path.stat().st_mtime_ns
        except OSError:
            raise CaptureError("the picture file is gone") from None
        if self._picture is None or changed_ns != self._changed_ns:
            # As it is meant to be seen: a turn noted in the file is done, which IMREAD_UNCHANGED leaves out.
            array = cv2.imread(str(self._path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
            if array is None:
                raise CaptureError("the picture file cannot be read")
            self._picture = Pixels(array)
            self._changed_ns = changed_ns
        return self._picture

    def release(self) -> None:
        self._picture = None


class LetterCamera:
    """The made-up letter of `test:`, a new moment of it fifteen times a second."""

    def __init__(self) -> None:
        self._pace = Pace(FRAMES_PER_SECOND)

    def read(self) -> Picture:
        self._pace.wait()
        return Letter(time.time_ns() // 1_000_000)

    def release(self) -> None:
        """There is nothing to give back."""


OpenCapture = Callable[[Source], Capture]


def open_capture(source: Source) -> Capture:
    """Open a source; raise CaptureError when it does not open. May block for OPEN_LIMIT_MS."""
    match source.kind:
        case Kind.V4L2:
            return Device(source.place, source.mode)
        case Kind.MJPEG | Kind.RTSP:
            return Stream(source.place)
        case Kind.IMAGES:
            return Film(source.place, cv2.CAP_IMAGES)
        case Kind.FILE:
            return Sheet(Path(source.place)) if cv2.haveImageReader(source.place) else Film(source.place, cv2.CAP_FFMPEG)
        case Kind.TEST:
            return LetterCamera()


def proven(source: Source) -> Source:
    """Return a source of files once a picture has been read from it; raise CaptureError or PictureError if none can be.

    A device or network camera that is away may come back, so those are not tried.
    """
    if source.kind in (Kind.FILE, Kind.IMAGES):
        capture = open_capture(source)
        try:
            capture.read()
        finally:
            capture.release()
    return source


def _next_of(capture: cv2.VideoCapture) -> NDArray[Any]:
    is_there, array = capture.read()
    if not is_there:
        raise CaptureError("the camera gives no pictures")
    return array
