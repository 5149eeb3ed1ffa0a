"""What the command line does to a database, beside a serving server or without one: migrate, log, token, staff."""

import csv
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import TextIO

import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.access import Access
from etapalvelu.app import StartError, check_database, themes_of, utc_now
from etapalvelu.board.local import LocalBoard
from etapalvelu.config import Config
from etapalvelu.domain.log import Entry, Fault, replay, verify
from etapalvelu.keys import load_keys
from etapalvelu.passwords import Passwords
from etapalvelu.ports import Logged, SessionFilter, SessionStore
from etapalvelu.reports import CSV_COLUMNS, EXPORT_CHUNK, csv_row
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.engine import close, make_engine
from etapalvelu.store.migrate import NewerDatabaseError, migrate
from etapalvelu.store.places import SqlPlaces

# After how many entries the progress of long work is told.
PROGRESS_EVERY = 50_000

Progress = Callable[[int], None]


@asynccontextmanager
async def database(config: Config, *, must_be_new: bool = True) -> AsyncIterator[AsyncEngine]:
    """The database of the configuration. Raises `app.StartError` when it is away or, by default, of another version."""
    engine = make_engine(config.store.url)
    try:
        if must_be_new:
            await check_database(engine)
        yield engine
    finally:
        await close(engine)


async def bring_up(config: Config) -> None:
    """Bring the database to this version, making it when there is none. Raises `app.StartError` for a newer one."""
    async with database(config, must_be_new=False) as engine:
        try:
            await migrate(engine)
        except NewerDatabaseError as error:
            raise StartError(f"[store] url: {error}") from None


def access_to(config: Config, engine: AsyncEngine) -> Access:
    """Accounts as the server itself handles them, for a command that makes one."""
    return Access(
        accounts=SqlAccounts(engine),
        places=SqlPlaces(engine),
        board=LocalBoard(),
        themes=themes_of(config),
        key=load_keys(Path(config.secrets.file)).csrf,
        clock=utc_now,
        passwords=Passwords(),
    )


async def verify_log(sessions: SessionStore, progress: Progress) -> tuple[int, Fault | None]:
    """How many entries were read, and the first that does not prove itself. Holds one session in memory at a time."""
    number = 0
    async with aclosing(_by_session(sessions)) as groups:
        async for group in groups:
            number += len(group)
            fault = _fault(group)
            if fault is not None:
                return number, fault
            if number % PROGRESS_EVERY < len(group):
                progress(number)
    return number, None


async def export_jsonl(sessions: SessionStore, out: TextIO, progress: Progress) -> int:
    """One event a line, session by session. Returns how many."""
    number = 0
    async with aclosing(sessions.all_entries()) as entries:
        async for entry in entries:
            number += 1
            out.write(json.dumps(entry.line(), ensure_ascii=False, separators=(",", ":")) + "\n")
            if number % PROGRESS_EVERY == 0:
                progress(number)
    return number


async def export_csv(sessions: SessionStore, out: TextIO, progress: Progress) -> int:
    """One session a row, newest opening first. Returns how many."""
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    which, number = SessionFilter(limit=EXPORT_CHUNK), 0
    while True:
        page = await sessions.select(which)
        writer.writerows(csv_row(session) for session in page)
        number += len(page)
        if len(page) < EXPORT_CHUNK:
            return number
        progress(number)
        which = msgspec.structs.replace(which, after=(page[-1].opened_at, page[-1].id))


def in_words(fault: Fault) -> str:
    """The fault as a person reads it."""
    words = {
        "hash": "its content is not what was written (the hash differs)",
        "link": "it does not follow from the entry before it (the link differs)",
        "order": "an entry is missing, doubled or out of order in number or time",
        "rule": "the rules of a session do not allow it at this place",
        "form": "it is not written as this program writes",
        "state": "the session's row does not stand on its entries: the last ones are missing, or the row was changed",
    }
    return f"session {fault.session}, entry {fault.seq}: {words[fault.kind]}"


def _fault(group: Sequence[Logged]) -> Fault | None:
    """One session's. The chain alone cannot show that its end was cut off; the session's row stands on the last entry."""
    entries: list[Entry] = []
    for logged in group:
        if logged.entry is None:
            return verify(entries) or Fault(logged.session, logged.seq or 0, "state" if logged.seq is None else "form")
        entries.append(logged.entry)
    fault = verify(entries)
    if fault is None and group[-1].state != replay(entries):
        fault = Fault(group[-1].session, len(entries), "state")
    return fault


async def _by_session(sessions: SessionStore) -> AsyncGenerator[list[Logged]]:
    group: list[Logged] = []
    async with aclosing(sessions.whole_log()) as log:
        async for logged in log:
            if group and group[0].session != logged.session:
                yield group
                group = []
            group.append(logged)
    if group:
        yield group
