"""What the supervisor's templates need, made from the domain's objects. No I/O here."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode

import msgspec

from etapalvelu.domain.log import Entry, Fault, verify
from etapalvelu.domain.session import Session
from etapalvelu.pages.event_words import details
from etapalvelu.pages.language import Language
from etapalvelu.pages.timeline import Drawing, Reading, draw, readings
from etapalvelu.ports import RefusedReport, SessionFilter
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


class RefusedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A deed that was reported late and refused."""

    done: datetime
    reported: datetime
    deed: str
    said: str
    who: str
    why: str


class TimelineView(msgspec.Struct, frozen=True, kw_only=True):
    """`fault` is the entry that is known to be wrong. A log may be unproven without one: its end or all of it is missing."""

    session: Session
    point: str
    room: str
    drawing: Drawing | None
    events: tuple[EventRow, ...]
    readings: tuple[Reading, ...]
    refused: tuple[RefusedRow, ...]
    proven: bool
    fault: Fault | None

    @property
    def id(self) -> str:
        return self.session.id


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
        refused=tuple(_refused(report, people, language) for report in known.refused),
        proven=known.proven,
        fault=verify(entries),
    )


def _refused(report: RefusedReport, people: Mapping[str, str], language: Language) -> RefusedRow:
    known = f"late.code.{report.code}"
    causes = [language.text(f"cause.{report.said['cause']}")] if "cause" in report.said else []
    return RefusedRow(
        done=report.since,
        reported=report.at,
        deed=language.text(f"late.deed.{report.deed}"),
        said=" · ".join([*causes, *(language.text(f"outcome.{code}") for code in report.said.get("outcomes") or ())]),
        who=people.get(report.account, report.account),
        why=language.text(known if language.has(known) else "late.code.other"),
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
