"""Stills on their way from the camera to one viewer: taken, cut, sent, acknowledged.

One still is under way at a time; whoever asks meanwhile is told `busy`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from etapalvelu.room.camera import Camera, CameraLostError
from etapalvelu.room.viewer import Viewer
from etapalvelu.tasks import spawn
from signaling import document, stills
from signaling.document import DocumentError, FromAgent, StillAck, StillBegin, StillMissing
from signaling.messages import StillTaken

log = logging.getLogger(__name__)

MOST_ROUNDS: Final = 5
# No page is looked for yet, so nothing is said about it.
VERDICT: Final = "unchecked"


class ViewerGoneError(Exception):
    """The data channel closed, or the viewer stopped answering."""


class Outlet(Protocol):
    """What a still needs of the viewer's data channel."""

    def send(self, message: FromAgent) -> None:
        """Send a message; a channel that has closed meanwhile takes it silently."""
        ...

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a chunk once there is room for it; raises ViewerGoneError."""
        ...

    async def answer(self, still_id: str) -> StillAck | StillMissing:
        """What the viewer says to a still; raises ViewerGoneError when it says nothing."""
        ...


class Stills:
    """Takes and delivers stills, one at a time. `taken` hears of each that arrived whole."""

    def __init__(self, camera: Camera, *, taken: Callable[[StillTaken], Awaitable[None]]) -> None:
        self._camera = camera
        self._taken = taken
        self._number = 0
        self._delivery: asyncio.Task[None] | None = None

    def refusal(self, viewer: Viewer) -> str | None:
        """The code of why this viewer gets no still now."""
        if viewer.seat not in document.CAPTURE_SEATS:
            return "not_allowed"
        if self._delivery is not None and not self._delivery.done():
            return "busy"
        return None if self._camera.status.camera == "ok" else "camera_lost"

    def deliver(self, still_id: str, outlet: Outlet) -> asyncio.Task[None]:
        """Take a still and bring it to the viewer, however many rounds that needs; busy at once, before the task begins."""
        self._delivery = spawn(self._deliver(still_id, outlet), name="still")
        return self._delivery

    async def _deliver(self, still_id: str, outlet: Outlet) -> None:
        try:
            still = await self._camera.still()
            self._number += 1
            begin = stills.begin(id=still_id, number=self._number, data=still.jpeg, width=still.width, height=still.height)
            await self._send(begin, still.jpeg, outlet)
        except CameraLostError:
            outlet.send(document.StillFailed(id=still_id, code="camera_lost"))
        except DocumentError:
            outlet.send(document.StillFailed(id=still_id, code="too_large"))
        except ViewerGoneError as error:
            log.warning("still was not delivered: %s", error)

    async def _send(self, begin: StillBegin, data: bytes, outlet: Outlet) -> None:
        outlet.send(begin)
        wanted: tuple[int, ...] | None = None
        for _ in range(MOST_ROUNDS):
            for chunk in stills.cut(begin, data, wanted):
                await outlet.send_chunk(chunk)
            outlet.send(document.StillEnd(id=begin.id))
            answer = await outlet.answer(begin.id)
            if isinstance(answer, StillAck):
                await self._arrived(begin, answer)
                return
            wanted = answer.chunks
        raise ViewerGoneError("the viewer misses chunks again and again")

    async def _arrived(self, begin: StillBegin, answer: StillAck) -> None:
        if answer.sha256 != begin.sha256:
            raise ViewerGoneError("the viewer acknowledged another picture")
        log.info("still delivered, bytes=%d", begin.size)
        note = StillTaken(sha256=begin.sha256, size=begin.size, width=begin.width, height=begin.height, verdict=VERDICT)
        await self._taken(note)
