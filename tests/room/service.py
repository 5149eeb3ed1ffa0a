"""The service's side for tests of the room agent: the few answers it asks for, around the real signaling endpoint."""

import asyncio
import itertools
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from signaling.client import CallClient
from signaling.endpoint import CallEndpoint
from signaling.messages import LineSecured, Note, Quality, Seat
from signaling.ticket import Claims, mint

KEY = b"k" * 32
CODE = "123-456"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the test's own clock


class Record:
    """Keeps what signaling says of the calls."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    async def joined(self, call: str, seat: Seat, who: str) -> None:
        self.said.append(("joined", seat, who))

    async def left(self, call: str, seat: Seat, who: str, reason: str) -> None:
        self.said.append(("left", seat, reason))

    async def interrupted(self, call: str, seat: Seat, who: str, since: datetime) -> None:
        self.said.append(("interrupted", seat))

    async def resumed(self, call: str, seat: Seat, who: str, gap_ms: int) -> None:
        self.said.append(("resumed", seat))

    async def noted(self, call: str, seat: Seat, who: str, note: Note) -> None:
        self.said.append(("secured" if isinstance(note, LineSecured) else "noted", seat, note))

    async def sampled(self, call: str, seat: Seat, who: str, quality: Quality) -> None:
        self.said.append(("sampled", seat))


class Service:
    """One room's service. Change `session` with `turn_to`; answers may be replaced in `trouble` by path."""

    def __init__(self) -> None:
        self.record = Record()
        self.statuses: list[dict[str, Any]] = []
        self.looks: list[dict[str, Any]] = []
        # The set-up that wants to see the table; what is shown to another is not wanted.
        self.setup = ""
        self.tickets: list[str] = []
        self.credentials: set[str] = set()
        self.codes = {CODE: "agent"}
        self.ice_servers: list[dict[str, Any]] = []
        self.ice_seconds: int | None = None
        self.ice_transport_policy = "all"
        # path -> status and body to answer instead, as often as told
        self.trouble: dict[str, list[tuple[int, object]]] = {}
        # What is said on the stream before it ends.
        self.goodbye: dict[str, int] = {}
        self.session: str | None = None
        self._followers: set[asyncio.Queue[str | None]] = set()
        self._ids = itertools.count()
        self._server: TestServer | None = None
        self._port: int | None = None

    async def start(self) -> None:
        app = web.Application(middlewares=[self._troubled])
        self.endpoint = CallEndpoint(self.record, ticket_key=KEY, resume_key=KEY, clock=now)
        self.endpoint.attach(app)
        app.router.add_post("/api/v1/devices/pair", self._pair)
        app.router.add_post("/api/v1/devices/status", self._status)
        app.router.add_post("/api/v1/devices/camera", self._look)
        app.router.add_post("/api/v1/sessions/{id}/ticket", self._ticket)
        app.router.add_get("/live", self._live)
        self._server = TestServer(app, port=self._port)
        await self._server.start_server(shutdown_timeout=0.1)
        self._port = self._server.port

    async def stop(self) -> None:
        assert self._server is not None
        for follower in self._followers:
            follower.put_nowait("bye")
        await self._server.close()

    @property
    def address(self) -> str:
        assert self._server is not None
        return str(self._server.make_url("")).rstrip("/")

    def turn_to(self, session: str | None) -> None:
        self.session = session
        for follower in self._followers:
            follower.put_nowait("changed")

    def say(self, text: str) -> None:
        """Write this into every open event stream as it is."""
        for follower in self._followers:
            follower.put_nowait(text)

    def ticket(self, call: str, seat: Seat, login: str) -> str:
        expires = int(now().timestamp()) + 60
        ticket_id = f"t{next(self._ids)}"
        return mint(Claims(call=call, seat=seat, who="x:" + login, login=login, id=ticket_id, expires=expires), KEY)

    def client(self, session: aiohttp.ClientSession, seat: Seat, login: str, call: str = "s1") -> CallClient:
        async def fresh() -> str:
            return self.ticket(call, seat, login)

        return CallClient(self.address + "/call", fresh, session)

    @web.middleware
    async def _troubled(self, request: web.Request, handler: Callable[[web.Request], Any]) -> web.StreamResponse:
        if waiting := self.trouble.get(request.path):
            status, body = waiting.pop(0)
            asked = body.get("retry_after") if isinstance(body, dict) else None
            return web.json_response(body, status=status, headers={} if asked is None else {"Retry-After": str(asked)})
        answer = await handler(request)
        assert isinstance(answer, web.StreamResponse)
        return answer

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.credentials:
            raise web.HTTPUnauthorized(text=json.dumps({"code": "unknown_login"}), content_type="application/problem+json")

    async def _pair(self, request: web.Request) -> web.Response:
        kind = self.codes.pop((await request.json())["code"], None)
        if kind is None:
            return web.json_response({"code": "unknown_code"}, status=404)
        credential = secrets.token_urlsafe(16)
        self.credentials.add(credential)
        return web.json_response({"credential": credential, "room": "r1", "kind": kind})

    async def _status(self, request: web.Request) -> web.Response:
        self._check(request)
        self.statuses.append(await request.json())
        return web.Response(status=204)

    async def _look(self, request: web.Request) -> web.Response:
        look = await request.json()
        wanted = bool(self.setup) and look["setup"] == self.setup
        if wanted:
            self.looks.append(look)
        return web.json_response({"wanted": wanted})

    async def _ticket(self, request: web.Request) -> web.Response:
        self._check(request)
        call = request.match_info["id"]
        self.tickets.append((await request.json())["seat"])
        ticket = self.ticket(call, "camera", "room:r1:agent")
        offer = {
            "ticket": ticket,
            "ice_servers": self.ice_servers,
            "ice_seconds": self.ice_seconds,
            "ice_transport_policy": self.ice_transport_policy,
            "call": call,
        }
        return web.json_response(offer)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        assert request.query == {"page": "agent"}
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        news: asyncio.Queue[str | None] = asyncio.Queue()
        self._followers.add(news)
        try:
            await response.write(b": hello\n\n")
            text: str | None = "changed"
            while text != "bye":
                current = json.dumps({} if self.session is None else {"id": self.session})
                name = "none" if self.session is None else "session"
                out = f"event: {name}\ndata: {current}\n\n" if text == "changed" else text
                await response.write((out or "").encode())
                text = await news.get()
            await response.write(f"event: bye\ndata: {json.dumps(self.goodbye)}\n\n".encode())
        finally:
            self._followers.discard(news)
        return response
