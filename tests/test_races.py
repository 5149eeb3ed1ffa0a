"""Several processes claim the same session at the same moment, again and again: one winner each, and the log says so."""

import asyncio
import multiprocessing
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.board.local import LocalBoard
from etapalvelu.desk import Desk, OpenRequest
from etapalvelu.domain.codes import Language, Reason, State
from etapalvelu.domain.errors import ConflictError
from etapalvelu.domain.log import verify
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.places import Room
from etapalvelu.domain.themes import THEMES
from etapalvelu.ledger import Ledger
from etapalvelu.ports import DeedKey
from etapalvelu.seats import CallSettings
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.engine import make_engine
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.sessions import SqlSessions
from tests.conftest import ADVISOR, EXPERT, Service
from tests.fakes import FakeCalendar, FakeCalls, FakeClock
from tests.samples import OPENS_ON

ROUNDS = 200
PROCESSES = 4

# How long anybody waits for the others before the test fails.
LIMIT_SECONDS = 60

WON = "won"

Heard = list[str]


def desk_on(engine: AsyncEngine) -> Desk:
    """A desk as another server process has it."""
    sessions, clock = SqlSessions(engine), FakeClock()
    return Desk(
        ledger=Ledger(sessions=sessions, board=LocalBoard(), clock=clock),
        sessions=sessions,
        places=SqlPlaces(engine),
        accounts=SqlAccounts(engine),
        calls=FakeCalls(),
        calendar=FakeCalendar(),
        themes=THEMES,
        settings=CallSettings(ticket_key=b"k" * 32),
        clock=clock,
    )


def compete(url: str, number: int, session_ids: list[str], start: Barrier, results: "Queue[tuple[int, Heard]]") -> None:
    """One process: claim each session as soon as all others are ready to."""
    expert = Staff(account=f"expert{number}", role=Role.EXPERT, themes=("pensions",), languages=(Language.FI,))

    async def rounds() -> Heard:
        engine = make_engine(url)
        desk, heard = desk_on(engine), Heard()
        for session_id in session_ids:
            start.wait(LIMIT_SECONDS)
            try:
                session = await desk.claim(expert, session_id)
            except ConflictError as refusal:
                heard.append(refusal.code)
            else:
                heard.append(WON if session.expert == expert.account else "someone else's session")
        await engine.dispose()
        return heard

    results.put((number, asyncio.run(rounds())))


async def opened_sessions(service: Service, count: int) -> list[str]:
    ids = []
    for number in range(count):
        await service.places.add_room(Room(id=f"r{number}", name=f"R{number}", point="rantala", fit_from=OPENS_ON))
        request = OpenRequest(room=f"r{number}", theme="pensions", language=Language.FI, reason=Reason.ADVICE)
        ids.append((await service.desk.open(ADVISOR, request)).id)
    return ids


@pytest.mark.timeout(LIMIT_SECONDS * 2)
async def test_of_several_processes_exactly_one_gets_each_session(service: Service, database: str) -> None:
    ids = await opened_sessions(service, ROUNDS)
    spawn = multiprocessing.get_context("spawn")
    start, results = spawn.Barrier(PROCESSES), spawn.Queue()
    processes = [spawn.Process(target=compete, args=(database, number, ids, start, results)) for number in range(PROCESSES)]

    for process in processes:
        process.start()
    heard = dict([await asyncio.to_thread(results.get, True, LIMIT_SECONDS) for _ in processes])
    for process in processes:
        await asyncio.to_thread(process.join, LIMIT_SECONDS)

    for round_number, session_id in enumerate(ids):
        told = [heard[number][round_number] for number in range(PROCESSES)]
        assert Counter(told) == {WON: 1, "already_taken": PROCESSES - 1}
        entries = await service.sessions.entries(session_id)
        assert [entry.type for entry in entries] == ["opened", "claimed"]
        assert entries[1].data["expert"] == f"expert{told.index(WON)}"
        assert verify(entries) is None
    assert {session.state for session in await service.sessions.open_sessions()} == {State.CLAIMED}


async def test_of_several_takes_in_one_process_each_gets_a_session_of_its_own(service: Service) -> None:
    ids = await opened_sessions(service, 5)
    experts = [
        Staff(account=f"expert{number}", role=Role.EXPERT, themes=("pensions",), languages=(Language.FI,))
        for number in range(8)
    ]

    taken = await asyncio.gather(*(service.desk.take(expert, None) for expert in experts))

    got = [session.id for session in taken if session is not None]
    assert (sorted(got), len(taken) - len(got)) == (sorted(ids), 3)


async def test_one_key_sent_many_times_at_once_is_one_deed(service: Service) -> None:
    await opened_sessions(service, 3)
    key = DeedKey(account="eero", key="k", digest="d", at=service.clock())

    answers = await asyncio.gather(*(service.desk.take(EXPERT, None, key=key) for _ in range(6)))

    assert [answer == answers[0] for answer in answers] == [True] * 6
    claimed = [session for session in await service.sessions.open_sessions() if session.state is State.CLAIMED]
    assert claimed == [answers[0]]
