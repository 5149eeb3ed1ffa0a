"""The command line: exit codes, and one line in words for whatever goes wrong with arguments, configuration or database."""

import subprocess
import sys
from pathlib import Path

import pytest

from etapalvelu.room import agent
from etapalvelu.room.finding import Finding
from etapalvelu.store.version import newest
from tests.cli.conftest import Shell, change, write_config

COMMANDS = [
    "demo",
    "serve",
    "room",
    "check",
    "migrate",
    "log",
    "log verify",
    "log export",
    "turn",
    "turn config",
    "token",
    "token add",
    "staff",
    "staff add",
]

ON_A_DATABASE = ["log verify", "log export --format jsonl", "token add eero", "staff add uusi --role expert", "serve"]

ON_A_CONFIG = [*ON_A_DATABASE, "check", "migrate"]


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


def test_the_program_is_run_as_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "etapalvelu", "dance"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


def test_a_rooms_check_says_what_it_found_and_ends_with_its_code(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[agent.RoomSettings] = []

    async def check_room(settings: agent.RoomSettings) -> tuple[list[Finding], bool]:
        asked.append(settings)
        return [Finding(code="document_camera_opens", result="failed", note="no_picture")], True

    monkeypatch.setattr(agent, "check_room", check_room)

    outcome = shell("room", "--server", "https://palvelu.example", "--check", "--lang", "fi")

    assert [settings.server for settings in asked] == ["https://palvelu.example"]
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.splitlines()[0] == "Dokumenttikamera aukeaa: Ei toimi (kuvaa ei tule)"


def test_a_room_that_was_never_paired_is_not_checked(shell: Shell, tmp_path: Path) -> None:
    state = str(tmp_path / "state")

    outcome = shell("room", "--server", "https://palvelu.example", "--camera", "test:", "--state", state, "--check")

    assert outcome.refusal().startswith("this room agent is not paired")
