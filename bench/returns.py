"""How soon everybody's state is back when a killed server listens again: sockets resumed and streams told anew.

    python -m bench returns [--clients 1000] [--rounds 3] [--single-rounds 10] [--down 2] [--told]

A client is a room's screen or agent: one `/call` socket with a seat in an open session, and one `/live` stream. Server and
clients share the machine, and each client knocks by itself, as the project's client does. Exit 1 when a limit is missed.
"""

import argparse
import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bench.simulate_clients import Client, Sitting, World, open_sessions
from bench.simulate_server import Known, Service, point_of, prepare
from etapalvelu.app import utc_now
from etapalvelu.config import load
from etapalvelu.domain.codes import Language, Reason
from etapalvelu.domain.events import Opened
from etapalvelu.domain.log import open_session
from etapalvelu.maintenance import database
from etapalvelu.store.sessions import SqlSessions
from etapalvelu.tasks import spawn, stop
from signaling.messages import Seat
from tests.faults.people import Transcript

LIMIT_OF_ONE: Final = 1.0
LIMIT_OF_ALL: Final = 5.0
SEATED_SECONDS: Final = 90.0
BACK_SECONDS: Final = 30.0
STEADY_SECONDS: Final = 6.0
COMING_AT_ONCE: Final = 50


@dataclass(kw_only=True)
class Found:
    """Seconds from the server's listening until each client was `back`, of all rounds; per round what it took to listen, and
    what processor it and all clients together used for the return."""

    back: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    clients: list[float] = field(default_factory=list)


class Page:
    """One client; `back_at` is when both its socket and its stream last had word from the server."""

    def __init__(self, world: World, room: str, seat: Seat, token: str) -> None:
        self._client = Client(world, f"{seat}-{room}", token, f"device:{room}")
        self._seat: Seat = seat
        self._sitting: Sitting | None = None
        self._told_at = 0.0
        self._task = spawn(self._client.follow("room" if seat == "room" else "agent", self._hear), "live")

    @property
    def back_at(self) -> float:
        return 0.0 if self._sitting is None else min(self._told_at, self._sitting.welcomed_at)

    def is_back_since(self, moment: float) -> bool:
        return self.back_at > moment

    def latest(self) -> float:
        """When the later of the two came."""
        return max(self._told_at, 0.0 if self._sitting is None else self._sitting.welcomed_at)

    async def end(self) -> None:
        await stop(self._task)
        if self._sitting is not None:
            await self._sitting.die()

    def _hear(self, event: str, data: dict[str, Any]) -> None:
        if event == "session":
            self._told_at = time.monotonic()
            if self._sitting is None:
                self._sitting = Sitting(self._client, str(data["id"]), self._seat)


async def measure(clients: int, rounds: int, down: float, *, told: bool = False) -> Found:
    """Kill the server, or tell it to end, and start it again, `rounds` times."""
    found = Found()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        service = await stack.enter_async_context(Service(folder, {}))
        known = await prepare(service, -(-clients // 2), 1)
        await _open_all(service, known)
        await service.start()
        transcript = Transcript(folder / "told.jsonl")
        stack.callback(transcript.close)
        https = await open_sessions(stack, service.address)
        world = World(service=service, transcript=transcript, https=https, seed=0)
        wanted: list[tuple[str, Seat, str]] = [(room, "room", token) for room, token in known.screens.items()]
        wanted += [(room, "camera", token) for room, token in known.agents.items()]
        pages: list[Page] = []
        for first in range(0, clients, COMING_AT_ONCE):
            # One after the other, as in a morning: only their return is measured.
            pages += [Page(world, *one) for one in wanted[:clients][first : first + COMING_AT_ONCE]]
            await _all_back(pages, 0.0, SEATED_SECONDS)
        for _ in range(rounds):
            await asyncio.sleep(STEADY_SECONDS)
            await (service.terminate() if told else service.kill())
            await asyncio.sleep(down)
            found.starts.append(await service.start())
            before = _worked(service.pid), time.process_time()
            await _all_back(pages, service.up_at, BACK_SECONDS)
            found.server.append(_worked(service.pid) - before[0])
            found.clients.append(time.process_time() - before[1])
            found.back.extend(page.latest() - service.up_at for page in pages)
        for page in pages:
            await page.end()
    return found


def _worked(pid: int) -> float:
    """Seconds of processor that a process has had."""
    user, system = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def _open_all(service: Service, known: Known) -> None:
    """An open session in each room, as if its advisor had just opened it."""
    async with database(load(service.config, {})) as engine:
        sessions = SqlSessions(engine)
        for room in known.rooms:
            point = point_of(room)
            event = Opened(point=point, room=room, theme="pensions", language=Language.FI, reason=Reason.ADVICE)
            session, entry = open_session(
                f"s-{room}", event, advisor=f"advisor-{point}", actor=f"staff:advisor-{point}", now=utc_now()
            )
            await sessions.save(None, session, [entry])


async def _all_back(pages: Sequence[Page], moment: float, seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not all(page.is_back_since(moment) for page in pages):  # noqa: ASYNC110 - many things are waited for at once
            await asyncio.sleep(0.05)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--single-rounds", type=int, default=10)
    parser.add_argument("--down", type=float, default=2)
    parser.add_argument("--told", action="store_true", help="end the server by SIGTERM, and not by SIGKILL")
    given = parser.parse_args(arguments)
    # Whoever is told to stop takes the server along.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    held = [
        _tell(clients, rounds, limit, asyncio.run(measure(clients, rounds, given.down, told=given.told)))
        for clients, rounds, limit in (
            (1, given.single_rounds, LIMIT_OF_ONE),
            (given.clients, given.rounds, LIMIT_OF_ALL),
        )
        if rounds
    ]
    return 0 if all(held) else 1


def _tell(clients: int, rounds: int, limit: float, found: Found) -> bool:
    """Print a line of figures; truth that the slowest stayed within the limit."""
    cuts = statistics.quantiles(found.back, n=20, method="inclusive") if len(found.back) > 1 else [found.back[0]] * 19
    print(  # noqa: T201 - a bench prints
        f"state back, {clients} clients, {rounds} times: median {statistics.median(found.back):.2f} s   p95 {cuts[18]:.2f} s   "
        f"last {max(found.back):.2f} s   limit {limit:g} s   ratio {max(found.back) / limit:.2f}   "
        f"(start to listening {statistics.median(found.starts):.2f} s; "
        f"processor: server {statistics.median(found.server):.2f} s, all clients {statistics.median(found.clients):.2f} s)"
    )
    return max(found.back) <= limit


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
