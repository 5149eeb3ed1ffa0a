"""A server of its own for each test of a fault: real processes on a real database file, killed, stopped and starved by pid.

    rig.start()                              # `etapalvelu serve`; returns when /readyz answers 200
    session = await people.advisor.open()    # clients that write down all they are told (people.py)
    rig.kill()                               # SIGKILL
    await asyncio.to_thread(rig.start)       # in a thread, where clients are to go on meanwhile
    await people.advisor.close(session["id"], "cancelled")
    rig.agrees()                             # the checker on what they were told and the exported log

The database is prepared once a run and copied; a process that has imported the program forks the servers (mother.py). Limits
are short (CALL); what a test needs otherwise it gives to `start` as environment, e.g. `ETAPALVELU_CALL__SEAT_LIMIT_SECONDS`, or
to a `Rig` of its own.
"""

import asyncio
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from argon2 import PasswordHasher

from etapalvelu import sample
from etapalvelu.config import load
from etapalvelu.domain.codes import Language
from etapalvelu.domain.log import Fault
from etapalvelu.domain.people import Role, Staff
from etapalvelu.maintenance import access_to, bring_up, database, verify_log
from etapalvelu.ports import Account
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.sessions import SqlSessions
from tests.e2e.processes import free_port
from tests.faults.checker import Finding, Json, check, lines
from tests.faults.mother import Child, Mother

# Of everybody.
PASSWORD = "a long password"
READY_SECONDS = 20.0
# What the service promises: a server that is told to stop is gone within this time.
STOP_SECONDS = 5.0
ROOMS = 4
EXPERTS = 20

# Limits of calls, short enough for a test and long enough to live through a restart.
CALL = {"heartbeat_seconds": 3.0, "seat_limit_seconds": 15.0}

CONFIG = """\
[server]
host = "127.0.0.1"
port = {port}
[store]
url = "sqlite+aiosqlite:///etapalvelu.sqlite"
[secrets]
file = "keys"
[hours]
always_open = {open}
[call]
{call}
[log]
level = "warning"
format = "json"
"""

