"""The database itself refuses to change or take away an event, whoever asks."""

import pytest
from sqlalchemy import delete, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.codes import CloseCause
from etapalvelu.domain.events import Closed
from etapalvelu.domain.log import append, open_session
from etapalvelu.store import tables
from etapalvelu.store.sessions import SqlSessions
from tests.domain.samples import NOW, OPENED


@pytest.fixture
async def store(engine: AsyncEngine) -> SqlSessions:
    store = SqlSessions(engine)
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)
    await store.save(None, session, [entry])
    after, closed = append(session, Closed(cause=CloseCause.CANCELLED), actor="system", now=NOW)
    await store.save(session, after, [closed])
    return store


@pytest.mark.parametrize(
    "statement",
    [
        update(tables.event).values(actor="staff:veikko"),
        update(tables.event).where(tables.event.c.seq == 2).values(data='{"cause":"completed","cause_class":null}'),
        update(tables.event).values(hash=tables.event.c.hash),
        delete(tables.event),
        delete(tables.event).where(tables.event.c.seq == 2),
        text(
            "INSERT INTO event SELECT session, seq, at, type, 'staff:veikko', data, prev, hash FROM event WHERE seq = 2 "
            "ON CONFLICT (session, seq) DO UPDATE SET actor = excluded.actor"
        ),
    ],
    ids=["update all", "update one", "update to the same", "delete all", "delete one", "insert over"],
)
async def test_an_event_is_neither_changed_nor_taken_away(store: SqlSessions, engine: AsyncEngine, statement: object) -> None:
    before = await store.entries("s1")

    with pytest.raises(DBAPIError, match="events are never changed"):
        async with engine.begin() as connection:
            await connection.execute(statement)  # type: ignore[call-overload]  # statements of several kinds

    assert await store.entries("s1") == before


@pytest.mark.sqlite
async def test_an_event_is_not_replaced_either(store: SqlSessions, engine: AsyncEngine) -> None:
    before = await store.entries("s1")

    with pytest.raises(DBAPIError, match="events are never changed"):
        async with engine.begin() as connection:
            await connection.execute(
                text("INSERT OR REPLACE INTO event SELECT session, seq, at, type, 'x', data, prev, hash FROM event")
            )

    assert await store.entries("s1") == before


async def test_a_session_with_events_is_not_taken_away(store: SqlSessions, engine: AsyncEngine) -> None:
    with pytest.raises(DBAPIError):
        async with engine.begin() as connection:
            await connection.execute(delete(tables.session))

    assert await store.session("s1") is not None
