"""The server's clock is set, and summer time begins and ends: no time runs back in the log, and no limit runs out at once.

The clock is libfaketime's; the steady counter stays the machine's own, as it does when a real clock is set.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.faults.checker import Json
from tests.faults.mother import Mother
from tests.faults.people import People, in_service, people_of, until
from tests.faults.rig import Rig

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))

pytestmark = pytest.mark.skipif(not LIBRARIES, reason="libfaketime is not here (Debian package faketime)")

# Long against what a busy machine needs to sit down and to answer a ping, and short against what the clocks are set by.
CALM = {"ETAPALVELU_CALL__HEARTBEAT_SECONDS": "10", "ETAPALVELU_CALL__LOST_SECONDS": "60"}
SHORT = {"ETAPALVELU_CALL__LEASE_SECONDS": "3", "ETAPALVELU_CALL__LOST_SECONDS": "60"}

# How long before a moment a test begins, in seconds: time to open a session on a busy machine. What is left is passed over,
# where nothing counts it.
EARLY = 40
SOON = 12


class Clock:
    """The server's clock in a file that libfaketime reads anew at every look."""

    def __init__(self, rig: Rig) -> None:
        self._path = rig.records / "clock"
        self.set("+0")

    def set(self, text: str) -> None:
        """An offset to the machine's own clock in seconds, such as `+7200`."""
        draft = self._path.with_suffix(".new")
        draft.write_text(f"{text}\n", encoding="utf-8")
        draft.rename(self._path)

    def go_to(self, moment: datetime) -> None:
        """Go on from this moment."""
        self.set(f"{moment.timestamp() - time.time():+.3f}")

    async def goes_over(self, moment: datetime) -> None:
        """Go on to a second before it, and wait for the second after it."""
        self.go_to(moment - timedelta(seconds=1))
        await self._reaches(moment + timedelta(seconds=1))

    async def _reaches(self, moment: datetime) -> None:
        offset = float(self._path.read_text(encoding="utf-8"))
        await asyncio.sleep(max(0.0, moment.timestamp() - offset - time.time()))

    @property
    def environ(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }


@pytest.mark.parametrize("offset", ["+7200", "-7200"])
async def test_a_clock_that_is_set_by_two_hours_ends_nothing_and_makes_no_time_run_back(
    rig: Rig, people: People, offset: str
) -> None:
    clock = Clock(rig)
    rig.start({**clock.environ, **CALM})
    waiting = (await people.advisor.open("rantala-2"))["id"]
    async with in_service(rig, people) as (session, screen, expert):
        await asyncio.sleep(1.2)
        clock.set(offset)
        await asyncio.sleep(2.5)
        await people.expert.note(session, "advised")
        standing = rig.types(waiting), rig.types(session)
        await people.expert.close(session, "completed")

        assert await screen.over() == "completed"
        assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)
    closed = await people.advisor.close(waiting, "cancelled")
    served = await people.advisor.read(session)

    assert standing == (["opened"], ["opened", "joined", "claimed", "joined", "connected", "noted"])
    assert closed["waiting_seconds"] >= 0
    assert served["service_seconds"] >= 0
    rig.agrees(all_ended=True)


async def test_a_lease_ends_in_its_time_though_the_clock_was_set_back(rig: Rig, people: People) -> None:
    clock = Clock(rig)
    rig.start({**clock.environ, **SHORT})
    session = (await people.advisor.open())["id"]
    async with people.screen().sit(session, "room"):
        await people.expert.claim(session)
        clock.set("-7200")
        await until(lambda: "released" in rig.types(session), 8)
    await people.advisor.close(session, "cancelled")

    rig.agrees(all_ended=True)


@pytest.mark.parametrize(
    ("turn", "before", "after"),
    [
        (datetime(2026, 3, 29, 1, tzinfo=UTC), timedelta(hours=2), timedelta(hours=3)),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), timedelta(hours=3), timedelta(hours=2)),
    ],
    ids=["summer time begins", "summer time ends"],
)
async def test_a_session_over_the_night_when_summer_time_begins_or_ends(
    rig: Rig, people: People, turn: datetime, before: timedelta, after: timedelta
) -> None:
    """03:00 comes early or twice in Helsinki; the session lasts as long as it lasted."""
    clock = Clock(rig)
    rig.start({**clock.environ, **CALM})
    clock.go_to(turn - timedelta(seconds=EARLY))
    async with in_service(rig, people) as (session, _screen, _expert):
        await clock.goes_over(turn)
        await people.expert.close(session, "completed")
    served = await people.advisor.read(session)
    opened, closed = (datetime.fromisoformat(served[name]) for name in ("opened_at", "closed_at"))

    assert opened < turn < closed
    assert (closed - opened) < timedelta(seconds=60)
    assert 0 <= served["waiting_seconds"] + served["service_seconds"] <= (closed - opened).total_seconds()
    assert _helsinki_offsets(served) == (before, after)
    rig.agrees(all_ended=True)


@pytest.mark.slow
async def test_waiting_ends_with_the_hours_and_a_session_under_way_goes_on(
    prepared: Path, mother: Mother, tmp_path: Path
) -> None:
    """Monday, a few seconds before the line closes at four in the afternoon."""
    rig = Rig(tmp_path / "rig", prepared, always_open=False, mother=mother)
    clock, closing = Clock(rig), datetime(2026, 11, 23, 14, tzinfo=UTC)
    try:
        rig.start(clock.environ)
        clock.go_to(closing - timedelta(seconds=SOON))
        async with people_of(rig) as people:
            waiting = (await people.advisor.open("rantala-2"))["id"]
            async with in_service(rig, people) as (session, screen, _expert):
                await until(lambda: "closed" in rig.types(waiting), 30)
                under_way = rig.types(session)[-1]
                await people.expert.close(session, "completed")
                assert await screen.over() == "completed"
            ended = await people.advisor.read(waiting)

            assert ended["close_cause"] == "hours_ended"
            assert timedelta() <= datetime.fromisoformat(ended["closed_at"]) - closing < timedelta(seconds=20)
            assert under_way == "connected"
        rig.agrees(all_ended=True)
    finally:
        rig.end()


def _helsinki_offsets(served: Json) -> tuple[timedelta | None, timedelta | None]:

    zone = ZoneInfo("Europe/Helsinki")
    opened, closed = (datetime.fromisoformat(served[name]).astimezone(zone) for name in ("opened_at", "closed_at"))
    return opened.utcoffset(), closed.utcoffset()
