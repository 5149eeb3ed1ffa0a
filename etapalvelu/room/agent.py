"""The room agent: pairs once, then follows the server and shows the document in every session of its room.

The camera is open from start to end, so that a session finds it ready and its loss is known before a customer comes.
"""

import asyncio
import contextlib
import logging
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
import cv2

from etapalvelu.room import credential, live
from etapalvelu.room.call import DocumentCall
from etapalvelu.room.camera import Camera, CameraStatus
from etapalvelu.room.capture import CaptureError, proven
from etapalvelu.room.care import CameraCare
from etapalvelu.room.check import RoomCheck
from etapalvelu.room.encoder import raise_ceiling
from etapalvelu.room.finding import Finding
from etapalvelu.room.pixels import PictureError
from etapalvelu.room.rate import KnownRates
from etapalvelu.room.relay import Relays
from etapalvelu.room.server import Server, ServerAwayError, ServerRefusedError, checked_address, client_session
from etapalvelu.room.settings import load as load_settings
from etapalvelu.room.settings import source_of
from etapalvelu.room.source import Source, SourceError, device_name, parse_source
from etapalvelu.tasks import spawn
from signaling.client import LONGEST_ASKED_SECONDS
from signaling.errors import RefusedError

log = logging.getLogger(__name__)

REPORT_SECONDS: Final = 30.0
FIRST_RETRY_SECONDS: Final = 0.5
LAST_RETRY_SECONDS: Final = 10.0
SEAT_RETRY_SECONDS: Final = 3.0
# How long a check waits to give its pairing code.
PAIR_SECONDS: Final = 15.0


class RoomError(Exception):
    """The agent cannot start or go on; the text is the one line to show, and the exit code is 1."""


@dataclass(frozen=True, kw_only=True)
class RoomSettings:
    """What `etapalvelu room` is told. `camera` None leaves the source to the server; `ca_file` or `ssl_context` is for servers
    no public authority vouches for.
    """

    server: str
    state_dir: Path
    camera: str | None = None
    pair: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    ssl_context: ssl.SSLContext | None = None


async def run_agent(settings: RoomSettings, stop: asyncio.Event | None = None) -> None:
    """Run until SIGTERM or SIGINT, or until `stop` is set where the caller gives one; raises RoomError."""
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with _at_work(settings) as agent:
        await agent.run(stop)


async def check_room(settings: RoomSettings) -> tuple[list[Finding], bool]:
    """Look at everything once; tells what was found and whether the server knows it too. Raises RoomError."""
    async with _at_work(settings) as agent:
        return await agent.look()


@asynccontextmanager
async def _at_work(settings: RoomSettings) -> AsyncIterator["RoomAgent"]:
    """The agent with its camera open."""
    given = None if settings.camera is None else await _source(settings.camera)
    kept = load_settings(settings.state_dir)
    try:
        address = checked_address(settings.server)
    except ValueError as error:
        raise RoomError(str(error)) from error
    # The encoder needs the cores that OpenCV would take.
    cv2.setNumThreads(1)
    raise_ceiling()
    # They name addresses of both sides below this level.
    for library in ("aioice", "aiortc"):
        logging.getLogger(library).setLevel(logging.WARNING)
    camera = Camera(source_of(kept, given), framing=kept.framing)
    await camera.start()
    try:
        async with client_session(_trust(settings)) as http:
            server = Server(http, address)
            care = CameraCare(camera, server=server, state_dir=settings.state_dir, given=given, settings=kept)
            yield RoomAgent(settings, server=server, http=http, camera=camera, care=care)
    finally:
        await camera.stop()


