"""The API on a real server with a real store."""

from collections.abc import AsyncIterator

import pytest

from tests.conftest import Service
from tests.doorstep import Doorstep, make_doorstep


@pytest.fixture
async def doorstep(service: Service) -> AsyncIterator[Doorstep]:
    made = await make_doorstep(service)
    yield made
    await made.client.close()
