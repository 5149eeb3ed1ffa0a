"""The reserve inside the database's files: laid down where there is room, and what is refused or left out without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from structlog.testing import capture_logs

from etapalvelu.domain.codes import CloseCause
from etapalvelu.domain.errors import StorageFullError, TryAgainError
from etapalvelu.domain.events import Closed
from etapalvelu.domain.log import append, open_session
from etapalvelu.ports import Sample
from etapalvelu.store import reserve as module
from etapalvelu.store.engine import is_full, make_engine, reading, writing
from etapalvelu.store.reserve import RESERVE_BYTES, Reserve
from etapalvelu.store.sessions import SqlSessions
from tests.domain.samples import NOW, OPENED

pytestmark = pytest.mark.sqlite

SAMPLE = Sample(session="s1", at=NOW, seat="room", peer="expert", stats=[])


async def free_pages(engine: AsyncEngine) -> int:
    async with reading(engine) as connection:
        return int(await connection.scalar(text("PRAGMA freelist_count")) or 0)


def bytes_of(engine: AsyncEngine) -> int:
    """Of the database and its write-ahead log."""
    path = engine.url.database or ""
    return Path(path).stat().st_size + Path(f"{path}-wal").stat().st_size


def is_there(engine: AsyncEngine) -> bool:
    return Path(engine.url.database or "").exists()


@contextmanager
def away(engine: AsyncEngine) -> Iterator[None]:
    """The database's file lies somewhere else for the length of the block."""
    path = Path(engine.url.database or "")
    elsewhere = path.rename(path.with_suffix(".away"))
    yield
    elsewhere.rename(path)


@contextmanager
def another_in_its_place(engine: AsyncEngine) -> Iterator[None]:
    path = Path(engine.url.database or "")
    path.touch()
    yield
    path.unlink()


async def test_free_pages_are_laid_down_once_and_again_when_they_were_used(engine: AsyncEngine) -> None:
    reserve = Reserve(engine)

    await reserve.look()
    laid = await free_pages(engine)
    size = bytes_of(engine)
    await reserve.look()
    again = await free_pages(engine)
    async with writing(engine) as connection:
        await connection.execute(text("CREATE TABLE used (bytes BLOB)"))
        await connection.execute(text("INSERT INTO used VALUES (zeroblob(3000000))"))
    used = await free_pages(engine)
    await reserve.look()

    assert laid >= RESERVE_BYTES // 4096
    assert size > 2 * RESERVE_BYTES
    assert again == laid
    assert used < laid // 2 < await free_pages(engine)
    assert not reserve.is_short


async def test_on_a_full_disk_no_session_begins_and_those_under_way_end(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = Reserve(engine)
    store = SqlSessions(engine, reserve)
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    await store.save(None, session, [entry])
    monkeypatch.setattr(module, "LEAST_FREE_BYTES", 1 << 60)
    await reserve.look()
    other, first = open_session("s2", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    after, closed = append(session, Closed(cause=CloseCause.CANCELLED), actor="system", now=NOW)

    with pytest.raises(StorageFullError) as refusal:
        await store.save(None, other, [first])
    await store.add_sample(SAMPLE)
    await store.save(session, after, [closed])
    monkeypatch.undo()
    await reserve.look()
    await store.save(None, other, [first])
    await store.add_sample(SAMPLE)

    assert (refusal.value.code, refusal.value.facts) == ("storage_full", {"retry_after": 30})
    assert await store.samples("s1") == [SAMPLE]
    assert await store.session("s1") == after


async def fill(engine: AsyncEngine) -> None:
    """No page more for the database. `max_page_count` stands for the disk: SQLite tells both in the same words."""
    async with writing(engine) as connection:
        await connection.execute(text("PRAGMA max_page_count=1"))
        pages = await connection.scalar(text("PRAGMA page_count"))
        await connection.execute(text(f"PRAGMA max_page_count={pages}"))


async def test_a_reserve_that_finds_the_disk_full_says_so(engine: AsyncEngine) -> None:
    reserve = Reserve(engine)
    await fill(engine)

    with capture_logs() as said:
        await reserve.look()

    assert ([line["event"] for line in said], reserve.is_short) == (["disk_full", "disk_short"], True)


async def test_a_write_that_met_a_full_disk_is_told_so(engine: AsyncEngine) -> None:
    reserve = Reserve(engine)
    store = SqlSessions(engine, reserve)
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    await fill(engine)
    long = msgspec.structs.replace(entry, written='{"filled":"' + "x" * 200_000 + '"}')

    with pytest.raises(StorageFullError):
        await store.save(None, session, [long])

    assert reserve.is_short
    assert await store.session("s1") is None


async def test_a_database_that_is_away_says_nothing_about_the_disk(engine: AsyncEngine) -> None:
    reserve = Reserve(engine)
    await reserve.look()

    with away(engine):
        await reserve.look()
        while_away = reserve.is_short

    assert not while_away


async def test_a_file_that_was_taken_away_is_neither_made_anew_nor_written_to(engine: AsyncEngine) -> None:
    store = SqlSessions(engine)
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    assert await store.session("s1") is None

    with away(engine):
        with pytest.raises(TryAgainError):
            await store.save(None, session, [entry])
        made_anew = is_there(engine)
        with another_in_its_place(engine), pytest.raises(TryAgainError):
            await store.save(None, session, [entry])
    await store.save(None, session, [entry])

    assert not made_anew
    assert await store.session("s1") == session


async def test_elsewhere_than_in_a_file_there_is_no_reserve() -> None:
    engine = make_engine("postgresql+asyncpg://postgres@127.0.0.1:1/x")
    reserve = Reserve(engine)

    await reserve.look()

    assert not reserve.is_short
    await engine.dispose()


@pytest.mark.parametrize(("state", "full"), [("53100", True), ("57P03", False)])
def test_a_full_disk_of_postgresql_is_known_by_its_class(state: str, full: bool) -> None:
    class ServerError(Exception):
        sqlstate = state

    assert is_full(ServerError()) is full
