"""The command line: exit codes, and one line in words for whatever goes wrong."""

import csv
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from etapalvelu import cli
from etapalvelu.domain.log import verify
from etapalvelu.domain.themes import THEMES
from etapalvelu.keys import load_keys
from etapalvelu.passwords import SHORTEST_PASSWORD
from etapalvelu.reports import CSV_COLUMNS
from etapalvelu.store import rows
from etapalvelu.store.migrate import newest
from tests.domain.samples import ENDED, after, told

CONFIG = """
[server]
port = {port}
[log]
level = "error"
"""

# How long a server may take to start or to end.
LIMIT_SECONDS = 30

COMMANDS = [
    "demo",
    "serve",
    "room",
    "check",
    "migrate",
    "log",
    "log verify",
    "log export",
    "token",
    "token add",
    "staff",
    "staff add",
]
ON_A_DATABASE = ["log verify", "log export --format jsonl", "token add eero", "staff add uusi --role expert", "serve"]
ON_A_CONFIG = [*ON_A_DATABASE, "check", "migrate"]


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


@pytest.fixture
def taken_port() -> Iterator[int]:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# The command line itself


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_every_command_explains_itself(shell: Shell, command: str) -> None:
    outcome = shell(*command.split(), "--help")

    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"usage: etapalvelu {command}".rstrip())


def test_the_help_names_every_command(shell: Shell) -> None:
    out = shell("--help").out

    assert [name for name in COMMANDS if " " not in name and f"\n    {name} " not in out] == []


@pytest.mark.parametrize(
    "command",
    [
        "",
        "dance",
        "log",
        "serve",
        "check",
        "check --config a --data b",
        "log export --config a",
        "log export --config a --format xml",
        "token add --config a",
        "staff add x --config a",
        "staff add x --role boss --config a",
        "staff add x --role expert --languages klingon --config a",
        "room",
        "demo --port 0",
        "demo --port 65536",
        "demo --port many",
        "demo --rooms 0",
        "demo --rooms 51",
    ],
)
def test_a_wrong_command_line_is_exit_2(shell: Shell, command: str) -> None:
    outcome = shell(*command.split())

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("usage: etapalvelu")
    assert "error: " in outcome.err


# Configuration and database


@pytest.mark.parametrize("command", ON_A_CONFIG)
def test_a_missing_configuration_is_said(shell: Shell, tmp_path: Path, command: str) -> None:
    path = tmp_path / "config.toml"

    words = shell(*command.split(), "--config", str(path), stdin="long enough password\n").refusal()

    assert words == f"{path}: no such file; copy config.example.toml and edit it"


@pytest.mark.parametrize("command", ON_A_CONFIG)
def test_a_wrong_key_is_said(shell: Shell, config: Path, command: str) -> None:
    write_config(config.parent, "[calls]\n")

    words = shell(*command.split(), "--config", str(config), stdin="long enough password\n").refusal()

    assert words.startswith(f"{config}: Object contains unknown field `calls`: sections are server,")


@pytest.mark.parametrize("command", ON_A_DATABASE)
def test_a_database_that_was_not_migrated_is_said(shell: Shell, tmp_path: Path, command: str) -> None:
    path = write_config(tmp_path)

    words = shell(*command.split(), "--config", str(path), stdin="long enough password\n").refusal()

    needed = f"[store] url: the database is at version none, this program needs {newest()}; run `etapalvelu migrate`"
    assert words.startswith(needed)


@pytest.mark.parametrize("command", [*ON_A_DATABASE, "migrate"])
@pytest.mark.parametrize("kind", ["folder", "no database"])
def test_a_database_that_cannot_be_used_is_said(shell: Shell, tmp_path: Path, command: str, kind: str) -> None:
    path, database = write_config(tmp_path), tmp_path / "etapalvelu.sqlite"
    if kind == "folder":
        database.mkdir()
    else:
        database.write_bytes(b"not a database, but long enough to be looked at" * 10)

    words = shell(*command.split(), "--config", str(path), stdin="long enough password\n").refusal()

    assert ("unable to open database file" if kind == "folder" else "file is not a database") in words


