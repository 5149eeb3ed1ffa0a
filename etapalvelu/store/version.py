"""Which version a database is at, and which one this program needs.

Every start asks, so nothing of Alembic is imported here: the migrations' numbers are the beginnings of their files' names.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.store.engine import reading

MIGRATIONS: Final = Path(__file__).parent / "migrations"


async def version(engine: AsyncEngine) -> str | None:
    """The database's version; None for an empty one. Raises `TryAgainError`, which callers put into words."""
    async with reading(engine, quiet=True) as connection:
        return await connection.run_sync(_version)


def newest() -> str:
    """The version this program works with."""
    return revisions()[-1]


def revisions() -> list[str]:
    """Every version there has been, in order."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)
