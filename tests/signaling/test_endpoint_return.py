import asyncio

import aiohttp
import pytest
from aiohttp import web

from signaling.errors import RefusedError
from signaling.line import Limits
from signaling.messages import (
    Bye,
    Hello,
    Present,
    SeatJoined,
    SeatLeft,
    Welcome,
)
from signaling.ticket import mint_resume
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
from tests.signaling.samples import claims, offer, offer_from, resume_claims


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

        await served.endpoint.sweep()

        assert await room.hear() == SeatLeft(seat="expert", reason="lost")
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
        await attendance.holds()
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
