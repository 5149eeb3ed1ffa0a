"""Questions about sessions, asked by people; reads only. Every read of another's row is itself logged."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from etapalvelu.domain.codes import Readiness, State
from etapalvelu.domain.errors import NotAllowedError, NotFoundError
from etapalvelu.domain.log import Entry, replay, verify
from etapalvelu.domain.moments import HELSINKI, midnight, timestamp
from etapalvelu.domain.people import Person, Role, Staff, may_know, may_read
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint, missing
from etapalvelu.domain.queue import places, queue_for
from etapalvelu.domain.readiness import RoomChecks, room_readiness
from etapalvelu.domain.session import Session
from etapalvelu.domain.statistics import Figures, figures
from etapalvelu.ports import (
    AccessRecord,
    Clock,
    PlaceStore,
    RefusedReport,
    Sample,
    SessionFilter,
    SessionStore,
    UnreadableEntryError,
)
from etapalvelu.together import Together

# How many rows an export reads at a time.
EXPORT_CHUNK = 500

# How far back a day is compared with days like it, and how long that is believed: what has been changes little.
USUAL_WEEKS = 8
USUAL_KEPT = timedelta(minutes=10)

CSV_COLUMNS = (
    "id", "point", "room", "theme", "language", "reason", "state", "opened_at", "opened_at_helsinki", "claimed_at",
    "connected_at", "closed_at", "waiting_seconds", "service_seconds", "advisor", "expert", "close_cause", "cause_class",
    "outcomes", "follow_up", "stills",
)  # fmt: skip


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """A room as it is just now: fit for use or what is missing, and the session that is open in it."""

    room: Room
    devices: RoomDevices
    readiness: Readiness
    missing: tuple[str, ...]
    checks: RoomChecks
    session: Session | None


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """Everything known of one session. `proven` is True when its hash chain and rules hold; `refused` stands beside the log."""

    session: Session
    entries: Sequence[Entry]
    samples: Sequence[Sample]
    proven: bool
    refused: Sequence[RefusedReport] = ()


class Reports:
    """Made once by `app`."""

    def __init__(self, *, sessions: SessionStore, places: PlaceStore, clock: Clock) -> None:
        self._sessions = sessions
        self._places = places
        self._clock = clock
        self._queue = Together[Mapping[str, int]]()
        self._usual: dict[str | None, tuple[datetime, Sequence[Figures]]] = {}

    async def session(self, who: Person, session_id: str) -> Session:
        """One session. Raises `NotFoundError` for who may not know of it, `NotAllowedError` for who may not read it."""
        session = await self._readable(who, session_id)
        if not (isinstance(who, Staff) and who.account in (session.advisor, session.expert, session.successor)):
            await self._note_access(who, "session", session_id)
        return session

    async def timeline(self, who: Person, session_id: str) -> Timeline:
        """One session with its log and line statistics. Raises like `session`."""
        return await self._timeline(await self.session(who, session_id))

    async def watched(self, who: Person, session_id: str) -> Timeline:
        """The timeline again for whoever has it open: that they look at it was noted the first time. Raises like `session`."""
        return await self._timeline(await self._readable(who, session_id))

    async def select(self, who: Person, which: SessionFilter) -> list[Session]:
        """Sessions in the supervisor's scope, newest first. Raises `NotAllowedError` outside it."""
        found = await self._sessions.select(_scoped(who, which))
        await self._note_access(who, "sessions", _told(which))
        return found

    async def csv_rows(self, who: Person, which: SessionFilter) -> AsyncIterator[Sequence[str]]:
        """The header and a row a session. The export is noted before the first row is given."""
        scoped = _scoped(who, msgspec.structs.replace(which, limit=EXPORT_CHUNK, after=None))
        await self._note_access(who, "export", _told(which))
        yield CSV_COLUMNS
        while True:
            sessions = await self._sessions.select(scoped)
            for session in sessions:
                yield csv_row(session)
            if len(sessions) < EXPORT_CHUNK:
                return
            scoped = msgspec.structs.replace(scoped, after=(sessions[-1].opened_at, sessions[-1].id))

    async def queue(self, expert: Staff) -> list[Session]:
        """What this expert may take now, in the order of service."""
        return queue_for(expert, await self._sessions.open_sessions())

    async def place(self, session: Session) -> int | None:
        """Its place among those waiting for the same theme; None when it does not wait."""
        return (await self.places()).get(session.room) if session.state is State.WAITING else None

    async def places(self) -> Mapping[str, int]:
        """The places of all who wait, by room. Those who ask at the same moment share what was read."""
        return await self._queue.ask("places", self._places_now)

    async def open_sessions(self, who: Person) -> list[Session]:
        """Open sessions the person may know of, oldest first."""
        sessions = [session for session in await self._sessions.open_sessions() if may_know(who, session)]
        return sorted(sessions, key=lambda session: (session.opened_at, session.id))

    async def open_in_room(self, room: str) -> Session | None:
        """The session a room's devices belong to just now."""
        return await self._sessions.open_in_room(room)

    async def rooms(self, who: Person, *, given_up: bool = False) -> list[RoomState]:
        """The rooms of the person's point, or all; those that are out of use when asked for."""
        point = who.point if isinstance(who, Staff) else None
        served = {point.id for point in await self._places.points() if point.in_use}
        rooms = [room for room in await self._places.rooms(point) if given_up or (room.in_use and room.point in served)]
        devices = await self._places.devices(room.id for room in rooms)
        checks = await self._places.checks(room.id for room in rooms)
        in_use = {session.room: session for session in await self._sessions.open_sessions()}
        return [
            RoomState(
                room=room,
                devices=devices[room.id],
                readiness=room_readiness(devices[room.id], checks[room.id], self._clock()),
                missing=missing(devices[room.id]),
                checks=checks[room.id],
                session=in_use.get(room.id),
            )
            for room in rooms
        ]

    async def points(self, who: Person) -> list[ServicePoint]:
        """The person's point, or all."""
        points = await self._places.points()
        scope = who.point if isinstance(who, Staff) else None
        return [point for point in points if scope in (None, point.id)]

    async def between(self, who: Person, since: datetime, until: datetime, point: str | None = None) -> list[Session]:
        """All sessions opened in the half-open time, for figures that name nobody."""
        scoped = _scoped(who, SessionFilter(since=since, until=until, point=point, limit=EXPORT_CHUNK))
        found: list[Session] = []
        while True:
            page = await self._sessions.select(scoped)
            found.extend(page)
            if len(page) < EXPORT_CHUNK:
                return found
            scoped = msgspec.structs.replace(scoped, after=(page[-1].opened_at, page[-1].id))

    async def days_like_today(self, who: Person) -> Sequence[Figures]:
        """Figures of the same weekday in the weeks before, each day up to the same time of day; days without a session are
        left out, for nobody served then."""
        now, scope = self._clock(), _scoped(who, SessionFilter()).point
        counted_at, found = self._usual.get(scope, (None, ()))
        if counted_at is None or not counted_at <= now < counted_at + USUAL_KEPT:
            found = [figures(day) for day in await self._days_before(who, now) if day]
            self._usual[scope] = (now, found)
        return found

    async def _days_before(self, who: Person, now: datetime) -> list[list[Session]]:
        here = now.astimezone(HELSINKI)
        days = [here.date() - timedelta(weeks=back) for back in range(1, USUAL_WEEKS + 1)]
        same_time = [datetime.combine(day, here.time(), HELSINKI).astimezone(UTC) for day in days]
        return [await self.between(who, midnight(day), until) for day, until in zip(days, same_time, strict=True)]

    async def _places_now(self) -> Mapping[str, int]:
        waiting = await self._sessions.waiting()
        numbers = places(waiting)
        return {one.room: numbers[one.id] for one in waiting}

    async def _readable(self, who: Person, session_id: str) -> Session:
        session = await self._sessions.session(session_id)
        if session is None or not may_know(who, session):
            raise NotFoundError
        if not may_read(who, session):
            raise NotAllowedError
        return session

    async def _timeline(self, session: Session) -> Timeline:
        samples = await self._sessions.samples(session.id)
        refused = await self._sessions.refused_reports(session.id)
        try:
            entries = await self._sessions.entries(session.id)
        except UnreadableEntryError:
            return Timeline(session=session, entries=(), samples=samples, proven=False, refused=refused)
        proven = _is_proven(session, entries)
        return Timeline(session=session, entries=entries, samples=samples, proven=proven, refused=refused)

    async def _note_access(self, who: Person, what: str, detail: str) -> None:
        record = AccessRecord(at=self._clock(), account=who.account, what=what, detail=detail)
        await self._sessions.add_access(record)