class RoomAgent:
    """One room's agent with a camera that is open. `run` ends when `stop` is set."""

    def __init__(
        self,
        settings: RoomSettings,
        *,
        server: Server,
        http: aiohttp.ClientSession,
        camera: Camera,
        care: CameraCare,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),  # noqa: TID251 - the default clock itself
    ) -> None:
        self._settings = settings
        self._server = server
        self._http = http
        self._camera = camera
        self._care = care
        self._now = now
        self._rates = KnownRates()
        self._relays = Relays()
        self._check = RoomCheck(camera, server=server, state_dir=settings.state_dir, trust=_trust(settings), now=now)
        self._camera_changed = asyncio.Event()
        self._session: str | None = None
        self._call: DocumentCall | None = None
        self._attending: asyncio.Task[None] | None = None
        camera.listen(self._hear_camera)

    async def run(self, stop: asyncio.Event) -> None:
        """Pair if need be, then attend sessions; raises RoomError when the server no longer knows this agent."""
        work = spawn(self._work_until_refused(), name="room agent")
        ending = spawn(stop.wait(), name="wait for the end")
        try:
            await asyncio.wait([work, ending], return_when=asyncio.FIRST_COMPLETED)
            refusal = work.result() if work.done() else None
        finally:
            for task in (work, ending):
                task.cancel()
            await asyncio.wait([work, ending])
            await self._turn_to(None)
            await self._care.close()
            await self._check.close()
            log.info("room agent ends")
        if refusal is not None:
            raise refusal

    async def look(self) -> tuple[list[Finding], bool]:
        """See `check_room`."""
        try:
            async with asyncio.timeout(PAIR_SECONDS):
                await self._pair()
        except TimeoutError:
            raise RoomError(f"the server {self._server.address} does not answer, so the pairing code cannot be used") from None
        found = await self._check.findings()
        return found, await self._check.tell(found)

    async def _work_until_refused(self) -> RoomError | None:
        """The refusal is handed back, not raised: it is one line for a person, no fault of a task."""
        try:
            await self._work()
        except RoomError as error:
            return error
        return None

    async def _work(self) -> None:
        await self._pair()
        reporting = spawn(self._report(), name="camera reports")
        try:
            async with aclosing(live.sessions(self._server, self._hear)) as news:
                async for session in news:
                    await self._turn_to(session)
        except ServerRefusedError as error:
            raise RoomError("the server does not know this room agent any more: pair it anew with --pair CODE") from error
        finally:
            reporting.cancel()

    async def _pair(self) -> None:
        """Have a credential: from a pairing code if one is given and good, otherwise the kept one."""
        address, directory = self._server.address, self._settings.state_dir
        try:
            kept = credential.load(directory, address)
            if self._settings.pair is not None:
                kept = await self._give_code(self._settings.pair, kept)
                credential.save(directory, address, kept)
        except credential.CredentialError as error:
            raise RoomError(str(error)) from error
        if kept is None:
            raise RoomError("this room agent is not paired: get a code from the admin page and start it with --pair CODE")
        self._server.credential = kept

    async def _give_code(self, code: str, kept: str | None) -> str:
        retry = FIRST_RETRY_SECONDS
        while True:
            try:
                paired = await self._server.pair(code)
            except ServerAwayError as error:
                log.warning("cannot pair yet: %s", error)
                await asyncio.sleep(max(retry, min(error.retry_after, LONGEST_ASKED_SECONDS)))
                retry = min(retry * 2, LAST_RETRY_SECONDS)
            except ServerRefusedError as error:
                if kept is None:
                    raise RoomError(f"the pairing code was refused ({error.code}): get a new one") from error
                # A code works once; a service that starts with the same command line again has its credential.
                log.info("the pairing code was refused, the kept credential is used")
                return kept
            else:
                if paired.kind != "agent":
                    raise RoomError(f"this pairing code is for a {paired.kind}, not for a room agent")
                log.info("paired, room=%s", paired.room)
                return paired.credential

    async def _turn_to(self, session: str | None) -> None:
        """Attend this session and no other."""
        self._care.attend(session is not None)
        self._check.attend(session is not None)
        is_attending = self._attending is not None and not self._attending.done()
        if session == self._session and (is_attending or session is None):
            return
        if self._attending is not None:
            if self._call is not None:
                await self._call.leave()
            self._attending.cancel()
            await asyncio.wait([self._attending])
        self._session, self._call, self._attending = session, None, None
        if session is not None:
            self._attending = spawn(self._attend(session), name="session")

    async def _attend(self, session: str) -> None:
        """Sit in the session's call until it is closed; a refusal may be a matter of moments."""
        while True:
            call = DocumentCall(
                session,
                server=self._server,
                http=self._http,
                camera=self._camera,
                now=self._now,
                rates=self._rates,
                relays=self._relays,
            )
            self._call = call
            try:
                await call.run()
            except RefusedError as error:
                log.warning("no seat in the session: %s", error.code)
                if error.code == "replaced":
                    return
            # A fault of ours must not leave the room without its camera for the rest of the session.
            except Exception:
                log.exception("the call ended by a fault")
            else:
                return
            await asyncio.sleep(SEAT_RETRY_SECONDS)

    async def _report(self) -> None:
        """Tell the server how the camera is, on every change and now and then."""
        retry = FIRST_RETRY_SECONDS
        while True:
            self._camera_changed.clear()
            wait = REPORT_SECONDS
            try:
                await self._server.report(self._camera.status, device_name(self._camera.source))
                retry = FIRST_RETRY_SECONDS
            except (ServerAwayError, ServerRefusedError) as error:
                log.debug("the camera could not be reported: %s", error)
                wait, retry = retry, min(retry * 2, LAST_RETRY_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._camera_changed.wait()

    def _hear(self, event: live.Event) -> None:
        """One event of the server's stream that tells of no session."""
        self._care.hear(event)
        self._check.hear(event)

    def _hear_camera(self, status: CameraStatus) -> None:
        self._camera_changed.set()
        if self._call is not None:
            self._call.tell(status)


async def _source(text: str) -> Source:
    """The camera source, tried where it is a file; raises RoomError with the one line to show."""
    try:
        return await asyncio.to_thread(lambda: proven(parse_source(text)))
    except SourceError as error:
        raise RoomError(str(error)) from error
    except (CaptureError, PictureError, cv2.error) as error:
        raise RoomError(f"camera source {text} does not open: {error}") from error


def _trust(settings: RoomSettings) -> ssl.SSLContext | None:
    if settings.ssl_context is not None or settings.ca_file is None:
        return settings.ssl_context
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise RoomError(f"CA file {settings.ca_file} cannot be used: {error.strerror or error}") from error
