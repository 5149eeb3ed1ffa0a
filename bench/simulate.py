"""Rooms, advisors and experts by the hundred on one real server, with random faults: does every session come to its end?

    python -m bench simulate [--rooms 300] [--seconds 60] [--seed N] [--keep FOLDER]

Real: the server's process, its database file, API, streams and sockets, and the project's client. Stubbed: media alone. Server
and clients share the machine. The checker of the fault tests compares the log with what everybody was told. Exit 1 when a
session did not end connected or closed with a cause, or when the two disagree.
"""

import argparse
import asyncio
import random
import secrets
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.simulate_clients import World, open_sessions
from bench.simulate_people import Day, Device, Expert, Habits, RoomLife
from bench.simulate_server import Known, Service, prepare
from etapalvelu.tasks import spawn, stop
from tests.faults.checker import Finding, Json, check, lines
from tests.faults.people import Transcript

ROOMS_OF_AN_EXPERT: Final = 2
MOST_OPENINGS_A_SECOND: Final = 5
# What is left after the last fault: a seat's limit, a lease, two failed starts, and the queue behind them.
SETTLE_SECONDS: Final = 60.0
EXPORT_SECONDS: Final = 60.0
LISTENED_STEP_SECONDS: Final = 0.1
DOWN_SECONDS: Final = (0.2, 3.0)
TOLD: Final = "told.jsonl"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`seconds` is how long sessions are opened, not counting when the server is down; `away` is the limit of a seat whose
    socket was lost."""

    rooms: int
    seconds: float
    seed: int
    away: float = 15.0
    service: tuple[float, float] = (1.0, 12.0)
    idle: tuple[float, float] = (0.5, 12.0)

    @property
    def limits(self) -> dict[str, float]:
        """Of [call], in proportion to each other as they are in earnest."""
        return {
            "heartbeat_seconds": min(3.0, self.away / 5),
            "seat_limit_seconds": self.away,
            "slow_seconds": self.away / 2,
            "connect_seconds": self.away,
            "lease_seconds": max(2, int(self.away / 3)),
            "lost_seconds": 3 * self.away,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """`ends` counts sessions by their close cause, or by the state they were left in."""

    plan: Plan
    ends: Counter[str]
    connected: int
    findings: list[Finding]
    counts: Counter[str]
    setups: list[float]
    returns: list[float]
    starts: list[float]
    deeds: int
    events: int
    seconds: float
    log: str = field(repr=False)

    @property
    def sessions(self) -> int:
        return sum(self.ends.values())

    @property
    def ended(self) -> int:
        """Sessions that ended connected, or closed with a cause."""
        return sum(count for end, count in self.ends.items() if end not in ("waiting", "claimed", ""))

    @property
    def holds(self) -> bool:
        return self.sessions > 0 and self.ended == self.sessions and not self.findings


async def simulate(plan: Plan, folder: Path) -> Report:
    """One day. Everything started is ended again."""
    begun = time.monotonic()
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(Service(folder, plan.limits))
        known = await prepare(service, plan.rooms, max(2, plan.rooms // ROOMS_OF_AN_EXPERT))
        await service.start()
        transcript = Transcript(folder / TOLD)
        stack.callback(transcript.close)
        https = await open_sessions(stack, service.address)
        world = World(service=service, transcript=transcript, https=https, seed=plan.seed)
        await _live(world, plan, known)
        events = await _export(service)
    return _report(plan, world, events, time.monotonic() - begun)


async def _live(world: World, plan: Plan, known: Known) -> None:
    day = Day(habits=Habits(away=plan.away, service=plan.service, idle=plan.idle))
    rooms = [RoomLife(world, day, known, room) for room in known.rooms]
    experts = [Expert(world, day, account, token) for account, token in known.experts.items()]
    living = [spawn(room.live(), f"room {room.room}") for room in rooms]
    working = [spawn(expert.work(), f"work {expert.client.name}") for expert in experts]
    striking = spawn(_strike(world, plan, day, [device for room in rooms for device in (room.screen, room.agent)]), "faults")
    await listened(world.service, plan.seconds)
    day.closing.set()
    await striking
    await asyncio.wait(living, timeout=SETTLE_SECONDS + 4 * plan.away)
    for task in living:
        if not task.done():
            world.counts["rooms that did not come to rest"] += 1
    await stop(*living, *working)
    await asyncio.gather(*(room.end() for room in rooms))


async def listened(service: Service, seconds: float) -> None:
    """So long with a server that listens: the day is no shorter where it takes long to start."""
    left = seconds
    while left > 0:
        await service.up.wait()
        begun = time.monotonic()
        await asyncio.sleep(min(left, LISTENED_STEP_SECONDS))
        left -= time.monotonic() - begun


async def _strike(world: World, plan: Plan, day: Day, devices: Sequence[Device]) -> None:
    """What befalls the server, and many sockets at once. It leaves a server that is up."""
    dice: random.Random = world.dice("server")
    while True:
        await asyncio.sleep(dice.uniform(0.1, 0.25) * plan.seconds)
        if day.is_calm:
            return
        match dice.randrange(4):
            case 0 | 1:
                world.fault("server", "server killed")
                await world.service.kill()
                await asyncio.sleep(dice.uniform(*DOWN_SECONDS))
                world.starts.append(await world.service.start())
            case 2:
                world.fault("server", "server told to stop")
                seconds = await world.service.terminate()
                world.counts["longest stop, ms"] = max(world.counts["longest stop, ms"], round(seconds * 1000))
                world.starts.append(await world.service.start())
            case _:
                world.fault("network", "a fifth of all sockets cut")
                for device in devices:
                    if device.sitting is not None and dice.random() < 0.2:
                        device.sitting.cut()


async def _export(service: Service) -> list[Json]:
    """The log as the operator exports it, beside the serving server."""
    path = service.folder / "log.jsonl"
    command = (sys.executable, "-m", "etapalvelu", "log", "export", "--format", "jsonl", "--config", str(service.config))
    with path.open("wb") as out:
        process = await asyncio.create_subprocess_exec(*command, stdout=out)
        async with asyncio.timeout(EXPORT_SECONDS):
            if await process.wait() != 0:
                raise RuntimeError("the log could not be exported")
    return list(lines(path))


def _report(plan: Plan, world: World, events: list[Json], seconds: float) -> Report:
    told = list(lines(world.service.folder / TOLD))
    states: dict[str, str] = {}
    connected = set()
    for event in events:
        states[event["session"]] = _state(event, states.get(event["session"], ""))
        if event["type"] == "connected":
            connected.add(event["session"])
    return Report(
        plan=plan,
        ends=Counter(states.values()),
        connected=len(connected),
        findings=check(events, told),
        counts=world.counts,
        setups=world.setups,
        returns=world.returns,
        starts=world.starts,
        deeds=_acknowledged(told),
        events=len(events),
        seconds=seconds,
        log=world.service.log.read_text(encoding="utf-8", errors="replace"),
    )


def _state(event: Json, before: str) -> str:
    if event["type"] == "closed":
        return f"closed: {event['data'].get('cause', '')}"
    return {"opened": "waiting", "claimed": "claimed", "released": "waiting", "connected": "connected"}.get(
        event["type"], before
    )


def _acknowledged(told: Iterable[Json]) -> int:
    """How many deeds were answered as done."""
    return len({line["key"] for line in told if line["kind"] == "answer" and line["status"] in (200, 201)})


def told_of(report: Report) -> str:
    """The figures as text."""
    kinds = Counter(finding.kind for finding in report.findings)
    rows = [
        f"simulator: seed {report.plan.seed}, {report.plan.rooms} rooms, {report.plan.seconds:g} s of openings, "
        f"{report.seconds:.0f} s in all, seats kept {report.plan.away:g} s",
        f"  sessions {report.sessions}, of them ever connected {report.connected}",
        f"  ended connected or closed with a cause: {report.ended} of {report.sessions}"
        f" ({100 * report.ended / max(1, report.sessions):.2f} %)",
        *(f"    {end:24} {count:6}" for end, count in sorted(report.ends.items())),
        f"  events {report.events}; acknowledged deeds {report.deeds}; disagreements of log and what was told: "
        f"{len(report.findings)} {dict(kinds) if kinds else ''}".rstrip(),
        f"  claim to first frame, media as stubbed: {_times(report.setups)}",
        f"  seat back after the server listened again: {_times(report.returns)}",
        f"  server started anew: {_times(report.starts)}",
        *(f"    {name:56} {count:6}" for name, count in sorted(report.counts.items())),
        *(f"    {finding}" for finding in report.findings[:20]),
    ]
    return "\n".join(rows)


def _times(values: Sequence[float]) -> str:
    if len(values) < 2:
        return f"N {len(values)} " + " ".join(f"{value:.2f} s" for value in values)
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return f"N {len(values)}, median {statistics.median(values):.2f} s, p95 {cuts[18]:.2f} s, longest {max(values):.2f} s"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--away", type=float, default=15)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", type=Path, default=None, help="keep database, log and transcript in this folder")
    given = parser.parse_args(arguments)
    # Whoever is told to stop takes the server along.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = secrets.randbelow(2**32) if given.seed is None else given.seed
    # Hundreds of rooms open a few sessions a second even so: a hundred times what comes in earnest.
    idle = (0.5, max(12.0, 2 * given.rooms / MOST_OPENINGS_A_SECOND))
    plan = Plan(rooms=given.rooms, seconds=given.seconds, seed=seed, away=given.away, idle=idle)
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(simulate(plan, folder))
    print(told_of(report))  # noqa: T201 - a bench prints
    return 0 if report.holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
