"""The document as one stream for everybody who looks: one encoder, one thread, the newest picture only.

Each viewer has a feed of its own, so that one that falls behind begins anew with a key frame and keeps nobody waiting.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import av

from etapalvelu.room.camera import Frame
from etapalvelu.room.h264 import NOMINAL_FRAMES_PER_SECOND, TICKS_PER_SECOND, H264Encoder, VideoPacket
from etapalvelu.room.ladder import STEPS
from etapalvelu.room.line import Carried, Line
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.rate import START_BITS_PER_SECOND
from etapalvelu.tasks import spawn

log = logging.getLogger(__name__)

# A viewer may ask again and again while it has no picture; each key frame costs the line a whole page.
KEY_FRAME_SECONDS: Final = 0.5
# A large frame may use the line this long beyond its share; then the next one waits. It is a fifth of what may be late.
AHEAD_SECONDS: Final = 0.1
# A camera of just this many frames must not be made to wait for its turn each time, once one frame has come late.
PACE_TO_SPARE: Final = 1.05
# What a viewer has not fetched by then is past: it gets the present, beginning with a key frame.
MOST_WAITING: Final = 4
OLDEST_SECONDS: Final = 1.0
# Enough for the room's own screen to show where a sheet lies, while no expert is there to read it.
FRAMES_PER_SECOND_ALONE: Final = 2
# What is left of the video while a still is on its way.
YIELDING_FRAMES: Final = 0.75
YIELDING_BITS: Final = 0.5


class View(Protocol):
    """What is shown: the newest picture, as video planes (I420, both sides even)."""

    async def next_planes(self, after: int) -> tuple[Frame, Bgr]:
        """The newest picture numbered above `after`, at once where there is one; waits while the camera is away."""
        ...

    def forget(self) -> None:
        """Nobody looks any more: keep no picture."""
        ...


class Feed:
    """One viewer's end of the stream: a few packets at most, never a gap without a key frame after it."""

    def __init__(self, stream: "DocumentStream", line: Line, clock: Callable[[], float]) -> None:
        self.line = line
        self._stream = stream
        self._clock = clock
        self._waiting: deque[tuple[float, VideoPacket]] = deque()
        self._arrived = asyncio.Event()
        self._has_left = False
        self._rests = False
        self.needs_key_frame = True

    def put(self, packet: VideoPacket) -> None:
        """Take the stream's next packet, as far as it is of use."""
        if self._rests:
            return
        if packet.is_keyframe:
            self._waiting.clear()
            self.needs_key_frame = False
        elif len(self._waiting) >= MOST_WAITING:
            self._fall_behind()
        if not self.needs_key_frame:
            self._waiting.append((self._clock(), packet))
            self._arrived.set()

    async def next(self) -> VideoPacket | None:
        """The next packet to send, after a stall of the caller the present moment; None once left."""
        while not self._has_left:
            if self._waiting and self._clock() - self._waiting[0][0] > OLDEST_SECONDS:
                self._fall_behind()
            if self._waiting:
                return self._waiting.popleft()[1]
            # Only whoever takes packets is worth a key frame, which all others get too.
            if self.needs_key_frame:
                self._stream.ask_key_frame()
            self._arrived.clear()
            await self._arrived.wait()
        return None

    def leave(self) -> None:
        """Want no more packets."""
        self._has_left = True
        self._arrived.set()
        self._stream.part_with(self)

    def rest(self) -> None:
        """Take no packets for now: the line carries stills only."""
        self._rests = True
        self._fall_behind()

    def go_on(self) -> None:
        """Take packets, after a rest from a key frame on."""
        if self._rests:
            self._rests = False
            self._stream.ask_key_frame()

    def _fall_behind(self) -> None:
        self._waiting.clear()
        self.needs_key_frame = True


