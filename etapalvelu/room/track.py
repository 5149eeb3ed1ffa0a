"""The camera as a video track: always the newest picture, never a queue of old ones.

A stalled sender that comes back gets the present moment, not what it missed.
"""

import asyncio
import time
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
from aiortc import VideoStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from etapalvelu.room.camera import Camera, Frame
from etapalvelu.room.pixels import Bgr, Picture, PictureError

FRAMES_PER_SECOND: Final = 15
_INTERVAL: Final = 1 / FRAMES_PER_SECOND
_TICKS_PER_SECOND: Final = 90_000


class LiveView:
    """The camera's pictures as video planes, made once for all viewers."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._making = asyncio.Lock()
        self._frame: Frame | None = None
        self._planes: Bgr | None = None

    async def next_planes(self, after: int) -> tuple[Frame, Bgr]:
        """The newest frame above number `after` and its planes (I420); waits while the camera is away."""
        while True:
            frame = await self._camera.next_frame(after)
            async with self._making:
                if self._frame is not None and self._planes is not None and self._frame.number >= frame.number:
                    return self._frame, self._planes
                try:
                    planes = await asyncio.to_thread(_planes_of, frame.picture)
                except (PictureError, cv2.error):
                    # One damaged picture is passed over; a camera that sends nothing else turns lost by itself.
                    after = frame.number
                    continue
                self._frame, self._planes = frame, planes
                return frame, planes

    def forget(self) -> None:
        """Keep no picture once nobody looks."""
        self._frame = self._planes = None


class DocumentTrack(VideoStreamTrack):
    """What one viewer is sent: at most FRAMES_PER_SECOND, each time a frame object of its own."""

    def __init__(self, view: LiveView) -> None:
        super().__init__()
        self._view = view
        self._number = 0
        self._due = 0.0
        self._started: float | None = None
        self._pts = -1

    async def recv(self) -> VideoFrame:
        """The newest picture not sent before. The same object sent twice would make every later frame a key frame."""
        await self._wait_for_turn()
        frame, planes = await self._view.next_planes(self._number)
        if self.readyState != "live":
            raise MediaStreamError
        self._number = frame.number
        video = VideoFrame.from_ndarray(planes, format="yuv420p")
        video.pts = self._next_pts(frame.at)
        video.time_base = Fraction(1, _TICKS_PER_SECOND)
        return video

    async def _wait_for_turn(self) -> None:
        now = time.monotonic()
        await asyncio.sleep(max(0.0, self._due - now))
        # After a stall at most one frame comes early.
        self._due = max(self._due, now - _INTERVAL) + _INTERVAL

    def _next_pts(self, at: float) -> int:
        if self._started is None:
            self._started = at
        self._pts = max(self._pts + 1, round((at - self._started) * _TICKS_PER_SECOND))
        return self._pts


def _planes_of(picture: Picture) -> Bgr:
    return np.asarray(cv2.cvtColor(picture.live(), cv2.COLOR_BGR2YUV_I420), np.uint8)
