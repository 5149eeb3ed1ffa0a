"""Many who ask the same at the same moment get one answer, which was begun after each of them asked."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from etapalvelu.tasks import spawn

T = TypeVar("T")


class Together(Generic[T]):
    """Shares answers by key. Whoever comes while one is being made waits for the next: theirs is never older than they are."""

    def __init__(self) -> None:
        self._making: dict[Hashable, asyncio.Task[T | Exception]] = {}
        self._next: dict[Hashable, asyncio.Task[T | Exception]] = {}

    async def ask(self, key: Hashable, answer: Callable[[], Awaitable[T]]) -> T:
        """What `answer()` returns or raises, called by this asker or by another one with the same key."""
        task = self._next.get(key)
        if task is None:
            task = self._next[key] = spawn(self._make(key, answer), "together")
        # Whoever goes away leaves the others their answer.
        outcome = await asyncio.shield(task)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _make(self, key: Hashable, answer: Callable[[], Awaitable[T]]) -> T | Exception:
        before = self._making.get(key)
        if before is not None:
            await asyncio.wait([before])
        task = self._making[key] = self._next.pop(key)
        try:
            return await answer()
        except Exception as error:  # noqa: BLE001 - it is raised again at each that asked
            return error
        finally:
            if self._making[key] is task:
                del self._making[key]
