"""`/healthz` (the process lives), `/readyz` (it can serve), `/metrics` (figures for a monitor, to listed addresses only)."""

import asyncio
import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from ipaddress import ip_address, ip_network

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from etapalvelu.domain.codes import State
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.ports import SessionStore

_log = structlog.get_logger("http")

# Who asked went away before the answer was whole; the number nginx made usual for it.
CLIENT_GONE = 499

OPEN_STATES = tuple(state for state in State if state is not State.CLOSED)


class Health:
    """Made once by `app`."""

    def __init__(
        self, *, sessions: SessionStore, metrics_from: Sequence[str], is_short: Callable[[], bool] = lambda: False
    ) -> None:
        """`is_short`: the disk is full, so that no session can begin."""
        self._sessions = sessions
        self._is_short = is_short
        self._networks = [ip_network(text) for text in metrics_from]
        self._registry = CollectorRegistry()
        self._open = Gauge("etapalvelu_open_sessions", "Sessions not closed, by state.", ["state"], registry=self._registry)
        self._short = Gauge("etapalvelu_disk_short", "1 while the disk is too full for new sessions.", registry=self._registry)
        self._requests = Counter(
            "etapalvelu_http_requests", "Answers given, by route and status.", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "etapalvelu_http_seconds",
            "Time to answer in seconds, by route; streams and sockets are left out.",
            ["route"],
            registry=self._registry,
        )

    def attach(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics)
        app.middlewares.insert(0, self.measure)

    async def _healthz(self, _request: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _readyz(self, _request: web.Request) -> web.Response:
        try:
            await self._sessions.session("")
        except TryAgainError:
            return web.Response(status=503, text="database away\n")
        return web.Response(text="ready, but the disk is full: no new sessions\n" if self._is_short() else "ready\n")

    async def _metrics(self, request: web.Request) -> web.Response:
        remote = ip_address(request.remote) if request.remote else None
        if remote is None or not any(remote in network for network in self._networks):
            return web.Response(status=403, text="metrics are for listed addresses only: [server] metrics_from\n")
        states = Tally(session.state for session in await self._sessions.open_sessions())
        for state in OPEN_STATES:
            self._open.labels(state=state).set(states[state])
        self._short.set(self._is_short())
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @web.middleware
    async def measure(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Count and time the answer, and write one line with the route's pattern: no path, no query, no address."""
        start, status = time.perf_counter(), 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        except (ConnectionError, asyncio.CancelledError):
            status = CLIENT_GONE
            raise
        finally:
            self._told(request, status, time.perf_counter() - start)

    def _told(self, request: web.Request, status: int, seconds: float) -> None:
        route = route_of(request)
        self._requests.labels(route=route, status=status).inc()
        if route not in ("/live", "/call"):
            self._seconds.labels(route=route).observe(seconds)
        _log.info("answered", method=request.method, route=route, status=status, ms=round(seconds * 1000))


def route_of(request: web.Request) -> str:
    """The route's pattern, for logs and figures: a path may hold the name of an account or a session."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "-"
