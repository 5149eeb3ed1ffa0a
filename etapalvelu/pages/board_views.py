"""What the board's templates need, made from the domain's objects. No I/O here."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from etapalvelu.domain.codes import Readiness, State
from etapalvelu.domain.people import Staff, serves
from etapalvelu.domain.queue import in_order
from etapalvelu.domain.session import Session
from etapalvelu.domain.statistics import Figures, Usual, figures, usual
from etapalvelu.pages.advisor_views import OpenLine, RoomTile
from etapalvelu.pages.check_views import check_view
from etapalvelu.reports import RoomState

# The drawing of a usual range: its width, and how much of it the largest value takes.
RANGE_WIDTH = 200
FILLED = 0.92


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """A usual range drawn: where it begins and ends, its median, and today's figure."""

    low: float
    median: float
    high: float
    today: float | None


class DayFigure(msgspec.Struct, frozen=True, kw_only=True):
    """One of today's figures beside what it usually is at this hour."""

    value: int | None
    usual: Usual | None

    @property
    def scale(self) -> Scale | None:
        if self.usual is None:
            return None
        most = max(self.usual.high, self.value or 0, 1)

        def place(value: int) -> float:
            return round(RANGE_WIDTH * FILLED * value / most, 1)

        today = None if self.value is None else place(self.value)
        return Scale(low=place(self.usual.low), median=place(self.usual.median), high=place(self.usual.high), today=today)


class TodayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The day so far, and what is open just now."""

    opened: DayFigure
    served: DayFigure
    waited: DayFigure
    waiting: int
    running: int
    oldest_wait: datetime | None


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something that needs somebody. `key` names this one occurrence, so that whoever closed it is not told again.

    `kind` is `wait`, `theme` or `room`; what the words need stands in the other fields.
    """

    key: str
    kind: str
    session: str = ""
    theme: str = ""
    where: str = ""
    since: datetime | None = None
    count: int = 0
    missing: tuple[str, ...] = ()
    to_mend: tuple[str, ...] = ()


class BoardView(msgspec.Struct, frozen=True, kw_only=True):
    alarms: tuple[Alarm, ...]
    figures: TodayFigures
    weekday: int
    rooms: tuple[RoomTile, ...]
    sessions: tuple[OpenLine, ...]
    may_check: bool = False


def today_figures(today: Sequence[Session], still_open: Iterable[Session], like_today: Sequence[Figures]) -> TodayFigures:
    """`today` are the sessions opened since midnight; `still_open` all open ones, whenever opened; `like_today` the figures
    of comparable days."""
    now_open = list(still_open)
    waiting = in_order(session for session in now_open if session.state is State.WAITING)
    day = figures(today)
    return TodayFigures(
        opened=DayFigure(value=day.sessions, usual=usual(one.sessions for one in like_today)),
        served=DayFigure(value=day.served, usual=usual(one.served for one in like_today)),
        waited=DayFigure(value=day.waiting_median, usual=usual(one.waiting_median for one in like_today)),
        waiting=len(waiting),
        running=len(now_open) - len(waiting),
        oldest_wait=waiting[0].opened_at if waiting else None,
    )


def long_waits(waiting: Iterable[Session], where: Mapping[str, str], now: datetime, limit: timedelta) -> tuple[Alarm, ...]:
    """Who waits longer than `limit`, the longest first."""
    return tuple(
        Alarm(
            key=f"wait {session.id}",
            kind="wait",
            session=session.id,
            theme=session.theme,
            where=where.get(session.room, session.room),
            since=session.opened_at,
        )
        for session in in_order(waiting)
        if now >= session.opened_at + limit
    )


def themes_without(experts: Sequence[Staff], waiting: Iterable[Session]) -> tuple[Alarm, ...]:
    """Themes whose customers wait while no expert who could take them has signed in."""
    alone = in_order(session for session in waiting if not any(serves(expert, session) for expert in experts))
    counts = Counter(session.theme for session in alone)
    first = {session.theme: session for session in reversed(alone)}
    return tuple(
        Alarm(key=f"theme {theme} {first[theme].id}", kind="theme", theme=theme, count=count) for theme, count in counts.items()
    )


def rooms_to_mend(rooms: Iterable[RoomTile]) -> tuple[Alarm, ...]:
    return tuple(
        Alarm(
            key=f"room {room.id} {' '.join((*room.missing, *room.check.to_mend))}",
            kind="room",
            where=f"{room.point}, {room.name}",
            missing=room.missing,
            to_mend=room.check.to_mend,
        )
        for room in rooms
        if room.readiness is Readiness.BROKEN
    )


def room_tile_of(state: RoomState, point: str, now: datetime) -> RoomTile:
    """The room as reports know it; `point` is the name of its point."""
    return RoomTile(
        id=state.room.id,
        name=state.room.name,
        readiness=state.readiness,
        missing=state.missing,
        check=check_view(state.devices, state.checks, now),
        session=state.session.id if state.session else None,
        state=state.session.state if state.session else None,
        point=point,
    )
