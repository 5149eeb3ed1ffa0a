"""The commands of the log: proven or refused with the row named, and exported."""

import csv
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from etapalvelu.domain.log import verify
from etapalvelu.reports import CSV_COLUMNS
from etapalvelu.store import rows
from tests.cli.conftest import Shell, change
from tests.domain.samples import ENDED, told


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
