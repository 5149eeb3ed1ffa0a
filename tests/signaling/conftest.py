from collections.abc import AsyncIterator

import pytest

from tests.signaling.fakes import Clocks, FakeAttendance, Served, serving


@pytest.fixture
def attendance() -> FakeAttendance:
    return FakeAttendance()


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
async def served(attendance: FakeAttendance, clocks: Clocks) -> AsyncIterator[Served]:
    async with serving(attendance, clocks, origins=["https://kiosk.example"]) as served:
        yield served