def csv_row(session: Session) -> Sequence[str]:
    """The session in the order of `CSV_COLUMNS`; cells that a spreadsheet would run as a formula are quoted."""
    values = msgspec.structs.asdict(session) | {
        "opened_at_helsinki": session.opened_at.astimezone(HELSINKI).strftime("%Y-%m-%d %H:%M:%S"),
        "waiting_seconds": session.waiting_seconds,
        "service_seconds": session.service_seconds,
        "outcomes": " ".join(session.outcomes),
    }
    return [csv_cell(values[column]) for column in CSV_COLUMNS]


def _is_proven(session: Session, entries: Sequence[Entry]) -> bool:
    """Truth that the chain holds and that the row stands on it. Entries that came after the row was read are proved alone."""
    return verify(entries) is None and len(entries) >= session.seq and replay(entries[: session.seq]) == session


def csv_cell(value: object) -> str:
    """What a spreadsheet would run as a formula is quoted."""
    if value is None:
        return ""
    text = timestamp(value) if isinstance(value, datetime) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def scope(who: Person, point: str | None) -> str | None:
    """The point that a question about `point` (or all) comes down to for a supervisor, or the admin, who reads alike.

    Raises `NotAllowedError` for anybody else, and outside their scope.
    """
    if not isinstance(who, Staff) or who.role not in (Role.SUPERVISOR, Role.ADMIN):
        raise NotAllowedError
    if who.point is not None and point not in (None, who.point):
        raise NotAllowedError
    return who.point or point


def told(**parts: object) -> str:
    """A filter as the access log keeps it."""
    said = {name: timestamp(value.astimezone(UTC)) if isinstance(value, datetime) else value for name, value in parts.items()}
    return " ".join(f"{name.rstrip('_')}={value}" for name, value in said.items() if value is not None)


def _scoped(who: Person, which: SessionFilter) -> SessionFilter:
    return msgspec.structs.replace(which, point=scope(who, which.point))


def _told(which: SessionFilter) -> str:
    state = None if which.state is None else State(which.state).value
    named = None if which.named is None else which.named.id
    return told(from_=which.since, to=which.until, point=which.point, theme=which.theme, state=state, named=named)
