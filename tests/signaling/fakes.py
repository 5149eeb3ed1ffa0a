"""Fakes at signaling's edges: the service that hears of attendance, and clocks that stand until told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

from signaling.endpoint import CallEndpoint
from signaling.errors import RefusedError
from signaling.line import Limits
from signaling.messages import (
    SUBPROTOCOL,
    Error,
    FromPeer,
    FromServer,
    Hello,
    Note,
    Quality,
    Seat,
    Welcome,
    decode_from_server,
    encode,
)
from signaling.ticket import Claims, mint
from tests.signaling.samples import KEY, NOW, claims

RESUME_KEY = b"r" * 32
QUICK = Limits(hello_seconds=1.0, send_seconds=2.0, commit_seconds=1.0)


JOINED_ROOM = ("joined", "call-1", "room", "who:login-room")
JOINED_EXPERT = ("joined", "call-1", "expert", "who:login-expert")


class FakeAttendance:
    """Writes down what it hears. `gate` holds every word up while it is cleared; `refusal` and `fault` are raised."""

    def __init__(self) -> None:
        self.heard: list[tuple[object, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._held = asyncio.Event()
        self.refusal: RefusedError | None = None
        self.fault: Exception | None = None

    async def holds(self) -> None:
        """Wait until a word stands at the gate."""
        async with asyncio.timeout(5):
            await self._held.wait()

    async def joined(self, call: str, seat: Seat, who: str) -> None:
        await self._hear("joined", call, seat, who)

    async def left(self, call: str, seat: Seat, who: str, reason: str) -> None:
        await self._hear("left", call, seat, who, reason)

    async def interrupted(self, call: str, seat: Seat, who: str, since: datetime) -> None:
        await self._hear("interrupted", call, seat, who, since)

    async def resumed(self, call: str, seat: Seat, who: str, gap_ms: int) -> None:
        await self._hear("resumed", call, seat, who, gap_ms)

    async def noted(self, call: str, seat: Seat, who: str, note: Note) -> None:
        await self._hear("noted", call, seat, who, note)

    async def sampled(self, call: str, seat: Seat, who: str, quality: Quality) -> None:
        await self._hear("sampled", call, seat, who, quality)

    async def _hear(self, *word: object) -> None:
        if not self.gate.is_set():
            self._held.set()
        await self.gate.wait()
        if self.refusal is not None:
            raise self.refusal
        if self.fault is not None:
            raise self.fault
        self.heard.append(word)


@dataclass
class Clocks:
    """A wall clock and a steady one; only `advance` moves them."""

    wall: datetime = field(default_factory=lambda: datetime.fromtimestamp(NOW, UTC))
    steady: float = 1000.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def advance(self, seconds: float) -> None:
        self.wall += timedelta(seconds=seconds)
        self.steady += seconds


class Socket:
    """A plain websocket of a test, speaking typed messages."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse) -> None:
        self.raw = raw

    async def say(self, message: FromPeer) -> None:
        await self.raw.send_str(encode(message))

    async def hear(self) -> FromServer:
        frame = await self.raw.receive(5)
        assert frame.type is aiohttp.WSMsgType.TEXT, frame
        message = decode_from_server(frame.data)
        assert message is not None
        return message

    async def end(self) -> tuple[int | None, str]:
        """The close code and reason; nothing else may come before it."""
        frame = await self.raw.receive(5)
        assert frame.type is aiohttp.WSMsgType.CLOSE, frame
        return int(frame.data), str(frame.extra)

    async def is_cut(self) -> bool:
        """The line ends without a goodbye."""
        while (frame := await self.raw.receive(5)).type is aiohttp.WSMsgType.TEXT:
            pass
        return frame.type is not aiohttp.WSMsgType.CLOSE


class Served:
    """An endpoint on a loopback socket."""

    def __init__(self, endpoint: CallEndpoint, port: int, runner: web.AppRunner, session: aiohttp.ClientSession) -> None:
        self.endpoint = endpoint
        self.port = port
        self.runner = runner
        self.session = session
        self.tickets = 0
        self.sockets: list[Socket] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/call"

    def ticket(self, claims: Claims) -> str:
        """A ticket with an id of its own."""
        self.tickets += 1
        return mint(
            Claims(
                call=claims.call,
                seat=claims.seat,
                who=claims.who,
                login=claims.login,
                id=f"{claims.id}-{self.tickets}",
                relay_only=claims.relay_only,
                expires=claims.expires,
            ),
            KEY,
        )

    async def connect(self, headers: dict[str, str] | None = None) -> Socket:
        socket = Socket(await self.session.ws_connect(self.url, protocols=(SUBPROTOCOL,), headers=headers))
        # Kept: a socket nobody refers to is closed by the collector.
        self.sockets.append(socket)
        return socket

    async def sit(self, claims: Claims) -> tuple[Socket, Welcome]:
        return await self.greet(Hello(ticket=self.ticket(claims)))

    async def greet(self, hello: Hello) -> tuple[Socket, Welcome]:
        socket = await self.connect()
        await socket.say(hello)
        welcome = await socket.hear()
        assert isinstance(welcome, Welcome), welcome
        return socket, welcome

    async def until_away(self, call: str, seat: Seat) -> None:
        """Wait until the server has noticed that the seat's socket is gone."""
        async with asyncio.timeout(5):
            while seat in self.endpoint._groups[call]._peers:  # noqa: ASYNC110 - a state, no event
                await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(
    attendance: FakeAttendance, clocks: Clocks, limits: Limits = QUICK, port: int | None = None, **options: Any
) -> AsyncIterator[Served]:
    """A server with an endpoint, and a session for its peers."""
    endpoint = CallEndpoint(
        attendance,
        ticket_key=KEY,
        resume_key=RESUME_KEY,
        clock=clocks.now,
        monotonic=clocks.monotonic,
        limits=limits,
        **options,
    )
    app = web.Application()
    endpoint.attach(app)
    # Not aiohttp's TestServer: it cancels handlers whose peer is gone, which a real server does not.
    runner = web.AppRunner(app, shutdown_timeout=2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port or 0)
    await site.start()
    bound = runner.addresses[0][1]
    async with aiohttp.ClientSession() as session:
        served = Served(endpoint, bound, runner, session)
        try:
            yield served
        finally:
            # A test that failed while it held the gate must not hang in the server's shutdown.
            attendance.gate.set()
            await asyncio.gather(*(socket.raw.close() for socket in served.sockets))
            await runner.cleanup()


async def refusal(socket: Socket) -> tuple[str, int | None, str]:
    """The code of the error message, then the close code and reason."""
    error = await socket.hear()
    assert isinstance(error, Error), error
    return (error.code, *await socket.end())


class Tickets:
    """A ticket source that counts; what stands in `faults` is raised first."""

    def __init__(self, served: Served, *faults: Exception) -> None:
        self.served = served
        self.faults = list(faults)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        if self.faults:
            raise self.faults.pop(0)
        return self.served.ticket(claims("camera", expires=NOW + 600))


async def hear(messages: AsyncIterator[FromServer]) -> FromServer:
    async with asyncio.timeout(5):
        return await anext(messages)


async def is_over(messages: AsyncIterator[FromServer]) -> bool:
    async with asyncio.timeout(5):
        return await anext(messages, None) is None
