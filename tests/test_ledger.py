"""A change that lost a race is decided anew; nobody is told before the commit."""

from collections.abc import Sequence

import pytest

from etapalvelu.domain.codes import CloseCause, Seat
from etapalvelu.domain.errors import AlreadyTakenError, NotFoundError, StaleError, WrongStateError
from etapalvelu.domain.events import Claimed, Closed, Event, Joined, Left
from etapalvelu.domain.log import Entry, append
from etapalvelu.domain.people import SYSTEM
from etapalvelu.domain.session import Session
from etapalvelu.ledger import ATTEMPTS
from tests.conftest import EXPERT, Service

ROOM_JOINS: Sequence[Event] = [Joined(seat=Seat.ROOM)]


class Meddler:
    """A session store in which somebody else is faster, `times` times."""

    def __init__(self, service: Service, times: int, event: Event | None = None) -> None:
        self._service = service
        self._save = service.sessions.save
        self._left = times
        self._event = event
        self.saves = 0

    async def save(self, before: Session | None, after: Session, entries: Sequence[Entry], key: None = None) -> None:
        self.saves += 1
        if self._left > 0 and before is not None:
            self._left -= 1
            event = self._event or (Left(seat=Seat.CAMERA) if Seat.CAMERA in before.seats else Joined(seat=Seat.CAMERA))
            moved, entry = append(before, event, actor=SYSTEM, now=self._service.clock())
            await self._save(before, moved, [entry])
        await self._save(before, after, entries, key)


@pytest.fixture
def meddler(service: Service, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Meddler:
    made = Meddler(service, *request.param)
    monkeypatch.setattr(service.sessions, "save", made.save)
    return made


@pytest.mark.parametrize("meddler", [(0,)], indirect=True)
async def test_what_is_decided_is_appended_with_its_actor_and_time(service: Service, meddler: Meddler) -> None:
    session = await service.opened()
    service.clock.advance(seconds=5)

    after = await service.ledger.change(session.id, "device:rantala-1", lambda _session: ROOM_JOINS)

    entry = (await service.sessions.entries(session.id))[-1]
    assert (entry.seq, entry.type, entry.actor, entry.at) == (2, "joined", "device:rantala-1", service.clock())
    assert await service.session(session.id) == after


@pytest.mark.parametrize("meddler", [(3,)], indirect=True)
async def test_a_change_that_lost_races_is_decided_anew_until_it_is_in(service: Service, meddler: Meddler) -> None:
    session = await service.opened()
    seen: list[int] = []

    def decide(fresh: Session) -> Sequence[Event]:
        seen.append(fresh.seq)
        return ROOM_JOINS

    after = await service.ledger.change(session.id, SYSTEM, decide)

    assert (seen, after.seq) == ([1, 2, 3, 4], 5)
    assert await service.types(session.id) == ["opened", "joined", "left", "joined", "joined"]


@pytest.mark.parametrize("meddler", [(1, Claimed(expert="elsa", lease_seconds=20))], indirect=True)
async def test_a_person_who_lost_the_race_hears_the_true_reason(service: Service, meddler: Meddler) -> None:
    session = await service.opened()

    with pytest.raises(AlreadyTakenError):
        await service.desk.claim(EXPERT, session.id)

    assert (await service.session(session.id)).expert == "elsa"


@pytest.mark.parametrize("meddler", [(1000,)], indirect=True)
async def test_whoever_loses_every_race_is_asked_to_look_again(service: Service, meddler: Meddler) -> None:
    session = await service.opened()

    with pytest.raises(StaleError):
        await service.ledger.change(session.id, SYSTEM, lambda _session: ROOM_JOINS)

    assert meddler.saves == 1 + ATTEMPTS


@pytest.mark.parametrize("meddler", [(0,)], indirect=True)
async def test_to_decide_on_nothing_writes_and_announces_nothing(service: Service, meddler: Meddler) -> None:
    session = await service.opened()

    async with service.board.listen(["queue"]) as notices:
        assert await service.ledger.change(session.id, SYSTEM, lambda _session: []) == session
        assert vars(notices)["_heard"].is_set() is False

    assert meddler.saves == 1


async def test_several_events_are_one_change(service: Service) -> None:
    session = await service.opened()
    impossible: Sequence[Event] = [Joined(seat=Seat.ROOM), Joined(seat=Seat.ROOM)]

    with pytest.raises(WrongStateError):
        await service.ledger.change(session.id, SYSTEM, lambda _session: impossible)

    assert await service.types(session.id) == ["opened"]


async def test_a_session_that_is_not_there_is_told(service: Service) -> None:
    with pytest.raises(NotFoundError):
        await service.ledger.change("nowhere", SYSTEM, lambda _session: ROOM_JOINS)

    assert await service.ledger.change_if_true("nowhere", SYSTEM, lambda _session: ROOM_JOINS) is None


async def test_what_has_become_untrue_is_dropped(service: Service) -> None:
    session = await service.opened()
    closed: Sequence[Event] = [Closed(cause=CloseCause.CANCELLED)]
    await service.ledger.change(session.id, SYSTEM, lambda _session: closed)

    assert await service.ledger.change_if_true(session.id, SYSTEM, lambda _session: ROOM_JOINS) is None
    assert await service.types(session.id) == ["opened", "closed"]


@pytest.mark.parametrize("topic", ["queue", "session:{id}", "room:rantala-1", "point:rantala"])
async def test_everybody_concerned_is_woken_after_the_commit(service: Service, topic: str) -> None:
    session = await service.opened()

    async with (
        service.board.listen([topic.format(id=session.id)]) as concerned,
        service.board.listen(["room:rantala-2"]) as other,
    ):
        await service.ledger.change(session.id, SYSTEM, lambda _session: ROOM_JOINS)

        await concerned.wait()
        assert vars(other)["_heard"].is_set() is False
