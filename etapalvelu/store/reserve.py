"""Room for what must still be written when the disk is full: sessions under way are followed to their end.

The reserve lies inside the database's own files, as free pages of the database and as length of its write-ahead log: a commit
then needs nothing from the disk, and nobody else can use it up. New sessions are refused before it is touched.
"""

import shutil
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from etapalvelu.domain.errors import StorageFullError, TryAgainError
from etapalvelu.store.engine import reading, writing

# Free pages kept in the database. A session's end takes about 20 KiB of the write-ahead log and one page in four of the
# database; the log is used again after every 4 MiB.
RESERVE_BYTES: Final = 4 * 1024 * 1024

# New sessions are refused while the disk has less free than this: enough to lay the reserve down again and to spare.
LEAST_FREE_BYTES: Final = 16 * 1024 * 1024

_PAGE_BYTES: Final = 4096
_PAGES: Final = RESERVE_BYTES // _PAGE_BYTES

_log = structlog.get_logger("store")


class Reserve:
    """Of one SQLite file; a database elsewhere keeps its own, and is never short here."""

    def __init__(self, engine: AsyncEngine) -> None:
        path = engine.url.database if engine.url.get_backend_name() == "sqlite" else None
        self._engine = engine
        self._folder = None if path is None else Path(path).parent
        self._is_short = False

    @property
    def is_short(self) -> bool:
        """Truth that only sessions under way may be written, and what can be done without is left out."""
        return self._is_short

    def met_full(self) -> None:
        """A write found the disk full; `look` tells when that is over."""
        self._tell(True)

    async def look(self) -> None:
        """Tell whether the disk is short of room, and lay the reserve down again when it was drawn on and there is room."""
        if self._folder is None:
            return
        is_short = self._free() < LEAST_FREE_BYTES
        try:
            if not is_short and await self._free_pages() < _PAGES // 2:
                await self._lay_down()
        except TryAgainError as error:
            # Locked or away is another trouble; but while it is short it stays so until the reserve lies there.
            is_short = self._is_short or isinstance(error, StorageFullError)
        self._tell(is_short)

    def _free(self) -> int:
        try:
            return shutil.disk_usage(self._folder or ".").free
        except OSError:
            return LEAST_FREE_BYTES

    async def _free_pages(self) -> int:
        async with reading(self._engine) as connection:
            return int(await connection.scalar(text("PRAGMA freelist_count")) or 0)

    async def _lay_down(self) -> None:
        """Written whole and then given free: pages that were never written may be holes in the file."""
        async with writing(self._engine) as connection:
            await self._drop(connection)
            await connection.execute(text("CREATE TABLE reserve (bytes BLOB)"))
            await connection.execute(text("INSERT INTO reserve VALUES (zeroblob(:length))"), {"length": RESERVE_BYTES})
        async with writing(self._engine) as connection:
            await self._drop(connection)

    async def _drop(self, connection: AsyncConnection) -> None:
        await connection.execute(text("DROP TABLE IF EXISTS reserve"))

    def _tell(self, is_short: bool) -> None:
        if is_short != self._is_short:
            self._is_short = is_short
            _log.warning("disk_short" if is_short else "disk_has_room")
