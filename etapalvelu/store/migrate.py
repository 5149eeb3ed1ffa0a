"""Bring a database to this version, and tell whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.store.engine import reading, writing

_SCRIPTS = Path(__file__).parent / "migrations"


class NewerDatabaseError(Exception):
    """The database was brought to a version that this program does not know, by a newer one."""


async def migrate(engine: AsyncEngine) -> None:
    """Run every migration that is missing, in one transaction. Raises `NewerDatabaseError`."""
    found = await version(engine)
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise NewerDatabaseError(
            f"the database is at version {found}, made by a newer program; use that, or a copy from before"
        )
    async with writing(engine) as connection:
        await connection.run_sync(_upgrade)


async def version(engine: AsyncEngine) -> str | None:
    """The database's version; None for an empty one. Raises `TryAgainError`, which callers put into words."""
    async with reading(engine, quiet=True) as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest() -> str | None:
    """The version this program works with."""
    return _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_SCRIPTS))


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
