"""The simulator waits for its server, and tells what was left behind."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from bench.simulate import Plan, Report, listened, told_of
from bench.simulate_server import Service
from tests.faults.checker import Finding


async def test_the_day_stands_still_while_the_server_is_down(tmp_path: Path) -> None:
    service = Service(tmp_path, {})
    day = asyncio.ensure_future(listened(service, 0.1))

    await asyncio.sleep(0.3)
    was_over = day.done()
    service.up.set()
    async with asyncio.timeout(5):
        await day

    assert not was_over


@pytest.mark.parametrize(
    ("ends", "findings", "holds"),
    [
        ({"closed: completed": 2, "connected": 1}, [], True),
        ({"closed: completed": 2, "waiting": 1}, [], False),
        ({"closed: lost": 1, "claimed": 1}, [], False),
        ({"closed: completed": 2}, [Finding("lost", "s1", "a deed")], False),
        ({}, [], False),
    ],
)
def test_a_session_left_behind_or_a_disagreement_is_told(ends: dict[str, int], findings: list[Finding], holds: bool) -> None:
    report = Report(
        plan=Plan(rooms=1, seconds=1, seed=7),
        ends=Counter(ends),
        connected=1,
        findings=findings,
        counts=Counter({"fault: server killed": 3}),
        setups=[0.2, 0.4],
        returns=[],
        starts=[],
        deeds=5,
        events=9,
        seconds=2.0,
        log="",
    )

    text = told_of(report)

    assert report.holds is holds
    assert "seed 7, 1 rooms" in text
    assert all(str(finding) in text for finding in findings)
