"""Which devices listen to this server, kept true in the store: readiness of a room is read from there."""

import asyncio
from collections import Counter, defaultdict

import structlog

from etapalvelu.domain.errors import TryAgainError
from etapalvelu.domain.people import Device
from etapalvelu.ports import Board, PlaceStore, point_topic
from etapalvelu.tasks import spawn

_log = structlog.get_logger("presence")

# How long after a failed writing the next one is tried.
RETRY_SECONDS = 2.0


class Presence:
    """Counts the streams of each device and writes when the first comes and the last goes.

    A device's writings go one after another, and what is written is what is true when its turn comes: an older word
    never lands on a newer one, and what could not be written is written as soon as it can be.
    """

    def __init__(self, places: PlaceStore, board: Board, node: str) -> None:
        self._places = places
        self._board = board
        self._node = node
        self._streams: Counter[Device] = Counter()
        # None while nobody knows what the store holds: a writing is under way, or failed and may have been done all the same.
        self._written: dict[Device, bool | None] = {}
        self._turns: dict[Device, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._retrying: dict[Device, asyncio.Task[None]] = {}

    async def came(self, device: Device) -> None:
        """One more stream of this device; counted before anything is waited for."""
        self._streams[device] += 1
        await self._settle(device)

    async def went(self, device: Device) -> None:
        """One stream less."""
        self._streams[device] -= 1
        await self._settle(device)

    async def _settle(self, device: Device) -> None:
        """Write what is true. When that fails it goes on in the background, and nobody waits for it."""
        if await self._is_settled(device) or device in self._retrying:
            return
        self._retrying[device] = spawn(self._retry(device), "presence")

    async def _retry(self, device: Device) -> None:
        try:
            while True:
                await asyncio.sleep(RETRY_SECONDS)
                if await self._is_settled(device):
                    return
        finally:
            del self._retrying[device]

    async def _is_settled(self, device: Device) -> bool:
        async with self._turns[device]:
            while self._written.get(device, False) is not (is_here := self._streams[device] > 0):
                self._written[device] = None
                try:
                    await self._places.device_online(device.room, device.role, self._node if is_here else None)
                except TryAgainError:
                    _log.warning("device_not_noted", room=device.room, role=device.role)
                    return False
                self._written[device] = is_here
                # Not of the room: its own pages show nothing of this, and after a restart all come at once.
                self._board.announce({point_topic(device.point)})
        return True
