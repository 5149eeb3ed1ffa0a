"""What the command line does to a database: bringing it up, proving the log, exporting it."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu import maintenance
from etapalvelu.app import StartError
from etapalvelu.config import Config, parse
from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CloseCause
from etapalvelu.domain.log import Fault
from etapalvelu.maintenance import bring_up, database, export_csv, export_jsonl, in_words, verify_log
from etapalvelu.reports import CSV_COLUMNS, csv_row
from etapalvelu.store.engine import writing
from etapalvelu.store.version import newest, version
from tests.conftest import ADVISOR, SCREEN, Service


def quiet(_number: int) -> None:
    """No progress."""


def config_in(folder: Path) -> Config:
    return parse({}, {}, name="config.toml", folder=folder)


@pytest.fixture
async def ids(service: Service) -> list[str]:
    """Three sessions, each opened, joined by the room, and closed; by id, as the log is read."""
    made = []
    for _ in range(3):
        session = await service.opened()
        await service.attendance.joined(session.id, "room", SCREEN.actor)
        await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))
        service.clock.advance(seconds=1)
        made.append(session.id)
    return sorted(made)


async def tamper(engine: AsyncEngine, statement: str, **values: Any) -> None:
    """Do to the file what its triggers forbid, as somebody with the file in hand can."""
    async with engine.connect() as connection:
        await connection.execute(text("COMMIT"))
        await connection.execute(text("PRAGMA foreign_keys=OFF"))
        for name in ("event_update", "event_delete", "event_replace"):
            await connection.execute(text(f"DROP TRIGGER {name}"))
        await connection.execute(text(statement), values)
        await connection.execute(text("PRAGMA foreign_keys=ON"))


async def test_an_untouched_log_is_whole(service: Service, ids: list[str]) -> None:
    assert await verify_log(service.sessions, quiet) == (9, None)


async def test_an_empty_log_is_whole(service: Service) -> None:
    assert await verify_log(service.sessions, quiet) == (0, None)


@pytest.mark.parametrize(
    ("statement", "seq", "kind"),
    [
        ("UPDATE event SET actor = 'staff:veikko' WHERE session = :id AND seq = 2", 2, "hash"),
        ("UPDATE event SET type = 'left' WHERE session = :id AND seq = 2", 2, "hash"),
        ('UPDATE event SET data = \'{"seat":"camera"}\' WHERE session = :id AND seq = 2', 2, "hash"),
        ('UPDATE event SET data = \'{"seat": "room"}\' WHERE session = :id AND seq = 2', 2, "form"),
        ("UPDATE event SET data = 'gone' WHERE session = :id AND seq = 2", 2, "form"),
        ("UPDATE event SET type = 'danced' WHERE session = :id AND seq = 3", 3, "form"),
        ("UPDATE event SET at = 'yesterday' WHERE session = :id AND seq = 1", 1, "form"),
        ("UPDATE event SET at = '2026-08-17T07:59:00.000Z' WHERE session = :id AND seq = 3", 3, "hash"),
        ("UPDATE event SET at = '2020-08-17T07:59:00.000Z' WHERE session = :id AND seq = 3", 3, "order"),
        ("UPDATE event SET prev = hash WHERE session = :id AND seq = 3", 3, "link"),
        ("UPDATE event SET hash = prev WHERE session = :id AND seq = 2", 2, "hash"),
        ("UPDATE event SET seq = 4 WHERE session = :id AND seq = 3", 4, "order"),
        ("DELETE FROM event WHERE session = :id AND seq = 1", 2, "order"),
        ("DELETE FROM event WHERE session = :id AND seq = 2", 3, "order"),
        ("DELETE FROM event WHERE session = :id AND seq = 3", 2, "state"),
        ("DELETE FROM event WHERE session = :id", 0, "state"),
        ("UPDATE session SET fold = replace(fold, 'cancelled', 'completed') WHERE id = :id", 3, "state"),
        ("UPDATE session SET fold = '{}' WHERE id = :id", 3, "form"),
        ("UPDATE session SET seq = 9 WHERE id = :id", 3, "state"),
    ],
)
async def test_whatever_was_done_to_the_file_the_first_wrong_row_is_named(
    service: Service, ids: list[str], statement: str, seq: int, kind: str
) -> None:
    await tamper(service.engine, statement, id=ids[1])

    _, fault = await verify_log(service.sessions, quiet)

    assert fault == Fault(ids[1], seq, kind)


async def test_an_earlier_fault_is_told_before_a_later_unreadable_row(service: Service, ids: list[str]) -> None:
    changes = "CASE seq WHEN 2 THEN 'staff:veikko' ELSE actor END, data = CASE seq WHEN 3 THEN 'gone' ELSE data END"
    await tamper(service.engine, f"UPDATE event SET actor = {changes} WHERE session = :id", id=ids[0])  # noqa: S608 - ours

    assert await verify_log(service.sessions, quiet) == (3, Fault(ids[0], 2, "hash"))


@pytest.mark.parametrize("kind", ["hash", "link", "order", "rule", "form", "state"])
def test_every_kind_of_fault_has_words(kind: str) -> None:
    words = in_words(Fault("s1", 5, kind))

    assert words.startswith("session s1, entry 5: ")
    assert len(words) > 40


async def test_progress_of_long_work_is_told(service: Service, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "PROGRESS_EVERY", 4)
    verified: list[int] = []
    exported: list[int] = []

    await verify_log(service.sessions, verified.append)
    await export_jsonl(service.sessions, io.StringIO(), exported.append)

    assert (verified, exported) == ([6, 9], [4, 8])


async def test_jsonl_is_one_event_a_line_with_these_keys_and_no_other(service: Service, ids: list[str]) -> None:
    out = io.StringIO()

    number = await export_jsonl(service.sessions, out, quiet)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    entries = [entry for session_id in ids for entry in await service.sessions.entries(session_id)]
    assert number == 9
    assert [list(line) for line in lines] == [["session", "seq", "at", "type", "actor", "data", "prev", "hash"]] * 9
    assert lines == [json.loads(json.dumps(entry.line())) for entry in entries]


async def test_csv_is_one_session_a_row_newest_first(service: Service, ids: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "EXPORT_CHUNK", 2)
    out, progress = io.StringIO(), list[int]()

    number = await export_csv(service.sessions, out, progress.append)

    rows = list(csv.reader(io.StringIO(out.getvalue())))
    sessions = sorted(
        [await service.session(session_id) for session_id in ids], key=lambda session: session.opened_at, reverse=True
    )
    assert rows == [list(CSV_COLUMNS), *(list(csv_row(session)) for session in sessions)]
    assert (number, progress) == (3, [2])


async def test_a_database_is_brought_up_and_then_can_be_opened(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    with pytest.raises(StartError, match="at version none, this program needs"):
        async with database(config):
            raise AssertionError("never opened")

    await bring_up(config)

    async with database(config) as engine:
        assert await version(engine) == newest()


async def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    await bring_up(config)
    async with database(config) as engine, writing(engine) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StartError, match=r"\[store\] url: the database is at version 9999, made by a newer program"):
        await bring_up(config)
