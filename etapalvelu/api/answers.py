"""What programs get: one class for each answer, with exactly the fields that design promises."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from etapalvelu.domain import session as rules
from etapalvelu.domain.codes import CloseCause, Language, Outcome, Readiness, State
from etapalvelu.domain.log import Entry
from etapalvelu.domain.moments import timestamp
from etapalvelu.domain.people import Role
from etapalvelu.reports import RoomState
from etapalvelu.seats import Ice, IceTransportPolicy, SeatOffer
from etapalvelu.upcoming import Upcoming
from signaling.messages import Waiting

Moment = Annotated[str, Meta(extra_json_schema={"format": "date-time"})]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session as it stands now. Times are RFC 3339 in UTC."""

    id: str
    point: str
    room: str
    theme: str
    language: Language
    state: State
    opened_at: Moment
    claimed_at: Moment | None
    connected_at: Moment | None
    closed_at: Moment | None
    waiting_seconds: int | None
    service_seconds: int | None
    advisor: str
    expert: str | None
    close_cause: CloseCause | None
    outcomes: tuple[Outcome, ...]


class IceServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """W3C RTCIceServer."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Claim(Session, frozen=True, kw_only=True):
    """A session just taken, with the ticket to the expert's seat."""

    ticket: str
    ice_servers: list[IceServer]
    ice_seconds: int | None
    ice_transport_policy: IceTransportPolicy
    call: str


class LogEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the session's log."""

    seq: int
    at: Moment
    type: str
    actor: str
    data: dict[str, Any]
    hash: str


class SessionWithEvents(Session, frozen=True, kw_only=True):
    """One session with its whole log."""

    events: list[LogEntry]


class SessionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of sessions, newest opening first; `next` is the cursor of the page after, null on the last."""

    sessions: list[Session]
    next: str | None


class Queue(msgspec.Struct, frozen=True, kw_only=True):
    """What this expert may take, oldest first."""

    sessions: list[Session]


class Next(msgspec.Struct, frozen=True, kw_only=True):
    """What to prepare for the session that "take" would give now; `call` is null when nothing waits.

    `offers` are messages as signaling will send them when the seat is taken, with the same generation.
    """

    call: str | None
    ice_servers: list[IceServer]
    ice_seconds: int | None
    ice_transport_policy: IceTransportPolicy
    offers: list[Waiting]


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an answer in advance was awaited, and is on its way: another expert may have been faster."""

    awaited: bool


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A seat in a call: the ticket is good for one socket within a minute."""

    ticket: str
    ice_servers: list[IceServer]
    ice_seconds: int | None
    ice_transport_policy: IceTransportPolicy
    call: str


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A room as it is now; `session` is the id of the session open in it."""

    id: str
    name: str
    point: str
    readiness: Readiness
    session: str | None


class RoomList(msgspec.Struct, frozen=True, kw_only=True):
    """The rooms of the caller's point, or all."""

    rooms: list[Room]


class Paired(msgspec.Struct, frozen=True, kw_only=True):
    """The device's own bearer token, said this once."""

    credential: str
    room: str
    kind: Role


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457. `code` is stable, `field` names what is wrong and `problem` how; further members depend on the code."""

    type: str
    title: str
    status: int
    code: str
    detail: str | None = None
    field: str | None = None
    problem: str | None = None
    allowed: list[str] | None = None


def session(of: rules.Session) -> Session:
    return Session(**_fields(of))


def claim(of: rules.Session, offer: SeatOffer) -> Claim:
    return Claim(**_fields(of), **_seat(offer))


def with_events(of: rules.Session, entries: Sequence[Entry]) -> SessionWithEvents:
    return SessionWithEvents(**_fields(of), events=[_entry(entry) for entry in entries])


def ticket(offer: SeatOffer) -> Ticket:
    return Ticket(**_seat(offer))


def upcoming(found: Upcoming) -> Next:
    return Next(call=found.call, offers=found.offers, **_ice(found.ice))


def room(state: RoomState) -> Room:
    return Room(
        id=state.room.id,
        name=state.room.name,
        point=state.room.point,
        readiness=state.readiness,
        session=None if state.session is None else state.session.id,
    )


def _entry(entry: Entry) -> LogEntry:
    return LogEntry(seq=entry.seq, at=timestamp(entry.at), type=entry.type, actor=entry.actor, data=entry.data, hash=entry.hash)


def _seat(offer: SeatOffer) -> dict[str, Any]:
    return {"ticket": offer.ticket, "call": offer.call} | _ice(offer.ice)


def _ice(ice: Ice) -> dict[str, Any]:
    return {
        "ice_servers": msgspec.convert(ice.servers, list[IceServer]),
        "ice_seconds": ice.seconds,
        "ice_transport_policy": ice.transport_policy,
    }


def _fields(of: rules.Session) -> dict[str, Any]:
    return {name: _plain(getattr(of, name)) for name in Session.__struct_fields__}


def _plain(value: object) -> object:
    return timestamp(value) if isinstance(value, datetime) else value
