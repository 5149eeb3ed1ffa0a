"""Tells each room when its own place in the queue is another one.

One look at the queue serves all: were every room's page woken by whatever goes on in the queue, hundreds would be made anew for
each deed, and nearly all of them would show what they showed before.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

from etapalvelu.domain.errors import TryAgainError
from etapalvelu.ports import QUEUE, Board, place_topic
from etapalvelu.reports import Reports

PAUSE_SECONDS: Final = 0.25


class Places:
    """One for each server: what it announces goes to the pages that are open here."""

    def __init__(self, reports: Reports, board: Board) -> None:
        self._reports = reports
        self._board = board
        self._told: Mapping[str, int] = {}

    async def follow(self) -> None:
        """Look whenever something happened in the queue, until cancelled."""
        async with self._board.listen({QUEUE}) as notices:
            while True:
                await notices.wait()
                try:
                    await self._look()
                except TryAgainError:
                    notices.wake()
                await asyncio.sleep(PAUSE_SECONDS)

    async def _look(self) -> None:
        before, now = self._told, await self._reports.places()
        self._told = now
        self._board.announce(place_topic(room) for room in before.keys() | now.keys() if before.get(room) != now.get(room))