class DocumentStream:
    """Encodes while somebody looks and some line carries it. All of it but `_encode` belongs to the event loop.

    The slowest line sets rate and frames for all, so that everybody points at the same picture; a line that carries stills only
    is left out.
    """

    def __init__(self, view: View, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self._clock = clock
        self._feeds: list[Feed] = []
        self._running: asyncio.Task[None] | None = None
        self._greeting: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        # Its thread is started with the first picture, and it alone touches the encoder.
        self._worker = ThreadPoolExecutor(1, "encoder")
        self._encoder: H264Encoder | None = None
        self._is_failing = False
        self._number = 0
        self._pts = -1
        self._started = clock()
        self._due = self._line_free_at = 0.0
        self._frames_per_second = STEPS[0].frames_per_second
        self._bits_per_second = float(START_BITS_PER_SECOND)
        self._frame_bits = 0.0
        self._is_moving = asyncio.Event()
        self._yielding = 0
        self._key_frame_at: float | None = None
        self._key_frame_wanted = False

    @property
    def frames_per_second(self) -> float:
        """How many are asked for; the picture may change more seldom."""
        if all(feed.line.is_in_room for feed in self._feeds):
            return min(self._frames_per_second, FRAMES_PER_SECOND_ALONE)
        return self._frames_per_second * (YIELDING_FRAMES if self._yielding else 1)

    @property
    def bits_per_second(self) -> float:
        return self._bits_per_second * (YIELDING_BITS if self._yielding else 1)

    @property
    def is_idle(self) -> bool:
        """Nobody looks, and nothing is encoded."""
        return self._running is None

    @contextlib.contextmanager
    def yielding(self) -> Iterator[None]:
        """For as long as a still is on its way: fewer frames (three in four) and half the bits, and no line is judged by it."""
        lines = [feed.line for feed in self._feeds]
        self._yielding += 1
        for line in lines:
            line.begin_yielding()
        try:
            yield
        finally:
            self._yielding -= 1
            for line in lines:
                line.end_yielding(self._clock())

    def join(self, line: Line) -> Feed:
        """Look from now on over this line: a key frame of the newest picture is made at once."""
        feed = Feed(self, line, self._clock)
        self._feeds.append(feed)
        line.changed = self._settle
        self._settle()
        if self._running is None:
            self._running = spawn(self._run(), name="document stream")
        if self._greeting is None or self._greeting.done():
            self._greeting = spawn(self._greet(), name="first picture")
        return feed

    def part_with(self, feed: Feed) -> None:
        """Look no more; when nobody does, nothing is encoded."""
        if feed in self._feeds:
            self._feeds.remove(feed)
            feed.line.changed = feed.line.say_own
            if self._feeds:
                self._settle()
            else:
                self._pause()

    def hush(self, seconds: float) -> None:
        """Make no picture for that long, while nobody but the room looks."""
        if all(feed.line.is_in_room for feed in self._feeds):
            self._due = max(self._due, self._clock() + seconds)

    def ask_key_frame(self) -> None:
        """Let the next picture be a key frame, or the first one that may be again."""
        self._key_frame_wanted = True

    def _settle(self) -> None:
        """Let rate and frames be what the slowest line carries, and tell every line what it gets."""
        for feed in self._feeds:
            if feed.line.frames_per_second:
                feed.go_on()
            else:
                feed.rest()
                feed.line.say_own()
        moving = [feed.line for feed in self._feeds if feed.line.frames_per_second]
        if not moving:
            self._is_moving.clear()
            return
        slowest = min(moving, key=lambda line: line.frames_per_second)
        self._frames_per_second = slowest.frames_per_second
        self._bits_per_second = min(line.bits_per_second for line in moving)
        self._is_moving.set()
        for line in moving:
            line.say(Carried(step=slowest.step, frames_per_second=slowest.frames_per_second))

    def close(self) -> None:
        """End for good; every viewer has gone, or is about to."""
        self._feeds.clear()
        self._pause()
        self._worker.shutdown(wait=False)

    def _pause(self) -> None:
        for task in (self._running, self._greeting):
            if task is not None:
                task.cancel()
        self._running = self._greeting = None
        self._worker.submit(self._forget)
        self.view.forget()

    async def _run(self) -> None:
        while True:
            await self._wait_for_turn()
            await self._send(*await self.view.next_planes(self._number))

    async def _greet(self) -> None:
        """A newcomer waits neither for the camera's next picture nor for its turn."""
        frame, planes = await self.view.next_planes(0)
        await self._send(frame, planes, greets=True)

    async def _wait_for_turn(self) -> None:
        await self._is_moving.wait()
        now, interval = self._clock(), 1 / (PACE_TO_SPARE * self.frames_per_second)
        await asyncio.sleep(max(0.0, self._due - now, self._line_free_at - AHEAD_SECONDS - now))
        # After a stall at most one frame comes early.
        self._due = max(self._due, now - interval) + interval

    async def _send(self, frame: Frame, planes: Bgr, *, greets: bool = False) -> None:
        """Encode a picture and hand it to every viewer."""
        async with self._turn:
            # The greeting of a newcomer may have come before us with this picture, or with a later one.
            if frame.number <= self._number and not greets:
                return
            if greets and not any(feed.needs_key_frame for feed in self._feeds):
                return
            is_key = greets or self._may_be_key_frame()
            packet = await self._encoded(planes, self._next_pts(frame.at), is_key=is_key)
            self._number = max(self._number, frame.number)
        if packet is None:
            return
        if packet.is_keyframe:
            self._key_frame_at, self._key_frame_wanted = self._clock(), False
        now, bits = self._clock(), packet.size * 8
        self._line_free_at = max(self._line_free_at, now) + bits / self.bits_per_second
        self._frame_bits += (bits - self._frame_bits) / self._frames_per_second
        for feed in self._feeds:
            feed.line.frame_bits = self._frame_bits
            feed.put(packet)

    async def _encoded(self, planes: Bgr, pts: int, *, is_key: bool) -> VideoPacket | None:
        per_frame = self.bits_per_second / self.frames_per_second
        loop = asyncio.get_running_loop()
        try:
            packet = await loop.run_in_executor(self._worker, self._encode, planes, pts, is_key, per_frame)
        except (av.FFmpegError, ValueError):
            # A picture that cannot be encoded ends nothing, and a camera that sends many is told of once.
            if not self._is_failing:
                log.exception("a picture could not be encoded")
            packet = None
        self._is_failing = packet is None
        return packet

    def _may_be_key_frame(self) -> bool:
        is_early = self._key_frame_at is not None and self._clock() - self._key_frame_at < KEY_FRAME_SECONDS
        return self._key_frame_wanted and not is_early

    def _next_pts(self, at: float) -> int:
        self._pts = max(self._pts + 1, round((at - self._started) * TICKS_PER_SECOND))
        return self._pts

    # In the worker's thread.

    def _encode(self, planes: Bgr, pts: int, is_key: bool, bits_per_frame: float) -> VideoPacket:
        size = planes.shape[1], planes.shape[0] * 2 // 3
        rate = bits_per_frame * NOMINAL_FRAMES_PER_SECOND
        try:
            if self._encoder is None or self._encoder.size != size:
                self._encoder = H264Encoder(*size)
            return self._encoder.encode(planes, pts, is_key=is_key, bits_per_second=rate)
        except BaseException:
            # What state it is in nobody knows.
            self._forget()
            raise

    def _forget(self) -> None:
        self._encoder = None
