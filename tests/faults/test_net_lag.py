"""A line that takes its time: 300 ms there and back between the room and everybody else."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.faults.conftest import REPEATED
from tests.faults.scene import Plan, scene

ROUND_TRIP_SECONDS = 0.3
# The last so many seconds of the call are looked at.
WATCHED_SECONDS = 5
pytestmark = [
    pytest.mark.alone,
    pytest.mark.timeout(200),
    pytest.mark.skipif(not REPEATED, reason="`make faults` runs it: a network of its own, and half a minute"),
]


@pytest.mark.slow
async def test_a_call_over_a_long_line(tmp_path: Path, prepared: Path, again: int) -> None:
    plan = Plan(lag={"room": ROUND_TRIP_SECONDS / 2})
    async with scene(tmp_path / "scene", prepared, plan) as call:
        began = time.time()
        await call.call()
        opened = time.time() - began
        await asyncio.sleep(WATCHED_SECONDS + 2)
        ended = time.time()
        rates = {
            (where, stream): len(await call.frames(page, stream, ended - WATCHED_SECONDS, ended)) / WATCHED_SECONDS
            for where, page, stream in (
                ("expert", call.expert, "room"),
                ("expert", call.expert, "document"),
                ("room", call.room, "expert"),
            )
        }
        ages = [age for _ in range(10) if (age := await call.document_age(call.expert)) is not None]

        print(f"\nopened in {opened:.1f} s, frames a second {rates}, document {min(ages):.2f} s old")  # noqa: T201
        assert min(rates.values()) >= 3
        assert ROUND_TRIP_SECONDS / 2 <= min(ages) <= 1.0
