"""A line that takes its time: 300 ms there and back between the room and everybody else."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.faults.conftest import REPEATED
from tests.faults.scene import Plan, scene

ROUND_TRIP_SECONDS = 0.3
pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(200),
    pytest.mark.skipif(not REPEATED, reason="`make faults` runs it"),
]


async def test_a_call_over_a_long_line(tmp_path: Path, prepared: Path, again: int) -> None:
    plan = Plan(lag={"room": ROUND_TRIP_SECONDS / 2})
    async with scene(tmp_path / "scene", prepared, plan) as call:
        began = time.time()
        await call.call()
        opened = time.time() - began
        await asyncio.sleep(8)
        ended = time.time()
        rates = {
            (where, stream): len(await call.frames(page, stream, ended - 5, ended)) / 5
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
