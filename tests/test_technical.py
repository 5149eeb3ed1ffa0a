"""The technical ledger on a real store: every failure once, in scope, page by page, and each look written down."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu import technical as technical_module
from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CauseClass, CloseCause, Path, ReleaseReason, Seat
from etapalvelu.domain.errors import NotAllowedError
from etapalvelu.domain.events import Connected, Event, Interrupted, Joined, Left, Released, Resumed
from etapalvelu.domain.people import Person, Role, Staff
from etapalvelu.domain.session import Session
from etapalvelu.domain.technical import FaultFilter, FaultKind, Remedy
from etapalvelu.reports import csv_cell
from etapalvelu.store import tables
from etapalvelu.store.engine import reading
from etapalvelu.store.technical import SqlFaults, failures
from etapalvelu.technical import CSV_COLUMNS, FaultPage, TechnicalLedger
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR, Service
from tests.domain.samples import NOW

LOCAL = Staff(account="sanna", role=Role.SUPERVISOR, point="rantala")
FAR = Staff(account="satu", role=Role.SUPERVISOR, point="kaukola")
ALL = FaultFilter()


@pytest.fixture
def ledger(service: Service) -> TechnicalLedger:
    return TechnicalLedger(store=SqlFaults(service.engine), accesses=service.sessions, clock=service.clock)


async def interrupted(service: Service, room: str = "rantala-1", cause: CauseClass = CauseClass.SITE_NETWORK) -> Session:
    """A session with one gap that was mended after 4.2 s; it is closed a minute later."""
    session = await service.opened(room)
    await service.desk.claim(EXPERT, session.id)
    since = service.clock()
    happened: list[Event] = [
        *(Joined(seat=seat) for seat in (Seat.ROOM, Seat.EXPERT)),
        Connected(path=Path.HOST, setup_ms=100),
        Interrupted(seat=Seat.ROOM, cause_class=cause, since=since),
        Resumed(seat=Seat.ROOM, gap_ms=4200),
    ]
    await service.ledger.change(session.id, "system", lambda _session: happened)
    service.clock.advance(minutes=1)
    return await service.desk.close(EXPERT, session.id, CloseRequest(cause=CloseCause.COMPLETED))


async def told(ledger: TechnicalLedger, which: FaultFilter = ALL) -> list[tuple[str, FaultKind, CauseClass]]:
    page = await ledger.page(SUPERVISOR, which)
    return [(one.spot.session, one.fault.kind, one.fault.cause) for one in page.told]


async def looks(engine: AsyncEngine) -> list[tuple[str, str, str]]:
    c = tables.access.c
    async with reading(engine) as connection:
        return [tuple(row) for row in await connection.execute(select(c.account, c.what, c.detail).order_by(c.id))]


async def test_every_kind_of_failure_is_found_newest_first(service: Service, ledger: TechnicalLedger) -> None:
    mended = await interrupted(service)
    technical = await service.opened("rantala-2")
    await service.desk.claim(EXPERT, technical.id)
    lost: list[Event] = [
        Joined(seat=Seat.EXPERT),
        Left(seat=Seat.EXPERT),
        Released(expert="eero", reason=ReleaseReason.EXPERT_LOST),
    ]
    await service.ledger.change(technical.id, "system", lambda _session: lost)
    service.clock.advance(seconds=1)
    close = CloseRequest(cause=CloseCause.TECHNICAL, cause_class=CauseClass.CAMERA)
    await service.desk.close(ADVISOR, technical.id, close)

    assert await told(ledger) == [
        (technical.id, FaultKind.TECHNICAL, CauseClass.CAMERA),
        (technical.id, FaultKind.FAILED_START, CauseClass.UNKNOWN),
        (mended.id, FaultKind.INTERRUPTED, CauseClass.SITE_NETWORK),
    ]


async def test_what_is_no_failure_is_not_told(service: Service, ledger: TechnicalLedger) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)
    await service.desk.release(EXPERT, session.id, ReleaseReason.WRONG_THEME)
    await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))

    assert await ledger.page(SUPERVISOR, ALL) == FaultPage(told=(), after=None)


async def test_failures_are_filtered_by_time_place_and_cause(service: Service, ledger: TechnicalLedger) -> None:
    first = await interrupted(service)
    second = await interrupted(service, "rantala-2", CauseClass.SERVER)
    later = NOW + timedelta(seconds=30)

    filters = {
        "before": FaultFilter(until=later),
        "after": FaultFilter(since=later),
        "room": FaultFilter(room="rantala-2"),
        "point": FaultFilter(point="rantala"),
        "nowhere": FaultFilter(point="kaukola"),
        "cause": FaultFilter(cause=CauseClass.SERVER),
    }

    assert {name: [one[0] for one in await told(ledger, which)] for name, which in filters.items()} == {
        "before": [first.id],
        "after": [second.id],
        "room": [second.id],
        "point": [second.id, first.id],
        "nowhere": [],
        "cause": [second.id],
    }


async def test_pages_follow_each_other_without_repeating_or_losing_one(service: Service, ledger: TechnicalLedger) -> None:
    made = [(await interrupted(service)).id for _ in range(5)]

    first = await ledger.page(SUPERVISOR, FaultFilter(limit=2))
    second = await ledger.page(SUPERVISOR, FaultFilter(limit=2, after=first.after))
    third = await ledger.page(SUPERVISOR, FaultFilter(limit=2, after=second.after))

    assert [one.spot.session for page in (first, second, third) for one in page.told] == made[::-1]
    assert [page.after is None for page in (first, second, third)] == [False, False, True]


async def test_failures_of_the_same_moment_are_paged_too(service: Service, ledger: TechnicalLedger) -> None:
    session = await service.opened()
    gap: list[Event] = [
        Interrupted(seat=Seat.ROOM, cause_class=CauseClass.SERVER, since=NOW),
        Resumed(seat=Seat.ROOM, gap_ms=1),
    ]
    happened: list[Event] = [Joined(seat=Seat.ROOM), *gap, *gap, *gap]
    await service.ledger.change(session.id, "system", lambda _session: happened)

    first = await ledger.page(SUPERVISOR, FaultFilter(limit=2))
    second = await ledger.page(SUPERVISOR, FaultFilter(limit=2, after=first.after))

    assert [one.fault.seq for one in (*first.told, *second.told)] == [7, 5, 3]


async def test_a_rare_cause_is_looked_for_so_far_and_no_further(
    service: Service, ledger: TechnicalLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    rare = await interrupted(service, cause=CauseClass.SPEAKER)
    for _ in range(4):
        await interrupted(service)
    monkeypatch.setattr(technical_module, "CHUNK", 2)
    monkeypatch.setattr(technical_module, "MOST_SPOTS", 4)
    which = FaultFilter(cause=CauseClass.SPEAKER)

    first = await ledger.page(SUPERVISOR, which)
    figures = await ledger.figures(SUPERVISOR, ALL)
    rows = [row async for row in ledger.csv_rows(SUPERVISOR, which)]

    assert (first.told, first.after is None) == ((), False)
    assert await told(ledger, replace(which, after=first.after)) == [(rare.id, FaultKind.INTERRUPTED, CauseClass.SPEAKER)]
    assert (len(figures.told), figures.whole) == (4, False)
    assert [row[0] for row in rows] == ["session", csv_cell(rare.id)]


async def test_figures_count_all_and_the_sessions_they_befell(service: Service, ledger: TechnicalLedger) -> None:
    await interrupted(service)
    await service.opened("rantala-2")

    figures = await ledger.figures(SUPERVISOR, ALL)

    assert [one.fault.remedy for one in figures.told] == [Remedy.MENDED]
    assert (figures.opened, figures.whole) == ({"rantala-1": 1, "rantala-2": 1}, True)
    inside = FaultFilter(since=NOW, until=NOW + timedelta(hours=1), point="rantala", room="rantala-2")
    assert (await ledger.figures(SUPERVISOR, inside)).opened == {"rantala-2": 1}


async def test_a_supervisor_of_a_point_reads_that_point_alone(service: Service, ledger: TechnicalLedger) -> None:
    session = await interrupted(service)

    assert [one.spot.session for one in (await ledger.page(LOCAL, ALL)).told] == [session.id]
    assert (await ledger.page(FAR, ALL)).told == ()
    assert (await ledger.figures(FAR, ALL)).opened == {}
    with pytest.raises(NotAllowedError):
        await ledger.page(FAR, FaultFilter(point="rantala"))


@pytest.mark.parametrize("who", [ADVISOR, EXPERT, SCREEN, AGENT])
async def test_nobody_else_reads_it(ledger: TechnicalLedger, engine: AsyncEngine, who: Person) -> None:
    with pytest.raises(NotAllowedError):
        await ledger.page(who, ALL)
    with pytest.raises(NotAllowedError):
        await ledger.figures(who, ALL)
    with pytest.raises(NotAllowedError):
        await anext(aiter(ledger.csv_rows(who, ALL)))

    assert await looks(engine) == []


async def test_each_look_and_each_export_is_written_down(
    service: Service, ledger: TechnicalLedger, engine: AsyncEngine
) -> None:
    session = await interrupted(service)
    which = FaultFilter(since=NOW, room="rantala-1", cause=CauseClass.SITE_NETWORK)

    await ledger.page(SUPERVISOR, which)
    rows = [row async for row in ledger.csv_rows(LOCAL, ALL)]

    assert await looks(engine) == [
        ("sirpa", "faults", "from=2026-08-17T07:00:00.000Z room=rantala-1 cause=site_network"),
        ("sanna", "fault_export", ""),
    ]
    assert rows[0] == CSV_COLUMNS
    assert dict(zip(CSV_COLUMNS, rows[1], strict=True)) == {
        "session": csv_cell(session.id),
        "seq": "6",
        "point": "rantala",
        "room": "rantala-1",
        "theme": "pensions",
        "at": "2026-08-17T07:00:00.000Z",
        "at_helsinki": "2026-08-17 10:00:00",
        "since": "2026-08-17T07:00:00.000Z",
        "kind": "interrupted",
        "cause_class": "site_network",
        "seat": "room",
        "lost_seconds": "4.2",
        "remedy": "mended",
    }


@pytest.mark.sqlite
async def test_failures_are_found_by_their_index(service: Service) -> None:
    """However long the log, only entries that may tell of a failure are looked at."""
    asked = list[str]()
    async with reading(service.engine) as connection:
        which = FaultFilter(since=NOW, until=NOW + timedelta(days=30), point="rantala")
        query = failures(which).compile(dialect=service.engine.dialect, compile_kwargs={"literal_binds": True})
        asked += [str(row.detail) for row in await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))]

    assert "event_of_failure" in asked[0]
    assert not any("TEMP B-TREE" in line for line in asked)
