"""One answer for many, and nobody gets one that was begun before they asked."""

import asyncio

import pytest

from etapalvelu.together import Together


class Source:
    """Answers with the number of the call, when the test lets it."""

    def __init__(self) -> None:
        self.calls = 0
        self.may_answer = asyncio.Event()

    async def answer(self) -> int:
        self.calls += 1
        number = self.calls
        await self.may_answer.wait()
        return number


async def some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_asks_at_the_same_moment_gets_the_same_answer() -> None:
    source, together = Source(), Together[int]()
    source.may_answer.set()

    answers = await asyncio.gather(*(together.ask("key", source.answer) for _ in range(50)))

    assert answers == [1] * 50


async def test_who_asks_while_an_answer_is_made_gets_the_next_one_with_all_that_came_meanwhile() -> None:
    source, together = Source(), Together[int]()
    first = asyncio.ensure_future(together.ask("key", source.answer))
    await some_turns()
    late = [asyncio.ensure_future(together.ask("key", source.answer)) for _ in range(3)]
    await some_turns()
    begun_meanwhile = source.calls

    source.may_answer.set()

    assert (begun_meanwhile, await first, await asyncio.gather(*late)) == (1, 1, [2, 2, 2])


async def test_other_keys_wait_for_nobody() -> None:
    slow, quick, together = Source(), Source(), Together[int]()
    quick.may_answer.set()
    waiting = asyncio.ensure_future(together.ask("slow", slow.answer))
    await some_turns()

    assert await together.ask("quick", quick.answer) == 1
    slow.may_answer.set()
    assert await waiting == 1


async def test_a_failure_is_heard_by_all_that_asked_and_by_nobody_later() -> None:
    together, number = Together[int](), 0

    async def answer() -> int:
        nonlocal number
        number += 1
        if number == 1:
            raise LookupError("away")
        return number

    outcomes = await asyncio.gather(*(together.ask("key", answer) for _ in range(3)), return_exceptions=True)

    assert [str(outcome) for outcome in outcomes] == ["away"] * 3
    assert await together.ask("key", answer) == 2


async def test_who_goes_away_leaves_the_others_their_answer() -> None:
    source, together = Source(), Together[int]()
    first, second = (asyncio.ensure_future(together.ask("key", source.answer)) for _ in range(2))
    await some_turns()

    first.cancel()
    source.may_answer.set()

    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first
