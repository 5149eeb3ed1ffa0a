import asyncio
import contextlib
import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from signaling.line import MAX_FRAME_BYTES, Limits
from signaling.messages import (
    Bye,
    CallClosed,
    Error,
    Hello,
    Noted,
    Quality,
    Seat,
    SeatJoined,
    SeatLeft,
    SeatPromised,
    Stats,
    StillTaken,
    Welcome,
)
from signaling.pace import PACE_SECONDS
from tests.signaling.fakes import (
    JOINED_EXPERT,
    JOINED_ROOM,
    QUICK,
    Clocks,
    FakeAttendance,
    Served,
    refusal,
    serving,
)
from tests.signaling.samples import NOW, answer, answer_from, claims, offer, offer_from


class TestTalking:
    async def test_an_offer_in_advance_comes_right_after_the_welcome(self, served: Served) -> None:
        room, _ = await served.sit(claims("room"))
        await room.say(offer("expert"))
        await room.raw.ping()

        async with asyncio.timeout(5):
            # Nobody is told when the server has read a message.
            while (waiting := served.endpoint.waiting("call-1", "expert", "staff:me")) == []:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert waiting == [offer_from("room")]
        assert served.endpoint.waiting("call-2", "expert", "staff:me") == []
        expert, _ = await served.sit(claims("expert"))

        assert await expert.hear() == offer_from("room")

    async def test_an_answer_in_advance_connects_before_the_seat_is_taken(self, served: Served) -> None:
        room, _ = await served.sit(claims("room"))
        await room.say(structs.replace(offer("expert"), in_advance=True))
        who = claims("expert").who

        async with asyncio.timeout(5):
            while not await served.endpoint.answer("call-1", "expert", who, answer("room")):  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert not await served.endpoint.answer("call-2", "expert", who, answer("room"))
        served.endpoint.promise("call-1", "expert", who)
        served.endpoint.promise("call-2", "expert", who)
        await served.greet(Hello(ticket=served.ticket(claims("expert")), answered=1))

        assert await room.hear() == answer_from("expert")
        assert await room.hear() == SeatPromised(seat="expert", answered=1)
        assert await room.hear() == SeatJoined(seat="expert", epoch=1, answered=1)

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

    async def test_samples_that_come_too_fast_are_dropped_and_nobody_is_refused(
        self, served: Served, attendance: FakeAttendance, clocks: Clocks
    ) -> None:
        camera, _ = await served.sit(claims("camera"))
        early, late = (Quality(peer="room", generation=number, stats=()) for number in (1, 2))

        for _ in range(3):
            await camera.say(early)
        await camera.say(Noted(note=StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page")))
        async with asyncio.timeout(5):
            while attendance.heard[-1][0] != "noted":  # noqa: ASYNC110 - a state, no event
                await asyncio.sleep(0.005)
        clocks.advance(PACE_SECONDS)
        await camera.say(late)
        await camera.say(Bye())

        assert await camera.end() == (1000, "")
        assert [heard[4] for heard in attendance.heard if heard[0] == "sampled"] == [early, late]

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
        await attendance.holds()
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

    async def test_lines_are_cut_by_the_services_word_and_begin_anew_by_it(self, served: Served) -> None:
        room, _ = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        await room.hear()

        asked: list[frozenset[Seat]] = [frozenset({"expert"}), frozenset({"expert"}), frozenset()]
        for seats in asked:
            await served.endpoint.keep_apart("call-1", seats)
            await served.endpoint.keep_apart("call-9", seats)

        assert [await room.hear(), await room.hear()] == [
            SeatLeft(seat="expert", reason="identity"),
            SeatJoined(seat="expert", epoch=1),
        ]
        assert [await expert.hear(), await expert.hear()] == [
            SeatLeft(seat="room", reason="identity"),
            SeatJoined(seat="room", epoch=1),
        ]

    async def test_whoever_is_silent_away_or_only_just_back_was_not_heard(self, served: Served, clocks: Clocks) -> None:
        room, _ = await served.sit(claims("room"))
        expert, _ = await served.sit(claims("expert"))
        assert isinstance(await room.hear(), SeatJoined)
        clocks.advance(10)
        silent = served.endpoint.unheard("call-1", 5.0)
        await room.say(offer("expert"))
        assert await expert.hear() == offer_from("room")
        back, steady = served.endpoint.unheard("call-1", 5.0), frozenset(served.endpoint.unheard("call-9", 5.0))
        clocks.advance(3)
        await room.say(offer("expert", 2))
        assert await expert.hear() == offer_from("room", 2)
        for _ in range(2):
            clocks.advance(3)
            await room.say(offer("expert", 2))
            await expert.hear()

        both: frozenset[Seat] = frozenset({"room", "expert"})
        assert (silent, back, steady) == (both, both, frozenset[Seat]())
        assert served.endpoint.unheard("call-1", 5.0) == {"expert"}
        await room.raw.close()
        await served.until_away("call-1", "room")
        assert served.endpoint.unheard("call-1", 0.0) == {"room", "expert"}

    @pytest.mark.parametrize("is_replaced", [True, False], ids=["replaced", "closed first"])
    @pytest.mark.parametrize(("seconds", "unheard"), [(3.0, set[Seat]()), (4.0, {"room"})], ids=["heard", "silent"])
    async def test_a_new_socket_is_no_silence_where_the_one_before_it_was_heard(
        self, served: Served, clocks: Clocks, is_replaced: bool, seconds: float, unheard: set[Seat]
    ) -> None:
        before, welcome = await served.sit(claims("room"))
        if not is_replaced:
            await before.raw.close()
            await served.until_away("call-1", "room")
        clocks.advance(seconds)

        await served.greet(Hello(resume=welcome.resume))
        clocks.advance(0.5)

        assert served.endpoint.unheard("call-1", 3.0) == unheard

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
        assert (served.endpoint.sits("login-room"), served.endpoint.sits("login-expert")) == (True, False)

    async def test_a_drop_is_forgotten_when_nothing_minted_before_it_is_valid(self, served: Served, clocks: Clocks) -> None:
        await served.endpoint.drop_login("login-room")
        clocks.advance(QUICK.resume_seconds + 61)

        await served.endpoint.sweep()

        assert served.endpoint._dropped_logins == {}

    async def test_a_login_revoked_while_it_sits_down_does_not_stay(self, served: Served, attendance: FakeAttendance) -> None:
        attendance.gate.clear()
        socket = await served.connect()
        await socket.say(Hello(ticket=served.ticket(claims())))
        await attendance.holds()
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
