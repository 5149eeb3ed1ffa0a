"""The board of one server: notices go straight to the listeners in this process."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager


class LocalNotices:
    """One listener's ear. Notices between two waits count as one."""

    def __init__(self) -> None:
        self._heard = asyncio.Event()

    def wake(self) -> None:
        self._heard.set()

    async def wait(self) -> None:
        await self._heard.wait()
        self._heard.clear()

    def forget(self) -> None:
        self._heard.clear()


class LocalBoard:
    """`ports.Board` without a network."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[LocalNotices]] = {}

    def announce(self, topics: Iterable[str]) -> None:
        for topic in topics:
            for listener in self._listeners.get(topic, ()):
                listener.wake()

    @asynccontextmanager
    async def listen(self, topics: Iterable[str]) -> AsyncIterator[LocalNotices]:
        listener, wanted = LocalNotices(), tuple(topics)
        for topic in wanted:
            self._listeners.setdefault(topic, set()).add(listener)
        try:
            yield listener
        finally:
            for topic in wanted:
                self._listeners[topic].discard(listener)
                if not self._listeners[topic]:
                    del self._listeners[topic]
