"""`etapalvelu check`: every fault is said in words, one does not hide the next, and TURN is tried for real."""

import re
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from etapalvelu.checks import Finding, check
from etapalvelu.config import Config, parse
from etapalvelu.keys import load_keys
from etapalvelu.room.relay import WORDS
from etapalvelu.store.version import newest
from tests.e2e.processes import free_port
from tests.turn import SECRET, Turn, running_turn


def config_in(folder: Path, raw: dict[str, Any] | None = None) -> Config:
    return parse(raw or {}, {}, name="config.toml", folder=folder)


@pytest.fixture
def folder(tmp_path: Path, blank_database: Path) -> Path:
    shutil.copyfile(blank_database, tmp_path / "etapalvelu.sqlite")
    return tmp_path


async def found(config: Config) -> dict[str, Finding]:
    return {finding.what: finding for finding in await check(config)}


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with running_turn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


async def test_all_is_well(folder: Path) -> None:
    assert await check(config_in(folder)) == [
        Finding(what="configuration", ok=True, words="every key is known and has a value that can be used"),
        Finding(what="keys", ok=True, words=f"{folder}/etapalvelu.keys is there, for its owner only"),
        Finding(what="database", ok=True, words="at this program's version, can be read and written"),
        Finding(what="TURN", ok=True, words="none named; rooms must reach Kela directly"),
    ]


async def test_each_fault_is_said_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "etapalvelu.keys").write_text("no keys")
    (tmp_path / "etapalvelu.sqlite").mkdir()

    findings = await found(config_in(tmp_path, {"hours": {"extra_holidays": ["Christmas"]}}))

    assert {what: finding.ok for what, finding in findings.items()} == {
        "configuration": False,
        "keys": False,
        "database": False,
        "TURN": True,
    }
    assert findings["configuration"].words.startswith(
        "[hours] extra_holidays: Invalid isoformat string: 'Christmas'; write days as"
    )
    assert "the file of keys cannot be used" in findings["keys"].words
    assert "[store] url: the database cannot be used" in findings["database"].words


async def test_keys_that_others_can_read_are_said(folder: Path) -> None:
    path = folder / "etapalvelu.keys"
    load_keys(path)
    path.chmod(0o640)

    assert (await found(config_in(folder)))["keys"] == Finding(
        what="keys", ok=False, words=f"{path} can be read by others: chmod 600 it"
    )


async def test_an_old_database_is_said_with_what_to_do(tmp_path: Path) -> None:
    finding = (await found(config_in(tmp_path)))["database"]

    assert not finding.ok
    assert finding.words.startswith(
        f"[store] url: the database is at version none, this program needs {newest()}; run `etapalvelu migrate`"
    )


async def test_a_database_that_cannot_be_written_is_said(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "etapalvelu.sqlite", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        finding = (await found(config_in(folder)))["database"]

    assert not finding.ok
    assert finding.words.startswith("[store] url: cannot be written: ")
    assert "database is locked" in finding.words


async def turn_finding(folder: Path, url: str, secret: str = SECRET) -> Finding:
    config = config_in(folder, {"turn": {"urls": [url], "secret": secret}})
    return (await found(config))[f"TURN {url}"]


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_a_turn_server_that_gives_a_relay_address_is_well(
    folder: Path, turn: Turn, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.authority))

    finding = await turn_finding(folder, turn.url(kind))

    assert finding.ok
    assert re.fullmatch(r"gave a relay address in \d+ ms", finding.words)


@pytest.mark.parametrize("kind", ["udp", "tcp"])
async def test_a_wrong_secret_is_said(folder: Path, turn: Turn, kind: str) -> None:
    finding = await turn_finding(folder, turn.url(kind), secret="another")

    assert (finding.ok, finding.words) == (False, WORDS["refused"])


async def test_a_certificate_nobody_vouches_for_is_said(folder: Path, turn: Turn) -> None:
    finding = await turn_finding(folder, turn.url("tls"))

    assert (finding.ok, finding.words) == (False, WORDS["certificate"])


@pytest.mark.parametrize("url", ["turn:127.0.0.1:{port}", "turn:127.0.0.1:{port}?transport=tcp", "turns:127.0.0.1:{port}"])
async def test_a_turn_server_that_does_not_answer_is_said(folder: Path, url: str) -> None:
    finding = await turn_finding(folder, url.format(port=free_port()))

    assert not finding.ok
    assert finding.words in (WORDS["silent"], WORDS["unreachable"])


async def test_a_secret_that_others_can_read_is_said(folder: Path) -> None:
    path = folder / "turn.secret"
    path.write_text(SECRET)
    path.chmod(0o644)
    config = config_in(folder, {"turn": {"secret_file": "turn.secret"}})

    findings = await found(config)
    path.chmod(0o600)

    assert findings["TURN secret"] == Finding(what="TURN secret", ok=False, words=f"{path} can be read by others: chmod 600 it")
    assert "TURN secret" not in await found(config)


async def test_a_stun_server_needs_no_secret(folder: Path) -> None:
    assert (await turn_finding(folder, "stun:127.0.0.1:3478")).words == "a STUN server; nothing to sign in to"


async def test_without_the_rooms_parts_turn_is_not_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "etapalvelu.room.relay", None)

    finding = await turn_finding(folder, "turn:127.0.0.1:3478")

    assert (finding.ok, finding.words) == (False, "not tried: install etapalvelu[room] on this machine to try it")
