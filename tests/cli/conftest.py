"""Commands run in this process, on a configuration and a database of the test's own."""

import shutil
import sqlite3
import sys
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from etapalvelu import cli
from etapalvelu.store import rows
from tests.domain.samples import ENDED, after, told

CONFIG = """
[server]
port = {port}
[log]
level = "error"
"""


class Outcome:
    """How a command ended: exit code and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    def refusal(self) -> str:
        """The one line a refused command says."""
        assert (self.code, self.out) == (1, "")
        assert self.err.startswith("etapalvelu: ")
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err.removeprefix("etapalvelu: ").rstrip("\n")


class Shell:
    """Runs commands in this process, as the installed program does in its own."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: str, stdin: str = "") -> Outcome:
        self._monkeypatch.setattr(sys, "stdin", StringIO(stdin))
        try:
            cli.main(list(arguments))
        except SystemExit as exit_:
            code = exit_.code
        else:
            raise AssertionError("a program ends with an exit code")
        written = self._capsys.readouterr()
        assert isinstance(code, int)
        return Outcome(code, written.out, written.err)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


def write_config(folder: Path, text: str = "", port: int = 8080) -> Path:
    path = folder / "config.toml"
    path.write_text(CONFIG.format(port=port) + text, encoding="utf-8")
    return path


@pytest.fixture
def config(tmp_path: Path, blank_database: Path) -> Path:
    """A configuration with an empty database beside it."""
    shutil.copyfile(blank_database, tmp_path / "etapalvelu.sqlite")
    return write_config(tmp_path)


@pytest.fixture
def logged(config: Path) -> Path:
    """A configuration whose database holds one whole session."""
    with closing(sqlite3.connect(config.parent / "etapalvelu.sqlite")) as database, database:
        insert(database, "session", rows.session_row(after(*ENDED)))
        for entry in told(*ENDED):
            insert(database, "event", rows.entry_row(entry))
    return config


def insert(database: sqlite3.Connection, table: str, row: dict[str, object]) -> None:
    marks = ", ".join(f":{name}" for name in row)
    database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", row)  # noqa: S608 - our own names


def change(config: Path, *statements: str) -> None:
    """Do to the file what the program never does."""
    with closing(sqlite3.connect(config.parent / "etapalvelu.sqlite")) as database, database:
        for statement in statements:
            database.execute(statement)
