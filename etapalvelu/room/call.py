"""The camera's part in one call: takes the seat `camera` and shows the document, until the call is closed."""

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from datetime import datetime
from typing import Final

import aiohttp

from etapalvelu.room.audience import Audience
from etapalvelu.room.camera import Camera, CameraStatus
from etapalvelu.room.document import DocumentChannel
from etapalvelu.room.rate import KnownRates
from etapalvelu.room.relay import Relays
from etapalvelu.room.server import Server, ServerAwayError, ServerRefusedError
from etapalvelu.room.shot import VISION
from etapalvelu.room.still import Stills
from etapalvelu.room.tabletop import Tabletop
from etapalvelu.room.track import LiveView
from etapalvelu.room.viewer import Viewer
from etapalvelu.room.watch import HUSH_SECONDS, SIGHT
from etapalvelu.tasks import spawn
from signaling.client import CallClient
from signaling.errors import RefusedError
from signaling.messages import (
    ROOM_SEATS,
    CallClosed,
    CandidateFrom,
    DescriptionFrom,
    Error,
    FromServer,
    Noted,
    RestartFrom,
    SeatJoined,
    SeatLeft,
    SeatPromised,
    StillTaken,
    Welcome,
)

log = logging.getLogger(__name__)

# Relay credentials are short-lived; an offer that waits for an expert is made anew before they end.
RENEW_SECONDS: Final = 240.0
# So are connections that go through a relay, by this share of the credentials' time; the first look at them comes earlier.
RENEW_SHARE: Final = 0.5
LOOK_SHARE: Final = 0.25
BYE_SECONDS: Final = 1.0
# Leaves the wire's million of generations room to count on.
MOST_FIRST: Final = 900_000


class DocumentCall:
    """One session's call, from `run` to its end. `leave` may come at any time, from another task."""

    def __init__(
        self,
        session: str,
        *,
        server: Server,
        http: aiohttp.ClientSession,
        camera: Camera,
        now: Callable[[], datetime],
        rates: KnownRates | None = None,
        relays: Relays | None = None,
    ) -> None:
        self._session = session
        self._server = server
        self._camera = camera
        self._now = now
        self._tabletop = Tabletop(camera, vision=SIGHT, now=now)
        self._view = LiveView(camera, show=self._tabletop.view.show)
        self._client = CallClient(server.call_address, self._ticket, http)
        self._relays = relays or Relays()
        # How long the relay credentials we have are good.
        self._ice_seconds = math.inf
        self._was_seated = asyncio.Event()
        self._audience = Audience(
            view=self._view,
            send=self._client.send,
            furnish=self._furnish,
            rates=rates,
            relays=self._relays,
            # An agent that was started anew counts on: a number it has used is known with other certificates, of which there
            # cannot be two unless somebody stands between. In tenths of a second: it may be there again at once.
            before_first=int(now().timestamp() * 10) % MOST_FIRST,
        )
        self._stills = Stills(
            camera, taken=self._note, vision=VISION, sheet=self._tabletop.watch, yielding=self._audience.stream.yielding
        )
        self._channels: dict[Viewer, DocumentChannel] = {}

    async def run(self) -> None:
        """Hold the seat until the call is closed or left; raises RefusedError when the server does not let us sit."""
        renewing = spawn(self._renew(), name="relay credentials")
        try:
            async for message in self._client:
                await self._receive(message)
        finally:
            renewing.cancel()
            await self._close()

    async def leave(self) -> None:
        """Give the seat up with a bye; `run` ends soon after."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(BYE_SECONDS):
                await self._client.close()

    def tell(self, status: CameraStatus) -> None:
        """Say to every viewer how the camera is, without waiting for the next heartbeat."""
        for channel in self._channels.values():
            channel.tell(status)

    async def _receive(self, message: FromServer) -> None:
        match message:
            case Welcome():
                log.info("seat taken, present=%d", len(message.present))
                self._audience.welcome(message)
            case SeatJoined():
                self._audience.joined(message)
                if message.seat not in ROOM_SEATS:
                    self._audience.stream.hush(HUSH_SECONDS)
                    self._tabletop.watch.hush(HUSH_SECONDS)
            case SeatLeft():
                self._audience.left(message)
                self._stills.left(message.seat)
            case DescriptionFrom() | CandidateFrom() | RestartFrom():
                await self._audience.receive(message)
            case SeatPromised():
                # Only the room's screen offers in a way that can be answered in advance.
                pass
            case CallClosed():
                log.info("call closed, reason=%s", message.reason)
            case Error():
                log.warning("server error, code=%s", message.code)

    async def _ticket(self) -> str:
        try:
            seating = await self._server.seating(self._session)
        except ServerRefusedError as error:
            raise RefusedError(error.code, "no ticket for the camera") from error
        self._audience.ice_servers = seating.ice_servers
        self._audience.is_relay_only = seating.ice_transport_policy == "relay"
        self._ice_seconds = seating.ice_seconds or math.inf
        self._was_seated.set()
        await self._relays.ready(seating.ice_servers)
        return seating.ticket

    async def _renew(self) -> None:
        # Before the first ticket nothing is known of how long credentials are good.
        await self._was_seated.wait()
        while True:
            await asyncio.sleep(min(RENEW_SECONDS, self._ice_seconds * LOOK_SHARE))
            if self._audience.ice_servers and self._client.is_connected:
                with contextlib.suppress(ServerAwayError, RefusedError):
                    await self._ticket()
                    self._audience.renew(self._ice_seconds * RENEW_SHARE)

    def _furnish(self, viewer: Viewer) -> None:
        for closed in [known for known in self._channels if known.is_closed]:
            self._channels.pop(closed).close()
        self._channels[viewer] = DocumentChannel(
            viewer, camera=self._camera, taking=self._stills, tabletop=self._tabletop, now=self._now
        )

    async def _note(self, note: StillTaken) -> None:
        await self._client.send(Noted(note=note))

    async def _close(self) -> None:
        self._stills.close()
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()
        await self._audience.close()
        self._view.forget()
