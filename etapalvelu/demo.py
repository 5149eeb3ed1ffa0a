"""`etapalvelu demo`: the server and one room agent as their own processes, on loopback, with sample people and no hours.

The processes are the same programs that a real installation runs; the demo only prepares their data and watches them.
"""

import asyncio
import fcntl
import hashlib
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
import msgspec

from etapalvelu import sample
from etapalvelu.access import PAIRING_LENGTH, PAIRING_LETTERS, Access
from etapalvelu.app import StartError
from etapalvelu.config import Config, load
from etapalvelu.domain.errors import InvalidFieldError, TryAgainError
from etapalvelu.domain.people import Role
from etapalvelu.keys import load_keys
from etapalvelu.maintenance import access_to, bring_up, database
from etapalvelu.store.places import SqlPlaces

HOST = "127.0.0.1"

# How long the parts may take to be ready.
START_SECONDS = 30

# How long they may take to end before they are killed.
STOP_SECONDS = 6

CONFIG = """\
# Written by `etapalvelu demo` at every start.
[server]
host = "{host}"
port = {port}

[store]
url = "sqlite+aiosqlite:///etapalvelu.sqlite"

[secrets]
file = "keys"

[hours]
always_open = true

# Whoever tries things out asks for a check when they want one: it plays a tone.
[check]
before_opening_minutes = 0

[log]
level = "warning"
format = "text"
"""


class DemoError(Exception):
    """The demo cannot start or go on; the message is one line for a person."""


class DemoSettings(msgspec.Struct, frozen=True, kw_only=True):
    port: int
    data: Path
    rooms: int


Say = Callable[[str], None]


async def run(settings: DemoSettings, say: Say) -> None:
    """Run until SIGINT or SIGTERM. Raises `DemoError` when a part cannot start, or dies."""
    _check_port(settings.port)
    with _alone(settings.data):
        await _run(settings, say)


async def _run(settings: DemoSettings, say: Say) -> None:
    config = await _prepare(settings)
    screens = await _screens(config, settings)
    pair = await _agent_code(config)
    environ = {**os.environ, "ETAPALVELU_PAIR": pair, "ETAPALVELU_LOG__LEVEL": "warning", "ETAPALVELU_LOG__FORMAT": "text"}
    address = f"http://{HOST}:{settings.port}"
    stopping = _stop_event()
    parts: dict[str, asyncio.subprocess.Process] = {}
    try:
        parts["server"] = await _start(environ, "serve", "--config", str(settings.data / "config.toml"))
        await _until(lambda: _answers(f"{address}/readyz"), parts, stopping)
        state = str(settings.data / "agent")
        parts["room agent"] = await _start(environ, "room", "--server", address, "--camera", "test:", "--state", state)
        await _until(lambda: _agent_is_there(config), parts, stopping)
        if not stopping.is_set():
            _tell(say, address, screens)
        await _watch(parts, stopping)
    finally:
        await _end(parts)


def _tell(say: Say, address: str, screens: list[str]) -> None:
    say(f"Accounts: advisor, expert, expert2, supervisor, admin; the password of each is {sample.PASSWORD}")
    say(f"Advisor: {address}/advisor")
    say(f"Expert: {address}/expert")
    say(f"Supervisor: {address}/supervisor")
    for number, code in enumerate(screens, start=1):
        say(f"Room screen{f' {number}' if number > 1 else ''}: {address}/room?pair={code}")
    if free_of_picture(_addresses()):
        say("This machine has no network interface but loopback, so there will be no picture: no browser offers one there.")
    say("ready")


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    """One demo to a folder: a second one would pair the room agent of the first away, and end it."""
    with _folder(data).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"--data {data}: another demo runs on it; end that one, or choose another folder") from None
        yield


