"""A line that stays cut for longer than a seat is kept: the session ends, or goes back to the queue, and the log says why."""

import asyncio
import time
from pathlib import Path

import pytest

from tests.e2e.browsers import state_is
from tests.faults.conftest import REPEATED
from tests.faults.scene import CONNECT_SECONDS, Scene, scene

pytestmark = [
    pytest.mark.timeout(400),
    pytest.mark.skipif(not REPEATED, reason="`make faults` runs it: it takes more than two minutes"),
]

# Of two who are away either may go first: it ends as a technical fault, or the customer waits again for a moment until nobody
# is left.
ENDS: dict[str, set[tuple[str, str, str | None]]] = {
    "room": {("closed", "technical", "site_network")},
    "expert": {("released", "expert_lost", None)},
    "room+expert": {("closed", "technical", "site_network"), ("closed", "lost", None)},
}


@pytest.mark.parametrize("places", ENDS)
@pytest.mark.lasting(120)
async def test_a_line_is_cut_for_longer_than_a_seat_is_kept(
    tmp_path: Path, prepared: Path, places: str, lasting: int, again: int
) -> None:
    async with scene(tmp_path / "scene", prepared) as call:
        await call.call()
        for place in places.split("+"):
            call.net.fault(place, cut=True)
        await asyncio.sleep(lasting)
        call.net.heal()
        healed = time.time()

        goes_on = places == "expert"
        await state_is(call.room, "waiting" if goes_on else "", CONNECT_SECONDS)
        await state_is(call.expert, "", CONNECT_SECONDS)
        print(f"\n{lasting} s at {places}: both pages know the end {time.time() - healed:.1f} s after")  # noqa: T201
        assert outcome(call) in ENDS[places]
        if goes_on:
            await call.finish()


def outcome(call: Scene) -> tuple[str, str, str | None]:
    """What ended the claim or the session, and why; an expert may have been given up just before all were gone."""
    *before, last = [entry for entry in call.log() if entry["type"] in ("released", "closed")]
    assert last["type"] == "closed" or not before
    assert [(entry["type"], entry["data"]["reason"]) for entry in before] in ([], [("released", "expert_lost")])
    data = last["data"]
    return last["type"], data["cause" if last["type"] == "closed" else "reason"], data.get("cause_class")
