"""What the server says of the camera, done: its settings are taken over and kept, and a set-up is shown the table.

A session goes before any set-up.
"""

import asyncio
import logging
from pathlib import Path

import msgspec

from etapalvelu.room import settings as kept
from etapalvelu.room.camera import Camera
from etapalvelu.room.live import Event
from etapalvelu.room.server import Server
from etapalvelu.room.settings import CameraNews, CameraSettings, source_of
from etapalvelu.room.setup import SetUp
from etapalvelu.room.source import Source
from etapalvelu.tasks import spawn

log = logging.getLogger(__name__)


class CameraCare:
    """One agent's. `given` is the source of the command line, where it names one."""

    def __init__(
        self, camera: Camera, *, server: Server, state_dir: Path, given: Source | None, settings: CameraSettings
    ) -> None:
        self._camera = camera
        self._server = server
        self._state_dir = state_dir
        self._given = given
        self._settings = settings
        self._setup = ""
        self._is_busy = False
        self._showing: asyncio.Task[None] | None = None

    def hear(self, event: Event) -> None:
        """One event of the server's stream; those that say nothing of the camera are passed over."""
        if event.name != "camera":
            return
        try:
            news = msgspec.json.decode(event.data, type=CameraNews)
        except msgspec.DecodeError:
            log.warning("the server's camera settings cannot be read")
            return
        if news.settings != self._settings:
            self._take_over(news.settings)
        if news.setup != self._setup:
            self._setup = news.setup
            self._show()

    def attend(self, is_busy: bool) -> None:
        """A session is on, or no more: while it is, nobody is shown the table."""
        if is_busy != self._is_busy:
            self._is_busy = is_busy
            self._show()

    async def close(self) -> None:
        self._setup = ""
        showing = self._showing
        self._show()
        if showing is not None:
            await asyncio.wait([showing])

    def _take_over(self, settings: CameraSettings) -> None:
        self._settings = settings
        if self._given is not None and settings.source:
            log.info("--camera names the source; the one set on the server is passed over")
        self._camera.change(source_of(settings, self._given), settings.framing)
        kept.save(self._state_dir, settings)

    def _show(self) -> None:
        """Begin to show the table, or end it, whichever is due."""
        if self._showing is not None:
            self._showing.cancel()
            self._showing = None
        if self._setup and not self._is_busy:
            setup = SetUp(self._setup, server=self._server, camera=self._camera, is_given=self._given is not None)
            self._showing = spawn(setup.run(), name="camera set-up")
