"""SQLite behind SQLAlchemy's asyncio engine with one errand to the database's thread for each statement.

aiosqlite makes an errand each of opening a cursor, executing, fetching and closing. On a busy event loop every errand waits for
its turn there twice, and all the while a writer keeps the others waiting. Here a transaction begins with its first statement,
an answer comes with its question, and a rollback is waited for by nobody.
"""

import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial
from typing import Any, Final, cast

import aiosqlite

# What an answer may have at most to come with the statement itself; of a longer one, so much at a time.
AT_ONCE: Final = 500
BEGIN: Final = "BEGIN"
BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
_BEGINNINGS: Final = (BEGIN, BEGIN_WRITING)


class Connection(aiosqlite.Connection):
    """aiosqlite's connection, whose cursors do not travel. `to_begin` is the statement that the next one has before it."""

    to_begin = ""

    def cursor(self) -> "Cursor":  # type: ignore[override]  # its own is awaitable; an engine asks for what a driver gives
        return Cursor(self)

    async def errand(self, work: partial[Any]) -> Any:
        """Do the work in the connection's thread."""
        return await self._execute(work)  # type: ignore[no-untyped-call]  # as its own cursors do

    def taken_up(self) -> str:
        """The statement that is to come before the next one, which takes it along."""
        beginning, self.to_begin = self.to_begin, ""
        return beginning

    async def commit(self) -> None:
        if not self.taken_up():
            await super().commit()

    async def rollback(self) -> None:
        """What comes next comes after it, so nobody need wait; where no transaction has begun it does nothing."""
        if not self.taken_up():
            self._tx.put_nowait((None, self.raw.rollback))

    @property
    def raw(self) -> sqlite3.Connection:
        return self._conn


class Cursor:
    """What `sqlalchemy.connectors.asyncio` asks of a driver's cursor (PEP 249, awaitable)."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        # None as soon as there is nothing left to fetch.
        self._open: sqlite3.Cursor | None = None
        self._rows = deque[Any]()
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "Cursor":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> "Cursor":
        if operation in _BEGINNINGS:
            self._connection.to_begin = operation
            return self
        beginning = self._connection.taken_up()
        await self._connection.errand(partial(self._run, beginning, sqlite3.Cursor.execute, operation, parameters))
        return self

    async def executemany(self, operation: str, parameters: Iterable[Sequence[Any]]) -> "Cursor":
        beginning = self._connection.taken_up()
        await self._connection.errand(partial(self._run, beginning, sqlite3.Cursor.executemany, operation, parameters))
        return self

    async def fetchone(self) -> Any:
        return next(iter(await self.fetchmany(1)), None)

    async def fetchmany(self, size: int | None = None) -> list[Any]:
        wanted = self.arraysize if size is None else size
        if self._open is not None and len(self._rows) < wanted:
            await self._connection.errand(partial(self._fetch, max(AT_ONCE, wanted)))
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchall(self) -> list[Any]:
        if self._open is not None:
            await self._connection.errand(partial(self._fetch, None))
        rows, self._rows = list(self._rows), deque()
        return rows

    async def __aiter__(self) -> AsyncIterator[Any]:
        while rows := await self.fetchmany(AT_ONCE):
            for row in rows:
                yield row

    async def close(self) -> None:
        self._rows.clear()
        if self._open is not None:
            await self._connection.errand(partial(self._done))

    # In the connection's thread.

    def _run(self, beginning: str, how: Any, operation: str, parameters: Any) -> None:
        cursor = self._open = self._connection.raw.cursor()
        try:
            if beginning:
                cursor.execute(beginning)
            how(cursor, operation, parameters)
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            if self.description is None:
                self._done()
            else:
                self._fetch(AT_ONCE)
        except BaseException:
            self._done()
            raise

    def _fetch(self, most: int | None) -> None:
        if self._open is None:
            return
        rows = self._open.fetchall() if most is None else self._open.fetchmany(most)
        self._rows.extend(rows)
        if most is None or len(rows) < most:
            self._done()

    def _done(self) -> None:
        if self._open is not None:
            self._open.close()
            self._open = None


async def connect(path: str, **options: Any) -> Connection:
    """A connection to the file; `options` are those of `sqlite3.connect`."""
    connection = Connection(partial(sqlite3.connect, path, **options), AT_ONCE)
    # A program that ends waits for no thread of a connection that somebody forgot.
    connection._thread.daemon = True
    return cast(Connection, await connection)
