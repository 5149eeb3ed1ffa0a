"""What anybody hears when the database cannot be had: try again, within the promised time, and nothing was done."""

import asyncio
import gc
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.codes import CloseCause
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.domain.events import Closed
from etapalvelu.domain.log import append, open_session
from etapalvelu.store.engine import CONNECTIONS, WAIT_SECONDS, close, make_engine, reading, writing
from etapalvelu.store.sessions import SqlSessions
from etapalvelu.tasks import spawn
from tests.domain.samples import NOW, OPENED

# Holds the write lock of the file it is told, says so, and lets go when its input ends.
LOCKER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
connection.execute("ROLLBACK")
"""


@pytest.fixture
def locked(engine: AsyncEngine) -> Iterator[subprocess.Popen[str]]:
    """Another process has the database; closing its input frees it."""
    path = engine.url.database
    assert path is not None
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", LOCKER, path], stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        yield other
        other.communicate()


async def test_an_error_of_the_database_names_no_value(engine: AsyncEngine) -> None:
    insert = text("INSERT INTO point (id, name) VALUES (:id, :name)")

    with pytest.raises(IntegrityError) as error:
        async with writing(engine) as connection:
            await connection.execute(insert, {"id": "rantala", "name": "Maija Virtanen"})

    assert "Maija" not in str(error.value)


@pytest.mark.sqlite
async def test_writing_hears_try_again_after_the_promised_time(engine: AsyncEngine, locked: subprocess.Popen[str]) -> None:
    store = SqlSessions(engine)
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    start = time.monotonic()

    with pytest.raises(TryAgainError) as refusal:
        await store.save(None, session, [entry])
    waited = time.monotonic() - start
    while_locked = await store.session("s1")
    locked.communicate()
    await store.save(None, session, [entry])

    assert refusal.value.facts == {"retry_after": 2}
    assert WAIT_SECONDS - 0.5 <= waited <= WAIT_SECONDS + 2
    assert while_locked is None
    assert await store.session("s1") == session


@pytest.mark.sqlite
async def test_reading_goes_on_while_another_process_writes(engine: AsyncEngine, locked: subprocess.Popen[str]) -> None:
    assert await SqlSessions(engine).open_sessions() == []


@pytest.mark.sqlite
async def test_writers_who_come_together_wait_no_longer_than_one(engine: AsyncEngine, locked: subprocess.Popen[str]) -> None:
    """Who waited for a turn has as much less to wait for the other program."""
    start = time.monotonic()

    async def write(late: float) -> float:
        await asyncio.sleep(late)
        with pytest.raises(TryAgainError):
            async with writing(engine) as connection:
                await connection.execute(text("SELECT 1"))
        return time.monotonic() - start - late

    waited = await asyncio.gather(*(write(late) for late in (0, 0.5, 1.5)))

    assert max(waited) <= WAIT_SECONDS + 0.5
    assert locked.poll() is None


@pytest.mark.sqlite
async def test_writers_have_their_turns_in_order_however_many_read(engine: AsyncEngine) -> None:
    over, turns = asyncio.Event(), list[int]()

    async def read() -> None:
        async with reading(engine) as connection:
            await connection.execute(text("SELECT count(*) FROM session"))
            await over.wait()

    async def write(turn: int) -> None:
        async with writing(engine) as connection:
            await connection.execute(text("SELECT count(*) FROM session"))
            turns.append(turn)

    readers = [spawn(read(), "reader") for _ in range(CONNECTIONS)]
    await asyncio.sleep(0.3)
    await asyncio.gather(*(write(turn) for turn in range(20)))
    over.set()
    await asyncio.gather(*readers)

    assert turns == list(range(20))


@pytest.mark.sqlite
async def test_a_writer_is_not_surprised_by_what_was_read_before(engine: AsyncEngine) -> None:
    """A transaction that will write has the lock from its start on: nobody comes between its reading and its writing."""
    async with writing(engine) as connection:
        await connection.execute(text("SELECT count(*) FROM session"))
        other = sqlite3.connect(str(engine.url.database), timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


@pytest.mark.sqlite
async def test_every_connection_is_durable_and_keeps_references(engine: AsyncEngine) -> None:
    async with reading(engine) as connection:
        found = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]

    assert found == ["wal", 2, 1, WAIT_SECONDS * 1000]


@pytest.mark.parametrize("kind", ["a folder", "no database", "nowhere"])
async def test_what_cannot_be_opened_is_told_with_its_reason(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "etapalvelu.sqlite"
    if kind == "a folder":
        path.mkdir()
    elif kind == "no database":
        path.write_bytes(b"not a database, but long enough to be looked at" * 10)
    else:
        path = tmp_path / "missing" / "etapalvelu.sqlite"
    engine = make_engine(f"sqlite+aiosqlite:///{path}")

    with pytest.raises(TryAgainError) as refusal:
        async with reading(engine) as connection:
            await connection.execute(text("SELECT 1"))

    assert any(words in str(refusal.value.__cause__) for words in ("unable to open database file", "file is not a database"))
    await engine.dispose()


@pytest.mark.parametrize("address", ["postgres@/x?host={folder}", "postgres@127.0.0.1:1/x"])
async def test_a_server_that_is_not_there_is_told_too(tmp_path: Path, address: str) -> None:
    engine = make_engine("postgresql+asyncpg://" + address.format(folder=tmp_path))

    with pytest.raises(TryAgainError):
        async with reading(engine) as connection:
            await connection.execute(text("SELECT 1"))

    await engine.dispose()


@pytest.mark.postgres
async def test_a_row_that_somebody_else_holds_is_waited_for_as_long_as_promised(engine: AsyncEngine) -> None:
    store = SqlSessions(engine)
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    await store.save(None, session, [entry])
    after, closed = append(session, Closed(cause=CloseCause.CANCELLED), actor="system", now=NOW)

    async with writing(engine) as other:
        await other.execute(text("SELECT 1 FROM session WHERE id = 's1' FOR UPDATE"))
        start = time.monotonic()
        with pytest.raises(TryAgainError):
            await store.save(session, after, [closed])
        waited = time.monotonic() - start
    await store.save(session, after, [closed])

    assert WAIT_SECONDS - 0.5 <= waited <= WAIT_SECONDS + 2
    assert await store.session("s1") == after


@pytest.mark.sqlite
@pytest.mark.parametrize("use", [reading, writing])
async def test_a_connection_that_is_given_back_a_moment_late_is_closed_all_the_same(tmp_path: Path, use: Any) -> None:
    path = tmp_path / "etapalvelu.sqlite"
    sqlite3.connect(path).close()
    taken = asyncio.Event()

    async def late(engine: AsyncEngine) -> None:
        async with use(engine) as connection:
            await connection.execute(text("SELECT 1"))
            taken.set()
            await asyncio.sleep(0.1)

    async def all_of_it() -> None:
        engine = make_engine(f"sqlite+aiosqlite:///{path}")
        user = asyncio.ensure_future(late(engine))
        await taken.wait()
        await close(engine)
        await user

    await all_of_it()

    # One that was left open complains here, and every complaint fails a test.
    gc.collect()
