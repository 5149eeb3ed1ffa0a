"""The driver under the engine: one errand to the database's thread for a statement, and long answers bit by bit."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from etapalvelu.store.sqlite import AT_ONCE, BEGIN, BEGIN_WRITING, Connection, connect

pytestmark = pytest.mark.sqlite


class Counted(Connection):
    errands = 0

    async def errand(self, work: object) -> object:
        self.errands += 1
        return await super().errand(work)  # type: ignore[arg-type]


@pytest.fixture
async def connection(tmp_path: Path) -> AsyncIterator[Counted]:
    made = await connect(str(tmp_path / "one.sqlite"), check_same_thread=False, isolation_level=None)
    made.__class__ = Counted
    assert isinstance(made, Counted)
    async with made.cursor() as cursor:
        await cursor.execute("CREATE TABLE number (n INTEGER PRIMARY KEY)")
        await cursor.executemany("INSERT INTO number VALUES (?)", [(n,) for n in range(2 * AT_ONCE + 7)])
        assert cursor.rowcount == 2 * AT_ONCE + 7
    made.errands = 0
    yield made
    await made.close()


async def test_a_short_answer_comes_with_its_statement(connection: Counted) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT n FROM number WHERE n < ? ORDER BY n", (3,))
        found = await cursor.fetchall()

    assert (found, [name for name, *_ in cursor.description]) == ([(0,), (1,), (2,)], ["n"])
    assert connection.errands == 1


async def test_a_long_answer_is_fetched_whole_when_asked_for(connection: Counted) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT n FROM number ORDER BY n")
        found = await cursor.fetchall()

    assert found == [(n,) for n in range(2 * AT_ONCE + 7)]
    assert connection.errands == 2


async def test_a_long_answer_comes_bit_by_bit_and_may_be_left(connection: Counted) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT n FROM number ORDER BY n")
        first, next_ones = await cursor.fetchone(), await cursor.fetchmany(AT_ONCE)
        rest = [row async for row in cursor]
        nothing = (await cursor.fetchone(), await cursor.fetchmany(), await cursor.fetchall())
    async with connection.cursor() as left:
        await left.execute("SELECT n FROM number ORDER BY n")
        await left.fetchmany(2)

    assert [first, *next_ones, *rest] == [(n,) for n in range(2 * AT_ONCE + 7)]
    assert nothing == (None, [], [])
    # Nothing is being read any more: the table can be taken away.
    async with connection.cursor() as cursor:
        await cursor.execute("DROP TABLE number")


async def test_a_statement_that_fails_says_why_and_leaves_nothing_open(connection: Counted) -> None:
    async with connection.cursor() as cursor:
        with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
            await cursor.execute("INSERT INTO number VALUES (1)")
        with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
            await cursor.execute("SELECT 1 FROM nowhere")
        await cursor.execute("INSERT INTO number VALUES (-1)")

    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (1, -1, None)
    assert connection.errands == 3


async def test_a_transaction_begins_with_its_first_statement(connection: Counted) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(BEGIN_WRITING)
        begun = (connection.raw.in_transaction, connection.errands)
        await cursor.execute("INSERT INTO number VALUES (-1)")
        under_way = connection.raw.in_transaction
        await connection.rollback()
        await cursor.execute("SELECT count(*) FROM number WHERE n < 0")
        undone = await cursor.fetchall()
        await cursor.execute(BEGIN_WRITING)
        await connection.rollback()
        await cursor.execute(BEGIN)
        await connection.commit()
        await cursor.execute(BEGIN_WRITING)
        await cursor.execute("INSERT INTO number VALUES (-2)")
        await connection.commit()
        await connection.rollback()
        await cursor.execute("SELECT n FROM number WHERE n < 0")
        kept = await cursor.fetchall()

    assert (begun, under_way, undone) == ((False, 0), True, [(0,)])
    assert kept == [(-2,)]
    assert not connection.raw.in_transaction
