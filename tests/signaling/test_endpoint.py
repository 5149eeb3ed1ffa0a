import asyncio
import logging
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from signaling.endpoint import CallEndpoint
from signaling.errors import RefusedError
from signaling.line import Limits
from signaling.messages import (
    SUBPROTOCOL,
    Error,
    Hello,
    Present,
    SeatJoined,
    Welcome,
    encode,
)
from signaling.ticket import check_resume, mint
from tests.signaling.fakes import (
    JOINED_EXPERT,
    JOINED_ROOM,
    RESUME_KEY,
    Clocks,
    FakeAttendance,
    Served,
    refusal,
    serving,
)
from tests.signaling.samples import KEY, NOW, claims


class TestOpening:
    @pytest.mark.parametrize("protocols", [(), ("etapalvelu.call.v2",)])
    async def test_without_the_subprotocol_the_answer_is_400(self, served: Served, protocols: tuple[str, ...]) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await served.session.ws_connect(served.url, protocols=protocols)

        assert refused.value.status == 400

    async def test_a_plain_get_is_400(self, served: Served) -> None:
        async with served.session.get(served.url, headers={"Sec-WebSocket-Protocol": SUBPROTOCOL}) as response:
            assert response.status == 400

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "file://", "http://127.0.0.1:1"])
    async def test_a_page_of_another_origin_is_403(self, served: Served, origin: str) -> None:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await served.connect({"Origin": origin})

        assert refused.value.status == 403

    async def test_the_own_host_and_the_listed_origins_may_come(self, served: Served) -> None:
        own = f"http://127.0.0.1:{served.port}"

        for origin in (own, "https://kiosk.example"):
            socket = await served.connect({"Origin": origin})
            await socket.say(Hello(ticket=served.ticket(claims())))
            assert isinstance(await socket.hear(), Welcome)

    async def test_too_many_sockets_that_say_nothing_are_503(self, attendance: FakeAttendance, clocks: Clocks) -> None:
        async with serving(attendance, clocks, Limits(sockets_before_hello=1)) as served:
            await served.connect()

            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await served.connect()

        assert refused.value.status == 503

    async def test_one_address_cannot_shut_the_others_out(self, attendance: FakeAttendance, clocks: Clocks) -> None:
        async with serving(attendance, clocks, Limits(sockets_before_hello_of_one=1)) as served:
            await served.connect()

            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await served.connect()
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))) as elsewhere:
                other = await elsewhere.ws_connect(served.url, protocols=(SUBPROTOCOL,))
                await other.close()

        assert refused.value.status == 503

    async def test_who_leaves_without_hello_leaves_no_trace(self, served: Served, attendance: FakeAttendance) -> None:
        socket = await served.connect()

        await socket.raw.close()
        await served.sit(claims())

        assert attendance.heard == [JOINED_ROOM]


