import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from signaling.client import MAX_WAITING_MESSAGES, Backoff, CallClient
from signaling.endpoint import CallEndpoint
from signaling.errors import RefusedError
from signaling.line import Limits
from signaling.messages import (
    SUBPROTOCOL,
    Bye,
    CallClosed,
    FromServer,
    Hello,
    Noted,
    Present,
    Quality,
    SeatJoined,
    SeatLeft,
    StillTaken,
    Welcome,
    decode_from_peer,
)
from tests.signaling.fakes import QUICK, RESUME_KEY, Clocks, FakeAttendance, Served, serving
from tests.signaling.samples import KEY, NOW, candidate, candidate_from, claims, offer, offer_from

NO_PAUSE = Backoff(first=0.01, longest=0.05)
NOTE = Noted(note=StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page"))


@pytest.fixture
def attendance() -> FakeAttendance:
    return FakeAttendance()


@pytest.fixture
async def served(attendance: FakeAttendance) -> AsyncIterator[Served]:
    async with serving(attendance, Clocks()) as served:
        yield served


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


def client_of(served: Served, tickets: Callable[[], Awaitable[str]]) -> CallClient:
    return CallClient(served.url, tickets, served.session, backoff=NO_PAUSE)


async def test_it_takes_its_seat_talks_and_says_bye(served: Served, attendance: FakeAttendance) -> None:
    room, _ = await served.sit(claims("room"))
    client = client_of(served, Tickets(served))
    messages = aiter(client)
    connected = [client.is_connected]

    welcome = await hear(messages)
    assert isinstance(welcome, Welcome)
    assert (welcome.seat, welcome.present) == ("camera", (Present(seat="room", epoch=1),))
    connected.append(client.is_connected)
    await client.send(offer("room"))
    assert [await room.hear(), await room.hear()] == [SeatJoined(seat="camera", epoch=1), offer_from("camera")]
    await room.say(offer("camera"))
    assert await hear(messages) == offer_from("room")

    await client.close()

    assert await is_over(messages)
    assert await room.hear() == SeatLeft(seat="camera", reason="bye")
    assert [*connected, client.is_connected] == [False, True, False]


async def test_a_lost_line_is_resumed_and_what_was_said_meanwhile_arrives(served: Served, attendance: FakeAttendance) -> None:
    room, _ = await served.sit(claims("room"))
    tickets = Tickets(served)
    client = client_of(served, tickets)
    messages = aiter(client)
    await hear(messages)
    await room.hear()
    await cut(client)

    await client.send(offer("room"))
    await client.send(Quality(peer="room", generation=1, stats=()))
    again = await hear(messages)

    assert isinstance(again, Welcome)
    assert (again.epoch, tickets.asked) == (1, 1)
    assert await room.hear() == offer_from("camera")
    assert [word[0] for word in attendance.heard] == ["joined", "joined"]
    await client.close()
    assert await is_over(messages)


async def cut(client: CallClient) -> None:
    """Break the line as a network would."""
    socket = client._socket
    assert socket is not None
    socket._response.close()
    await asyncio.sleep(0)


async def test_a_seat_given_up_is_taken_anew_with_a_fresh_ticket(attendance: FakeAttendance) -> None:
    clocks = Clocks()
    async with serving(attendance, clocks, QUICK) as served:
        room, _ = await served.sit(claims("room"))
        tickets = Tickets(served)
        client = client_of(served, tickets)
        messages = aiter(client)
        await hear(messages)
        await cut(client)
        await served.until_away("call-1", "camera")
        clocks.advance(121)
        await served.endpoint.sweep()
        await client.send(candidate("room"))
        await client.send(NOTE)

        again = await hear(messages)

        assert isinstance(again, Welcome)
        assert (again.epoch, tickets.asked) == (2, 2)
        await client.send(candidate("room", 2))
        heard = [await room.hear() for _ in range(4)]
        assert heard[1:] == [
            SeatLeft(seat="camera", reason="lost"),
            SeatJoined(seat="camera", epoch=2),
            candidate_from("camera", 2),
        ]
        assert [word[0] for word in attendance.heard] == ["joined", "joined", "left", "joined", "noted"]
        await client.close()
        assert await is_over(messages)


async def test_it_comes_back_to_a_server_that_was_restarted(attendance: FakeAttendance) -> None:
    async with serving(attendance, Clocks()) as served:
        port = served.port
        session = aiohttp.ClientSession()
        tickets = Tickets(served)
        client = CallClient(served.url, tickets, session, backoff=NO_PAUSE)
        messages = aiter(client)
        first = await hear(messages)
    hearing = asyncio.ensure_future(hear(messages))
    await asyncio.sleep(0.1)

    async with serving(attendance, Clocks(), port=port):
        again = await hearing

        assert isinstance(first, Welcome)
        assert isinstance(again, Welcome)
        assert (again.epoch, tickets.asked) == (first.epoch, 1)
        await client.close()
        assert await is_over(messages)
    await session.close()


async def test_it_ends_with_the_call(served: Served) -> None:
    client = client_of(served, Tickets(served))
    messages = aiter(client)
    await hear(messages)

    await served.endpoint.end("call-1", "completed")

    assert await hear(messages) == CallClosed(reason="completed")
    assert await is_over(messages)


async def test_a_refusal_for_good_is_raised_with_its_code(served: Served, attendance: FakeAttendance) -> None:
    attendance.refusal = RefusedError("wrong_state", "the session is closed")
    messages = aiter(client_of(served, Tickets(served)))

    with pytest.raises(RefusedError) as refused:
        await hear(messages)

    assert (refused.value.code, refused.value.text) == ("wrong_state", "the session is closed")


async def test_whoever_is_replaced_does_not_fight_back(served: Served) -> None:
    messages = aiter(client_of(served, Tickets(served)))
    await hear(messages)
    await served.sit(claims("camera"))

    with pytest.raises(RefusedError) as refused:
        await hear(messages)

    assert refused.value.code == "replaced"


async def test_a_refused_resume_of_a_seat_others_took_asks_for_a_ticket_once(served: Served) -> None:
    tickets = Tickets(served)
    client = client_of(served, tickets)
    messages = aiter(client)
    await hear(messages)
    await cut(client)
    await served.until_away("call-1", "camera")
    await served.sit(claims("camera", login="other"))

    with pytest.raises(RefusedError) as refused:
        await hear(messages)

    assert (refused.value.code, tickets.asked) == ("seat_taken", 2)


async def test_a_ticket_source_that_fails_for_a_moment_is_asked_again(served: Served) -> None:
    tickets = Tickets(served, aiohttp.ClientError(), TimeoutError(), OSError())
    client = client_of(served, tickets)
    messages = aiter(client)

    assert isinstance(await hear(messages), Welcome)

    assert tickets.asked == 4
    await client.close()
    assert await is_over(messages)


async def test_a_ticket_source_s_refusal_ends_it(served: Served) -> None:
    messages = aiter(client_of(served, Tickets(served, RefusedError("not_yours", "another room's session"))))

    with pytest.raises(RefusedError, match="not_yours"):
        await hear(messages)


async def test_a_server_that_refuses_the_upgrade_ends_it(served: Served) -> None:
    client = CallClient(f"http://127.0.0.1:{served.port}/other", Tickets(served), served.session)

    with pytest.raises(RefusedError) as refused:
        await hear(aiter(client))

    assert refused.value.code == "upgrade_refused"


async def test_closing_ends_a_pause_at_once(served: Served) -> None:
    tickets = Tickets(served, *[OSError()] * 3)
    client = CallClient(served.url, tickets, served.session, backoff=Backoff(first=60, longest=60))
    hearing = asyncio.ensure_future(anext(aiter(client), None))
    while not tickets.asked:  # noqa: ASYNC110 - a state, no event
        await asyncio.sleep(0)

    await client.close()

    async with asyncio.timeout(5):
        assert await hearing is None


async def test_only_the_newest_messages_wait(served: Served) -> None:
    client = client_of(served, Tickets(served))
    for generation in range(1, MAX_WAITING_MESSAGES + 2):
        await client.send(candidate("room", generation))
    room, _ = await served.sit(claims("room"))

    messages = aiter(client)
    await hear(messages)

    assert await room.hear() == SeatJoined(seat="camera", epoch=1)
    assert await room.hear() == candidate_from("camera", 2)
    await client.close()
    assert await is_over(messages)


@pytest.mark.parametrize(("attempt", "least", "most"), [(1, 0.125, 0.25), (3, 0.5, 1.0), (99, 4.0, 8.0)])
def test_pauses_double_up_to_the_longest_and_vary(attempt: int, least: float, most: float) -> None:
    pauses = {Backoff().seconds(attempt) for _ in range(20)}

    assert all(least <= pause <= most for pause in pauses)
    assert len(pauses) > 1


Script = Callable[[web.WebSocketResponse], Awaitable[None]]


@asynccontextmanager
async def scripted(*scripts: Script) -> AsyncIterator[str]:
    """A server that plays one script a socket after hello, for what our own server never does."""
    left = list(scripts)

    async def handle(request: web.Request) -> web.WebSocketResponse:
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


async def test_bye_may_be_sent_by_hand_as_well(served: Served) -> None:
    client = client_of(served, Tickets(served))
    messages = aiter(client)
    await hear(messages)

    await client.send(Bye())
    await client.close()

    assert await is_over(messages)
