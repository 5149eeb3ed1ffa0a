"""From an empty database to this version's tables, and how an older or newer one is told."""

from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.people import Role, Staff
from etapalvelu.ports import Account
from etapalvelu.store import migrations
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.engine import make_engine, reading, writing
from etapalvelu.store.migrate import NewerDatabaseError, migrate
from etapalvelu.store.tables import metadata
from etapalvelu.store.version import MIGRATIONS, newest, revisions, version


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_migrations_lead_to_the_tables_of_this_version(engine: AsyncEngine) -> None:
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []


async def test_a_missing_column_would_be_seen(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("ALTER TABLE room DROP COLUMN fit_from"))
        found = await connection.run_sync(differences)

    assert len(found) == 1


async def test_an_empty_database_has_no_version_and_migrating_gives_it_the_newest(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path}/new.sqlite")

    before = await version(engine)
    await migrate(engine)
    after = await version(engine)
    await migrate(engine)

    assert (before, after, await version(engine)) == (None, newest(), newest())
    await engine.dispose()


async def test_a_database_of_the_first_version_is_brought_to_this_one_with_what_is_in_it(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path}/old.sqlite")
    async with writing(engine) as connection:
        await connection.run_sync(first_version)
        await connection.execute(text("INSERT INTO account VALUES ('eero', 'expert', NULL, '[]', '[]', '-', 1)"))

    await migrate(engine)

    assert await SqlAccounts(engine).account("eero") == Account(
        staff=Staff(account="eero", role=Role.EXPERT), password_hash="-", active=True
    )
    async with reading(engine) as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def first_version(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")


def test_the_versions_are_those_of_the_migrations_in_their_order() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))

    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert newest() == scripts.get_current_head()


async def test_a_database_of_a_newer_program_is_left_alone(engine: AsyncEngine) -> None:
    async with writing(engine) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NewerDatabaseError, match="9999"):
        await migrate(engine)

    assert await version(engine) == "9999"
