"""Rows that are asked for one by one, read together when many ask at once: after a restart everybody comes back in one second.

An answer is never older than its question: whoever asks while a query is on its way waits for the next one. Small changes that
many make at once are written so too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Generic, TypeVar

from etapalvelu.tasks import spawn

K = TypeVar("K")
V = TypeVar("V")

# So many queries may be on their way at once before the next who ask are gathered: one who asks alone never waits.
AT_ONCE: Final = 3
# SQLite takes a limited number of values in a query.
MOST_KEYS: Final = 500


class Gathered(Generic[K, V]):
    """`read` is given keys and returns what there is of them. `at_once` is 1 where the order matters."""

    def __init__(self, read: Callable[[Collection[K]], Awaitable[Mapping[K, V]]], *, at_once: int = AT_ONCE) -> None:
        self._read = read
        self._at_once = at_once
        self._asked: dict[K, asyncio.Future[V | None]] = {}
        self._readers = 0

    async def ask(self, key: K) -> V | None:
        """The row of this key, None when there is none. Raises what `read` raises."""
        answer = self._asked.get(key)
        if answer is None:
            answer = self._asked[key] = asyncio.get_running_loop().create_future()
            if self._readers < self._at_once:
                self._readers += 1
                _ = spawn(self._answer(), "gathered")
        # Whoever goes away leaves the others their answer.
        return await asyncio.shield(answer)

    async def _answer(self) -> None:
        """Read for all who have asked by now, and for those who asked meanwhile, until nobody waits."""
        try:
            while self._asked:
                await self._answer_those_who_ask()
        finally:
            # In the same breath as the last look: who asks from now on needs a reader of their own.
            self._readers -= 1

    async def _answer_those_who_ask(self) -> None:
        keys = list(self._asked)[:MOST_KEYS]
        asked = {key: self._asked.pop(key) for key in keys}
        try:
            found = await self._read(keys)
        except Exception as error:  # noqa: BLE001 - it is raised at each that asked
            _fail(asked.values(), error)
        else:
            for key, answer in asked.items():
                answer.set_result(found.get(key))


def _fail(answers: Collection[asyncio.Future[V | None]], error: Exception) -> None:
    for answer in answers:
        answer.set_exception(error)
        # Nobody may be there any more to see it.
        answer.exception()
