"""Sessions and their log in the database. Nothing here knows which database it is."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.codes import CloseCause, Seat, State
from etapalvelu.domain.errors import KeyReusedError, RoomInUseError, StaleError
from etapalvelu.domain.events import Closed, Event, Joined
from etapalvelu.domain.log import Entry, append, open_session, replay
from etapalvelu.domain.queue import Waiting
from etapalvelu.domain.session import Session
from etapalvelu.ports import AccessRecord, Answer, Decoded, DeedKey, KeyKnownError, Logged, Sample, SessionFilter
from etapalvelu.store import rows, tables
from etapalvelu.store.engine import reading, writing
from etapalvelu.store.sessions import SqlSessions
from tests.domain.samples import ASKED, CLAIMED, CLOSED, ENDED, INTERRUPTED, NOW, OPENED, SERVED

KEY = DeedKey(account="aino", key="k1", digest="d1", at=NOW)


@pytest.fixture
def store(engine: AsyncEngine) -> SqlSessions:
    return SqlSessions(engine)


def begun(session_id: str = "s1", room: str = "rantala-1", now: datetime = NOW, **opened: str) -> tuple[Session, Entry]:
    event = replace(OPENED, room=room, **opened)
    return open_session(session_id, event, advisor="aino", actor="staff:aino", now=now)


def went_on(session: Session, *events: Event) -> tuple[Session, list[Entry]]:
    entries = []
    for event in events:
        session, entry = append(session, event, actor="system", now=session.last_at + timedelta(seconds=1))
        entries.append(entry)
    return session, entries


async def kept(
    store: SqlSessions, session_id: str = "s1", room: str = "rantala-1", now: datetime = NOW, **opened: str
) -> Session:
    session, entry = begun(session_id, room, now, **opened)
    await store.save(None, session, [entry])
    return session


async def count(engine: AsyncEngine) -> tuple[int, int, int]:
    """Rows of sessions, events and keys."""
    async with reading(engine) as connection:
        counts = [
            await connection.scalar(select(func.count()).select_from(table))
            for table in (tables.session, tables.event, tables.deed)
        ]
    sessions, events, keys = (number or 0 for number in counts)
    return sessions, events, keys


async def test_a_session_is_read_back_as_it_was_saved(store: SqlSessions) -> None:
    session, first = begun()
    after, rest = went_on(session, *SERVED, INTERRUPTED, ASKED)

    await store.save(None, session, [first])
    await store.save(session, after, rest)

    assert await store.session("s1") == after
    assert await store.entries("s1") == [first, *rest]
    assert replay(await store.entries("s1")) == after


async def test_an_unknown_session_is_none_and_has_no_entries(store: SqlSessions) -> None:
    assert await store.session("nowhere") is None
    assert await store.entries("nowhere") == []
    assert await store.samples("nowhere") == []


async def test_of_two_changes_of_the_same_session_one_is_stale_and_leaves_nothing(
    store: SqlSessions, engine: AsyncEngine
) -> None:
    before = await kept(store)
    winner, won = went_on(before, CLAIMED)
    loser, lost = went_on(before, Joined(seat=Seat.ROOM))
    await store.save(before, winner, won)

    with pytest.raises(StaleError):
        await store.save(before, loser, lost, KEY)

    assert await store.session("s1") == winner
    assert [entry.type for entry in await store.entries("s1")] == ["opened", "claimed"]
    assert await count(engine) == (1, 2, 0)


async def test_a_change_of_a_session_that_is_not_there_is_stale(store: SqlSessions, engine: AsyncEngine) -> None:
    before, _ = begun()
    after, entries = went_on(before, CLAIMED)

    with pytest.raises(StaleError):
        await store.save(before, after, entries)

    assert await count(engine) == (0, 0, 0)


async def test_a_number_in_the_log_is_given_once(store: SqlSessions, engine: AsyncEngine) -> None:
    session = await kept(store)
    _, (entry,) = went_on(session, CLAIMED)
    row = rows.entry_row(replace(entry, seq=1))

    with pytest.raises(IntegrityError):
        async with writing(engine) as connection:
            await connection.execute(insert(tables.event).values(row))

    assert await count(engine) == (1, 1, 0)


async def test_a_room_holds_one_open_session(store: SqlSessions, engine: AsyncEngine) -> None:
    first = await kept(store)
    second, entry = begun("s2")

    with pytest.raises(RoomInUseError) as refusal:
        await store.save(None, second, [entry], KEY)
    in_use = await count(engine)
    over, closed = went_on(first, Closed(cause=CloseCause.CANCELLED))
    await store.save(first, over, closed)
    await store.save(None, second, [entry], KEY)

    assert refusal.value.facts == {"room": "rantala-1"}
    assert in_use == (1, 1, 0)
    assert [session.id for session in await store.open_sessions()] == ["s2"]


async def test_open_sessions_are_those_not_closed(store: SqlSessions) -> None:
    session = await kept(store)
    served, entries = went_on(session, *SERVED)
    await store.save(session, served, entries)
    other = await kept(store, "s2", "rantala-2")
    over, closed = went_on(other, Closed(cause=CloseCause.CANCELLED))
    await store.save(other, over, closed)

    assert await store.open_sessions() == [served]


async def test_a_room_has_its_open_session_and_who_waits_is_told_with_its_opening(store: SqlSessions) -> None:
    waiting = await kept(store)
    session = await kept(store, "s2", "rantala-2")
    served, entries = went_on(session, *SERVED)
    await store.save(session, served, entries)
    other = await kept(store, "s3", "rantala-3")
    over, closed = went_on(other, Closed(cause=CloseCause.CANCELLED))
    await store.save(other, over, closed)

    found = await asyncio.gather(*(store.open_in_room(f"rantala-{number}") for number in range(1, 5)))

    assert found == [waiting, served, None, None]
    assert await store.waiting() == [Waiting(id="s1", room="rantala-1", theme=waiting.theme, opened_at=waiting.opened_at)]


async def test_a_key_keeps_the_answer_of_its_deed(store: SqlSessions, engine: AsyncEngine) -> None:
    session, entry = begun()

    before = await store.answer(KEY)
    await store.save(None, session, [entry], KEY)

    assert before is None
    assert await store.answer(KEY) == Answer(session=session)
    assert await store.answer(replace(KEY, at=NOW + timedelta(hours=1))) == Answer(session=session)
    assert await store.answer(replace(KEY, account="anna")) is None
    with pytest.raises(KeyReusedError):
        await store.answer(replace(KEY, digest="d2"))
    after, entries = went_on(session, CLAIMED)
    with pytest.raises(KeyKnownError):
        await store.save(session, after, entries, KEY)
    assert await count(engine) == (1, 1, 1)


async def test_a_key_keeps_a_refusal_and_nothing_at_all(store: SqlSessions) -> None:
    refusal = Answer(code="room_in_use", facts={"room": "rantala-1"})
    nothing = replace(KEY, key="k2")

    await store.keep_answer(KEY, refusal)
    await store.keep_answer(nothing, Answer())

    assert (await store.answer(KEY), await store.answer(nothing)) == (refusal, Answer())
    with pytest.raises(KeyKnownError):
        await store.keep_answer(KEY, Answer())


async def test_old_keys_are_forgotten_and_young_ones_are_not(store: SqlSessions) -> None:
    young = replace(KEY, key="k2", at=NOW + timedelta(milliseconds=1))
    await store.keep_answer(KEY, Answer())
    await store.keep_answer(young, Answer())

    await store.forget_keys(young.at)

    assert (await store.answer(KEY), await store.answer(young)) == (None, Answer())


async def test_pages_follow_each_other_without_gap_or_double_when_times_are_equal(store: SqlSessions) -> None:
    moments = [NOW, NOW, NOW, NOW + timedelta(milliseconds=1), NOW - timedelta(hours=1), NOW, NOW]
    for number, now in enumerate(moments):
        await kept(store, f"s{number}", f"room-{number}", now)

    seen: list[str] = []
    page = await store.select(SessionFilter(limit=2))
    while page:
        seen += [session.id for session in page]
        page = await store.select(SessionFilter(limit=2, after=(page[-1].opened_at, page[-1].id)))

    assert seen == ["s3", "s6", "s5", "s2", "s1", "s0", "s4"]


async def test_a_page_stands_still_while_new_sessions_come(store: SqlSessions) -> None:
    for number in range(4):
        await kept(store, f"s{number}", f"room-{number}", NOW + timedelta(minutes=number))
    first = await store.select(SessionFilter(limit=2))
    await kept(store, "s9", "room-9", NOW + timedelta(hours=1))

    second = await store.select(SessionFilter(limit=2, after=(first[-1].opened_at, first[-1].id)))

    assert [session.id for session in (*first, *second)] == ["s3", "s2", "s1", "s0"]


@pytest.mark.parametrize(
    ("which", "ids"),
    [
        (SessionFilter(), ["s3", "s2", "s1", "s0"]),
        (SessionFilter(since=NOW + timedelta(minutes=1)), ["s3", "s2", "s1"]),
        (SessionFilter(until=NOW + timedelta(minutes=1)), ["s0"]),
        (SessionFilter(since=NOW + timedelta(minutes=1), until=NOW + timedelta(minutes=2)), ["s1"]),
        (SessionFilter(point="rantala"), ["s1", "s0"]),
        (SessionFilter(theme="families"), ["s2"]),
        (SessionFilter(state=State.CLOSED), ["s3"]),
        (SessionFilter(state=State.WAITING, point="kaupunki"), ["s2"]),
        (SessionFilter(theme="families", state=State.CLOSED), []),
        (SessionFilter(limit=1), ["s3"]),
    ],
)
async def test_a_filter_takes_all_its_parts_together(store: SqlSessions, which: SessionFilter, ids: list[str]) -> None:
    await kept(store, "s0", "room-0")
    await kept(store, "s1", "room-1", NOW + timedelta(minutes=1))
    await kept(store, "s2", "room-2", NOW + timedelta(minutes=2), point="kaupunki", theme="families")
    last = await kept(store, "s3", "room-3", NOW + timedelta(minutes=3), point="kaupunki")
    over, closed = went_on(last, Closed(cause=CloseCause.CANCELLED))
    await store.save(last, over, closed)

    assert [session.id for session in await store.select(which)] == ids


async def test_what_a_seat_decoded_is_kept_once_for_each_claim_and_seat(store: SqlSessions) -> None:
    await kept(store)
    room = Decoded(session="s1", claimed_at=NOW, seat="room", generation=1, path="host", setup_ms=100)
    expert = replace(room, seat="expert", setup_ms=120)
    newer = replace(room, generation=2)
    next_claim = replace(room, claimed_at=NOW + timedelta(milliseconds=1))

    first = await store.add_decoded(room)
    both = await store.add_decoded(expert)
    renewed = await store.add_decoded(newer)

    assert first == [room]
    assert sorted(both, key=lambda decoded: decoded.seat) == [expert, room]
    assert sorted(renewed, key=lambda decoded: decoded.seat) == [expert, newer]
    assert await store.add_decoded(next_claim) == [next_claim]


async def test_samples_come_back_in_the_order_they_came(store: SqlSessions) -> None:
    await kept(store)
    samples = [
        Sample(session="s1", at=NOW, seat="expert", peer="room", stats=[{"type": "inbound-rtp", "framesPerSecond": 24.5}]),
        Sample(session="s1", at=NOW - timedelta(seconds=1), seat="room", peer="expert", stats=[]),
    ]

    for sample in samples:
        await store.add_sample(sample)

    assert await store.samples("s1") == samples


async def test_a_look_at_others_rows_is_written_down(store: SqlSessions, engine: AsyncEngine) -> None:
    await store.add_access(AccessRecord(at=NOW, account="sirpa", what="export", detail="point=rantala"))

    async with reading(engine) as connection:
        found = (await connection.execute(select(tables.access))).mappings().all()
    assert [dict(row) for row in found] == [
        {"id": 1, "at": 1786950000000, "account": "sirpa", "what": "export", "detail": "point=rantala"}
    ]


async def test_the_whole_log_is_read_session_by_session(store: SqlSessions) -> None:
    sessions: dict[str, Session] = {}
    for session_id, events in (("b", ENDED), ("a", (CLOSED,)), ("c", ())):
        session = await kept(store, session_id, session_id)
        sessions[session_id], entries = went_on(session, *events)
        if entries:
            await store.save(session, sessions[session_id], entries)

    async with aclosing(store.all_entries()) as log:
        entries = [entry async for entry in log]
    async with aclosing(store.whole_log()) as log_with_rows:
        logged = [each async for each in log_with_rows]

    assert [(entry.session, entry.seq) for entry in entries] == [
        ("a", 1),
        ("a", 2),
        *(("b", seq) for seq in range(1, 9)),
        ("c", 1),
    ]
    assert logged == [
        Logged(
            session=entry.session,
            seq=entry.seq,
            entry=entry,
            state=sessions[entry.session] if entry.seq == sessions[entry.session].seq else None,
        )
        for entry in entries
    ]


async def test_a_moment_is_kept_to_the_millisecond() -> None:
    for moment in (
        NOW,
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2100, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC),
    ):
        assert rows.moment(rows.ms(moment)) == moment
