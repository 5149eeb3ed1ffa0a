"""A real store in a real file, and the service around it with its edges in the test's hand."""

import asyncio
import logging
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.attendance import SessionAttendance
from etapalvelu.board.local import LocalBoard
from etapalvelu.dawn import Dawn, Versions
from etapalvelu.desk import Desk, OpenRequest
from etapalvelu.domain.claims import Patience
from etapalvelu.domain.codes import Language, Reason
from etapalvelu.domain.people import Device, Role, Staff
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import THEMES, weekdays
from etapalvelu.ledger import Ledger
from etapalvelu.seats import CallSettings
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.engine import close, make_engine
from etapalvelu.store.migrate import migrate
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.sessions import SqlSessions
from etapalvelu.timers import Timers
from tests.fakes import FakeCalendar, FakeCalls, FakeClock
from tests.postgres import Postgres, running_postgres
from tests.samples import OPENS_ON

# Read after this module, which it needs itself.
pytest_plugins = ("tests.doorstep",)

# Folders of tests are kept in memory where there is room: a database that is synced at each commit waits for the disk most.
MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes a folder of its own in it
MEMORY_BYTES = 1 << 30

ADVISOR = Staff(account="aino", role=Role.ADVISOR, point="rantala")
EXPERT = Staff(
    account="eero",
    role=Role.EXPERT,
    name="Eero Esimerkki",
    title="asiantuntija",
    themes=("pensions", "families", "international"),
    languages=(Language.FI, Language.SV),
)
EXPERT2 = Staff(account="elsa", role=Role.EXPERT, themes=("pensions",), languages=(Language.FI,))
SUPERVISOR = Staff(account="sirpa", role=Role.SUPERVISOR)
SCREEN = Device(room="rantala-1", point="rantala", role=Role.ROOM)
AGENT = Device(room="rantala-1", point="rantala", role=Role.AGENT)


@dataclass(frozen=True, kw_only=True)
class Service:
    """Everything below the doors, on one database file."""

    engine: AsyncEngine
    sessions: SqlSessions
    places: SqlPlaces
    accounts: SqlAccounts
    board: LocalBoard
    calls: FakeCalls
    clock: FakeClock
    ledger: Ledger
    desk: Desk
    timers: Timers
    attendance: SessionAttendance
    dawn: Dawn

    async def opened(self, room: str = "rantala-1", theme: str = "pensions", language: Language = Language.FI) -> Session:
        request = OpenRequest(room=room, theme=theme, language=language, reason=Reason.ADVICE)
        return await self.desk.open(ADVISOR, request)

    async def session(self, session_id: str) -> Session:
        found = await self.sessions.session(session_id)
        assert found is not None
        return found

    async def types(self, session_id: str) -> list[str]:
        return [entry.type for entry in await self.sessions.entries(session_id)]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--postgres", action="store_true", help="keep what tests store in PostgreSQL, which is started for them")


def pytest_configure() -> None:
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_BYTES:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@pytest.fixture(autouse=True)
def _own_logging(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Logging is one for the whole process, and commands that are run inside it set it up: put back what was there."""
    configure = structlog.configure
    monkeypatch.setattr(structlog, "configure", lambda **how: configure(**how | {"cache_logger_on_first_use": False}))
    root, access = logging.getLogger(), logging.getLogger("aiohttp.access")
    before = (root.handlers, root.level, access.disabled)
    yield
    if structlog.is_configured():
        root.handlers, level, access.disabled = before
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.fixture(scope="session")
def blank_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at this version without anything in it, to be copied: migrating anew for each test takes long."""
    path = tmp_path_factory.mktemp("store") / "etapalvelu.sqlite"
    asyncio.run(_migrated(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[tuple[Postgres, str]]:
    """A server, and the name of a database at this version without anything in it."""
    with running_postgres(os.environ.get("PYTEST_DEBUG_TEMPROOT")) as server:
        blank = server.new_database()
        asyncio.run(_migrated(server.url(blank)))
        yield server, blank


async def _migrated(url: str) -> None:
    engine = make_engine(url)
    await migrate(engine)
    await close(engine)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database of the test's own, at this version and empty."""
    if request.config.getoption("postgres"):
        server, blank = request.getfixturevalue("postgres")
        own = server.new_database(blank)
        yield server.url(own)
        server.drop(own)
    else:
        path = shutil.copyfile(request.getfixturevalue("blank_database"), tmp_path / "etapalvelu.sqlite")
        yield f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    made = make_engine(database)
    yield made
    await close(made)


@pytest.fixture
async def service(engine: AsyncEngine) -> Service:
    return await make_service(engine)


async def make_service(engine: AsyncEngine) -> Service:
    sessions, places, accounts = SqlSessions(engine), SqlPlaces(engine), SqlAccounts(engine)
    await places.add_point(
        ServicePoint(id="rantala", name="Rantala", municipality="Rantala", hours=weekdays(9, 17), opens_on=OPENS_ON)
    )
    for number in (1, 2, 3):
        await places.add_room(Room(id=f"rantala-{number}", name=f"Huone {number}", point="rantala", fit_from=OPENS_ON))
    clock, board, calls = FakeClock(), LocalBoard(), FakeCalls()
    ledger = Ledger(sessions=sessions, board=board, clock=clock)
    desk = Desk(
        ledger=ledger,
        sessions=sessions,
        places=places,
        accounts=accounts,
        calls=calls,
        calendar=FakeCalendar(),
        themes=THEMES,
        settings=CallSettings(ticket_key=b"k" * 32),
        clock=clock,
    )
    return Service(
        engine=engine,
        sessions=sessions,
        places=places,
        accounts=accounts,
        board=board,
        calls=calls,
        clock=clock,
        ledger=ledger,
        desk=desk,
        timers=Timers(
            ledger=ledger,
            sessions=sessions,
            calls=calls,
            calendar=FakeCalendar(),
            places=places,
            themes=THEMES,
            clock=clock,
            patience=Patience(),
            steady=lambda: clock().timestamp(),
        ),
        attendance=SessionAttendance(ledger, sessions, clock),
        dawn=Dawn(
            places=places,
            sessions=sessions,
            board=board,
            calendar=FakeCalendar(),
            clock=clock,
            versions=Versions(program="1.0", page="abc"),
            before=timedelta(minutes=45),
        ),
    )
