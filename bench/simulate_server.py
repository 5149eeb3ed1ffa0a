"""A real `etapalvelu serve` on a folder of its own, killed and started again in place, and the people and rooms it knows."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from etapalvelu.access import Access
from etapalvelu.config import Call, load
from etapalvelu.domain.codes import Language
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.themes import ALL_WEEK
from etapalvelu.maintenance import access_to, bring_up, database
from etapalvelu.ports import Account
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.places import SqlPlaces
from tests.e2e.processes import free_port

HOST: Final = "127.0.0.1"
ROOMS_OF_A_POINT: Final = 10
START_SECONDS: Final = 30.0
EXIT_SECONDS: Final = 15.0
ASK_SECONDS: Final = 0.01
THEMES: Final = ("pensions", "sickness", "families")
LANGUAGES: Final = (Language.FI, Language.SV)
FIRST_DAY: Final = date(2026, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Known:
    """Bearer tokens by whom they are for: rooms' two devices, an advisor a point, experts, one supervisor."""

    screens: dict[str, str] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    advisors: dict[str, str] = field(default_factory=dict)
    experts: dict[str, str] = field(default_factory=dict)
    supervisor: str = ""

    @property
    def rooms(self) -> list[str]:
        return list(self.screens)


def point_of(room: str) -> str:
    return room.partition("-")[0]


class Service:
    """The server's process. `up` is set while it is known to answer; `log` is what all its runs wrote."""

    def __init__(self, folder: Path, limits: Mapping[str, float], environment: Mapping[str, str] | None = None) -> None:
        """`limits` are keys of [call]; those this version does not know are left out."""
        self.folder = folder
        self.port = free_port()
        self.config = folder / "config.toml"
        self.database = folder / "etapalvelu.sqlite"
        self.log = folder / "server.log"
        self.up = asyncio.Event()
        self.up_at = 0.0
        self.environment = dict(environment or {})
        self._process: asyncio.subprocess.Process | None = None
        known = {name: value for name, value in limits.items() if name in Call.__struct_fields__}
        call = "".join(f"{name} = {value}\n" for name, value in known.items())
        self.config.write_text(
            f'[server]\nport = {self.port}\n[hours]\nalways_open = true\n[log]\nlevel = "warning"\n[call]\n{call}',
            encoding="utf-8",
        )

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError("the server was never started")
        return self._process.pid

    async def start(self) -> float:
        """Start it; the seconds until it answers."""
        begun = time.monotonic()
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "etapalvelu", "serve", "--config", str(self.config)),
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
            )
        async with asyncio.timeout(START_SECONDS):
            while not _listens(self.port):
                if self._process.returncode is not None:
                    raise RuntimeError(f"the server ended: {self.log.read_text(encoding='utf-8')[-2000:]}")
                await asyncio.sleep(ASK_SECONDS)
        self.up_at = time.monotonic()
        self.up.set()
        return time.monotonic() - begun

    async def kill(self) -> None:
        """SIGKILL, as a machine that loses its power would."""
        await self._end(signal.SIGKILL)

    async def terminate(self) -> float:
        """SIGTERM; the seconds until it has ended."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> float:
        process, begun = self._process, time.monotonic()
        self.up.clear()
        if process is not None and process.returncode is None:
            process.send_signal(number)
            async with asyncio.timeout(EXIT_SECONDS):
                await process.wait()
        return time.monotonic() - begun

    async def __aenter__(self) -> "Service":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()


async def prepare(service: Service, rooms: int, experts: int) -> Known:
    """Make the database with these rooms and people; no server runs yet. Passwords are good for nobody: all have tokens."""
    config = load(service.config, {})
    await bring_up(config)
    known = Known()
    async with database(config) as engine:
        places, accounts, access = SqlPlaces(engine), SqlAccounts(engine), access_to(config, engine)
        for number in range(rooms):
            room = f"p{number // ROOMS_OF_A_POINT}-{number}"
            point = point_of(room)
            if point not in known.advisors:
                place = ServicePoint(id=point, name=point, municipality="M", hours=ALL_WEEK, opens_on=FIRST_DAY)
                await places.add_point(place)
                staff = Staff(account=f"advisor-{point}", role=Role.ADVISOR, point=point)
                known.advisors[point] = await _token(accounts, access, staff)
            await places.add_room(Room(id=room, name=room, point=point, fit_from=FIRST_DAY))
            known.screens[room] = await _paired(access, room, Role.ROOM)
            known.agents[room] = await _paired(access, room, Role.AGENT)
        for number in range(experts):
            staff = Staff(account=f"expert-{number}", role=Role.EXPERT, themes=THEMES, languages=LANGUAGES)
            known.experts[staff.account] = await _token(accounts, access, staff)
        supervisor = await _token(accounts, access, Staff(account="supervisor", role=Role.SUPERVISOR))
    return Known(**{**vars(known), "supervisor": supervisor})


async def _token(accounts: SqlAccounts, access: Access, staff: Staff) -> str:
    await accounts.add_account(Account(staff=staff, password_hash="none"))  # noqa: S106 - no hash is this
    return await access.add_token(staff.account)


async def _paired(access: Access, room: str, role: Role) -> str:
    code = await access.add_pairing_code(room, role)
    return (await access.pair(code, role, HOST)).secret


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0
