"""The server dies, is told to end, is stopped, and comes back: nobody loses a seat, nothing is logged that did not happen."""

import asyncio
import json
import signal
import time

import aiohttp
import pytest

from signaling.messages import SUBPROTOCOL
from tests.faults.people import People, RefusedDeedError, in_service, until
from tests.faults.rig import STOP_SECONDS, Rig

# A seat is kept for longer than the longest fault here.
PATIENT = {"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"}

# Within which a client that was there before has its seat again once the server is ready.
BACK_SECONDS = 1.0

# What happened in a session that nothing was lost in, until it was closed.
WHOLE = ["opened", "joined", "claimed", "joined", "connected", "noted", "closed"]


async def finish(rig: Rig, people: People, session: str) -> None:
    """The session goes on to its ordinary end."""
    await people.expert.close(session, "completed", outcomes=["advised"])


@pytest.mark.timeout(180)
@pytest.mark.lasting(1, 2, 10, 60)
async def test_a_server_killed_during_a_session_comes_back(rig: Rig, people: People, lasting: int) -> None:
    rig.start(PATIENT)
    async with in_service(rig, people) as (session, screen, expert):
        rig.kill()
        await asyncio.sleep(lasting)
        await asyncio.to_thread(rig.start, PATIENT)
        ready = time.monotonic()
        back = max([await sitter.seated(2) for sitter in (screen, expert)]) - ready
        await finish(rig, people, session)

        assert await screen.over() == "completed"
        assert back <= BACK_SECONDS
    assert rig.types(session) == WHOLE
    rig.agrees(all_ended=True)


@pytest.mark.timeout(180)
@pytest.mark.lasting(3, 5, 20, 60)
async def test_a_stopped_server_goes_on_where_it_was(rig: Rig, people: People, lasting: int) -> None:
    """Even when it was stopped for longer than a seat is kept."""
    rig.start()
    async with in_service(rig, people) as (session, screen, _expert):
        rig.signal(signal.SIGSTOP)
        await asyncio.sleep(lasting)
        rig.signal(signal.SIGCONT)
        await until(lambda: screen.client.is_connected)
        await finish(rig, people, session)

        assert await screen.over() == "completed"
    assert rig.types(session) == WHOLE
    rig.agrees(all_ended=True)


async def test_a_server_told_to_end_tells_everybody_and_is_gone_in_time(rig: Rig, people: People) -> None:
    rig.start()
    async with in_service(rig, people) as (session, screen, expert):
        heard = [asyncio.ensure_future(_last_words(people, session)), asyncio.ensure_future(_last_of_stream(people))]
        await until(lambda: "camera" in str(rig.seats(session)))
        gone = asyncio.ensure_future(asyncio.to_thread(rig.terminate))
        refused = await _refusal(people, gone)
        seconds = await gone
        said, bye = await asyncio.gather(*heard)
        await asyncio.to_thread(rig.start)
        for sitter in (screen, expert):
            await sitter.seated(2)
        await finish(rig, people, session)

        assert refused == (503, "server_restarting", "1")
        assert (said["code"], said["retry_after"], said["closed"]) == ("server_restarting", 1, 1012)
        assert bye == {"event": "bye", "data": {"retry_after": 1}}
        assert seconds <= STOP_SECONDS
        assert await screen.over() == "completed"
    rig.agrees(all_ended=True)


async def test_a_server_told_to_end_while_the_database_is_locked_is_gone_in_time(rig: Rig, people: People) -> None:
    rig.start()
    session = (await people.advisor.open())["id"]
    with rig.sqlite(write_lock=True):
        asked = asyncio.ensure_future(people.advisor.close(session, "cancelled"))
        await asyncio.sleep(0.3)
        seconds = await asyncio.to_thread(rig.terminate)
    await asyncio.to_thread(rig.start)
    await asked

    assert seconds <= STOP_SECONDS
    assert rig.types(session) == ["opened", "closed"]
    rig.agrees(all_ended=True)


async def test_a_restart_closes_nothing_that_lives_and_leaves_nothing_open_that_died(rig: Rig, people: People) -> None:
    """Two sessions; the people of one die together with the server, and only the other's come back."""
    short = {"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "3", "ETAPALVELU_CALL__LOST_SECONDS": "1"}
    rig.start(short)
    async with in_service(rig, people) as (living, screen, expert):
        dead = (await people.advisor.open("rantala-2"))["id"]
        async with people.screen("rantala-2").sit(dead, "room"):
            await people.expert2.claim(dead)
            async with people.expert2.sit(dead, "expert"):
                rig.kill()
        await asyncio.to_thread(rig.start, short)
        for sitter in (screen, expert):
            await sitter.seated(2)
        await until(lambda: "closed" in rig.types(dead))
        cause = (await people.staff("supervisor").read(dead))["close_cause"]
        await finish(rig, people, living)

        assert cause == "lost"
    assert rig.types(living) == WHOLE
    rig.agrees(all_ended=True)


async def _last_words(people: People, session: str) -> dict[str, object]:
    """What the camera's seat hears last, and the close code."""
    person = people.agent()
    ticket = await person.ticket(session, "camera")
    async with person.http.ws_connect("/call", protocols=[SUBPROTOCOL]) as socket:
        await socket.send_json({"type": "hello", "ticket": ticket})
        said: dict[str, object] = {}
        async for frame in socket:
            assert frame.type is aiohttp.WSMsgType.TEXT
            said = json.loads(frame.data)
        return {**said, "closed": socket.close_code}


async def _last_of_stream(people: People) -> dict[str, object]:
    last: dict[str, object] = {}
    async for said in people.advisor.hear_state():
        last = said
    return last


async def _refusal(people: People, gone: "asyncio.Future[float]") -> tuple[int, object, str | None]:
    """What a new deed hears while the server goes down. Until then it is one on a session that there is not."""
    while not gone.done():
        try:
            await people.expert.claim("nowhere", patient=False)
        except RefusedDeedError as refusal:
            if refusal.status == 503:
                return refusal.status, refusal.code, refusal.headers.get("Retry-After")
        except aiohttp.ClientError:
            break
    return 0, "not asked in time", None
