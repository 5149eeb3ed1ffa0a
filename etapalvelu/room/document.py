"""The data channel `document` with one viewer: the camera's heartbeat, and what the viewer asks for."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from aiortc import RTCDataChannel

from etapalvelu.room.camera import Camera, CameraStatus
from etapalvelu.room.line import Carried
from etapalvelu.room.still import ANSWER_SECONDS, ChannelClosedError, Stills, ViewerGoneError
from etapalvelu.room.tabletop import Tabletop
from etapalvelu.room.viewer import Viewer
from etapalvelu.tasks import spawn
from signaling import document
from signaling.document import (
    AddMark,
    Capture,
    DocumentError,
    FromAgent,
    KeyFrame,
    MarkClear,
    MarkUndo,
    PointAt,
    PointEnd,
    SetView,
    StillAck,
    StillDropped,
    StillMissing,
)
from signaling.messages import Seat

log = logging.getLogger(__name__)

# Beyond this the sender waits: more would only lengthen the way of the next heartbeat.
BUFFERED_BYTES: Final = 512 * 1024
# What tells how things stand at this moment does not join a longer queue.
CLOGGED_BYTES: Final = 64 * 1024


class DocumentChannel:
    """One viewer's channel, from the making of the connection to its end."""

    def __init__(
        self, viewer: Viewer, *, camera: Camera, taking: Stills, tabletop: Tabletop, now: Callable[[], datetime]
    ) -> None:
        self._viewer = viewer
        self._channel: RTCDataChannel = viewer.channel
        self._camera = camera
        self._stills = taking
        self._tabletop = tabletop
        self._now = now
        self._room = asyncio.Event()
        self._has_successor = False
        self._channel.bufferedAmountLowThreshold = BUFFERED_BYTES // 2
        self._channel.on("open", self._opened)
        self._channel.on("message", self._received)
        self._channel.on("bufferedamountlow", self._room.set)
        self._channel.on("close", self._closed)
        viewer.line.listen(self.tell_line)
        self._beating: asyncio.Task[None] | None = None

    @property
    def seat(self) -> Seat:
        """Who sits at the other end."""
        return self._viewer.seat

    @property
    def is_open(self) -> bool:
        return self._channel.readyState == "open"

    @property
    def _takes_chunks(self) -> bool:
        return self.is_open and not self._has_successor

    @property
    def has_room(self) -> bool:
        """What is sent now goes out soon."""
        return self._channel.bufferedAmount < CLOGGED_BYTES

    def send(self, message: FromAgent) -> None:
        """Send a message; a channel that has closed meanwhile takes it silently."""
        if self.is_open:
            self._channel.send(document.encode(message))

    def tell(self, status: CameraStatus) -> None:
        """Say how the camera is."""
        is_ok = status.camera == "ok"
        at = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        width, height = (status.width, status.height) if is_ok else (None, None)
        self.send(document.Status(camera=status.camera, at=at, width=width, height=height))

    def tell_line(self, carried: Carried) -> None:
        """Say how many frames the line carries."""
        self.send(document.Line(step=carried.step, frames_per_second=carried.frames_per_second))

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a chunk once there is room for it; raises ViewerGoneError, ChannelClosedError when the channel is no more."""
        while self._takes_chunks and self._channel.bufferedAmount > BUFFERED_BYTES:
            self._room.clear()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._room.wait()
            except TimeoutError:
                raise ViewerGoneError("the line takes no more") from None
        if not self._takes_chunks:
            raise ChannelClosedError("the channel closed, or has a successor")
        self._channel.send(chunk)

    def end_chunks(self) -> None:
        """Raise ChannelClosedError at whoever waits for room, or sends a chunk later."""
        self._has_successor = True
        self._room.set()

    def close(self) -> None:
        """End the heartbeat, and look no more."""
        self._tabletop.left(self)
        if self._beating is not None:
            self._beating.cancel()

    def _opened(self) -> None:
        self._beating = spawn(self._beat(), name=f"heartbeat to {self._viewer.seat}")
        self.tell_line(self._viewer.line.carried)
        self._tabletop.joined(self)
        self._stills.opened(self)

    def _closed(self) -> None:
        self._room.set()
        self._stills.closed(self)
        self.close()

    async def _beat(self) -> None:
        while self.is_open:
            self.tell(self._camera.status)
            await asyncio.sleep(document.STATUS_SECONDS)

    def _received(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            log.warning("%s sent bytes where messages are expected", self._viewer.seat)
            return
        try:
            message = document.decode_from_viewer(data)
        except DocumentError:
            self._refuse(data)
            return
        match message:
            case Capture():
                self._stills.ask(message.id, self)
            case StillAck() | StillMissing() | StillDropped():
                self._stills.heard(self.seat, message)
            case KeyFrame():
                self._viewer.send_key_frame()
            case SetView() | PointAt() | PointEnd() | AddMark() | MarkUndo() | MarkClear():
                self._tabletop.receive(self, message)

    def _refuse(self, text: str) -> None:
        """Answer what cannot be read, where it was meant for us."""
        log.warning("%s sent a message that is not known", self._viewer.seat)
        tag = document.tag_in(text)
        if tag is not None:
            self.send(document.Refused(what=tag, code="bad_message"))
