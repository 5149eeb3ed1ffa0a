"""What the advisor's templates need, made from the domain's objects. No I/O here."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from etapalvelu.domain.codes import Readiness, Seat, State
from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint, missing
from etapalvelu.domain.queue import in_order
from etapalvelu.domain.readiness import RoomChecks, room_readiness
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import IsHoliday, Theme, is_open, next_opening
from etapalvelu.pages.check_views import CheckView, check_view

# From here on a waiting customer is told that the hours will end.
CLOSING_WARNING = timedelta(minutes=15)


class RoomTile(msgspec.Struct, frozen=True, kw_only=True):
    """A room, whether it is fit for a session now, and what in it needs mending."""

    id: str
    name: str
    readiness: Readiness
    missing: tuple[str, ...]
    check: CheckView
    session: str | None = None
    state: State | None = None
    point: str = ""

    @property
    def is_broken(self) -> bool:
        return self.readiness is Readiness.BROKEN

    @property
    def is_free(self) -> bool:
        return self.session is None


class OpenLine(msgspec.Struct, frozen=True, kw_only=True):
    """One open session in the advisor's list."""

    id: str
    room: str
    theme: str
    state: State
    since: datetime
    place: int | None
    expert: str | None


class ThemeChoice(msgspec.Struct, frozen=True, kw_only=True):
    """A theme in the open form: open now, or when next; `offered` False when it has no line yet."""

    key: str
    offered: bool
    open_now: bool
    opens_at: datetime | None


class AdvisorView(msgspec.Struct, frozen=True, kw_only=True):
    """`/advisor` without its form."""

    point: str
    phone: str
    rooms: tuple[RoomTile, ...]
    sessions: tuple[OpenLine, ...]
    themes: tuple[ThemeChoice, ...]

    @property
    def may_check(self) -> bool:
        return True

    @property
    def anything_open(self) -> bool:
        return any(theme.open_now for theme in self.themes)

    @property
    def opens_at(self) -> datetime | None:
        """When the first theme opens next, while none is open."""
        return min((theme.opens_at for theme in self.themes if theme.opens_at is not None), default=None)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a session in words: `up`, `lost` or `not_yet`."""

    seat: Seat
    state: str


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """`/advisor/sessions/{id}`: the session as it stands, with names for its codes."""

    session: Session
    room: str
    point: str
    phone: str
    names: Mapping[str, str]
    place: int | None
    lines: tuple[Line, ...]
    closes_at: datetime | None
    is_slow: bool = False

    @property
    def id(self) -> str:
        return self.session.id


def room_tile(
    room: Room, devices: RoomDevices | None, checks: RoomChecks | None, session: Session | None, point: str, now: datetime
) -> RoomTile:
    known, checked = devices or RoomDevices(), checks or RoomChecks()
    return RoomTile(
        id=room.id,
        name=room.name,
        readiness=room_readiness(known, checked, now),
        missing=missing(known),
        check=check_view(known, checked, now),
        session=session.id if session else None,
        state=session.state if session else None,
        point=point,
    )


def room_tiles(
    rooms: Iterable[Room],
    devices: Mapping[str, RoomDevices],
    checks: Mapping[str, RoomChecks],
    sessions: Iterable[Session],
    point: str,
    now: datetime,
) -> tuple[RoomTile, ...]:
    """Rooms of one point with whatever goes on in them, in the order they were given."""
    busy = {session.room: session for session in sessions if session.is_open}
    return tuple(room_tile(room, devices.get(room.id), checks.get(room.id), busy.get(room.id), point, now) for room in rooms)


def open_lines(
    sessions: Iterable[Session], places: Mapping[str, int], room_names: Mapping[str, str], names: Mapping[str, str]
) -> tuple[OpenLine, ...]:
    """These sessions, oldest first; `places` by session's id, `names` those of the staff by account."""
    return tuple(
        OpenLine(
            id=session.id,
            room=room_names.get(session.room, session.room),
            theme=session.theme,
            state=session.state,
            since=session.connected_at if session.state is State.CONNECTED and session.connected_at else session.opened_at,
            place=places.get(session.id),
            expert=names.get(session.expert or ""),
        )
        for session in in_order(sessions)
    )


def theme_choices(
    themes: Iterable[Theme], point: ServicePoint, now: datetime, is_holiday: IsHoliday
) -> tuple[ThemeChoice, ...]:
    return tuple(_theme_choice(theme, point, now, is_holiday) for theme in themes)


def _theme_choice(theme: Theme, point: ServicePoint, now: datetime, is_holiday: IsHoliday) -> ThemeChoice:
    started = now.astimezone(HELSINKI).date() >= point.opens_on
    open_now = started and is_open(now, theme.hours, is_holiday) and is_open(now, point.hours, is_holiday)
    opens_at = None if open_now else next_opening(now, (theme.hours, point.hours), is_holiday, point.opens_on)
    return ThemeChoice(key=theme.key, offered=theme.offered, open_now=open_now, opens_at=opens_at)


def session_view(
    session: Session,
    room: str,
    point: ServicePoint | None,
    names: Mapping[str, str],
    place: int | None,
    closes_at: datetime | None,
    now: datetime,
    *,
    is_slow: bool,
) -> SessionView:
    """`closes_at` is kept only when it is near enough to tell a waiting customer."""
    near = closes_at is not None and session.state is State.WAITING and closes_at - now <= CLOSING_WARNING
    return SessionView(
        session=session,
        room=room,
        point=point.name if point else session.point,
        phone=point.phone if point else "",
        names=names,
        place=place,
        lines=_lines(session),
        closes_at=closes_at if near else None,
        is_slow=is_slow,
    )


def _lines(session: Session) -> tuple[Line, ...]:
    expert = session.expert_seat
    return tuple(Line(seat=seat, state=_line_state(session, seat)) for seat in (Seat.ROOM, expert, Seat.CAMERA))


def _line_state(session: Session, seat: Seat) -> str:
    if seat in session.interrupted:
        return "lost"
    # Somebody sits there, but nobody has seen or heard the other yet.
    if session.state is State.CLAIMED and seat is not Seat.CAMERA:
        return "not_yet"
    return "up" if seat in session.seats else "not_yet"
