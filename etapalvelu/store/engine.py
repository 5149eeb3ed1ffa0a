"""The connection to the database, and how its failures are told.

Every writing transaction says so at its start: SQLite would otherwise refuse at once, whatever its time-out, when a reader
turns writer. SQLite has one writer at a time and lets those who wait try again and again, in no order: our own writers share
one connection, on which they queue in the order they came, whatever the readers do.
"""

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import sqlalchemy
import structlog
from sqlalchemy import event
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from etapalvelu.domain.errors import StorageFullError, TryAgainError
from etapalvelu.store import sqlite
from etapalvelu.tasks import finished

# How long anybody waits for the database before hearing "try again".
WAIT_SECONDS = 3
_WAIT_MS = WAIT_SECONDS * 1000

# For those who read (and on PostgreSQL write) at the same time; an export of the log keeps one of them for a minute.
CONNECTIONS = 12

# Tasks that read for many; they go on when those who asked are gone.
SHARED_READS = ("gathered", "together")

# What tells that the database cannot be had; a PostgreSQL server that is not there is told as any file or socket.
_AWAY = (DBAPIError, PoolTimeoutError, OSError)

# How a full disk is told: SQLite's codes (a quota or a limit on files ends as a failed write), PostgreSQL's class.
_FULL_SQLITE = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)
_FULL_POSTGRES = "53100"

# Execution options: where an engine writes, and how many milliseconds a writer has left to wait for other programs.
_WRITER = "writer"
_LEFT_MS = "left_ms"
_CLOSE_MS = 200
_BACK_SECONDS = 0.5

_log = structlog.get_logger("store")


def make_engine(url: str) -> AsyncEngine:
    """An engine for `sqlite+aiosqlite:///PATH` or `postgresql+asyncpg://...`. Opens nothing yet."""
    if make_url(url).get_backend_name() != "sqlite":
        return _engine(url, connect_args={"timeout": WAIT_SECONDS, "server_settings": {"lock_timeout": f"{WAIT_SECONDS}s"}})
    file = _SqliteFile(make_url(url).database or "")
    (path,), options = SQLiteDialect_aiosqlite().create_connect_args(make_url(url))

    async def connect() -> sqlite.Connection:
        file.probe(path, options)
        return await sqlite.connect(path, **options)

    writer = _engine(url, pool_size=1, async_creator=connect)
    engine = _engine(url, async_creator=connect, execution_options={_WRITER: writer})
    for one in (writer, engine):
        event.listen(one.sync_engine, "checkout", file.check)
        event.listen(one.sync_engine, "connect", _prepare_sqlite)
        event.listen(one.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "engine_disposed", lambda _engine: writer.sync_engine.dispose())
    return engine


def _engine(url: str, pool_size: int = CONNECTIONS, **options: Any) -> AsyncEngine:
    # No connection beyond the pool: SQLAlchemy would make such a one, with a thread, for each use anew. And an error that
    # reaches the log names no account and shows no digest.
    return create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=WAIT_SECONDS, hide_parameters=True, **options
    )


def _writer_of(engine: AsyncEngine) -> AsyncEngine:
    writer: AsyncEngine = engine.sync_engine.get_execution_options().get(_WRITER, engine)
    return writer


async def close(engine: AsyncEngine) -> None:
    """Give back every connection, of those too that read for others in the background (`Gathered`, `Together`)."""
    await finished(*SHARED_READS)
    await _given_back(engine)
    await engine.dispose()


async def _given_back(engine: AsyncEngine) -> None:
    """Wait a little for those in use: who was cancelled gives theirs back a moment later, when nobody closes it any more."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _BACK_SECONDS
    pools = [one.pool for one in (engine, _writer_of(engine)) if isinstance(one.pool, QueuePool)]
    while any(pool.checkedout() for pool in pools) and loop.time() < until:  # noqa: ASYNC110 - a pool tells nobody
        await asyncio.sleep(0.01)


class _SqliteFile:
    """The database's file, known by its inode from the first connection on.

    A file that is gone is not made anew, and another one in its place is not taken for it: what is written would be lost when
    the right one comes back.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def probe(self, path: str, options: Mapping[str, Any]) -> None:
        """A file that does not open is told here: the driver would leave a thread behind that can outlive the loop."""
        if not self._is_there():
            raise sqlite3.OperationalError("unable to open database file: it is gone, or another one lies in its place")
        sqlite3.connect(path, uri=options.get("uri", False)).close()
        if self._known is None:
            self._known = self._inode()

    def check(self, _connection: object, _record: object, _proxy: object) -> None:
        """Before each use: an open connection would write into a file that was taken away."""
        if not self._is_there():
            raise DisconnectionError

    def _is_there(self) -> bool:
        return self._known is None or self._inode() == self._known

    def _inode(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = os.stat(self._path)
            return found.st_dev, found.st_ino
        return None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    try:
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={_WAIT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
    except Exception:
        # The pool never had it; its thread would keep the program from ending.
        connection.close()
        raise


def _begin_sqlite(connection: sqlalchemy.Connection) -> None:
    left_ms = connection.get_execution_options().get(_LEFT_MS)
    if left_ms is not None and abs(left_ms - connection.info.get(_LEFT_MS, _WAIT_MS)) > _CLOSE_MS:
        connection.exec_driver_sql(f"PRAGMA busy_timeout={left_ms}")
        connection.info[_LEFT_MS] = left_ms
    connection.exec_driver_sql(sqlite.BEGIN if left_ms is None else sqlite.BEGIN_WRITING)


@asynccontextmanager
async def reading(engine: AsyncEngine, *, quiet: bool = False) -> AsyncIterator[AsyncConnection]:
    """One consistent view. Raises `TryAgainError` when the database cannot be had in time; `quiet` leaves it to the caller."""
    try:
        async with engine.connect() as connection:
            yield connection
    except _AWAY as error:
        raise (TryAgainError() if quiet else _told(error)) from error


@asynccontextmanager
async def writing(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One transaction, committed at the end of the block. Raises `TryAgainError`; `IntegrityError` passes through."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        async with _writer_of(engine).connect() as connection:
            left_ms = max(0, _WAIT_MS - round(1000 * (loop.time() - begun)))
            writer = await connection.execution_options(**{_LEFT_MS: left_ms})
            async with writer.begin():
                yield writer
    except IntegrityError:
        raise
    except _AWAY as error:
        raise _told(error) from error


def _told(error: Exception) -> TryAgainError:
    if is_full(error):
        _log.error("disk_full", reason=str(getattr(error, "orig", error)))
        return StorageFullError()
    _log.error("database_away", error=type(error).__name__, reason=str(getattr(error, "orig", error)))
    return TryAgainError()


def is_full(error: Exception) -> bool:
    """Truth that the database could not write for want of room."""
    cause = getattr(error, "orig", error)
    by_sqlite = getattr(cause, "sqlite_errorcode", None) in _FULL_SQLITE
    return by_sqlite or getattr(cause, "sqlstate", None) == _FULL_POSTGRES
