"""Whether the log names the fault that was put in: a table of faults in real sockets, each with the cause class it should have.

Media are the clients' word here, given as pages give it: they know that nothing comes, not why.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal

import aiohttp
import pytest

from signaling.messages import Decoded, LineSecured, MediaInterrupted, MediaResumed, Seat
from tests.faults.people import People, Sitter, people_of, until
from tests.faults.rig import Rig

HEARTBEAT_SECONDS, LIMIT_SECONDS = 0.6, 5.0
LIMITS = {
    "ETAPALVELU_CALL__HEARTBEAT_SECONDS": str(HEARTBEAT_SECONDS),
    "ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": str(LIMIT_SECONDS),
}
# A page tells of a loss when it has lasted a little longer than a silent socket can be a healthy one.
TOLD_AFTER_SECONDS = 0.8
ENOUGH = 0.95


class Cable:
    """A place's line to the server. Cut, it carries nothing, and nobody's socket knows of it."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._whole = asyncio.Event()
        self._whole.set()
        self._carrying: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.address = ""

    async def __aenter__(self) -> "Cable":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._carrying:
            task.cancel()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    @asynccontextmanager
    async def cut(self) -> AsyncIterator[None]:
        self._whole.clear()
        try:
            yield
        finally:
            self._whole.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._carrying.add(task)
        task.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pass(reader, back), self._pass(there, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while data := await reader.read(65536):
                await self._whole.wait()
                writer.write(data)
                await writer.drain()


@dataclass
class Call:
    """A session in which everybody sees everybody; `site` and `desk` are the lines of its two places."""

    rig: Rig
    session: str
    site: Cable
    desk: Cable
    at_site: People
    at_desk: People
    sitters: dict[str, Sitter]

    async def misses(self, teller: str, lost: Seat, relay_protocol: Literal["udp", "tcp", "none"] | None = None) -> None:
        """An end of a line tells that nothing comes, as a page does: as if it were the other's fault."""
        await asyncio.sleep(TOLD_AFTER_SECONDS)
        said = "expert_side" if lost == "expert" else "site_network"
        note = MediaInterrupted(peer=lost, cause=said, since_ms=round(TOLD_AFTER_SECONDS * 1000), relay_protocol=relay_protocol)
        await self.sitters[teller].say(note)

    async def logs(self, kind: str = "interrupted", times: int = 1) -> None:
        await until(lambda: self.rig.types(self.session).count(kind) >= times)


@asynccontextmanager
async def call(rig: Rig, path: Literal["host", "relay"] = "host") -> AsyncIterator[Call]:
    async with AsyncExitStack() as stack:
        site, desk = await stack.enter_async_context(Cable(rig.port)), await stack.enter_async_context(Cable(rig.port))
        everybody = await stack.enter_async_context(people_of(rig))
        places = []
        for cable in (site, desk):
            connector = aiohttp.TCPConnector(limit=0, force_close=True)
            http = await stack.enter_async_context(aiohttp.ClientSession(cable.address, connector=connector))
            places.append(People(rig, http))
        session = (await everybody.advisor.open())["id"]
        made = Call(rig, session, site, desk, places[0], places[1], {})
        for name, person in (("room", made.at_site.screen()), ("camera", made.at_site.agent())):
            made.sitters[name] = await stack.enter_async_context(person.sit(session, name))
        await made.at_desk.expert.claim(session)
        made.sitters["expert"] = await stack.enter_async_context(made.at_desk.expert.sit(session, "expert"))
        await made.sitters["room"].say(Decoded(peer="expert", generation=1, path=path, setup_ms=100))
        await made.sitters["expert"].say(Decoded(peer="room", generation=1, path=path, setup_ms=100))
        await made.logs("connected")
        # Sockets this young would be taken for ones that just came back.
        await asyncio.sleep(2 * HEARTBEAT_SECONDS)
        yield made
        if rig.types(session)[-1] != "closed":
            await everybody.advisor.close(session, "customer_left")
        for people in places:
            people.close()


Fault = Callable[[Call], Awaitable[None]]


def cut(place: str, seconds: float) -> Fault:
    """The line of a place carries nothing for so long; whoever is left tells of it, and the other comes back."""

    async def fault(at: Call) -> None:
        async with (at.site if place == "room" else at.desk).cut():
            begun = time.monotonic()
            await (at.misses("expert", "room") if place == "room" else at.misses("room", "expert"))
            await at.logs()
            await asyncio.sleep(max(0.0, seconds - (time.monotonic() - begun)))
            if seconds > LIMIT_SECONDS:
                await at.logs("closed" if place == "room" else "released")

    return fault


async def both_are_cut(at: Call) -> None:
    async with at.site.cut(), at.desk.cut():
        await asyncio.sleep(2)
    for sitter in (at.sitters["expert"], at.sitters["room"]):
        await sitter.seated(2)
    await at.sitters["expert"].say(MediaInterrupted(peer="room", cause="unknown", since_ms=2200))
    await at.logs()


async def who_was_cut_tells_of_it_later(at: Call) -> None:
    async with at.desk.cut():
        await asyncio.sleep(2)
    await at.sitters["expert"].seated(2)
    await at.sitters["expert"].say(MediaInterrupted(peer="room", cause="unknown", since_ms=2200))
    await at.logs()


def dies(*seats: Seat, teller: str) -> Fault:
    async def fault(at: Call) -> None:
        for seat in seats:
            await at.sitters[seat].__aexit__()
        for seat in seats:
            await at.misses(teller, seat)
        await at.logs(times=len(seats))

    return fault


def stays_away(*seats: Seat, teller: str, ends: str) -> Fault:
    """Dead, and not back within the limit."""

    async def fault(at: Call) -> None:
        await dies(*seats, teller=teller)(at)
        await at.logs(ends)

    return fault


def is_loaded_anew(seat: str) -> Fault:
    async def fault(at: Call) -> None:
        person = at.at_desk.expert if seat == "expert" else at.at_site.screen()
        async with person.sit(at.session, seat):
            await at.logs("resumed")

    return fault


async def the_document_camera_is_unplugged(at: Call) -> None:
    agent = at.at_site.agent()
    for state in ("lost", "ok"):
        async with agent.http.post("/api/v1/devices/status", json={"document_camera": state}, headers=agent.headers) as told:
            assert told.status == 204
    await at.logs("resumed")


async def the_relay_dies(at: Call) -> None:
    await at.misses("expert", "room", "none")
    await at.logs()
    await at.sitters["expert"].say(MediaResumed(peer="room", gap_ms=1000))


def udp_is_blocked(place: Literal["room", "expert"]) -> Fault:
    """All are there, and the relay answers one end by TCP alone; who tells first is not the same each time."""

    async def fault(at: Call) -> None:
        other: Literal["room", "expert"] = "room" if place == "expert" else "expert"
        await at.misses(other, place, "udp")
        await at.misses(place, other, "tcp")
        await at.logs()

    return fault


async def somebody_stands_between(at: Call) -> None:
    await at.sitters["room"].say(LineSecured(peer="expert", generation=1, own="ab" * 32, met="ef" * 32))
    await at.sitters["expert"].say(LineSecured(peer="room", generation=1, own="cd" * 32, met="ef" * 32))
    await at.logs()


def named_in(rig: Rig, session: str) -> set[str]:
    """Every cause class in the session's log."""
    query = "SELECT data ->> 'cause_class' FROM event WHERE session = ? AND data ->> 'cause_class' IS NOT NULL"
    with rig.sqlite() as connection:
        return {row[0] for row in connection.execute(query, (session,))}


SITE, DESK = {"site_network"}, {"expert_side"}
TABLE: list[tuple[str, Fault, set[str]]] = [
    *((f"the room's line is cut for {seconds} s", cut("room", seconds), SITE) for seconds in (1, 3, LIMIT_SECONDS + 1)),
    *((f"the expert's line is cut for {seconds} s", cut("expert", seconds), DESK) for seconds in (1, 3, LIMIT_SECONDS + 1)),
    ("both lines are cut", both_are_cut, SITE | DESK),
    ("the expert's line is cut, as the expert tells later", who_was_cut_tells_of_it_later, DESK),
    ("the room's browser dies", dies("room", teller="expert"), SITE),
    ("the room's machine dies", dies("room", "camera", teller="expert"), SITE),
    ("the room's machine dies for good", stays_away("room", "camera", teller="expert", ends="closed"), SITE),
    ("the expert's browser dies for good", stays_away("expert", teller="room", ends="released"), DESK),
    ("the room's agent dies", dies("camera", teller="expert"), {"document_camera"}),
    ("the expert's browser dies", dies("expert", teller="room"), DESK),
    ("the expert's page is loaded anew", is_loaded_anew("expert"), DESK),
    ("the room's page is loaded anew", is_loaded_anew("room"), SITE),
    ("the document camera is unplugged", the_document_camera_is_unplugged, {"document_camera"}),
    ("the relay dies", the_relay_dies, {"server"}),
    ("somebody stands between", somebody_stands_between, {"identity"}),
    ("UDP is blocked at the room", udp_is_blocked("room"), SITE),
    ("UDP is blocked at the expert", udp_is_blocked("expert"), DESK),
]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_cause_in_the_log_is_the_fault_that_was_put_in(rig: Rig) -> None:
    rig.start(LIMITS)
    rows: list[tuple[str, set[str], set[str]]] = []
    for name, fault, causes in TABLE:
        async with call(rig, "relay" if "relay" in name else "host") as at:
            await fault(at)
        rows.append((name, causes, named_in(rig, at.session)))

    hits = [name for name, causes, named in rows if named and named <= causes]
    for name, causes, named in rows:
        print(f"{'hit ' if name in hits else 'MISS'} {name}: {' '.join(sorted(named))} of {' '.join(sorted(causes))}")  # noqa: T201
    print(f"{len(hits)} of {len(rows)}")  # noqa: T201
    assert len(hits) / len(rows) >= ENOUGH
    rig.agrees(all_ended=True)
