import asyncio
from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from signaling.client import MAX_WAITING_MESSAGES, Backoff, CallClient
from signaling.errors import RefusedError
from signaling.messages import (
    Bye,
    CallClosed,
    Noted,
    Present,
    Quality,
    SeatJoined,
    SeatLeft,
    StillTaken,
    Welcome,
)
from tests.signaling.fakes import QUICK, Clocks, FakeAttendance, Served, Tickets, hear, is_over, serving
from tests.signaling.samples import candidate, candidate_from, claims, offer, offer_from

NO_PAUSE = Backoff(first=0.01, longest=0.05)
NOTE = Noted(note=StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page"))


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


async def test_a_line_that_is_lost_while_a_ping_is_answered_is_resumed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(_timeout: float | None = None) -> aiohttp.WSMessage:
        raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")

    client = client_of(served, Tickets(served))
    messages = aiter(client)
    await hear(messages)
    assert client._socket is not None
    monkeypatch.setattr(client._socket, "receive", lost)

    assert isinstance(await hear(messages), Welcome)

    await client.close()
    assert await is_over(messages)


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


@pytest.mark.parametrize(
    ("attempt", "least", "most"), [(1, 0.1, 0.2), (2, 0.2, 0.4), (500, 0.4, 0.8), (501, 0.8, 1.6), (600, 4.0, 8.0)]
)
def test_pauses_stay_under_a_second_for_minutes_and_vary(attempt: int, least: float, most: float) -> None:
    pauses = {Backoff().seconds(attempt) for _ in range(20)}

    assert all(least <= pause <= most for pause in pauses)
    assert len(pauses) > 1


@pytest.mark.parametrize(("asked", "least", "most"), [(2, 2.0, 2.5), (3600, 60.0, 75.0), (0.01, 0.1, 0.2)])
def test_whoever_is_asked_to_wait_waits_that_long_and_a_little_longer_by_chance(
    asked: float, least: float, most: float
) -> None:
    pauses = {Backoff().seconds(1, asked) for _ in range(20)}

    assert all(least <= pause <= most for pause in pauses)
    assert len(pauses) > 1


async def test_bye_may_be_sent_by_hand_as_well(served: Served) -> None:
    client = client_of(served, Tickets(served))
    messages = aiter(client)
    await hear(messages)

    await client.send(Bye())
    await client.close()

    assert await is_over(messages)
