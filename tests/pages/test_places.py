"""A room's page hears of its own place in the queue, and of nothing else that goes on there."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from etapalvelu.access import Visitor
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.domain.people import Device
from etapalvelu.pages.feeds import FEEDS, Watcher
from etapalvelu.pages.places import Places
from etapalvelu.pages.site import SITE
from etapalvelu.ports import HOURS, QUEUE, place_topic, room_topic, session_topic
from etapalvelu.reports import Reports
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, Service
from tests.doorstep import Doorstep

LIMIT = 5


@pytest.fixture
def reports(service: Service) -> Reports:
    return Reports(sessions=service.sessions, places=service.places, clock=service.clock)


async def moved(service: Service, deeds: Sequence[str]) -> set[str]:
    """Which of the three rooms have another place once these rooms' sessions were claimed and all settled."""
    heard = set()
    rooms = ("rantala-1", "rantala-2", "rantala-3")
    ears = {room: service.board.listen({place_topic(room)}) for room in rooms}
    async with ears["rantala-1"] as one, ears["rantala-2"] as two, ears["rantala-3"] as three, asyncio.timeout(LIMIT):
        for room in deeds:
            session = await service.sessions.open_in_room(room)
            assert session is not None
            await service.desk.claim(EXPERT, session.id)
        listening = {asyncio.ensure_future(ear.wait()): room for room, ear in zip(rooms, (one, two, three), strict=True)}
        await asyncio.sleep(0.5)
        heard = {room for waiting, room in listening.items() if waiting.done()}
        for waiting in listening:
            waiting.cancel()
    return heard


async def test_who_stands_behind_hears_that_the_line_moved_and_nobody_else(service: Service, reports: Reports) -> None:
    await service.opened("rantala-1", theme="families")
    await service.opened("rantala-2")
    service.clock.advance(seconds=1)
    await service.opened("rantala-3")
    following = asyncio.ensure_future(Places(reports, service.board).follow())
    await asyncio.sleep(0)
    service.board.announce({QUEUE})
    await asyncio.sleep(0.4)

    heard = await moved(service, ["rantala-2"])

    # The first in line does not wait any more, and the second is the first now.
    assert heard == {"rantala-2", "rantala-3"}
    following.cancel()


async def test_a_database_that_is_away_is_asked_again(
    service: Service, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etapalvelu.pages.places.PAUSE_SECONDS", 0.01)
    await service.opened("rantala-1")
    read, tries = reports.places, 0

    async def away_twice() -> object:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise TryAgainError
        return await read()

    monkeypatch.setattr(reports, "places", away_twice)
    async with service.board.listen({place_topic("rantala-1")}) as ear, asyncio.timeout(LIMIT):
        following = asyncio.ensure_future(Places(reports, service.board).follow())
        await asyncio.sleep(0)
        service.board.announce({QUEUE})
        await ear.wait()

    assert tries == 3
    following.cancel()


async def test_streams_of_which_there_are_many_do_not_listen_to_the_whole_queue(whole: Doorstep, service: Service) -> None:
    site, session = whole.client.app[SITE], await service.opened()
    language = site.renderer.languages["en"]

    async def topics(page: str, visitor: Visitor, session_id: str = "") -> set[str]:
        return await FEEDS[page].topics(site, Watcher(visitor=visitor, language=language, session_id=session_id))

    screen, agent, advisor = [(await whole.login(who)).visitor for who in (SCREEN, AGENT, ADVISOR)]
    assert isinstance(screen.person, Device)
    room = screen.person.room

    assert await topics("room", screen) == {room_topic(room), place_topic(room)}
    assert await topics("agent", agent) == {room_topic(room)}
    assert await topics("advisor-session", advisor, session.id) == {HOURS, session_topic(session.id), place_topic(session.room)}
    assert await topics("advisor-session", advisor, "unheard-of") == {HOURS, session_topic("unheard-of")}


async def test_places_are_counted_by_theme_and_in_the_order_of_opening(service: Service, reports: Reports) -> None:
    first = await service.opened("rantala-2")
    service.clock.advance(seconds=1)
    second = await service.opened("rantala-1")
    other = await service.opened("rantala-3", theme="families")
    claimed = await service.desk.claim(EXPERT, other.id)

    assert await reports.places() == {"rantala-2": 1, "rantala-1": 2}
    assert [await reports.place(one) for one in (first, second, claimed)] == [1, 2, None]
    assert second.opened_at - first.opened_at == timedelta(seconds=1)
