"""Sessions and their log in the database: the one place where an event becomes true."""

from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from etapalvelu import faultpoints
from etapalvelu.domain.codes import State
from etapalvelu.domain.errors import KeyReusedError, RoomInUseError, StaleError, StorageFullError
from etapalvelu.domain.log import Entry
from etapalvelu.domain.queue import Waiting
from etapalvelu.domain.session import Session
from etapalvelu.ports import (
    AccessRecord,
    Answer,
    Decoded,
    DeedKey,
    KeyKnownError,
    Logged,
    Named,
    RefusedReport,
    Sample,
    SessionFilter,
)
from etapalvelu.store import rows, tables
from etapalvelu.store.engine import reading, writing
from etapalvelu.store.gathered import Gathered
from etapalvelu.store.reserve import Reserve


class SqlSessions:
    """`ports.SessionStore` on SQLAlchemy Core. While the `reserve` is short, no session begins and no sample is kept."""

    def __init__(self, engine: AsyncEngine, reserve: Reserve | None = None) -> None:
        self._engine = engine
        self._reserve = reserve or Reserve(engine)
        self._folds = Gathered(self._read_folds)
        self._open = Gathered(self._read_open)
        self._in_rooms = Gathered(self._read_in_rooms)

    async def session(self, session_id: str) -> Session | None:
        fold = await self._folds.ask(session_id)
        return None if fold is None else rows.to_session(fold)

    async def open_sessions(self) -> list[Session]:
        """Those who ask at the same moment share what was read, so that each has a list of its own."""
        return list(await self._open.ask("open") or ())

    async def open_in_room(self, room: str) -> Session | None:
        fold = await self._in_rooms.ask(room)
        return None if fold is None else rows.to_session(fold)

    async def waiting(self) -> list[Waiting]:
        c = tables.session.c
        query = select(c.id, c.room, c.theme, c.opened_at).where(c.state == State.WAITING)
        async with reading(self._engine) as connection:
            return [rows.to_waiting(row) for row in (await connection.execute(query)).mappings()]

    async def select(self, which: SessionFilter) -> list[Session]:
        """Newest opening first; keyset paging, so a page costs the same however far back it is."""
        c = tables.session.c
        query = select(c.fold).order_by(c.opened_at.desc(), c.id.desc()).limit(which.limit)
        if which.since is not None:
            query = query.where(c.opened_at >= rows.ms(which.since))
        if which.until is not None:
            query = query.where(c.opened_at < rows.ms(which.until))
        for column, wanted in ((c.point, which.point), (c.theme, which.theme), (c.state, which.state)):
            if wanted is not None:
                query = query.where(column == wanted)
        if which.named is not None:
            query = query.where(_is_named(which.named))
        if which.after is not None:
            at, last_id = rows.ms(which.after[0]), which.after[1]
            query = query.where(or_(c.opened_at < at, and_(c.opened_at == at, c.id < last_id)))
        async with reading(self._engine) as connection:
            return [rows.to_session(fold) for fold in await connection.scalars(query)]

    async def entries(self, session_id: str) -> list[Entry]:
        query = select(tables.event).where(tables.event.c.session == session_id).order_by(tables.event.c.seq)
        async with reading(self._engine) as connection:
            return [rows.to_entry(row) for row in (await connection.execute(query)).mappings()]

    async def all_entries(self) -> AsyncGenerator[Entry]:
        query = select(tables.event).order_by(tables.event.c.session, tables.event.c.seq)
        async with reading(self._engine) as connection, connection.stream(query) as result:
            async for row in result.mappings():
                yield rows.to_entry(row)

    async def whole_log(self) -> AsyncGenerator[Logged]:
        session, event = tables.session, tables.event
        fold = case((event.c.seq == session.c.seq, session.c.fold)).label("fold")
        query = select(event, session.c.id, fold).select_from(session.outerjoin(event)).order_by(session.c.id, event.c.seq)
        async with reading(self._engine) as connection, connection.stream(query) as result:
            async for row in result.mappings():
                yield rows.to_logged(row)

    async def save(self, before: Session | None, after: Session, entries: Sequence[Entry], key: DeedKey | None = None) -> None:
        if before is None and self._reserve.is_short:
            raise StorageFullError
        try:
            async with writing(self._engine) as connection:
                if key is not None:
                    await _insert_key(connection, key, Answer(session=after))
                await (_insert_session(connection, after) if before is None else _move_session(connection, before, after))
                await connection.execute(insert(tables.event), [rows.entry_row(entry) for entry in entries])
                faultpoints.reach("commit.before", entries[-1].type)
        except StorageFullError:
            self._reserve.met_full()
            raise
        faultpoints.reach("commit.after", entries[-1].type)

    async def answer(self, key: DeedKey) -> Answer | None:
        c = tables.deed.c
        query = select(c.digest, c.answer).where(c.account == key.account, c.key == key.key)
        async with reading(self._engine) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        if row.digest != key.digest:
            raise KeyReusedError
        return rows.to_answer(row.answer)

    async def keep_answer(self, key: DeedKey, answer: Answer) -> None:
        async with writing(self._engine) as connection:
            await _insert_key(connection, key, answer)

    async def forget_keys(self, before: datetime) -> None:
        async with writing(self._engine) as connection:
            await connection.execute(delete(tables.deed).where(tables.deed.c.at < rows.ms(before)))

    async def keep_refused(self, report: RefusedReport) -> None:
        with suppress(IntegrityError):
            async with writing(self._engine) as connection:
                await connection.execute(insert(tables.refused_report).values(rows.refused_report_row(report)))

    async def refused_reports(self, session_id: str) -> list[RefusedReport]:
        table = tables.refused_report
        query = select(table).where(table.c.session == session_id).order_by(table.c.at, table.c.key)
        async with reading(self._engine) as connection:
            return [rows.to_refused_report(row) for row in (await connection.execute(query)).mappings()]

    async def add_decoded(self, decoded: Decoded) -> list[Decoded]:
        row, table = rows.decoded_row(decoded), tables.decoded
        claim = and_(table.c.session == row["session"], table.c.claimed_at == row["claimed_at"])
        async with writing(self._engine) as connection:
            await connection.execute(delete(table).where(claim, table.c.seat == row["seat"]))
            await connection.execute(insert(table).values(row))
            found = await connection.execute(select(table).where(claim))
            return [rows.to_decoded(row) for row in found.mappings()]

    async def add_sample(self, sample: Sample) -> None:
        if self._reserve.is_short:
            return
        async with writing(self._engine) as connection:
            await connection.execute(insert(tables.sample).values(rows.sample_row(sample)))

    async def samples(self, session_id: str) -> list[Sample]:
        query = select(tables.sample).where(tables.sample.c.session == session_id).order_by(tables.sample.c.id)
        async with reading(self._engine) as connection:
            return [rows.to_sample(row) for row in (await connection.execute(query)).mappings()]

    async def add_access(self, record: AccessRecord) -> None:
        values = {"at": rows.ms(record.at), "account": record.account, "what": record.what, "detail": record.detail}
        async with writing(self._engine) as connection:
            await connection.execute(insert(tables.access).values(values))

    async def _read_folds(self, ids: Collection[str]) -> dict[str, str]:
        query = select(tables.session.c.id, tables.session.c.fold).where(tables.session.c.id.in_(ids))
        async with reading(self._engine) as connection:
            return {row.id: row.fold for row in await connection.execute(query)}

    async def _read_in_rooms(self, rooms: Collection[str]) -> dict[str, str]:
        c = tables.session.c
        async with reading(self._engine) as connection:
            found = await connection.execute(select(c.open_room, c.fold).where(c.open_room.in_(rooms)))
            return {row.open_room: row.fold for row in found}

    async def _read_open(self, keys: Collection[str]) -> dict[str, list[Session]]:
        query = select(tables.session.c.fold).where(tables.session.c.open_room.is_not(None))
        async with reading(self._engine) as connection:
            found = [rows.to_session(fold) for fold in await connection.scalars(query)]
        return dict.fromkeys(keys, found)


def _is_named(named: Named) -> ColumnElement[bool]:
    c = tables.session.c
    return or_(
        c.id.startswith(named.id, autoescape=True),
        c.room.in_(named.rooms),
        c.point.in_(named.points),
        c.advisor.in_(named.accounts),
        c.expert.in_(named.accounts),
    )


async def _insert_key(connection: AsyncConnection, key: DeedKey, answer: Answer) -> None:
    values = {
        "account": key.account,
        "key": key.key,
        "digest": key.digest,
        "at": rows.ms(key.at),
        "answer": rows.answer_text(answer),
    }
    try:
        await connection.execute(insert(tables.deed).values(values))
    except IntegrityError as error:
        raise KeyKnownError from error


async def _insert_session(connection: AsyncConnection, session: Session) -> None:
    try:
        await connection.execute(insert(tables.session).values(rows.session_row(session)))
    except IntegrityError as error:
        raise RoomInUseError(room=session.room) from error


async def _move_session(connection: AsyncConnection, before: Session, after: Session) -> None:
    c = tables.session.c
    moved = await connection.execute(
        update(tables.session).where(c.id == before.id, c.seq == before.seq).values(rows.session_row(after))
    )
    if moved.rowcount != 1:
        raise StaleError(state=State(before.state))
