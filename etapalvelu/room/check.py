"""The room PC looks at itself when it is asked to, and tells the server what it found. A session goes before any check."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from etapalvelu.room.camera import Camera
from etapalvelu.room.check_camera import camera_findings
from etapalvelu.room.check_line import LineCheck
from etapalvelu.room.check_machine import machine_findings
from etapalvelu.room.check_routes import route_findings
from etapalvelu.room.finding import CODES, Finding
from etapalvelu.room.live import Event
from etapalvelu.room.server import CheckSheet, Server, ServerAwayError, ServerRefusedError
from etapalvelu.tasks import spawn

log = logging.getLogger(__name__)

# A part that takes longer is told as one that gave no answer.
PART_SECONDS: Final = 20.0
TOLD_TIMES: Final = 3
TELL_AGAIN_SECONDS: Final = 2.0

_NEEDS_SERVER: Final = ("bandwidth_up", "bandwidth_down", "loss", "round_trip", "server_socket", "clock")
_ROUTES: Final = ("direct_path", "relay_udp", "relay_tcp", "relay_tls")


class _Asked(Struct, frozen=True):
    run: str


class RoomCheck:
    """One agent's. `findings` looks once; `hear` and `attend` let the server ask and a session come between."""

    def __init__(
        self, camera: Camera, *, server: Server, state_dir: Path, trust: ssl.SSLContext | None, now: Callable[[], datetime]
    ) -> None:
        self._camera = camera
        self._server = server
        self._state_dir = state_dir
        self._trust = trust
        self._now = now
        self._run = ""
        self._is_busy = False
        self._looking: asyncio.Task[None] | None = None

    def hear(self, event: Event) -> None:
        """One event of the server's stream; all but the asking for a check are passed over."""
        if event.name != "check":
            return
        try:
            run = msgspec.json.decode(event.data, type=_Asked).run
        except msgspec.DecodeError:
            log.warning("the server's asking for a check cannot be read")
            return
        if run == self._run or self._is_busy:
            return
        self._run = run
        self._end()
        self._looking = spawn(self._look(), name="room check")

    def attend(self, is_busy: bool) -> None:
        """A session is on, or no more: a check that runs is given up for it."""
        self._is_busy = is_busy
        if is_busy:
            self._end()

    async def close(self) -> None:
        looking = self._looking
        self._end()
        if looking is not None:
            await asyncio.wait([looking])

    async def findings(self) -> list[Finding]:
        """Everything that is looked at, once each, in the order of `CODES`; takes less than 30 s whatever is wrong."""
        camera = spawn(camera_findings(self._camera), name="camera check")
        found = [*machine_findings(self._state_dir)]
        line = LineCheck(self._server, trust=self._trust, now=self._now)
        try:
            sheet, reached = await line.reached()
            found += reached
            # The camera's pictures and the measuring of the line take different things of the machine.
            found += await self._part(self._routes(sheet), _ROUTES)
            if sheet is not None:
                found += await self._part(line.measured(), _NEEDS_SERVER)
            found += await self._part(camera, tuple(code for code in CODES if code.startswith("document_camera")))
        finally:
            camera.cancel()
        known = {finding.code: finding for finding in found}
        return [known.get(code, Finding(code=code, result="skipped", note="no_answer")) for code in CODES]

    async def _routes(self, sheet: CheckSheet | None) -> list[Finding]:
        if sheet is None:
            return await route_findings([], relay_only=False)
        return await route_findings(sheet.ice_servers, relay_only=sheet.ice_transport_policy == "relay")

    async def _part(self, looking: Awaitable[list[Finding]], codes: tuple[str, ...]) -> list[Finding]:
        try:
            async with asyncio.timeout(PART_SECONDS):
                return await looking
        except TimeoutError:
            log.warning("a part of the check took too long: %s", ", ".join(codes))
            return [Finding(code=code, result="failed", note="no_answer") for code in codes]

    async def _look(self) -> None:
        found = await self.findings()
        log.info("the room was checked: %s", _in_a_line(found))
        await self.tell(found)

    async def tell(self, found: list[Finding]) -> bool:
        """Report what was found; False when the server could not be told."""
        for tried in range(TOLD_TIMES):
            if tried:
                await asyncio.sleep(TELL_AGAIN_SECONDS)
            try:
                await self._server.report_check(version("etapalvelu"), found)
            except ServerAwayError as error:
                log.warning("the check could not be reported: %s", error)
            except ServerRefusedError as error:
                log.warning("the check was not taken: %s", error)
                return False
            else:
                return True
        return False

    def _end(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None


def _in_a_line(found: list[Finding]) -> str:
    bad = [f"{finding.code} {finding.result}" for finding in found if finding.result in ("warn", "failed")]
    return ", ".join(bad) or "everything works"
