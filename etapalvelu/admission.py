"""Who is let in while the server goes down or runs out of handles: nobody for something new, and all hear when to come back.

What is being answered is answered to its end. Connections on which nothing is asked are closed before the last handle is gone,
so that the database's own file and the next caller still get one.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from etapalvelu.domain.errors import CrowdedError, ServerRestartingError
from signaling.endpoint import RESTART_SECONDS

# For how long new requests are still taken, to be told so, and how long open ones may take besides.
DRAIN_SECONDS: Final = 0.5
FINISH_SECONDS: Final = 2.0

# Handles kept for the database, logs and whoever is being refused.
SPARE_HANDLES: Final = 64

# Answered to the last: the process lives, and pages need their words and looks.
_ALWAYS = ("/healthz", "/metrics", "/static/")

# These hold their connection for as long as a page is open.
_LASTING = ("/live", "/call")

_log = structlog.get_logger("admission")


class Connection(Protocol):
    """One of the web server's."""

    def force_close(self) -> None: ...


def raise_handle_limit() -> int:
    """Take all the handles that the system gives to this process; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Admission:
    """Made once by `app`. `most` is how many connections there may be; without it as many as come."""

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._is_stopping = False
        self._is_crowded = False
        self._at_work = 0
        # Connections on which something is asked just now, and those that were idle at the last look.
        self._busy: Counter[Connection] = Counter()
        self._idle: frozenset[Connection] = frozenset()

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Raises `ServerRestartingError` and, for what would hold its connection, `CrowdedError`."""
        self._busy[request.protocol] += 1
        try:
            return await self._admitted(request, handler)
        finally:
            self._busy[request.protocol] -= 1
            if not self._busy[request.protocol]:
                del self._busy[request.protocol]

    async def _admitted(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(_ALWAYS):
            return await handler(request)
        if self._is_stopping:
            raise ServerRestartingError(RESTART_SECONDS)
        if request.path in _LASTING:
            if self._is_crowded:
                raise CrowdedError
            return await handler(request)
        self._at_work += 1
        try:
            response = await handler(request)
        finally:
            self._at_work -= 1
        if self._wants_room():
            response.force_close()
        return response

    def relieve(self, connections: Sequence[Connection]) -> None:
        """Called every second with all open connections: when they are too many, those idle since the last call make room."""
        is_crowded = self._most is not None and len(connections) > self._most
        if is_crowded != self._is_crowded:
            self._is_crowded = is_crowded
            _log.warning("connections_crowded" if is_crowded else "connections_have_room", open=len(connections))
        idle = frozenset(connection for connection in connections if connection not in self._busy)
        for connection in self._idle & idle if is_crowded else ():
            connection.force_close()
        self._idle = idle

    def stop(self) -> None:
        """Take on nothing new from now on."""
        self._is_stopping = True

    async def drain(self) -> None:
        """After `stop`: wait a moment for those who come to be told, and for what is under way."""
        await asyncio.sleep(DRAIN_SECONDS)
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while self._at_work:  # noqa: ASYNC110 - a request's end announces itself nowhere
                    await asyncio.sleep(0.02)
        except TimeoutError:
            _log.warning("requests_cut_off", number=self._at_work)

    def _wants_room(self) -> bool:
        return self._is_stopping or self._is_crowded