class TestHello:
    async def test_the_welcome_says_all_of_it(self, served: Served, attendance: FakeAttendance) -> None:
        await served.sit(claims("room"))

        _, welcome = await served.sit(claims("expert", relay_only=True))

        token = check_resume(welcome.resume, RESUME_KEY, NOW)
        assert (token.call, token.seat, token.who, token.login, token.epoch, token.relay_only, token.expires) == (
            "call-1", "expert", "who:login-expert", "login-expert", 1, True, NOW + 43_200,
        )  # fmt: skip
        assert welcome == Welcome(
            seat="expert",
            epoch=1,
            present=(Present(seat="room", epoch=1),),
            heartbeat_seconds=3.0,
            resume=welcome.resume,
        )
        assert attendance.heard == [JOINED_ROOM, JOINED_EXPERT]

    async def test_silence_is_not_waited_out(self, served: Served) -> None:
        socket = await served.connect()

        assert await refusal(socket) == ("hello_timeout", 4408, "hello_timeout")

    @pytest.mark.parametrize(
        ("text", "code", "close"),
        [
            ('{"type": "bye"}', "hello_expected", 4400),
            ('{"type": "shout"}', "unknown_type", 4400),
            ("not json", "bad_message", 4400),
            ('{"type": "hello", "ticket": "x", "extra": 1}', "bad_message", 4400),
            ("[[[[[", "too_deep", 4400),
            ('{"type": "hello", "ticket": "x"}', "malformed", 4401),
            ('{"type": "hello", "resume": "x.y"}', "forged", 4401),
            (encode(Hello(ticket=mint(claims(expires=NOW), KEY))), "expired", 4401),
        ],
    )
    async def test_what_is_no_good_hello_is_told_and_closed(
        self, served: Served, attendance: FakeAttendance, text: str, code: str, close: int
    ) -> None:
        socket = await served.connect()

        await socket.raw.send_str(text)

        assert await refusal(socket) == (code, close, code)
        assert attendance.heard == []

    async def test_a_ticket_opens_one_socket(self, served: Served) -> None:
        ticket = served.ticket(claims())
        await served.greet(Hello(ticket=ticket))
        again = await served.connect()

        await again.say(Hello(ticket=ticket))

        assert await refusal(again) == ("used", 4401, "used")

    async def test_nobody_is_told_before_the_service_has_committed(
        self, served: Served, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        room, _ = await served.sit(claims("room"))
        attendance.gate.clear()
        expert = await served.connect()
        await expert.say(Hello(ticket=served.ticket(claims("expert"))))
        await attendance.holds()
        assert served.endpoint.present("call-1") == {"room": "who:login-room"}

        attendance.gate.set()

        assert isinstance(await expert.hear(), Welcome)
        assert await room.hear() == SeatJoined(seat="expert", epoch=1)

    async def test_whom_the_service_refuses_does_not_sit(self, served: Served, attendance: FakeAttendance) -> None:
        _room, _ = await served.sit(claims("room"))
        attendance.refusal = RefusedError("wrong_state", "the session is closed")
        expert = await served.connect()

        await expert.say(Hello(ticket=served.ticket(claims("expert"))))

        assert await expert.hear() == Error(code="wrong_state", text="the session is closed")
        assert await expert.end() == (4403, "wrong_state")
        assert served.endpoint.present("call-1") == {"room": "who:login-room"}

    @pytest.mark.parametrize("is_slow", [True, False])
    async def test_a_service_that_cannot_commit_is_tried_again_later(
        self, served: Served, attendance: FakeAttendance, caplog: pytest.LogCaptureFixture, is_slow: bool
    ) -> None:
        if is_slow:
            attendance.gate.clear()
        attendance.fault = OSError("disk full")
        socket = await served.connect()

        await socket.say(Hello(ticket=served.ticket(claims())))

        assert await refusal(socket) == ("try_again", 1013, "try_again")
        assert served.endpoint.present("call-1") == {}
        assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
            "a seat could not be committed"
        ]

    async def test_a_taken_seat_is_not_for_another_login(self, served: Served) -> None:
        await served.sit(claims("expert"))
        other = await served.connect()

        await other.say(Hello(ticket=served.ticket(claims("expert", login="other"))))

        assert await refusal(other) == ("seat_taken", 4409, "seat_taken")

    async def test_a_newer_socket_of_the_same_login_replaces_the_older(
        self, served: Served, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        older, _ = await served.sit(claims("room"))

        _, welcome = await served.sit(claims("room"))

        assert welcome.epoch == 2
        assert await refusal(older) == ("replaced", 4409, "replaced")
        assert attendance.heard == [
            JOINED_ROOM,
            ("interrupted", "call-1", "room", "who:login-room", clocks.wall),
            ("resumed", "call-1", "room", "who:login-room", 0),
        ]


@pytest.mark.parametrize("is_seen", [False, True], ids=["still closing", "gone"])
async def test_a_client_that_has_gone_before_its_socket_opens_leaves_nothing_behind(
    attendance: FakeAttendance, clocks: Clocks, caplog: pytest.LogCaptureFixture, is_seen: bool
) -> None:
    endpoint = CallEndpoint(attendance, ticket_key=KEY, resume_key=RESUME_KEY, clock=clocks.now, monotonic=clocks.monotonic)
    began, answered = asyncio.Event(), asyncio.Event()

    @web.middleware
    async def late(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
        began.set()
        while request.transport is not None and is_seen:  # noqa: ASYNC110 - a state, no event
            await asyncio.sleep(0.005)
        if request.transport is not None:
            request.transport.close()
        try:
            return await handler(request)
        finally:
            answered.set()

    app = web.Application(middlewares=[late])
    endpoint.attach(app)
    caplog.set_level(logging.DEBUG)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with asyncio.timeout(5):
        _, writer = await asyncio.open_connection(*runner.addresses[0])
        upgrade = {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
            "Sec-WebSocket-Protocol": SUBPROTOCOL,
        }
        headers = "".join(f"{name}: {value}\r\n" for name, value in upgrade.items())
        writer.write(f"GET /call HTTP/1.1\r\n{headers}\r\n".encode())
        await began.wait()
        if is_seen:
            writer.transport.abort()
        await answered.wait()
        writer.transport.abort()
    await runner.cleanup()

    assert [record.message for record in caplog.records if record.levelno > logging.INFO] == []
    assert "whoever asked for a call socket is gone" in caplog.messages
    assert (attendance.heard, endpoint._lines, endpoint._before_hello) == ([], set(), {})