def test_a_database_whose_driver_is_not_installed_is_said(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_config(tmp_path, '[store]\nurl = "postgresql+asyncpg://e@127.0.0.1:1/e"\n')
    monkeypatch.setitem(sys.modules, "asyncpg", None)

    assert shell("migrate", "--config", str(path)).refusal() == "asyncpg is not installed, and this configuration needs it"


def test_a_database_server_that_is_not_there_is_said(shell: Shell, tmp_path: Path) -> None:
    path = write_config(tmp_path, '[store]\nurl = "postgresql+asyncpg://e@127.0.0.1:1/e"\n')

    assert "Connect call failed" in shell("migrate", "--config", str(path)).refusal()


def test_migrate_makes_the_database_and_may_be_run_again(shell: Shell, tmp_path: Path) -> None:
    path = write_config(tmp_path)

    first, second = (shell("migrate", "--config", str(path)) for _ in range(2))
    by_folder = shell("check", "--data", str(tmp_path))

    for outcome in (first, second):
        assert (outcome.code, outcome.out, outcome.err) == (0, "the database is at this program's version\n", "")
    assert (by_folder.code, by_folder.out.count("ok  "), by_folder.out.count("\n")) == (0, 4, 4)


def test_a_newer_database_is_said(shell: Shell, config: Path) -> None:
    change(config, "UPDATE alembic_version SET version_num = '9999'")

    words = shell("migrate", "--config", str(config)).refusal()

    assert words.startswith("[store] url: the database is at version 9999, made by a newer program")


def test_check_says_every_fault_and_ends_with_1(shell: Shell, tmp_path: Path) -> None:
    path = write_config(tmp_path, '[hours]\nextra_holidays = ["Christmas"]\n')

    outcome = shell("check", "--config", str(path))

    assert (outcome.code, outcome.err) == (1, "")
    assert [line[:4] for line in outcome.out.splitlines()] == ["FAIL", "ok  ", "FAIL", "ok  "]


# Accounts and tokens


def test_an_account_is_added_once(shell: Shell, config: Path) -> None:
    add = (
        "staff",
        "add",
        "eero",
        "--role",
        "expert",
        "--themes",
        "pensions,families",
        "--languages",
        "fi, sv",
        "--name",
        "Eero Esimerkki",
        "--title",
        "asiantuntija",
        "--config",
        str(config),
    )

    first = shell(*add, stdin="long enough password\n")
    second = shell(*add, stdin="long enough password\n")

    assert (first.code, first.out, first.err) == (0, "added eero (expert)\n", "")
    assert second.refusal() == "account: there is one of this name already; choose another"
    with closing(sqlite3.connect(config.parent / "etapalvelu.sqlite")) as database:
        (account,) = database.execute(
            "SELECT name, role, point, themes, languages, shown_name, title, password_hash FROM account"
        ).fetchall()
    asked = ("eero", "expert", None, '["pensions","families"]', '["fi","sv"]', "Eero Esimerkki", "asiantuntija")
    assert account[:7] == asked
    assert account[7].startswith("$argon2id$")


@pytest.mark.parametrize(
    ("arguments", "password", "words"),
    [
        (
            "Eero --role expert",
            "long enough password",
            "account: malformed; write up to 40 small letters, digits, dots and dashes",
        ),
        ("eero --role expert", "short", f"password: too short; at least {SHORTEST_PASSWORD} characters"),
        ("eero --role expert", "", f"password: too short; at least {SHORTEST_PASSWORD} characters"),
        (
            "eero --role expert --themes taxes",
            "long enough password",
            f"themes: one is unknown; themes are {', '.join(theme.key for theme in THEMES)}",
        ),
        ("aino --role advisor", "long enough password", "point: an advisor works at one; name it with --point"),
        ("aino --role advisor --point nowhere", "long enough password", "point: there is none of this name"),
    ],
)
def test_an_account_that_cannot_be_is_refused_by_its_field(
    shell: Shell, config: Path, arguments: str, password: str, words: str
) -> None:
    outcome = shell("staff", "add", *arguments.split(), "--config", str(config), stdin=f"{password}\n" if password else "")

    assert outcome.refusal() == words


def test_a_token_is_alone_on_stdout_and_kept_nowhere(shell: Shell, config: Path) -> None:
    shell("staff", "add", "eero", "--role", "expert", "--config", str(config), stdin="long enough password\n")

    outcome = shell("token", "add", "eero", "--name", "reporting", "--config", str(config))

    assert (outcome.code, outcome.err) == (0, "")
    (token,) = outcome.out.splitlines()
    assert len(token) >= 43
    with closing(sqlite3.connect(config.parent / "etapalvelu.sqlite")) as database:
        (login,) = database.execute("SELECT kind, account, role, label, expires_at, revoked, id FROM login").fetchall()
    assert login[:6] == ("token", "eero", "expert", "reporting", None, 0)
    assert token not in login[6]


def test_a_token_for_nobody_is_refused(shell: Shell, config: Path) -> None:
    refusal = shell("token", "add", "nobody", "--config", str(config)).refusal()

    assert refusal == "account: there is none of this name that may sign in; make one with `etapalvelu staff add`"


# The log


def test_a_whole_log_is_proven(shell: Shell, logged: Path) -> None:
    outcome = shell("log", "verify", "--config", str(logged))

    assert (outcome.code, outcome.out, outcome.err) == (0, "the log is whole: 8 entries\n", "")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE event SET actor = 'staff:veikko' WHERE seq = 4",
            "entry 4: its content is not what was written (the hash differs)",
        ),
        ("UPDATE event SET data = '{}' WHERE seq = 4", "entry 4: it is not written as this program writes"),
        (
            "DELETE FROM event WHERE seq = 8",
            "entry 7: the session's row does not stand on its entries: the last ones are missing",
        ),
    ],
)
def test_a_tampered_log_is_refused_and_the_row_named(shell: Shell, logged: Path, statement: str, words: str) -> None:
    change(logged, "DROP TRIGGER event_update", "DROP TRIGGER event_delete", statement)

    assert shell("log", "verify", "--config", str(logged)).refusal().startswith(f"the log is not whole: session s1, {words}")


