import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from signaling.errors import RefusedError
from signaling.line import MAX_FRAME_BYTES, Limits
from signaling.messages import (
    SUBPROTOCOL,
    Bye,
    CallClosed,
    Error,
    Hello,
    Noted,
    Present,
    Quality,
    SeatJoined,
    SeatLeft,
    Stats,
    StillTaken,
    Welcome,
    encode,
)
from signaling.ticket import check_resume, mint, mint_resume
from tests.signaling.fakes import QUICK, RESUME_KEY, Clocks, FakeAttendance, Served, Socket, serving
from tests.signaling.samples import KEY, NOW, claims, offer, offer_from, resume_claims


@pytest.fixture
def attendance() -> FakeAttendance:
    return FakeAttendance()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
async def served(attendance: FakeAttendance, clocks: Clocks) -> AsyncIterator[Served]:
    async with serving(attendance, clocks, origins=["https://kiosk.example"]) as served:
        yield served


JOINED_ROOM = ("joined", "call-1", "room", "who:login-room")
JOINED_EXPERT = ("joined", "call-1", "expert", "who:login-expert")


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

    async def test_who_leaves_without_hello_leaves_no_trace(self, served: Served, attendance: FakeAttendance) -> None:
        socket = await served.connect()

        await socket.raw.close()
        await served.sit(claims())

        assert attendance.heard == [JOINED_ROOM]


async def refusal(socket: Socket) -> tuple[str, int | None, str]:
    """The code of the error message, then the close code and reason."""
    error = await socket.hear()
    assert isinstance(error, Error), error
    return (error.code, *await socket.end())


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
        await asyncio.sleep(0.05)
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


