"""What rooms found: the newest of each thing, a month of it kept."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.readiness import Check, CheckCode, CheckNote, CheckResult, RoomChecks
from etapalvelu.domain.themes import weekdays
from etapalvelu.store import tables
from etapalvelu.store.checks import KEPT
from etapalvelu.store.engine import reading, writing
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.rows import ms
from tests.samples import OPENS_ON

NOW = datetime(2026, 8, 17, 7, 0, 0, 123000, tzinfo=UTC)


async def places(engine: AsyncEngine) -> SqlPlaces:
    made = SqlPlaces(engine)
    await made.add_point(ServicePoint(id="p", name="P", municipality="P", hours=weekdays(9, 17), opens_on=OPENS_ON))
    for room in ("a", "b"):
        await made.add_room(Room(id=room, name=room, point="p", fit_from=OPENS_ON))
    return made


def disk(result: CheckResult, at: datetime = NOW) -> Check:
    return Check(code=CheckCode.DISK, result=result, at=at, figure=1234.5)


async def rows(engine: AsyncEngine) -> int:
    async with reading(engine) as connection:
        count: int = (await connection.execute(select(func.count()).select_from(tables.room_check))).scalar_one()
    return count


async def test_what_was_found_comes_back_whole_and_for_each_room(engine: AsyncEngine) -> None:
    store = await places(engine)
    speaker = Check(code=CheckCode.SPEAKER, result=CheckResult.FAILED, at=NOW, note=CheckNote.NOT_HEARD)
    await store.add_checks("a", [disk(CheckResult.OK), speaker])
    await store.ask_check("a", NOW)
    later = NOW + timedelta(minutes=1)
    await store.ask_check("a", later)

    known = await store.checks(["a", "b"])

    assert (known["a"].asked_at, set(known["a"].checks)) == (later, {disk(CheckResult.OK), speaker})
    assert known["b"] == RoomChecks()


async def test_the_newest_of_each_is_told_and_the_older_ones_are_kept(engine: AsyncEngine) -> None:
    store = await places(engine)
    for minutes, result in ((0, CheckResult.FAILED), (2, CheckResult.WARN), (1, CheckResult.OK)):
        await store.add_checks("a", [disk(result, NOW + timedelta(minutes=minutes))])

    known = await store.checks(["a"])

    assert known["a"].checks == (disk(CheckResult.WARN, NOW + timedelta(minutes=2)),)
    assert await rows(engine) == 3


async def test_a_second_word_at_the_same_moment_replaces_the_first(engine: AsyncEngine) -> None:
    store = await places(engine)
    await store.add_checks("a", [disk(CheckResult.FAILED)])
    await store.add_checks("a", [disk(CheckResult.OK)])
    await store.add_checks("a", [])

    assert (await store.checks(["a"]))["a"].checks == (disk(CheckResult.OK),)
    assert await rows(engine) == 1


async def test_what_is_older_than_a_month_goes(engine: AsyncEngine) -> None:
    store = await places(engine)
    await store.add_checks("a", [disk(CheckResult.FAILED)])
    await store.add_checks("b", [disk(CheckResult.FAILED)])

    await store.add_checks("a", [disk(CheckResult.OK, NOW + KEPT + timedelta(milliseconds=1))])

    assert await rows(engine) == 2


async def test_codes_of_a_newer_program_are_passed_over(engine: AsyncEngine) -> None:
    store = await places(engine)
    async with writing(engine) as connection:
        for code, note in (("smell", None), ("disk", "dusty")):
            values = {"room": "a", "at": ms(NOW), "code": code, "result": "ok", "figure": 1234.5, "note": note}
            await connection.execute(insert(tables.room_check).values(values))

    assert (await store.checks(["a"]))["a"].checks == (disk(CheckResult.OK),)
