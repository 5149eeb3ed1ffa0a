"""The rooms' checks of themselves: what each found, and when the newest one was asked for."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from etapalvelu.domain.readiness import Check, CheckCode, CheckNote, CheckResult, RoomChecks
from etapalvelu.store import tables
from etapalvelu.store.rows import moment, ms

# How long a room's checks are kept, so that one can see since when something fails.
KEPT = timedelta(days=30)


async def of_rooms(connection: AsyncConnection, ids: Sequence[str]) -> Mapping[str, RoomChecks]:
    """The newest check of each code, by room; every room named has an entry."""
    check, run = tables.room_check.c, tables.check_run.c
    newest = (
        select(check.room, check.code, func.max(check.at).label("at"))
        .where(check.room.in_(ids))
        .group_by(check.room, check.code)
        .subquery()
    )
    same = and_(check.room == newest.c.room, check.code == newest.c.code, check.at == newest.c.at)
    rows = (await connection.execute(select(tables.room_check).join(newest, same))).all()
    asked = {row.room: row.asked_at for row in (await connection.execute(select(tables.check_run).where(run.room.in_(ids))))}
    found: dict[str, list[Check]] = {room: [] for room in ids}
    for row in rows:
        # A code of a newer program says nothing to this one.
        if row.code in set(CheckCode):
            found[row.room].append(
                Check(
                    code=CheckCode(row.code),
                    result=CheckResult(row.result),
                    at=moment(row.at),
                    figure=row.figure,
                    note=CheckNote(row.note) if row.note in set(CheckNote) else None,
                )
            )
    return {
        room: RoomChecks(asked_at=moment(asked[room]) if room in asked else None, checks=tuple(checks))
        for room, checks in found.items()
    }


async def ask(connection: AsyncConnection, room: str, at: datetime) -> None:
    """The room is to look at itself, from this moment on."""
    table = tables.check_run
    changed = await connection.execute(update(table).where(table.c.room == room).values(asked_at=ms(at)))
    if changed.rowcount == 0:
        await connection.execute(insert(table).values(room=room, asked_at=ms(at)))


async def keep(connection: AsyncConnection, room: str, checks: Iterable[Check]) -> None:
    """Add what was found at one moment; what was kept of the same moment is replaced, and old ones go."""
    table, found = tables.room_check, tuple(checks)
    if not found:
        return
    at = ms(found[0].at)
    same = (table.c.at == at) & table.c.code.in_([check.code for check in found])
    old = table.c.at < at - KEPT // timedelta(milliseconds=1)
    await connection.execute(delete(table).where(table.c.room == room, same | old))
    await connection.execute(insert(table), [_row(room, check) for check in found])


def _row(room: str, check: Check) -> dict[str, Any]:
    return {
        "room": room,
        "at": ms(check.at),
        "code": check.code,
        "result": check.result,
        "figure": check.figure,
        "note": check.note,
    }
