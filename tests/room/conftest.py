from collections.abc import AsyncIterator, Callable

import pytest
from aioice import ice

from signaling.messages import Seat
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