def _folder(data: Path) -> Path:
    """Make the folder, and name the file in it by which a running demo is known."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = data / "running"
        lock.touch()
    except OSError as error:
        raise DemoError(f"--data {data}: cannot be written: {error.strerror}") from None
    return lock


async def _prepare(settings: DemoSettings) -> Config:
    """Configuration, database, places and people; what is there already stays."""
    try:
        path = settings.data / "config.toml"
        path.write_text(CONFIG.format(host=HOST, port=settings.port), encoding="utf-8")
        config = load(path, os.environ)
        await bring_up(config)
        async with database(config) as engine:
            await _fill(SqlPlaces(engine), access_to(config, engine), settings.rooms)
    except OSError as error:
        raise DemoError(f"--data {settings.data}: cannot be written: {error.strerror}") from None
    except (StartError, TryAgainError) as error:
        raise DemoError(f"--data {settings.data}: the database cannot be used: {error.__cause__ or error}") from None
    return config


async def _fill(places: SqlPlaces, access: Access, rooms: int) -> None:
    with suppress(InvalidFieldError):
        await places.add_point(sample.POINT)
    for room in sample.rooms(rooms):
        with suppress(InvalidFieldError):
            await places.add_room(room)
    for person in sample.staff():
        with suppress(InvalidFieldError):
            await access.create_account(person)


async def _screens(config: Config, settings: DemoSettings) -> list[str]:
    """A lasting pairing code for each room's screen, made of the demo's own key."""
    key = load_keys(Path(config.secrets.file)).csrf
    async with database(config) as engine:
        access = access_to(config, engine)
        return [
            await access.add_pairing_code(room.id, Role.ROOM, code=_screen_code(key, room.id), reusable=True)
            for room in sample.rooms(settings.rooms)
        ]


def _screen_code(key: bytes, room: str) -> str:
    digest = hashlib.sha256(key + f" screen of {room}".encode()).digest()
    return "".join(PAIRING_LETTERS[byte % len(PAIRING_LETTERS)] for byte in digest[:PAIRING_LENGTH])


async def _agent_code(config: Config) -> str:
    async with database(config) as engine:
        return await access_to(config, engine).add_pairing_code(sample.rooms(1)[0].id, Role.AGENT)


async def _agent_is_there(config: Config) -> bool:
    room = sample.rooms(1)[0].id
    async with database(config) as engine:
        devices = (await SqlPlaces(engine).devices([room]))[room]
    return devices.agent_online and devices.document_camera is not None


async def _answers(url: str) -> bool:
    with suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return answer.status == 200
    return False


async def _start(environ: Mapping[str, str], *arguments: str) -> asyncio.subprocess.Process:
    """A part as a process group of its own, so that Ctrl-C reaches the demo first and it ends its parts in order."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "etapalvelu", *arguments, env=environ, start_new_session=True
    )


async def _until(
    holds: Callable[[], Awaitable[bool]], parts: Mapping[str, asyncio.subprocess.Process], stopping: asyncio.Event
) -> None:
    end = time.monotonic() + START_SECONDS
    while not stopping.is_set() and not await holds():
        _check_alive(parts)
        if time.monotonic() > end:
            raise DemoError(f"the {list(parts)[-1]} is not ready after {START_SECONDS} s")
        await asyncio.sleep(0.1)


async def _watch(parts: Mapping[str, asyncio.subprocess.Process], stopping: asyncio.Event) -> None:
    waits = [asyncio.ensure_future(part.wait()) for part in parts.values()]
    told = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([*waits, told], return_when=asyncio.FIRST_COMPLETED)
    for task in (*waits, told):
        task.cancel()
    if not stopping.is_set():
        _check_alive(parts)


def _check_alive(parts: Mapping[str, asyncio.subprocess.Process]) -> None:
    for name, part in parts.items():
        if part.returncode is not None:
            raise DemoError(f"the {name} ended by itself (exit {part.returncode})")


async def _end(parts: Mapping[str, asyncio.subprocess.Process]) -> None:
    for part in parts.values():
        with suppress(ProcessLookupError):
            part.terminate()
    for part in parts.values():
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await part.wait()
        except TimeoutError:
            part.kill()
            await part.wait()


def _stop_event() -> asyncio.Event:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise DemoError(f"--port {port}: {error.strerror}; choose another") from None


def free_of_picture(addresses: Iterable[str | tuple[str, int, int]]) -> bool:
    """Truth that these are a loopback machine's own: there no ICE candidate is ever gathered, and nobody says so."""
    outside = (address if isinstance(address, str) else address[0] for address in addresses)
    return not any(not text.startswith(("127.", "fe80")) and text != "::1" for text in outside)


def _addresses() -> list[str | tuple[str, int, int]]:
    import ifaddr  # noqa: PLC0415 - comes with the room agent's parts

    return [ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips]
