"""The room agent as one runs it, against a service of the test."""

import asyncio
from pathlib import Path

from etapalvelu.room.agent import RoomSettings, run_agent
from etapalvelu.tasks import spawn
from tests.room.service import CODE, Service


class Running:
    """An agent at work until `end`."""

    def __init__(self, service: Service, state_dir: Path, *, camera: str = "test:", pair: str | None = CODE) -> None:
        self.stop = asyncio.Event()
        settings = RoomSettings(server=service.address, camera=camera, state_dir=state_dir, pair=pair)
        self.task = spawn(run_agent(settings, self.stop), name="agent under test")

    async def end(self) -> None:
        self.stop.set()
        async with asyncio.timeout(3):
            await self.task
