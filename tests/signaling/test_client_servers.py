import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from signaling.client import AwayError, Backoff, CallClient
from signaling.endpoint import CallEndpoint
from signaling.errors import RefusedError
from signaling.line import Limits
from signaling.messages import (
    SUBPROTOCOL,
    CallClosed,
    Hello,
    Noted,
    StillTaken,
    Welcome,
    decode_from_peer,
)
from tests.signaling.fakes import RESUME_KEY, Clocks, FakeAttendance, Served, Tickets, hear, is_over
from tests.signaling.samples import KEY

NO_PAUSE = Backoff(first=0.01, longest=0.05)
NOTE = Noted(note=StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page"))


Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def scripted(*scripts: Script, refusing: Sequence[tuple[int, str]] = ()) -> AsyncIterator[str]:
    """A server that plays one script a socket after hello, for what our own server never does; first it refuses upgrades, each
    with a status and a `Retry-After`."""
    left, refusals = list(scripts), list(refusing)

    async def handle(request: web.Request) -> web.StreamResponse:
        if refusals:
            status, after = refusals.pop(0)
            return web.Response(status=status, headers={"Retry-After": after} if after else {})
        socket = web.WebSocketResponse(protocols=(SUBPROTOCOL,))
        await socket.prepare(request)
        assert isinstance(decode_from_peer((await socket.receive()).data), Hello)
        await left.pop(0)(socket)
        return socket

    app = web.Application()
    app.router.add_get("/call", handle)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/call"
    finally:
        await runner.cleanup()


WELCOME = '{"type":"welcome","seat":"camera","epoch":1,"present":[],"heartbeat_seconds":3,"resume":"token"}'


async def text_source() -> str:
    return "ticket"


async def test_a_message_of_a_later_server_is_passed_over_and_a_malformed_one_loses_the_line() -> None:
    async def odd(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await socket.send_str('{"type":"weather","sky":"blue"}')
        await socket.send_str('{"type":"seat_left"}')

    async def good(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await socket.send_str('{"type":"call_closed","reason":"completed"}')

    async with scripted(odd, good) as url, aiohttp.ClientSession() as session:
        messages = aiter(CallClient(url, text_source, session, backoff=NO_PAUSE))
        kinds = [type(await hear(messages)) for _ in range(3)]

        assert kinds == [Welcome, Welcome, CallClosed]
        assert await is_over(messages)


async def test_the_close_reason_serves_where_the_error_message_was_lost() -> None:
    async def close(socket: web.WebSocketResponse) -> None:
        await socket.close(code=4409, message=b"replaced")

    async with scripted(close) as url, aiohttp.ClientSession() as session:
        with pytest.raises(RefusedError, match="replaced"):
            await hear(aiter(CallClient(url, text_source, session)))


async def test_a_server_that_does_not_answer_hello_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.client.ANSWER_SECONDS", 0.1)

    async def silent(socket: web.WebSocketResponse) -> None:
        await socket.receive()

    async def good(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await socket.receive()

    async with scripted(silent, good) as url, aiohttp.ClientSession() as session:
        client = CallClient(url, text_source, session, backoff=NO_PAUSE)
        messages = aiter(client)

        assert isinstance(await hear(messages), Welcome)

        await client.close()
        assert await is_over(messages)


async def test_a_server_that_has_too_many_at_the_moment_is_tried_again() -> None:
    async def good(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await socket.receive()

    async with scripted(good, refusing=((429, ""), (502, ""), (503, ""))) as url, aiohttp.ClientSession() as session:
        client = CallClient(url, text_source, session, backoff=NO_PAUSE)
        messages = aiter(client)

        assert isinstance(await hear(messages), Welcome)

        await client.close()
        assert await is_over(messages)


async def test_it_comes_back_when_it_is_asked_to() -> None:
    """By an error's `retry_after`, by a ticket source, by the header of a refused upgrade, and not at all by nonsense there."""
    asked: list[float] = []
    tickets: list[str | AwayError] = [AwayError("no ticket yet", 9), *["ticket"] * 9]

    async def source() -> str:
        ticket = tickets.pop(0)
        if isinstance(ticket, AwayError):
            raise ticket
        return ticket

    class Patient(Backoff):
        def seconds(self, attempt: int, asked_for: float = 0.0) -> float:
            asked.append(asked_for)
            return 0.01

    async def restarting(socket: web.WebSocketResponse) -> None:
        await socket.send_str('{"type":"error","code":"server_restarting","text":"back soon","retry_after":7}')

    async def lost(socket: web.WebSocketResponse) -> None:
        await socket.close(code=1012)

    async def good(socket: web.WebSocketResponse) -> None:
        await socket.send_str(WELCOME)
        await socket.receive()

    refusing = [(503, "4"), (503, "Fri, 31 Dec 1999 23:59:59 GMT"), (503, "")]
    async with scripted(restarting, lost, good, refusing=refusing) as url, aiohttp.ClientSession() as session:
        client = CallClient(url, source, session, backoff=Patient())
        messages = aiter(client)

        assert isinstance(await hear(messages), Welcome)

        assert asked == [9, 4, 0, 0, 7, 0]
        await client.close()
        assert await is_over(messages)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """The folder of a throw-away certificate for 127.0.0.1."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    return tmp_path


async def test_it_works_over_tls_with_a_context_of_its_own(certificate: Path, attendance: FakeAttendance) -> None:
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    clocks = Clocks()
    endpoint = CallEndpoint(attendance, ticket_key=KEY, resume_key=RESUME_KEY, clock=clocks.now, limits=Limits(send_seconds=1))
    app = web.Application()
    endpoint.attach(app)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=server_side).start()
    url = f"wss://127.0.0.1:{runner.addresses[0][1]}/call"
    async with aiohttp.ClientSession() as session:
        tickets = Tickets(Served(endpoint, 0, runner, session))
        trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
        client = CallClient(url, tickets, session, ssl_context=trusting)
        messages = aiter(client)

        assert isinstance(await hear(messages), Welcome)

        await client.close()
        assert await is_over(messages)
    await runner.cleanup()
    assert [word[0] for word in attendance.heard] == ["joined", "left"]
