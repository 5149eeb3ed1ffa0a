"""A PostgreSQL server of the tests' own: in a folder of its own, on a socket there, gone with the tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

# Where Debian puts each version's programs.
PROGRAMS = Path("/usr/lib/postgresql")
# The server refuses to run as root.
USER = "nobody"
OWNER = "postgres"
# The databases of tests are thrown away: nothing of them need outlive a power cut.
SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "listen_addresses=", "max_connections=200")


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A running server; `folder` holds its data and its socket."""

    programs: Path
    folder: Path
    _numbers: Iterator[int]

    def url(self, database: str) -> str:
        return f"postgresql+asyncpg://{OWNER}@/{database}?host={self.folder}"

    def new_database(self, template: str = "template0") -> str:
        """The name of a new database that is like the other."""
        name = f"test{next(self._numbers)}"
        self._run("createdb", "--template", template, name)
        return name

    def drop(self, database: str) -> None:
        self._run("dropdb", "--force", database)

    def _run(self, program: str, *arguments: str) -> None:
        place = ("--host", str(self.folder), "--username", OWNER)
        subprocess.run([self.programs / program, *place, *arguments], check=True)


@contextmanager
def running_postgres(parent: str | None) -> Iterator[Postgres]:
    """Started at the beginning of the block, gone with all its data at the end; `parent` is the folder to put it in."""
    programs = max(PROGRAMS.glob("*/bin"), key=lambda folder: int(folder.parent.name))
    folder = Path(tempfile.mkdtemp(prefix="etapalvelu-postgres-", dir=parent))
    user = USER if os.getuid() == 0 else None
    if user is not None:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        command: list[str | Path] = [programs / program, "--pgdata", folder / "data", *arguments]
        subprocess.run(command, user=user, cwd=folder, check=True, stdout=subprocess.DEVNULL)

    try:
        run("initdb", "--auth=trust", f"--username={OWNER}", "--encoding=UTF8", "--locale=C", "--no-sync")
        options = " ".join(f"-c {setting}" for setting in (*SETTINGS, f"unix_socket_directories={folder}"))
        run("pg_ctl", "start", "--wait", "--silent", "--log", str(folder / "log"), "--options", options)
        try:
            yield Postgres(programs=programs, folder=folder, _numbers=count())
        finally:
            run("pg_ctl", "stop", "--wait", "--silent", "--mode", "immediate")
    finally:
        shutil.rmtree(folder)