# One media library must not take both cores from the server under test.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def prepare(folder: Path) -> dict[str, str]:
    """A database at this version with rooms, an advisor, experts and their tokens, in `folder`. Returns the tokens."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(CONFIG.format(port=1, open="true", call=""), encoding="utf-8")
    tokens = asyncio.run(_fill(folder / "config.toml"))
    (folder / "tokens.json").write_text(json.dumps(tokens), encoding="utf-8")
    return tokens


async def _fill(path: Path) -> dict[str, str]:
    config = load(path, {})
    await bring_up(config)
    async with database(config) as engine:
        places, access = SqlPlaces(engine), access_to(config, engine)
        await places.add_point(sample.POINT)
        for room in sample.rooms(ROOMS):
            await places.add_room(room)
        accounts, tokens = SqlAccounts(engine), {}
        # One hash for all, and as cheap as it goes: faults are not about its cost.
        password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        for person in _staff():
            await accounts.add_account(Account(staff=person, password_hash=password_hash))
            tokens[person.account] = await access.add_token(person.account)
        for room in sample.rooms(ROOMS):
            for role in (Role.ROOM, Role.AGENT):
                code = await access.add_pairing_code(room.id, role)
                tokens[f"{room.id}:{role}"] = (await access.pair(code, role, "127.0.0.1")).secret
    return tokens


def _staff() -> Iterator[Staff]:
    yield Staff(account="advisor", role=Role.ADVISOR, point=sample.POINT.id)
    yield Staff(account="supervisor", role=Role.SUPERVISOR)
    for number in range(1, EXPERTS + 1):
        account = "expert" if number == 1 else f"expert{number}"
        yield Staff(account=account, role=Role.EXPERT, themes=("pensions", "families"), languages=(Language.FI,))


class Rig:
    """One installation in `folder`, copied from a prepared one, and at most one server running on it."""

    def __init__(
        self,
        folder: Path,
        prepared: Path,
        *,
        records: Path | None = None,
        always_open: bool = True,
        call: Mapping[str, float] | None = None,
        mother: Mother | None = None,
    ) -> None:
        """`records`: where transcripts and logs go, if not beside the database. `call` replaces limits of CALL.

        With a `mother` commands need no imports of their own; without one each is started as a person would.
        """
        shutil.copytree(prepared, folder, dirs_exist_ok=True)
        self.folder = folder
        self.records = records or folder
        self.port = free_port()
        self.tokens: dict[str, str] = json.loads((folder / "tokens.json").read_text(encoding="utf-8"))
        self.process: subprocess.Popen[bytes] | Child | None = None
        self._mother = mother
        self.started_seconds = 0.0
        self._transcripts: list[Path] = []
        limits = "\n".join(f"{name} = {value}" for name, value in {**CALL, **(call or {})}.items())
        text = CONFIG.format(port=self.port, open=str(always_open).lower(), call=limits)
        (folder / "config.toml").write_text(text, encoding="utf-8")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> Path:
        return self.folder / "etapalvelu.sqlite"

    def transcript(self, name: str) -> Path:
        """A file for what one client was told; the checker reads all of them."""
        path = self.records / f"{name}.transcript.jsonl"
        if path not in self._transcripts:
            self._transcripts.append(path)
        return path

    # The server's life

    def start(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        ahead: Sequence[str] = (),
        limits: Mapping[int, int] | None = None,
        ready: bool = True,
    ) -> None:
        """Start the server. `ahead` stands before the command (faketime); `limits` are of `resource.RLIMIT_...`."""
        assert self.process is None or self.process.poll() is not None, "one server at a time"
        all_environ = {**os.environ, **ONE_THREAD, **(environ or {})}
        log = self.records / "server.log"
        self.process = self._run(["serve"], all_environ, log, log, ahead=ahead, limits=limits)
        if ready:
            self.wait_ready()

    def _run(
        self,
        words: Sequence[str],
        environ: Mapping[str, str],
        output: Path,
        errors: Path,
        *,
        ahead: Sequence[str] = (),
        limits: Mapping[int, int] | None = None,
    ) -> subprocess.Popen[bytes] | Child:
        """Start one command of the program on this installation."""
        arguments = [*words, "--config", str(self.folder / "config.toml")]
        # A library is loaded ahead of a new program only.
        if self._mother is not None and not ahead and "LD_PRELOAD" not in environ:
            return self._mother.start(arguments, environ, output, errors, limits)
        command = [*ahead, sys.executable, "-m", "etapalvelu", *arguments]
        with output.open("ab") as out, errors.open("ab") as err:
            return subprocess.Popen(command, stdout=out, stderr=err, env=environ, preexec_fn=_limiter(limits))

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        begun = time.monotonic()
        while not self.is_ready():
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}: {self.log()[-2000:]}")
            if time.monotonic() - begun > seconds:
                raise TimeoutError(f"the server is not ready after {seconds} s: {self.log()[-2000:]}")
            time.sleep(0.02)
        self.started_seconds = time.monotonic() - begun

    def is_ready(self) -> bool:
        return self.get("/readyz") == 200

    def get(self, path: str) -> int:
        """The status of a plain question; 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=2) as answer:  # noqa: S310 - loopback
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def kill(self) -> None:
        """SIGKILL, and wait until the process is gone."""
        self.signal(signal.SIGKILL)
        self.wait_gone(10)

    def terminate(self) -> float:
        """SIGTERM; the seconds until the process was gone. Its exit code must be 0."""
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        assert self.wait_gone(STOP_SECONDS * 3) == 0, self.log()[-2000:]
        return time.monotonic() - begun

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def wait_gone(self, seconds: float) -> int:
        """Wait until the server has ended (a crash point, a signal); its exit code, negative for a signal's number."""
        assert self.process is not None
        return self.process.wait(seconds)

    def log(self) -> str:
        path = self.records / "server.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def end(self) -> None:
        """For the fixture: whatever state the test left, no process outlives it."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait(10)

    # What came of it

    def events(self) -> list[Json]:
        """The log as the operator exports it."""
        path, errors = self.records / "log.jsonl", self.records / "log.errors"
        path.unlink(missing_ok=True)
        exporting = self._run(["log", "export", "--format", "jsonl"], os.environ, path, errors)
        assert exporting.wait(60) == 0, errors.read_text(encoding="utf-8")
        return list(lines(path))

    def types(self, session: str) -> list[str]:
        """The session's events by name, straight from the file."""
        query = "SELECT type FROM event WHERE session = ? ORDER BY seq"
        with self.sqlite() as connection:
            return [row[0] for row in connection.execute(query, (session,))]

    def seats(self, session: str) -> list[str]:
        """Which seats were ever taken in it."""
        query = "SELECT data ->> 'seat' FROM event WHERE session = ? AND type = 'joined' ORDER BY seq"
        with self.sqlite() as connection:
            return [row[0] for row in connection.execute(query, (session,))]

    @contextmanager
    def sqlite(self, *, write_lock: bool = False) -> Iterator[sqlite3.Connection]:
        """Another program on the same file; with `write_lock` it keeps all others from writing for the length of the block."""
        connection = sqlite3.connect(self.database, isolation_level=None, timeout=10)
        try:
            if write_lock:
                connection.execute("BEGIN IMMEDIATE")
            yield connection
            if write_lock:
                connection.execute("ROLLBACK")
        finally:
            connection.close()

    def findings(self, *, all_ended: bool = False) -> list[Finding]:
        return check(self.events(), self.told(), all_ended=all_ended)

    def told(self) -> Iterable[Json]:
        for path in self._transcripts:
            if path.exists():
                yield from lines(path)

    def agrees(self, *, all_ended: bool = False) -> None:
        """Fail unless the log and what clients were told agree, and the program's own proof holds too."""
        assert self.findings(all_ended=all_ended) == []
        # In a thread of its own: the test may be running a loop already.
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(asyncio.run, self._verified()).result() is None

    async def _verified(self) -> Fault | None:
        async with database(load(self.folder / "config.toml", {})) as engine:
            return (await verify_log(SqlSessions(engine), lambda _number: None))[1]


def _limiter(limits: Mapping[int, int] | None) -> Callable[[], None] | None:
    if not limits:
        return None

    def limit() -> None:
        for what, number in limits.items():
            resource.setrlimit(what, (number, number))

    return limit
