"""The questions: who may ask them sees what they may see. Reads only; each look at others' sessions is itself written down."""

from collections.abc import AsyncIterator, Sequence

import msgspec
from msgspec.structs import replace

from etapalvelu.domain.codes import Readiness
from etapalvelu.domain.errors import InvalidFieldError, NotAllowedError, NotFoundError
from etapalvelu.domain.log import Entry
from etapalvelu.domain.people import Person, Role, Staff, may_know, may_read
from etapalvelu.domain.places import Room, RoomDevices, readiness
from etapalvelu.domain.queue import queue_for
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import Theme
from etapalvelu.ports import AccessRecord, Clock, PlaceStore, SessionFilter, SessionStore

# How many rows an export reads at a time.
EXPORT_ROWS = 500

_FOLLOWERS = (Role.SUPERVISOR, Role.ADMIN)


class SessionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows, and the filter that finds the ones after them; None when these are the last."""

    sessions: Sequence[Session]
    next: SessionFilter | None


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One session with its whole log."""

    session: Session
    entries: Sequence[Entry]


class RoomRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One room as it is now: its devices, and the session going on in it."""

    room: Room
    devices: RoomDevices
    session: Session | None

    @property
    def readiness(self) -> Readiness:
        return readiness(self.devices)


class Reports:
    """Made once by `app`."""

    def __init__(self, *, sessions: SessionStore, places: PlaceStore, themes: Sequence[Theme], clock: Clock) -> None:
        self._sessions = sessions
        self._places = places
        self._themes = {theme.key for theme in themes}
        self._clock = clock

    async def sessions(self, who: Person, which: SessionFilter) -> SessionPage:
        """A page of the log, newest opening first. Raises `InvalidFieldError` for a point or theme the person cannot name."""
        found = await self._within_scope(who, which)
        await self._write_down(who, "sessions", found)
        rows = await self._sessions.select(replace(found, limit=found.limit + 1))
        shown = rows[: found.limit]
        more = len(rows) > found.limit
        return SessionPage(
            sessions=shown, next=replace(which, after=(shown[-1].opened_at, shown[-1].id)) if more and shown else None
        )

    async def export(self, who: Person, which: SessionFilter) -> AsyncIterator[Session]:
        """Every session the filter finds, for a file. Written down before the first row is given."""
        found = await self._within_scope(who, which)
        await self._write_down(who, "export", found)
        after = found.after
        while True:
            rows = await self._sessions.select(replace(found, after=after, limit=EXPORT_ROWS))
            for row in rows:
                yield row
            if len(rows) < EXPORT_ROWS:
                return
            after = (rows[-1].opened_at, rows[-1].id)

    async def session(self, who: Person, session_id: str) -> SessionRecord:
        """One session with its events. `NotFoundError` when the person may not know of it, `NotAllowedError` when not read it."""
        session = await self._sessions.session(session_id)
        if session is None or not may_know(who, session):
            raise NotFoundError
        if not may_read(who, session):
            raise NotAllowedError
        if who.account not in (session.advisor, session.expert, session.successor):
            await self._note(who, "session", session_id)
        return SessionRecord(session=session, entries=await self._sessions.entries(session_id))

    async def queue(self, who: Person) -> list[Session]:
        """What this expert may take, oldest first."""
        if not isinstance(who, Staff) or who.role is not Role.EXPERT:
            raise NotAllowedError
        return queue_for(who, await self._sessions.open_sessions())

    async def rooms(self, who: Person) -> list[RoomRecord]:
        """The rooms of the person's point, or of all."""
        if not isinstance(who, Staff):
            raise NotAllowedError
        rooms = await self._places.rooms(who.point)
        devices = await self._places.devices([room.id for room in rooms])
        taken = {session.room: session for session in await self._sessions.open_sessions()}
        return [RoomRecord(room=room, devices=devices[room.id], session=taken.get(room.id)) for room in rooms]

    async def _within_scope(self, who: Person, which: SessionFilter) -> SessionFilter:
        if not isinstance(who, Staff) or who.role not in _FOLLOWERS:
            raise NotAllowedError
        if which.theme is not None and which.theme not in self._themes:
            raise InvalidFieldError("theme")
        if which.point is not None and (who.point not in (None, which.point) or await self._places.point(which.point) is None):
            raise InvalidFieldError("point")
        return replace(which, point=which.point or who.point)

    async def _write_down(self, who: Person, what: str, which: SessionFilter) -> None:
        await self._note(who, what, msgspec.json.encode(which).decode())

    async def _note(self, who: Person, what: str, detail: str) -> None:
        await self._sessions.add_access(AccessRecord(at=self._clock(), account=who.account, what=what, detail=detail))
