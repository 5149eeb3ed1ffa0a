"""The camera as a video track: always the newest picture, never a queue of old ones.

A stalled sender that comes back gets the present moment, not what it missed.
"""

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import cv2
import numpy as np
from aiortc import MediaStreamTrack
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from etapalvelu.room.camera import Camera, Frame
from etapalvelu.room.encoder import Codec
from etapalvelu.room.h264 import TICKS_PER_SECOND, VideoPacket
from etapalvelu.room.line import Line
from etapalvelu.room.pixels import Bgr, PictureError
from etapalvelu.room.stream import PACE_TO_SPARE, DocumentStream, Feed

# How often a line that carries stills only is asked whether it is better.
_STILL_SECONDS: Final = 0.5


def whole_table(frame: Frame) -> Bgr | None:
    """The picture as the camera sees it."""
    return frame.picture.live()


class LiveView:
    """The camera's pictures as video planes, made once for all viewers.

    `show`, called in a worker thread and never twice at once, makes of a frame what is sent; None passes the frame over.
    """

    def __init__(self, camera: Camera, *, show: Callable[[Frame], Bgr | None] = whole_table) -> None:
        self._camera = camera
        self._show = show
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
                    planes = await asyncio.to_thread(self._planes_of, frame)
                except (PictureError, cv2.error):
                    # One damaged picture is passed over; a camera that sends nothing else turns lost by itself.
                    planes = None
                if planes is None:
                    after = frame.number
                    continue
                self._frame, self._planes = frame, planes
                return frame, planes

    def forget(self) -> None:
        """Keep no picture once nobody looks."""
        self._frame = self._planes = None

    def _planes_of(self, frame: Frame) -> Bgr | None:
        picture = self._show(frame)
        return None if picture is None else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)


class DocumentTrack(MediaStreamTrack):
    """What one viewer is sent: the shared stream's packets, or pictures for an encoder of its own where it knows no H264."""

    kind = "video"

    def __init__(self, stream: DocumentStream, line: Line) -> None:
        super().__init__()
        self.frames_sent = 0
        self._stream = stream
        self._line = line
        self._codec: Codec | None = None
        self._settled = asyncio.Event()
        self._feed: Feed | None = None
        self._number = 0
        self._due = 0.0
        self._started: float | None = None
        self._pts = -1

    def agree(self, codec: Codec) -> None:
        """What both sides understand, known from the answer; nothing is sent before."""
        self._codec = codec
        self._settled.set()

    async def recv(self) -> VideoFrame | VideoPacket:
        """What to send next, never a second time; raises MediaStreamError at the end of the track."""
        await self._settled.wait()
        if self.readyState == "live":
            data = await (self._next_packet() if self._codec == "H264" else self._next_frame())
            if data is not None and self.readyState == "live":
                self.frames_sent += 1
                return data
        raise MediaStreamError

    def ask_key_frame(self) -> None:
        """Begin the shared stream anew as soon as may be."""
        self._stream.ask_key_frame()

    def stop(self) -> None:
        super().stop()
        self._settled.set()
        if self._feed is not None:
            self._feed.leave()

    async def _next_packet(self) -> VideoPacket | None:
        if self._feed is None:
            self._feed = self._stream.join(self._line)
        return await self._feed.next()

    async def _next_frame(self) -> VideoFrame:
        """The same object sent twice would make every later frame a key frame."""
        await self._wait_for_turn()
        frame, planes = await self._stream.view.next_planes(self._number)
        self._number = frame.number
        video = VideoFrame.from_ndarray(planes, format="yuv420p")
        video.pts = self._next_pts(frame.at)
        video.time_base = Fraction(1, TICKS_PER_SECOND)
        return video

    async def _wait_for_turn(self) -> None:
        while not self._line.frames_per_second:  # noqa: ASYNC110 - such a line is in no hurry
            await asyncio.sleep(_STILL_SECONDS)
        now, interval = time.monotonic(), 1 / (PACE_TO_SPARE * self._line.frames_per_second)
        await asyncio.sleep(max(0.0, self._due - now))
        # After a stall at most one frame comes early.
        self._due = max(self._due, now - interval) + interval

    def _next_pts(self, at: float) -> int:
        if self._started is None:
            self._started = at
        self._pts = max(self._pts + 1, round((at - self._started) * TICKS_PER_SECOND))
        return self._pts
