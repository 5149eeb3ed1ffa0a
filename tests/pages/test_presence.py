import asyncio

import pytest

from etapalvelu.domain.errors import TryAgainError
from etapalvelu.domain.people import Role
from etapalvelu.pages import presence
from etapalvelu.pages.presence import Presence
from etapalvelu.store.places import SqlPlaces
from tests.conftest import SCREEN, Service


class SlowPlaces(SqlPlaces):
    """Fails as often as told, and keeps each writing until it is let go."""

    def __init__(self, service: Service, failures: int = 0) -> None:
        super().__init__(service.engine)
        self.failures = failures
        self.asked: list[str | None] = []
        self.go = asyncio.Event()
        self.go.set()
        self.written = asyncio.Event()

    async def device_online(self, room: str, role: Role, node: str | None) -> None:
        self.asked.append(node)
        self.written.clear()
        await self.go.wait()
        if self.failures:
            self.failures -= 1
            raise TryAgainError
        await super().device_online(room, role, node)
        self.written.set()


async def is_online(service: Service) -> bool:
    return (await service.places.devices(["rantala-1"]))["rantala-1"].screen_online


async def test_only_the_first_stream_and_the_last_are_written(service: Service) -> None:
    places = SlowPlaces(service)
    known = Presence(places, service.board, "node")

    await known.came(SCREEN)
    await known.came(SCREEN)
    await known.went(SCREEN)
    here = await is_online(service)
    await known.went(SCREEN)

    assert (here, await is_online(service)) == (True, False)
    assert places.asked == ["node", None]


async def test_what_could_not_be_written_is_written_when_the_database_is_back(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "RETRY_SECONDS", 0.01)
    places = SlowPlaces(service, failures=3)
    known = Presence(places, service.board, "node")

    await known.came(SCREEN)
    await places.written.wait()
    here = await is_online(service)
    places.failures = 2
    await known.went(SCREEN)
    await places.written.wait()

    assert (here, await is_online(service)) == (True, False)
    assert places.asked == ["node"] * 4 + [None] * 3


async def test_a_device_that_came_back_while_its_going_was_written_is_here(service: Service) -> None:
    places = SlowPlaces(service)
    known = Presence(places, service.board, "node")
    await known.came(SCREEN)

    places.go.clear()
    going = asyncio.ensure_future(known.went(SCREEN))
    await asyncio.sleep(0)
    coming = asyncio.ensure_future(known.came(SCREEN))
    await asyncio.sleep(0)
    places.go.set()
    await asyncio.gather(going, coming)

    assert places.asked == ["node", None, "node"]
    assert await is_online(service)


async def test_a_writing_that_failed_may_have_been_done_and_is_taken_back(service: Service) -> None:
    places = SlowPlaces(service, failures=1)
    known = Presence(places, service.board, "node")

    await known.came(SCREEN)
    await known.went(SCREEN)

    assert places.asked == ["node", None]
