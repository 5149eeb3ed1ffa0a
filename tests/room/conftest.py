from collections.abc import AsyncIterator

import pytest
from aioice import ice

from tests.room.service import Service


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
