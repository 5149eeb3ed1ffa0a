"""The technical ledger: what failed where and why, what it took and what became of it. Reads only, from the one log.

A failure's cause may stand in another entry than the one that tells of it, so it is sought by its cause only after it was read.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from etapalvelu.domain.log import Entry
from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.people import Person
from etapalvelu.domain.technical import Fault, FaultFilter, Spot, faults
from etapalvelu.ports import AccessRecord, Clock
from etapalvelu.reports import csv_cell, scope, told

# How many entries are read at a time, and how many at most for one page or for the figures.
CHUNK = 500
MOST_SPOTS = 20_000

CSV_COLUMNS = (
    "session", "seq", "point", "room", "theme", "at", "at_helsinki", "since", "kind", "cause_class", "seat", "lost_seconds",
    "remedy",
)  # fmt: skip


class FaultStore(Protocol):
    """What the ledger needs of the database. Every method may raise `TryAgainError`."""

    async def spots(self, which: FaultFilter) -> list[Spot]:
        """Where failures may be told, newest first, at most `limit`; whatever the cause."""
        ...

    async def courses(self, sessions: Sequence[str]) -> Mapping[str, list[Entry]]:
        """The entries of these sessions that tell of failures and of their ends."""
        ...

    async def opened(self, which: FaultFilter) -> Mapping[str, int]:
        """How many sessions were opened in that time, by room."""
        ...


class AccessLog(Protocol):
    """Where every read of others' rows is written down."""

    async def add_access(self, record: AccessRecord) -> None: ...


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A failure and whose it is."""

    spot: Spot
    fault: Fault


class FaultPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of failures, newest first; `after` is where the next one begins, None when there is none."""

    told: tuple[Told, ...]
    after: tuple[datetime, str, int] | None


class FaultFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All failures of a time, and how many sessions each room had in it. Not `whole` when there were more than are counted."""

    told: tuple[Told, ...]
    opened: Mapping[str, int]
    whole: bool


class TechnicalLedger:
    """Made once by `app`."""

    def __init__(self, *, store: FaultStore, accesses: AccessLog, clock: Clock) -> None:
        self._store = store
        self._accesses = accesses
        self._clock = clock

    async def page(self, who: Person, which: FaultFilter) -> FaultPage:
        """One page of failures. Raises `NotAllowedError` for who is no supervisor, or outside their point."""
        scoped = _scoped(who, which)
        await self._note(who, "faults", which)
        found: list[Told] = []
        # Whoever asks for a cause has more looked through for the same page.
        async with aclosing(self._chunks(scoped, CHUNK if which.cause else which.limit + 1)) as chunks:
            async for chunk, last in chunks:
                found += chunk
                if len(found) > which.limit:
                    cut = found[: which.limit]
                    return FaultPage(told=tuple(cut), after=cut[-1].spot.key)
                if last is not None:
                    # So many were looked through that the reader decides whether to go on.
                    return FaultPage(told=tuple(found), after=last)
        return FaultPage(told=tuple(found), after=None)

    async def figures(self, who: Person, which: FaultFilter) -> FaultFigures:
        """The newest failures of the time, for figures that name no session. Raises like `page`."""
        scoped = _scoped(who, which)
        found: list[Told] = []
        whole = True
        async for chunk, last in self._chunks(replace(scoped, after=None)):
            found += chunk
            whole = last is None
        return FaultFigures(told=tuple(found), opened=await self._store.opened(scoped), whole=whole)

    async def csv_rows(self, who: Person, which: FaultFilter) -> AsyncIterator[Sequence[str]]:
        """The header and a row a failure, of all there are. The export is noted before the first row is given."""
        scoped = replace(_scoped(who, which), after=None)
        await self._note(who, "fault_export", which)
        yield CSV_COLUMNS
        while True:
            last = None
            async for chunk, stopped in self._chunks(scoped):
                last = stopped
                for one in chunk:
                    yield csv_row(one)
            if last is None:
                return
            scoped = replace(scoped, after=last)

    async def _chunks(
        self, which: FaultFilter, size: int | None = None
    ) -> AsyncGenerator[tuple[list[Told], tuple[datetime, str, int] | None]]:
        """The failures chunk by chunk; with the last one comes where it stopped, when there may be more."""
        looked, size = 0, size or CHUNK
        chunk = replace(which, limit=size)
        while True:
            spots = await self._store.spots(chunk)
            looked += len(spots)
            is_last = len(spots) < size
            has_more = not is_last and looked >= MOST_SPOTS
            if spots:
                yield await self._tell(spots, which), spots[-1].key if has_more else None
            if is_last or has_more:
                return
            chunk = replace(chunk, after=spots[-1].key)

    async def _tell(self, spots: Sequence[Spot], which: FaultFilter) -> list[Told]:
        courses = await self._store.courses(sorted({spot.session for spot in spots}))
        known = {(fault.session, fault.seq): fault for entries in courses.values() for fault in faults(entries)}
        # Between the two questions a session may have moved on, but what was told of it stays told.
        found = (Told(spot=spot, fault=known[spot.session, spot.seq]) for spot in spots if (spot.session, spot.seq) in known)
        return [one for one in found if which.cause in (None, one.fault.cause)]

    async def _note(self, who: Person, what: str, which: FaultFilter) -> None:
        record = AccessRecord(at=self._clock(), account=who.account, what=what, detail=_told(which))
        await self._accesses.add_access(record)


def csv_row(one: Told) -> Sequence[str]:
    """The failure in the order of `CSV_COLUMNS`; cells that a spreadsheet would run as a formula are quoted."""
    spot, fault = one.spot, one.fault
    values: dict[str, object] = {
        **msgspec.structs.asdict(fault),
        "point": spot.point,
        "room": spot.room,
        "theme": spot.theme,
        "at_helsinki": fault.at.astimezone(HELSINKI).strftime("%Y-%m-%d %H:%M:%S"),
        "cause_class": fault.cause,
    }
    return [csv_cell(values[column]) for column in CSV_COLUMNS]


def _scoped(who: Person, which: FaultFilter) -> FaultFilter:
    return replace(which, point=scope(who, which.point))


def _told(which: FaultFilter) -> str:
    cause = None if which.cause is None else which.cause.value
    return told(from_=which.since, to=which.until, point=which.point, room=which.room, cause=cause)
