import asyncio
from collections.abc import Collection

import pytest

from etapalvelu.domain.errors import TryAgainError
from etapalvelu.store import gathered
from etapalvelu.store.gathered import Gathered
from etapalvelu.tasks import spawn


class Table:
    """Rows whose queries wait for `gate`, and are written down."""

    def __init__(self) -> None:
        self.rows = {number: f"row {number}" for number in range(100)}
        self.queries: list[list[int]] = []
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def read(self, keys: Collection[int]) -> dict[int, str]:
        self.queries.append(sorted(keys))
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return {key: self.rows[key] for key in keys if key in self.rows}


async def asked(rows: Gathered[int, str], *keys: int) -> list[asyncio.Task[str | None]]:
    """Questions that have reached the table, as far as they do at once."""
    tasks = [asyncio.ensure_future(rows.ask(key)) for key in keys]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


async def test_one_who_asks_alone_is_read_for_at_once() -> None:
    table = Table()
    table.gate.set()
    rows = Gathered(table.read)

    assert [await rows.ask(7), await rows.ask(7), await rows.ask(700)] == ["row 7", "row 7", None]
    assert table.queries == [[7], [7], [700]]


async def test_those_who_ask_while_queries_are_on_their_way_share_the_next() -> None:
    table = Table()
    rows = Gathered(table.read)
    first = [task for key in (1, 2, 3) for task in await asked(rows, key)]
    later = await asked(rows, 4, 5, 4, 700)

    table.gate.set()

    assert await asyncio.gather(*first, *later) == ["row 1", "row 2", "row 3", "row 4", "row 5", "row 4", None]
    assert table.queries == [[1], [2], [3], [4, 5, 700]]


async def test_an_answer_is_never_older_than_its_question() -> None:
    table = Table()
    rows = Gathered(table.read)
    (before,) = await asked(rows, 1)
    table.rows[1] = "changed"
    (after,) = await asked(rows, 1)

    table.gate.set()

    assert await after == "changed"
    assert await before == "changed"
    assert table.queries == [[1], [1]]


async def test_a_query_holds_no_more_keys_than_a_database_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "MOST_KEYS", 10)
    table = Table()
    rows = Gathered(table.read)
    tasks = [asyncio.ensure_future(rows.ask(key)) for key in range(25)]
    table.gate.set()

    assert await asyncio.gather(*tasks) == [f"row {key}" for key in range(25)]
    assert sorted(len(query) for query in table.queries) == [5, 10, 10]


async def test_a_fault_is_told_to_all_who_asked_and_to_nobody_later() -> None:
    table = Table()
    table.fault = TryAgainError()
    rows = Gathered(table.read)
    tasks = await asked(rows, 1, 2)
    tasks[0].cancel()
    table.gate.set()

    with pytest.raises(TryAgainError):
        await tasks[1]
    table.fault = None

    assert await rows.ask(1) == "row 1"


async def test_who_asks_in_the_moment_the_last_reader_goes_is_answered() -> None:
    goes = asyncio.Event()

    async def read(keys: Collection[str]) -> dict[str, str]:
        goes.set()
        return {key: key for key in keys}

    async def late() -> str | None:
        await goes.wait()
        return await rows.ask("late")

    rows = Gathered(read, at_once=1)
    asking = spawn(late(), "late")
    await asyncio.sleep(0)

    assert await rows.ask("first") == "first"
    async with asyncio.timeout(1):
        assert await asking == "late"
