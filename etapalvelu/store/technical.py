"""Where in the log failures may be told, found without reading the log through: an index holds those entries alone."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.log import Entry
from etapalvelu.domain.moments import timestamp
from etapalvelu.domain.technical import COURSE, FaultFilter, Spot
from etapalvelu.ports import UnreadableEntryError
from etapalvelu.store import rows, tables
from etapalvelu.store.engine import reading


class SqlFaults:
    """`technical.FaultStore` on SQLAlchemy Core."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def spots(self, which: FaultFilter) -> list[Spot]:
        """Newest first, at most `limit`; the cause is not looked at, for it may stand in another entry."""
        query = failures(which)
        async with reading(self._engine) as connection:
            return [_spot(row) for row in (await connection.execute(query)).mappings()]

    async def courses(self, sessions: Sequence[str]) -> Mapping[str, list[Entry]]:
        """The entries of these sessions that tell of failures and of their ends, in order."""
        c = tables.event.c
        query = select(tables.event).where(c.session.in_(sessions), c.type.in_(COURSE)).order_by(c.session, c.seq)
        found: dict[str, list[Entry]] = {session: [] for session in sessions}
        async with reading(self._engine) as connection:
            for row in (await connection.execute(query)).mappings():
                # One that was tampered with is told by the proof of the log; the others are read all the same.
                with suppress(UnreadableEntryError):
                    found[row["session"]].append(rows.to_entry(row))
        return found

    async def opened(self, which: FaultFilter) -> Mapping[str, int]:
        """How many sessions were opened in that time, by room."""
        c = tables.session.c
        query = select(c.room, func.count().label("sessions")).group_by(c.room)
        if which.since is not None:
            query = query.where(c.opened_at >= rows.ms(which.since))
        if which.until is not None:
            query = query.where(c.opened_at < rows.ms(which.until))
        for column, wanted in ((c.point, which.point), (c.room, which.room)):
            if wanted is not None:
                query = query.where(column == wanted)
        async with reading(self._engine) as connection:
            return {row.room: row.sessions for row in await connection.execute(query)}


def failures(which: FaultFilter) -> Select[Any]:
    """Where failures may be told, by a query whose index holds little else."""
    event, session = tables.event.c, tables.session.c
    key = (event.at, event.session, event.seq)
    query = (
        select(*key, session.point, session.room, session.theme)
        .select_from(tables.event.join(tables.session))
        .where(text(f"event.{tables.ENDS_OF_SERVICE}"), _fails())
        .order_by(*(column.desc() for column in key))
        .limit(which.limit)
    )
    if which.since is not None:
        query = query.where(event.at >= _written(which.since))
    if which.until is not None:
        query = query.where(event.at < _written(which.until))
    for column, wanted in ((session.point, which.point), (session.room, which.room)):
        if wanted is not None:
            # Not by the index of sessions, which would lead through everything a point ever had.
            query = query.where(func.coalesce(column, "") == wanted)
    if which.after is not None:
        at, session_id, seq = which.after
        query = query.where(tuple_(*key) < tuple_(_written(at), session_id, seq))
    return query


def _fails() -> ColumnElement[bool]:
    """Truth that the entry tells of a failure. An entry's text is canonical, so a field stands in it in one way only."""
    c = tables.event.c
    told = {"released": ('"reason":"lease"', '"reason":"expert_lost"'), "closed": ('"cause":"technical"', '"cause":"lost"')}
    ended = (and_(c.type == kind, or_(*(c.data.contains(part) for part in parts))) for kind, parts in told.items())
    return or_(c.type == "interrupted", *ended)


def _written(moment: datetime) -> str:
    return timestamp(moment.astimezone(UTC))


def _spot(row: rows.Row) -> Spot:
    return Spot(
        at=datetime.fromisoformat(row["at"]),
        session=row["session"],
        seq=row["seq"],
        point=row["point"],
        room=row["room"],
        theme=row["theme"],
    )
