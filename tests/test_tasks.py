"""Background tasks: what goes wrong in them is seen, and they end when told."""

import asyncio

import pytest
from structlog.testing import capture_logs

from etapalvelu.tasks import every, finished, spawn, stop

LIMIT = 5


async def test_a_task_is_done_in_the_background() -> None:
    done = asyncio.Event()

    async def work() -> None:
        done.set()

    task = spawn(work(), "work")

    async with asyncio.timeout(LIMIT):
        await done.wait()
        await task
    assert task.get_name() == "work"


async def test_an_error_in_a_task_is_logged_under_its_name() -> None:
    async def fail() -> None:
        raise ValueError("broken")

    with capture_logs() as lines:
        task = spawn(fail(), "fragile")
        with pytest.raises(ValueError, match="broken"):
            await task
        await asyncio.sleep(0)

    assert [(line["event"], line["task"], str(line["exc_info"])) for line in lines] == [("task_failed", "fragile", "broken")]


async def test_a_series_outlives_a_round_that_failed() -> None:
    rounds: list[int] = []
    third = asyncio.Event()

    async def deed() -> None:
        rounds.append(len(rounds))
        if len(rounds) == 1:
            raise ValueError("broken")
        if len(rounds) == 3:
            third.set()

    with capture_logs() as lines:
        series = spawn(every(0.001, deed, "sweep"), "sweep")
        async with asyncio.timeout(LIMIT):
            await third.wait()
        await stop(series)

    assert [(line["event"], line["task"]) for line in lines] == [("round_failed", "sweep")]
    assert series.cancelled()


async def test_stopping_waits_until_the_tasks_are_gone_and_hides_nothing() -> None:
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    tasks = [spawn(work(name), name) for name in "ab"]
    await asyncio.sleep(0)

    with capture_logs() as lines:
        await stop(*tasks)

    assert (ended, lines) == (["a", "b"], [])


async def test_tasks_of_a_name_are_waited_for_and_no_others_and_not_for_ever() -> None:
    done, never = asyncio.Event(), asyncio.Event()
    started: list[asyncio.Task[None]] = []
    begun = asyncio.get_running_loop().time()

    async def twice() -> None:
        await asyncio.sleep(0.01)
        started.append(spawn(short(), "short"))

    async def short() -> None:
        await asyncio.sleep(0.01)
        done.set()

    started.append(spawn(twice(), "short"))
    other = spawn(never.wait(), "long")
    await finished("short", seconds=LIMIT)
    waited = asyncio.get_running_loop().time() - begun
    await finished("long", seconds=0.05)

    assert (done.is_set(), waited < LIMIT, other.done()) == (True, True, False)
    await stop(other)
