"""What the supervisor's templates need, made from the domain's objects. No I/O here."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

import msgspec

from etapalvelu.domain.log import Entry, Fault, verify
from etapalvelu.domain.session import Session
from etapalvelu.domain.statistics import Figures, figures, tally
from etapalvelu.pages.event_words import details
from etapalvelu.pages.language import Language
from etapalvelu.pages.timeline import Drawing, Reading, draw, readings
from etapalvelu.ports import SessionFilter
from etapalvelu.reports import Timeline

PAGE_ROWS = 50

# What the log's table can show, in this order; when it was opened always stands first.
COLUMNS = (
    "theme",
    "where",
    "language",
    "reason",
    "state",
    "waited",
    "served",
    "cause",
    "outcomes",
    "stills",
    "advisor",
    "expert",
    "id",
)
USUAL_COLUMNS = ("theme", "where", "state", "waited", "served", "cause", "expert")


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    session: Session
    point: str
    room: str
    expert: str | None
    advisor: str


class LogView(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the log; `older` is the address of the next page, or empty."""

    rows: tuple[LogRow, ...]
    older: str
    export: str
    columns: tuple[str, ...]
    is_filtered: bool


class EventRow(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at: datetime
    after_seconds: float
    type: str
    actor: str
    details: str
    hash: str


class TimelineView(msgspec.Struct, frozen=True, kw_only=True):
    """`fault` is the entry that is known to be wrong. A log may be unproven without one: its end or all of it is missing."""

    session: Session
    point: str
    room: str
    drawing: Drawing | None
    events: tuple[EventRow, ...]
    readings: tuple[Reading, ...]
    proven: bool
    fault: Fault | None

    @property
    def id(self) -> str:
        return self.session.id


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a report's chart: how many this month and the month before."""

    key: str
    count: int
    before: int


class MonthView(msgspec.Struct, frozen=True, kw_only=True):
    """A month beside the one before it; `after` is the next one, unless it has not begun."""

    month: date
    before: date
    after: date | None
    now: Figures
    then: Figures
    themes: tuple[Share, ...]
    causes: tuple[Share, ...]

    @property
    def most(self) -> int:
        """The longest bar of the charts."""
        return max((max(share.count, share.before) for share in (*self.themes, *self.causes)), default=1) or 1


def timeline_view(
    known: Timeline,
    names: tuple[str, str],
    people: Mapping[str, str],
    language: Language,
    now: datetime,
) -> TimelineView:
    """`names` are those of point and room, `people` those of staff by account. Without entries there is nothing to draw."""
    entries, rows = known.entries, readings(known.samples)
    return TimelineView(
        session=known.session,
        point=names[0],
        room=names[1],
        drawing=draw(entries, rows, now) if entries else None,
        events=tuple(
            EventRow(
                seq=entry.seq,
                at=entry.at,
                after_seconds=(entry.at - entries[0].at).total_seconds(),
                type=entry.type,
                actor=_actor_words(entry.actor, names[1], people, language),
                details=details(entry.event, language, people),
                hash=entry.hash,
            )
            for entry in entries
        ),
        readings=rows,
        proven=known.proven,
        fault=verify(entries),
    )


def accounts_in(entry: Entry) -> set[str]:
    """The accounts that this entry of a log names."""
    kind, _, actor = entry.actor.partition(":")
    doer = {actor} if kind == "staff" else set()
    return doer | {entry.data["expert"]} if entry.data.get("expert") else doer


def _actor_words(actor: str, room: str, people: Mapping[str, str], language: Language) -> str:
    """Who did it, for a reader: the person, the room, or the system; the log itself keeps the code."""
    kind, _, name = actor.partition(":")
    if kind == "staff":
        return people.get(name, name)
    return room if kind == "device" else language.text("timeline.system")


def month_view(month: date, sessions: Sequence[Session], earlier: Sequence[Session], this_month: date) -> MonthView:
    """`sessions` were opened in the month, `earlier` in the month before."""
    return MonthView(
        month=month,
        before=month_before(month),
        after=month_after(month) if month < this_month else None,
        now=figures(sessions),
        then=figures(earlier),
        themes=_shares(sessions, earlier, lambda session: session.theme),
        causes=_shares(sessions, earlier, lambda session: session.close_cause),
    )


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def address(path: str, which: Mapping[str, str]) -> str:
    """The path with the filter behind it; empty values are left out."""
    query = urlencode({name: value for name, value in which.items() if value})
    return f"{path}?{query}" if query else path


def log_view(rows: Sequence[LogRow], which: SessionFilter, asked: Mapping[str, str], columns: tuple[str, ...]) -> LogView:
    """`rows` may hold one more than the page shows: then there is an older page."""
    shown = tuple(rows[: which.limit])
    older = ""
    if len(rows) > which.limit:
        last = shown[-1].session
        older = address("/supervisor/sessions", {**asked, "after": f"{last.opened_at.isoformat()}~{last.id}"})
    return LogView(
        rows=shown,
        older=older,
        export=address("/supervisor/sessions.csv", asked),
        columns=columns,
        is_filtered=any(asked.values()) or which.after is not None,
    )


def _shares(sessions: Iterable[Session], earlier: Iterable[Session], of: Callable[[Session], str | None]) -> tuple[Share, ...]:
    """This month's order; what only the month before had comes last."""
    now, then = dict(tally(sessions, of)), dict(tally(earlier, of))
    keys = [*now, *(key for key in then if key not in now)]
    return tuple(Share(key=key, count=now.get(key, 0), before=then.get(key, 0)) for key in keys)
