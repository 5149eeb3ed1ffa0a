"""An agent, its service, who watches it, and a stream whose pictures the test lays down."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aioice import ice

from etapalvelu.room.stream import DocumentStream
from signaling.messages import Seat
from tests.room.agents import Running
from tests.room.hand import Clock, Hand
from tests.room.service import Service
from tests.room.watcher import Watcher


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both ends of a connection offer 127.0.0.1, which they never do, so that no other interface is needed."""
    monkeypatch.setattr(ice, "get_host_addresses", lambda use_ipv4, use_ipv6: ["127.0.0.1"])


@pytest.fixture
async def service(loopback: None) -> AsyncIterator[Service]:
    service = Service()
    await service.start()
    yield service
    await service.stop()


Watch = Callable[..., Watcher]


@pytest.fixture
async def watch(service: Service) -> AsyncIterator[Watch]:
    """Seat watchers that are gone when the test ends."""
    watchers: list[Watcher] = []

    def seated(seat: Seat, login: str = "someone") -> Watcher:
        watchers.append(Watcher(service, seat, login))
        return watchers[-1]

    yield seated
    for watcher in watchers:
        await watcher.vanish()


@pytest.fixture
async def agent(service: Service, tmp_path: Path) -> AsyncIterator[Running]:
    running = Running(service, tmp_path / "state")
    yield running
    await running.end()


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def stream(hand: Hand, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DocumentStream]:
    """It never waits for its turn: what it does then, the tests of the pace tell."""

    async def at_once(self: DocumentStream) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(DocumentStream, "_wait_for_turn", at_once)
    stream = DocumentStream(hand, clock=clock)
    yield stream
    stream.close()
