"""The supervisor's questions: what each may see, and that every look at others' rows is written down."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu import reports as reports_module
from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CloseCause, DocumentCamera, FollowUp, Language, Outcome, Readiness, Reason, State
from etapalvelu.domain.errors import NotAllowedError, NotFoundError
from etapalvelu.domain.log import open_session
from etapalvelu.domain.people import Person, Role, Staff
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import weekdays
from etapalvelu.ports import SessionFilter
from etapalvelu.reports import CSV_COLUMNS, Reports, csv_cell, csv_row
from etapalvelu.store import tables
from etapalvelu.store.engine import reading, writing
from tests.conftest import ADVISOR, AGENT, EXPERT, EXPERT2, SCREEN, SUPERVISOR, Service
from tests.domain.samples import NOW, OPENED, SERVED, after
from tests.samples import OPENS_ON

LOCAL = Staff(account="sanna", role=Role.SUPERVISOR, point="rantala")
FAR = Staff(account="satu", role=Role.SUPERVISOR, point="kaupunki")
ADMIN = Staff(account="paavo", role=Role.ADMIN)
COLLEAGUE = Staff(account="anna", role=Role.ADVISOR, point="rantala")
FAR_ADVISOR = Staff(account="armi", role=Role.ADVISOR, point="kaupunki")

Looks = list[tuple[str, str, str]]


@pytest.fixture
def reports(service: Service) -> Reports:
    return Reports(sessions=service.sessions, places=service.places, clock=service.clock)


@pytest.fixture
async def city(service: Service) -> Session:
    """A session in another town."""
    point = ServicePoint(id="kaupunki", name="Kaupunki", municipality="Kaupunki", hours=weekdays(9, 16), opens_on=OPENS_ON)
    await service.places.add_point(point)
    await service.places.add_room(Room(id="kaupunki-1", name="Huone 1", point="kaupunki", fit_from=OPENS_ON))
    event = replace(OPENED, point="kaupunki", room="kaupunki-1", theme="families")
    session, entry = open_session("city", event, advisor="armi", actor="staff:armi", now=service.clock() + timedelta(minutes=5))
    await service.sessions.save(None, session, [entry])
    return session


async def looks(engine: AsyncEngine) -> Looks:
    c = tables.access.c
    async with reading(engine) as connection:
        found = await connection.execute(select(c.account, c.what, c.detail).order_by(c.id))
        return [(row.account, row.what, row.detail) for row in found]


@pytest.mark.parametrize(
    ("who", "is_logged"),
    [(ADVISOR, False), (EXPERT, False), (COLLEAGUE, True), (SUPERVISOR, True), (LOCAL, True), (ADMIN, True)],
    ids=lambda value: value.account if isinstance(value, Staff) else None,
)
async def test_a_look_at_anothers_session_is_written_down(
    service: Service, reports: Reports, engine: AsyncEngine, who: Staff, is_logged: bool
) -> None:
    session = await service.opened()
    claimed = await service.desk.claim(EXPERT, session.id)

    assert await reports.session(who, session.id) == claimed
    assert await looks(engine) == ([(who.account, "session", session.id)] if is_logged else [])


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        (FAR, NotFoundError),
        (FAR_ADVISOR, NotFoundError),
        (EXPERT2, NotAllowedError),
        (SCREEN, NotAllowedError),
        (AGENT, NotAllowedError),
    ],
)
async def test_who_may_not_read_hears_no_more_than_they_may_know(
    service: Service, reports: Reports, engine: AsyncEngine, who: Person, refusal: type[Exception]
) -> None:
    session = await service.opened()

    with pytest.raises(refusal):
        await reports.timeline(who, session.id)

    assert await looks(engine) == []


async def test_a_session_that_is_not_there_is_not_found(reports: Reports) -> None:
    with pytest.raises(NotFoundError):
        await reports.session(SUPERVISOR, "nowhere")


async def test_a_timeline_is_the_whole_log_and_says_whether_it_is_proven(
    service: Service, reports: Reports, engine: AsyncEngine
) -> None:
    session = await service.opened()

    proven = await reports.timeline(SUPERVISOR, session.id)
    async with writing(engine) as connection:
        await connection.execute(text("DROP TRIGGER event_update"))
        await connection.execute(text("UPDATE event SET actor = 'staff:veikko'"))
    changed = await reports.timeline(SUPERVISOR, session.id)

    assert (proven.session, [entry.type for entry in proven.entries], proven.samples, proven.proven) == (
        session,
        ["opened"],
        [],
        True,
    )
    assert (changed.entries[0].actor, changed.proven) == ("staff:veikko", False)


@pytest.mark.parametrize(
    "tampering", ["UPDATE event SET data = '{}'", "UPDATE session SET fold = replace(fold, 'pensions', 'families')"]
)
async def test_a_timeline_that_cannot_be_read_or_does_not_fit_its_row_is_not_proven(
    service: Service, reports: Reports, engine: AsyncEngine, tampering: str
) -> None:
    session = await service.opened()
    async with writing(engine) as connection:
        await connection.execute(text("DROP TRIGGER event_update"))
        changed = await connection.execute(text(tampering))
        assert changed.rowcount == 1

    timeline = await reports.timeline(SUPERVISOR, session.id)

    assert timeline.proven is False


async def test_supervisors_see_their_scope(service: Service, reports: Reports, city: Session, engine: AsyncEngine) -> None:
    session = await service.opened()

    assert await reports.select(SUPERVISOR, SessionFilter()) == [city, session]
    assert await reports.select(ADMIN, SessionFilter(point="kaupunki", theme="families", state=State.WAITING)) == [city]
    assert await reports.select(LOCAL, SessionFilter()) == [session]
    assert await reports.select(FAR, SessionFilter(point="kaupunki", since=NOW, until=NOW + timedelta(hours=1))) == [city]
    assert await looks(engine) == [
        ("sirpa", "sessions", ""),
        ("paavo", "sessions", "point=kaupunki theme=families state=waiting"),
        ("sanna", "sessions", ""),
        ("satu", "sessions", "from=2026-08-17T07:00:00.000Z to=2026-08-17T08:00:00.000Z point=kaupunki"),
    ]


@pytest.mark.parametrize("who", [ADVISOR, EXPERT, SCREEN, AGENT])
async def test_nobody_else_asks_for_lists(reports: Reports, engine: AsyncEngine, who: Person) -> None:
    with pytest.raises(NotAllowedError):
        await reports.select(who, SessionFilter())
    with pytest.raises(NotAllowedError):
        await reports.between(who, NOW, NOW)
    with pytest.raises(NotAllowedError):
        await anext(aiter(reports.csv_rows(who, SessionFilter())))

    assert await looks(engine) == []


async def test_another_points_sessions_are_refused_and_not_silently_empty(reports: Reports, city: Session) -> None:
    with pytest.raises(NotAllowedError):
        await reports.select(LOCAL, SessionFilter(point="kaupunki"))


async def test_an_export_is_written_down_before_its_first_row(
    service: Service, reports: Reports, city: Session, engine: AsyncEngine
) -> None:
    session = await service.opened()
    rows = aiter(reports.csv_rows(LOCAL, SessionFilter(theme="pensions", limit=1)))

    header = await anext(rows)

    assert header == CSV_COLUMNS
    assert await looks(engine) == [("sanna", "export", "theme=pensions")]
    assert [row async for row in rows] == [csv_row(session)]


async def test_exports_and_figures_go_on_over_many_pages(
    service: Service, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports_module, "EXPORT_CHUNK", 2)
    ids = []
    for _ in range(5):
        session = await service.opened()
        ids.append(session.id)
        await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))
        service.clock.advance(seconds=1)

    rows = [row async for row in reports.csv_rows(SUPERVISOR, SessionFilter())]
    between = await reports.between(SUPERVISOR, NOW, NOW + timedelta(seconds=4))

    assert [row[0] for row in rows[1:]] == [csv_cell(one) for one in ids[::-1]]
    assert [session.id for session in between] == ids[3::-1]


async def test_a_queue_and_a_place_in_it(service: Service, reports: Reports) -> None:
    first = await service.opened("rantala-1")
    service.clock.advance(seconds=1)
    second = await service.opened("rantala-2")
    await service.opened("rantala-3", theme="sickness")

    assert await reports.queue(EXPERT) == [first, second]
    assert await reports.place(second) == 2


async def test_open_sessions_are_those_one_may_know_oldest_first(service: Service, reports: Reports, city: Session) -> None:
    session = await service.opened()

    assert await reports.open_sessions(SUPERVISOR) == [session, city]
    assert await reports.open_sessions(FAR) == [city]
    assert await reports.open_sessions(SCREEN) == [session]
    assert (await reports.open_in_room("rantala-1"), await reports.open_in_room("rantala-2")) == (session, None)


async def test_rooms_and_points_are_those_of_the_person(service: Service, reports: Reports, city: Session) -> None:
    session = await service.opened()
    await service.places.document_camera("rantala-2", DocumentCamera.LOST)

    rooms = await reports.rooms(ADVISOR)

    assert [(state.room.id, state.readiness, state.session) for state in rooms] == [
        ("rantala-1", Readiness.UNKNOWN, session),
        ("rantala-2", Readiness.UNKNOWN, None),
        ("rantala-3", Readiness.UNKNOWN, None),
    ]
    assert rooms[1].devices == RoomDevices(document_camera=DocumentCamera.LOST)
    assert rooms[1].missing == ("screen_not_paired", "agent_not_paired")
    assert [state.room.id for state in await reports.rooms(SUPERVISOR)] == ["kaupunki-1", "rantala-1", "rantala-2", "rantala-3"]
    assert [point.id for point in await reports.points(ADVISOR)] == ["rantala"]
    assert [point.id for point in await reports.points(SUPERVISOR)] == ["kaupunki", "rantala"]


def test_a_row_of_csv_tells_a_session_in_the_order_of_its_header() -> None:
    session = replace(
        after(*SERVED, now=datetime(2026, 1, 31, 22, 30, tzinfo=UTC)),
        outcomes=(Outcome.ADVISED, Outcome.PENDING_STARTED),
        follow_up=FollowUp.NEW_SESSION,
    )

    assert dict(zip(CSV_COLUMNS, csv_row(session), strict=True)) == {
        "id": "s1",
        "point": "rantala",
        "room": "rantala-1",
        "theme": "pensions",
        "language": Language.FI,
        "reason": Reason.ADVICE,
        "state": "connected",
        "opened_at": "2026-01-31T22:30:00.000Z",
        "opened_at_helsinki": "2026-02-01 00:30:00",
        "claimed_at": "2026-01-31T22:30:00.000Z",
        "connected_at": "2026-01-31T22:30:00.000Z",
        "closed_at": "",
        "waiting_seconds": "0",
        "service_seconds": "",
        "advisor": "aino",
        "expert": "eero",
        "close_cause": "",
        "cause_class": "",
        "outcomes": "advised pending_started",
        "follow_up": "new_session",
        "stills": "0",
    }


@pytest.mark.parametrize("name", ["=1+1", "+358", "-id", "@sum", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(name: str) -> None:
    row = csv_row(replace(after(), id=name, room=f"a{name}"))

    assert (row[0], row[2]) == (f"'{name}", f"a{name}")