def test_the_log_is_exported_as_an_event_a_line(shell: Shell, logged: Path) -> None:
    outcome = shell("log", "export", "--format", "jsonl", "--data", str(logged.parent))

    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert (outcome.code, outcome.err) == (0, "")
    assert {tuple(line) for line in lines} == {("session", "seq", "at", "type", "actor", "data", "prev", "hash")}
    entries = [
        rows.to_entry({**line, "data": json.dumps(line["data"], sort_keys=True, separators=(",", ":"))}) for line in lines
    ]
    assert entries == told(*ENDED)
    assert verify(entries) is None


def test_the_log_is_exported_as_a_session_a_row(shell: Shell, logged: Path) -> None:
    outcome = shell("log", "export", "--format", "csv", "--data", str(logged.parent))

    header, *sessions = csv.reader(StringIO(outcome.out))
    assert (outcome.code, outcome.err, tuple(header)) == (0, "", CSV_COLUMNS)
    assert [row[0] for row in sessions] == ["s1"]


def test_whoever_stops_reading_the_export_hears_no_complaint(logged: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "etapalvelu", "log", "export", "--format", "jsonl", "--data", str(logged.parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.close()
        said = program.stderr.read()

    assert (program.returncode, said) == (1, b"")


# Programs that go on


def test_a_server_whose_port_is_taken_says_so(shell: Shell, config: Path, taken_port: int) -> None:
    write_config(config.parent, port=taken_port)

    words = shell("serve", "--config", str(config)).refusal()

    assert words.startswith(f"[server] host and port: cannot listen on 127.0.0.1:{taken_port}: ")


def test_a_server_whose_certificate_cannot_be_used_says_so(shell: Shell, config: Path) -> None:
    text = config.read_text().replace("[server]", '[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"')
    config.write_text(text)

    words = shell("serve", "--config", str(config)).refusal()

    assert words.startswith("[server] tls_cert, tls_key: cannot be used: ")


def test_a_server_whose_keys_are_broken_says_so(shell: Shell, config: Path) -> None:
    (config.parent / "etapalvelu.keys").write_text("no keys")

    assert "the file of keys cannot be used" in shell("serve", "--config", str(config)).refusal()


def test_a_demo_whose_port_is_taken_says_so(shell: Shell, tmp_path: Path, taken_port: int) -> None:
    words = shell("demo", "--port", str(taken_port), "--data", str(tmp_path / "demo")).refusal()

    assert words == f"--port {taken_port}: Address already in use; choose another"
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_cannot_write_its_data_says_so(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("no folder")

    words = shell("demo", "--port", str(free_port()), "--data", str(path)).refusal()

    assert words.startswith(f"--data {path}: ")


def test_a_room_with_a_camera_that_is_none_says_so(shell: Shell, tmp_path: Path) -> None:
    words = shell("room", "--server", "http://127.0.0.1:9", "--camera", "periscope:7", "--state", str(tmp_path)).refusal()

    assert "periscope:7" in words


def test_a_server_serves_until_it_is_told_to_stop(config: Path) -> None:
    port = free_port()
    write_config(config.parent, port=port)
    keys = load_keys(config.parent / "etapalvelu.keys")

    with subprocess.Popen(
        [sys.executable, "-m", "etapalvelu", "serve", "--config", str(config)], stderr=subprocess.PIPE
    ) as server:
        assert server.stderr is not None
        try:
            answers = [ready(f"http://127.0.0.1:{port}{path}", server) for path in ("/healthz", "/readyz")]
            start = time.monotonic()
        finally:
            server.send_signal(signal.SIGTERM)
            said = server.stderr.read()

    assert (answers, server.returncode, said) == ([b"ok\n", b"ready\n"], 0, b"")
    assert time.monotonic() - start < LIMIT_SECONDS
    assert load_keys(config.parent / "etapalvelu.keys") == keys


def ready(url: str, server: subprocess.Popen[bytes]) -> bytes:
    """What the server answers as soon as it answers."""
    end = time.monotonic() + LIMIT_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as answer:  # noqa: S310 - our own server
                body: bytes = answer.read()
                return body
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"no answer from {url}; the server's exit code is {server.poll()}")


def test_the_program_is_run_as_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "etapalvelu", "dance"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