class TestTalking:
    async def test_an_offer_in_advance_comes_right_after_the_welcome(self, served: Served) -> None:
        room, _ = await served.sit(claims("room"))
        await room.say(offer("expert"))
        await room.raw.ping()

        expert, _ = await served.sit(claims("expert"))

        assert await expert.hear() == offer_from("room")

    async def test_notes_and_samples_go_to_the_service(self, served: Served, attendance: FakeAttendance) -> None:
        camera, _ = await served.sit(claims("camera"))
        note = StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page")
        quality = Quality(peer="room", generation=1, stats=(Stats(type="transport"),))

        await camera.say(Noted(note=note))
        await camera.say(quality)
        await camera.say(Bye())

        assert await camera.end() == (1000, "")
        assert attendance.heard[1:] == [
            ("noted", "call-1", "camera", "who:login-camera", note),
            ("sampled", "call-1", "camera", "who:login-camera", quality),
            ("left", "call-1", "camera", "who:login-camera", "bye"),
        ]

    async def test_a_departure_is_told_after_its_commit_and_nobody_else_waits_for_it(
        self, served: Served, attendance: FakeAttendance
    ) -> None:
        room, _ = await served.sit(claims("room"))
        camera, _ = await served.sit(claims("camera"))
        expert, _ = await served.sit(claims("expert"))
        assert [await room.hear(), await room.hear()] == [
            SeatJoined(seat="camera", epoch=1),
            SeatJoined(seat="expert", epoch=1),
        ]
        attendance.gate.clear()

        await expert.say(Bye())
        assert await expert.end() == (1000, "")
        await camera.say(offer("room"))

        assert await room.hear() == offer_from("camera")
        attendance.gate.set()
        assert await room.hear() == SeatLeft(seat="expert", reason="bye")

    async def test_a_service_that_fails_to_write_does_not_stop_the_call(
        self, served: Served, attendance: FakeAttendance, caplog: pytest.LogCaptureFixture
    ) -> None:
        room, _ = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        await room.hear()
        attendance.fault = OSError("disk full")

        await expert.say(Bye())

        assert await room.hear() == SeatLeft(seat="expert", reason="bye")
        assert "the service could not take word of a call" in caplog.text

    async def test_65_kib_close_with_1009_and_a_reason(self, served: Served) -> None:
        socket, _ = await served.sit(claims())

        await socket.raw.send_str(json.dumps({"type": "bye", "padding": "x" * 65 * 1024}))

        error = await socket.hear()
        assert error == Error(code="too_big", text="a message is at most 65536 bytes")
        assert await socket.end() == (1009, "too_big")

    async def test_a_frame_beyond_all_measure_closes_with_1009(self, served: Served) -> None:
        socket, _ = await served.sit(claims())

        await socket.raw.send_str("x" * (MAX_FRAME_BYTES + 1))

        assert (await socket.end())[0] == 1009

    async def test_binary_is_refused(self, served: Served) -> None:
        socket, _ = await served.sit(claims())

        await socket.raw.send_bytes(b"{}")

        assert await refusal(socket) == ("not_text", 1003, "not_text")

    async def test_a_flood_is_refused(self, served: Served) -> None:
        socket, _ = await served.sit(claims())

        for _ in range(QUICK.messages_burst):
            await socket.raw.ping()

        assert await refusal(socket) == ("too_many", 4429, "too_many")

    async def test_who_pings_without_reading_the_answers_is_cut_off(self, attendance: FakeAttendance, clocks: Clocks) -> None:
        limits = Limits(messages_burst=10**9, send_seconds=0.2)
        async with serving(attendance, clocks, limits) as served:
            socket, _ = await served.sit(claims())
            transport = socket.raw._response.connection.transport  # type: ignore[union-attr]
            transport.pause_reading()  # type: ignore[union-attr]

            async with asyncio.timeout(20):
                with contextlib.suppress(ConnectionError):
                    while "room" in served.endpoint._groups["call-1"]._peers:
                        await socket.raw.ping(b"x" * 125)

            await served.until_away("call-1", "room")
            transport.resume_reading()  # type: ignore[union-attr]
            assert served.endpoint.present("call-1") == {"room": "who:login-room"}

    async def test_whoever_breaks_the_protocol_may_come_back_with_resume(
        self, served: Served, attendance: FakeAttendance
    ) -> None:
        socket, welcome = await served.sit(claims())
        await socket.raw.send_str("nonsense")
        await refusal(socket)

        _, again = await served.greet(Hello(resume=welcome.resume))

        assert again.epoch == 1
        assert attendance.heard == [JOINED_ROOM]

    async def test_a_fault_of_ours_is_logged_once_and_given_a_number(
        self, served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        socket, _ = await served.sit(claims())
        monkeypatch.setattr("signaling.endpoint.decode_from_peer", lambda text: 1 / 0)

        await socket.say(Bye())

        error = await socket.hear()
        assert isinstance(error, Error)
        number = error.text.removeprefix("a fault of the server, number ")
        assert (error.code, await socket.end()) == ("server_fault", (1011, "server_fault"))
        assert [record.message for record in caplog.records if record.levelno >= logging.ERROR] == [
            f"call socket failed, fault {number}"
        ]

    async def test_who_does_not_read_loses_the_line_and_nobody_waits(self, attendance: FakeAttendance, clocks: Clocks) -> None:
        limits = Limits(outbox_messages=4, messages_burst=10_000, send_seconds=0.2)
        async with serving(attendance, clocks, limits) as served:
            room, _ = await served.sit(claims("room"))
            expert, _ = await served.sit(claims("expert"))
            transport = expert.raw._response.connection.transport  # type: ignore[union-attr]
            transport.pause_reading()  # type: ignore[union-attr]
            long = offer("expert", sdp=offer("expert").description.sdp + ("a=" + "x" * 4000 + "\r\n") * 13)

            async with asyncio.timeout(20):
                while "expert" in served.endpoint._groups["call-1"]._peers:
                    await room.say(long)

            transport.resume_reading()  # type: ignore[union-attr]
            assert await expert.is_cut()
            assert served.endpoint.present("call-1") == {"room": "who:login-room", "expert": "who:login-expert"}


class TestComingBack:
    async def test_a_lost_socket_is_told_to_nobody_and_a_resume_finds_what_waited(
        self, served: Served, attendance: FakeAttendance
    ) -> None:
        room, welcome = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        room.raw._response.close()
        await served.until_away("call-1", "room")
        await expert.say(offer("room"))
        attendance.fault = OSError("a resume does not need the database")

        room, again = await served.greet(Hello(resume=welcome.resume))

        assert again == Welcome(
            seat="room",
            epoch=1,
            present=(Present(seat="expert", epoch=1),),
            heartbeat_seconds=3.0,
            resume=again.resume,
        )
        assert await room.hear() == offer_from("expert")
        assert attendance.heard == [JOINED_ROOM, JOINED_EXPERT]

    async def test_a_resume_beside_a_half_dead_socket_replaces_it(self, served: Served) -> None:
        older, welcome = await served.sit(claims("room"))

        _, again = await served.greet(Hello(resume=welcome.resume))

        assert again.epoch == 1
        assert await refusal(older) == ("replaced", 4409, "replaced")

    async def test_a_reload_is_one_interruption_since_the_loss(
        self, served: Served, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        room, _ = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        await room.hear()
        await expert.raw.close()
        await served.until_away("call-1", "expert")
        lost_at = clocks.wall
        clocks.advance(2.5)

        _, welcome = await served.sit(claims("expert"))

        assert welcome.epoch == 2
        assert await room.hear() == SeatJoined(seat="expert", epoch=2)
        assert attendance.heard[2:] == [
            ("interrupted", "call-1", "expert", "who:login-expert", lost_at),
            ("resumed", "call-1", "expert", "who:login-expert", 2500),
        ]

    async def test_a_seat_away_too_long_is_given_up(self, served: Served, attendance: FakeAttendance, clocks: Clocks) -> None:
        room, _ = await served.sit(claims("room"))
        expert, welcome = await served.sit(claims("expert"))
        await room.hear()
        await expert.raw.close()
        await served.until_away("call-1", "expert")
        clocks.advance(120)
        running = asyncio.ensure_future(served.endpoint.run())

        assert await room.hear() == SeatLeft(seat="expert", reason="lost")

        running.cancel()
        assert attendance.heard[2:] == [("left", "call-1", "expert", "who:login-expert", "lost")]
        late = await served.connect()
        await late.say(Hello(resume=welcome.resume))
        assert await refusal(late) == ("seat_lost", 4408, "seat_lost")

    async def test_a_stopped_peer_is_found_by_the_heartbeat_and_was_lost_when_last_heard(
        self, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        async with serving(attendance, clocks, Limits(heartbeat_seconds=0.1)) as served:
            socket, _ = await served.sit(claims())
            last_heard = clocks.wall
            transport = socket.raw._response.connection.transport  # type: ignore[union-attr]
            transport.pause_reading()  # type: ignore[union-attr]
            clocks.advance(5)
            await served.until_away("call-1", "room")
            clocks.advance(2)

            await served.sit(claims())

            transport.resume_reading()  # type: ignore[union-attr]
        assert attendance.heard == [
            JOINED_ROOM,
            ("interrupted", "call-1", "room", "who:login-room", last_heard),
            ("resumed", "call-1", "room", "who:login-room", 7000),
        ]

    async def test_a_sweep_waits_for_nobody_who_is_being_seated(
        self, served: Served, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        room, _ = await served.sit(claims("room"))
        await room.raw.close()
        await served.until_away("call-1", "room")
        clocks.advance(30)
        attendance.gate.clear()
        expert = await served.connect()
        await expert.say(Hello(ticket=served.ticket(claims("expert"))))
        await asyncio.sleep(0.05)
        clocks.advance(100)

        await served.endpoint.sweep()
        assert served.endpoint.present("call-1") == {"room": "who:login-room"}
        attendance.gate.set()
        assert isinstance(await expert.hear(), Welcome)
        await served.endpoint.sweep()

        assert await expert.hear() == SeatLeft(seat="room", reason="lost")

    async def test_a_call_is_forgotten_when_nobody_sits_there(self, served: Served) -> None:
        room, _ = await served.sit(claims("room"))
        await room.say(Bye())
        await room.end()

        assert served.endpoint.present("call-1") == {}
        assert served.endpoint._groups == {}


class TestAnotherServer:
    """A resume token comes to a server that was started anew."""

    async def test_the_seat_is_taken_and_said_to_the_service_again(self, served: Served, attendance: FakeAttendance) -> None:
        token = mint_resume(resume_claims(claims("room"), epoch=3), RESUME_KEY)

        _, welcome = await served.greet(Hello(resume=token))

        assert (welcome.seat, welcome.epoch) == ("room", 3)
        assert attendance.heard == [JOINED_ROOM]

    async def test_the_service_may_know_better(self, served: Served, attendance: FakeAttendance) -> None:
        attendance.refusal = RefusedError("wrong_state", "the session is closed")
        socket = await served.connect()

        await socket.say(Hello(resume=mint_resume(resume_claims(claims()), RESUME_KEY)))

        assert await refusal(socket) == ("wrong_state", 4403, "wrong_state")

    async def test_a_database_that_is_down_keeps_nobody_out_and_is_asked_again(
        self, served: Served, attendance: FakeAttendance
    ) -> None:
        attendance.fault = OSError("no database")
        await served.greet(Hello(resume=mint_resume(resume_claims(claims("room")), RESUME_KEY)))
        await served.endpoint.sweep()
        assert served.endpoint.present("call-1") == {"room": "who:login-room"}
        attendance.fault = None

        await served.endpoint.sweep()
        await served.endpoint.sweep()

        assert attendance.heard == [JOINED_ROOM]

    async def test_a_seat_that_turns_out_to_be_over_is_given_up(self, served: Served, attendance: FakeAttendance) -> None:
        attendance.fault = OSError("no database")
        socket, _ = await served.greet(Hello(resume=mint_resume(resume_claims(claims()), RESUME_KEY)))
        attendance.refusal = RefusedError("wrong_state", "the session is closed")

        await served.endpoint.sweep()

        assert await refusal(socket) == ("wrong_state", 4403, "wrong_state")
        assert served.endpoint.present("call-1") == {}

    async def test_a_login_that_ended_meanwhile_does_not_come_back(self, attendance: FakeAttendance, clocks: Clocks) -> None:
        asked: list[str] = []

        async def stands(login: str) -> bool:
            asked.append(login)
            return False

        async with serving(attendance, clocks, login_stands=stands) as served:
            socket = await served.connect()
            await socket.say(Hello(resume=mint_resume(resume_claims(claims()), RESUME_KEY)))

            assert await refusal(socket) == ("login_ended", 4401, "login_ended")

        assert (asked, attendance.heard) == (["login-room"], [])

    async def test_a_shutdown_tells_every_peer_and_is_no_departure(self, attendance: FakeAttendance, clocks: Clocks) -> None:
        async with serving(attendance, clocks) as served:
            socket, welcome = await served.sit(claims())
            closing = asyncio.ensure_future(served.runner.cleanup())
            assert await refusal(socket) == ("server_restarting", 1012, "server_restarting")
            await closing

        async with serving(attendance, clocks) as served:
            _, again = await served.greet(Hello(resume=welcome.resume))

        assert again.epoch == 1
        assert attendance.heard == [JOINED_ROOM, JOINED_ROOM]

    async def test_a_server_going_down_opens_no_more_sockets(self, served: Served) -> None:
        await served.endpoint._shut_down(web.Application())

        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await served.connect()

        assert refused.value.status == 503


class TestOrders:
    async def test_the_end_is_told_to_all_and_waits_for_nothing(self, served: Served, attendance: FakeAttendance) -> None:
        room, _ = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        await room.hear()
        attendance.gate.clear()

        await served.endpoint.end("call-1", "completed")

        for socket in (room, expert):
            assert await socket.hear() == CallClosed(reason="completed")
            assert await socket.end() == (1000, "")
        assert attendance.heard == [JOINED_ROOM, JOINED_EXPERT]
        assert served.endpoint.present("call-1") == {}

    async def test_who_was_about_to_sit_down_is_told_that_it_is_over(self, served: Served, attendance: FakeAttendance) -> None:
        _room, _ = await served.sit(claims("room"))
        attendance.gate.clear()
        expert = await served.connect()
        await expert.say(Hello(ticket=served.ticket(claims("expert"))))
        await asyncio.sleep(0.05)
        await served.endpoint.end("call-1", "completed")

        attendance.gate.set()

        assert await refusal(expert) == ("call_over", 4403, "call_over")

    async def test_an_unknown_call_may_be_ended_and_emptied(self, served: Served) -> None:
        await served.endpoint.end("call-9", "completed")
        await served.endpoint.unseat("call-9", "room", "transferred")
        await served.endpoint.drop_login("nobody")

        assert served.endpoint._groups == {}

    async def test_a_seat_can_be_taken_away(self, served: Served, attendance: FakeAttendance) -> None:
        room, _ = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        await room.hear()

        await served.endpoint.unseat("call-1", "expert", "transferred")

        assert await refusal(expert) == ("unseated", 4403, "unseated")
        assert await room.hear() == SeatLeft(seat="expert", reason="transferred")
        assert attendance.heard[2:] == [("left", "call-1", "expert", "who:login-expert", "transferred")]

    async def test_a_revoked_login_loses_its_sockets_at_once_and_its_seats_after_the_commit(
        self, served: Served, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        room, _ = await served.sit(claims("room"))
        expert, welcome = await served.sit(claims("expert"))
        await room.hear()
        old_ticket = served.ticket(claims("expert"))
        attendance.gate.clear()

        dropping = asyncio.ensure_future(served.endpoint.drop_login("login-expert"))

        assert await refusal(expert) == ("login_ended", 4401, "login_ended")
        attendance.gate.set()
        await dropping
        assert await room.hear() == SeatLeft(seat="expert", reason="login_ended")
        for hello in (Hello(resume=welcome.resume), Hello(ticket=old_ticket)):
            again = await served.connect()
            await again.say(hello)
            assert await refusal(again) == ("login_ended", 4401, "login_ended")

    async def test_a_login_of_the_same_name_may_come_anew(self, served: Served, clocks: Clocks) -> None:
        await served.endpoint.drop_login("login-room")
        clocks.advance(1)

        _, welcome = await served.sit(claims("room", expires=NOW + 61))

        assert welcome.epoch == 1

    async def test_a_drop_is_forgotten_when_nothing_minted_before_it_is_valid(self, served: Served, clocks: Clocks) -> None:
        await served.endpoint.drop_login("login-room")
        clocks.advance(QUICK.resume_seconds + 61)

        await served.endpoint.sweep()

        assert served.endpoint._dropped_logins == {}

    async def test_a_login_revoked_while_it_sits_down_does_not_stay(self, served: Served, attendance: FakeAttendance) -> None:
        attendance.gate.clear()
        socket = await served.connect()
        await socket.say(Hello(ticket=served.ticket(claims())))
        await asyncio.sleep(0.05)
        await served.endpoint.drop_login("login-room")

        attendance.gate.set()

        assert isinstance(await socket.hear(), Welcome)
        assert await refusal(socket) == ("login_ended", 4401, "login_ended")
        assert attendance.heard == [JOINED_ROOM, ("left", "call-1", "room", "who:login-room", "login_ended")]


async def test_since_is_aware_and_in_utc(served: Served, attendance: FakeAttendance) -> None:
    await served.sit(claims("room"))
    await served.sit(claims("room"))

    since = attendance.heard[1][4]

    assert isinstance(since, datetime)
    assert (since.tzinfo, since.utcoffset()) == (UTC, timedelta(0))
