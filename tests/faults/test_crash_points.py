"""The server dies at every point where something is promised, and at random moments: what was acknowledged is there, once."""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable

import pytest

from etapalvelu.faultpoints import POINTS, VARIABLE
from tests.faults.conftest import REPEATED
from tests.faults.people import People, Person, RefusedDeedError
from tests.faults.rig import Rig

SEED = 20261122

# The room is away for most of a test; its seat is to be kept.
PATIENT = {"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"}

# How many kills one test has: repeated SHORT_TIMES they are 200.
KILLS_ONCE, KILLS_REPEATED = 4, 10


@pytest.mark.timeout(180)
@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
async def test_a_kill_at_each_point_loses_and_doubles_nothing(rig: Rig, people: People, point: str) -> None:
    """One session whose every deed meets a server that dies at this point of it. The deed is asked again under its key."""
    is_reply = point.startswith("reply")
    opened: list[str] = []

    async def open_it() -> None:
        opened.append((await people.advisor.open())["id"])

    async def sit_down() -> None:
        async with people.screen().sit(opened[0], "room"):
            pass

    deeds: list[tuple[str, str, Callable[[], Awaitable[object]]]] = [
        ("opened", "sessions", open_it),
        ("joined", "", sit_down),
        ("claimed", "claim", lambda: people.expert.claim(opened[0])),
        ("noted", "note", lambda: people.expert.note(opened[0], "advised")),
        ("released", "release", lambda: people.expert.release(opened[0])),
        ("closed", "close", lambda: people.advisor.close(opened[0], "cancelled")),
    ]
    lit = [path if is_reply else event for event, path, _deed in deeds]
    fuses = [f"{point}:{kind}" for kind in lit if kind]
    await asyncio.to_thread(_start, rig, fuses.pop(0))
    for kind, (_event, _path, deed) in zip(lit, deeds, strict=True):
        if not kind:
            await deed()
            continue
        asked = asyncio.ensure_future(deed())
        died = await asyncio.to_thread(rig.wait_gone, 20)
        await asyncio.to_thread(_start, rig, fuses.pop(0) if fuses else "")
        await asked
        assert died == -signal.SIGKILL

    assert rig.types(opened[0]) == ["opened", "joined", "claimed", "noted", "released", "closed"]
    rig.agrees(all_ended=True)


@pytest.mark.timeout(180)
async def test_kills_at_random_moments_lose_nothing_that_was_acknowledged(rig: Rig, people: People, again: int) -> None:
    chance = random.Random(SEED + again)  # noqa: S311 - repeatable
    print(f"seed {SEED + again}")  # noqa: T201 - so that a failure can be had again
    rig.start()
    over = asyncio.Event()
    at_work = [
        asyncio.ensure_future(_work(people, people.staff(expert), room, over))
        for room, expert in (("rantala-1", "expert"), ("rantala-2", "expert2"), ("rantala-3", "expert3"))
    ]
    for _ in range(KILLS_REPEATED if REPEATED else KILLS_ONCE):
        await asyncio.sleep(chance.uniform(0.01, 0.8))
        rig.kill()
        await asyncio.to_thread(rig.start)
    over.set()
    done = sum(await asyncio.gather(*at_work))

    assert done > 0
    rig.agrees(all_ended=True)


async def _work(people: People, expert: Person, room: str, over: asyncio.Event) -> int:
    """Sessions in one room, one after the other, each to its end; how many."""
    done = 0
    while not over.is_set():
        session = (await people.advisor.open(room))["id"]
        while True:
            try:
                await expert.claim(session)
                await expert.note(session, "advised")
                await expert.close(session, "completed", outcomes=["advised"])
                done += 1
                break
            except RefusedDeedError as refusal:
                if refusal.code != "wrong_state":
                    raise
                # The lease ran out while the server was away: it is taken once more.
    return done


def _start(rig: Rig, fuse: str) -> None:
    rig.start({VARIABLE: fuse, **PATIENT})
