"""The simulator of `bench simulate`, small: every session ends connected or closed with a cause, whatever befalls anybody."""

import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.simulate import Plan, simulate, told_of

ROOMS = 12
SECONDS = 12.0


@pytest.mark.slow
async def test_every_session_of_a_small_day_full_of_faults_ends(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    seed = secrets.randbelow(2**32)
    record_property("seed", seed)
    plan = Plan(rooms=ROOMS, seconds=SECONDS, seed=seed, away=3.0, service=(0.2, 2.5), idle=(0.1, 1.5))

    report = await simulate(plan, tmp_path)

    print(told_of(report))  # noqa: T201 - shown when it fails
    assert report.findings == []
    assert report.ended == report.sessions
    assert report.connected > ROOMS
