"""Bring a database to this version. A start of the server needs none of it: `version` tells whether it is there."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.store.engine import writing
from etapalvelu.store.version import MIGRATIONS, revisions, version


class NewerDatabaseError(Exception):
    """The database was brought to a version that this program does not know, by a newer one."""


async def migrate(engine: AsyncEngine) -> None:
    """Run every migration that is missing, in one transaction. Raises `NewerDatabaseError`."""
    found = await version(engine)
    if found is not None and found not in revisions():
        raise NewerDatabaseError(
            f"the database is at version {found}, made by a newer program; use that, or a copy from before"
        )
    async with writing(engine) as connection:
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
