"""What an idle, signed-in socket costs the server, against the same sockets on a bare aiohttp server in the same run.

    python -m bench.idle [--sockets 200] [--seconds 10] [--rounds 3]

Two kinds, as pages and rooms hold them all day: `/live` streams of a signed-in person, and `/call` websockets with a seat and a
heartbeat of 3 s. Each server is a process of its own; CPU and memory are its own, from /proc. The two take turns.
"""

import argparse
import asyncio
import os
import secrets
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import aiohttp

from etapalvelu.app import utc_now
from etapalvelu.config import Config, load
from etapalvelu.domain.codes import Language, Reason
from etapalvelu.domain.events import Opened
from etapalvelu.domain.log import open_session
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.themes import ALL_WEEK
from etapalvelu.keys import load_keys
from etapalvelu.maintenance import access_to, bring_up, database
from etapalvelu.pages.live import STREAMS_OF_A_LOGIN
from etapalvelu.ports import StaffRequest
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.sessions import SqlSessions
from signaling.ticket import Claims, mint

HERE = Path(__file__).parent
SUBPROTOCOL = "etapalvelu.call.v1"
START_SECONDS = 20
TICKS = os.sysconf("SC_CLK_TCK")
CONFIG = '[server]\nport = {port}\n[hours]\nalways_open = true\n[log]\nlevel = "warning"\n'

# Opens one idle socket on a server and keeps it for the length of the stack.
Connect = Callable[[aiohttp.ClientSession, AsyncExitStack, int], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one server with its sockets: CPU milliseconds a second for all of them, and KiB of memory for each."""

    cpu_ms_per_second: float
    kib_per_socket: float


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A product's data with a person and rooms to sit in."""

    config: Path
    tokens: list[str]
    tickets: list[str]


async def main(sockets: int, seconds: float, rounds: int) -> None:
    for kind in ("live", "call"):
        ours, bare = [], []
        for _ in range(rounds):
            ours.append(await _product(kind, sockets, seconds))
            bare.append(await _bare(kind, sockets, seconds))
        _print(kind, sockets, ours, bare)


def _print(kind: str, sockets: int, ours: list[Cost], bare: list[Cost]) -> None:
    print(f"/{kind}, {sockets} idle signed-in sockets, median of {len(ours)} rounds")  # noqa: T201 - a bench prints
    for name, unit in (("cpu_ms_per_second", "ms CPU a second"), ("kib_per_socket", "KiB a socket")):
        mine = [getattr(cost, name) for cost in ours]
        theirs = [getattr(cost, name) for cost in bare]
        ratio = statistics.median(a / b if b else float("inf") for a, b in zip(mine, theirs, strict=True))
        figures = f"ours {statistics.median(mine):8.1f}   bare aiohttp {statistics.median(theirs):8.1f}   ratio {ratio:5.2f}"
        print(f"  {unit:16} {figures}")  # noqa: T201 - a bench prints


async def _product(kind: str, sockets: int, seconds: float) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        data = await _prepare(Path(folder), port, sockets if kind == "call" else 1, -(-sockets // STREAMS_OF_A_LOGIN))
        async with _server("-m", "etapalvelu", "serve", "--config", str(data.config), port=port) as pid:
            return await _measure(pid, port, sockets, seconds, _connect(kind, data))


async def _bare(kind: str, sockets: int, seconds: float) -> Cost:
    port = _free_port()
    data = Prepared(config=Path(), tokens=["bare"] * sockets, tickets=["bare"] * sockets)
    async with _server(str(HERE / "bare_server.py"), str(port), port=port) as pid:
        return await _measure(pid, port, sockets, seconds, _connect(kind, data))


def _connect(kind: str, data: Prepared) -> Connect:
    async def live(http: aiohttp.ClientSession, stack: AsyncExitStack, number: int) -> None:
        headers = {"Authorization": f"Bearer {data.tokens[number // STREAMS_OF_A_LOGIN]}"}
        stream = await stack.enter_async_context(http.get("/live?page=advisor", headers=headers))
        stream.raise_for_status()
        await stream.content.readline()

    async def call(http: aiohttp.ClientSession, stack: AsyncExitStack, number: int) -> None:
        ws = await stack.enter_async_context(http.ws_connect("/call", protocols=[SUBPROTOCOL]))
        await ws.send_json({"type": "hello", "ticket": data.tickets[number]})
        if (await ws.receive_json())["type"] != "welcome":
            raise RuntimeError("no welcome")

    return live if kind == "live" else call


async def _measure(pid: int, port: int, sockets: int, seconds: float, connect: Connect) -> Cost:
    timeout = aiohttp.ClientTimeout(total=None)
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(f"http://127.0.0.1:{port}", timeout=timeout, connector=connector) as http,
        AsyncExitStack() as stack,
    ):
        empty = _kib(pid)
        for number in range(sockets):
            await connect(http, stack, number)
        await asyncio.sleep(1)
        full, begun, cpu = _kib(pid), time.monotonic(), _cpu_ms(pid)
        await asyncio.sleep(seconds)
        spent = (_cpu_ms(pid) - cpu) / (time.monotonic() - begun)
    return Cost(cpu_ms_per_second=spent, kib_per_socket=(full - empty) / sockets)


@asynccontextmanager
async def _server(*arguments: str, port: int) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments)
    try:
        async with aiohttp.ClientSession() as http:
            async with asyncio.timeout(START_SECONDS):
                while not await _answers(http, port):  # noqa: ASYNC110 - another process: only asking tells
                    await asyncio.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


async def _answers(http: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _prepare(folder: Path, port: int, rooms: int, logins: int) -> Prepared:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(port=port), encoding="utf-8")
    config = load(path, {})
    await bring_up(config)
    async with database(config) as engine:
        places, sessions = SqlPlaces(engine), SqlSessions(engine)
        first = date(2026, 1, 1)
        await places.add_point(ServicePoint(id="p", name="P", municipality="P", hours=ALL_WEEK, opens_on=first))
        tickets = []
        for number in range(rooms):
            await places.add_room(Room(id=f"r{number}", name=f"R {number}", point="p", fit_from=first))
            event = Opened(point="p", room=f"r{number}", theme="pensions", language=Language.FI, reason=Reason.ADVICE)
            session, entry = open_session(f"s{number}", event, advisor="a", actor="staff:advisor", now=utc_now())
            await sessions.save(None, session, [entry])
            tickets.append(_ticket(config, f"s{number}", f"r{number}"))
        access = access_to(config, engine)
        password = secrets.token_urlsafe()
        await access.create_account(StaffRequest(account="advisor", role=Role.ADVISOR, password=password, point="p"))
        tokens = [await access.add_token("advisor") for _ in range(logins)]
    return Prepared(config=path, tokens=tokens, tickets=tickets)


def _ticket(config: Config, call: str, room: str) -> str:
    expires = int(time.time()) + 300
    who, login = f"device:{room}", f"room:{room}:room"
    claims = Claims(call=call, seat="room", who=who, login=login, id=secrets.token_urlsafe(8), expires=expires)
    return mint(claims, load_keys(Path(config.secrets.file)).ticket)


def _kib(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))


def _cpu_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    asyncio.run(main(given.sockets, given.seconds, given.rounds))
