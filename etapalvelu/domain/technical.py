"""What failed in a session, read from its log alone: the cause, since when, how much was lost, and what became of it.

Nothing is counted on the side: whoever keeps a list of failures beside the log has two truths.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from etapalvelu.domain.codes import CauseClass, CloseCause, ReleaseReason, Seat
from etapalvelu.domain.events import (
    Claimed,
    Closed,
    Connected,
    Interrupted,
    Joined,
    Left,
    Opened,
    Released,
    Resumed,
    event_type,
)
from etapalvelu.domain.log import Entry
from etapalvelu.domain.session import EXPERT_SEATS

# The events that tell of failures and of their ends; of others `faults` needs to know nothing.
COURSE: tuple[str, ...] = tuple(
    event_type(kind) for kind in (Opened, Claimed, Released, Joined, Left, Connected, Interrupted, Resumed, Closed)
)


class FaultKind(StrEnum):
    """What the log says of it: media or a seat was lost, an expert did not come or was lost, a start without a picture, an end
    for a technical cause, an end because everybody was gone."""

    INTERRUPTED = "interrupted"
    LEASE = "lease"
    EXPERT_LOST = "expert_lost"
    FAILED_START = "failed_start"
    TECHNICAL = "technical"
    LOST = "lost"


class Remedy(StrEnum):
    """What became of it."""

    MENDED = "mended"
    REQUEUED = "requeued"
    CLOSED = "closed"
    GIVEN_UP = "given_up"
    GOING_ON = "going_on"


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One failure. `seq` is the log entry that tells of it, `since` when it began, `lost_seconds` how long the customer
    had to do without: the gap, the start in vain, the wait for another expert, the whole visit. None while it lasts.
    """

    session: str
    seq: int
    at: datetime
    since: datetime
    kind: FaultKind
    cause: CauseClass
    remedy: Remedy
    seat: Seat | None = None
    lost_seconds: float | None = None


class FaultFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which failures: times half-open on when the log told of them; `after` is where the page before ended."""

    since: datetime | None = None
    until: datetime | None = None
    point: str | None = None
    room: str | None = None
    cause: CauseClass | None = None
    after: tuple[datetime, str, int] | None = None
    limit: int = 50


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where in the log a failure may be told, and whose it is."""

    at: datetime
    session: str
    seq: int
    point: str
    room: str
    theme: str

    @property
    def key(self) -> tuple[datetime, str, int]:
        return self.at, self.session, self.seq


def faults(entries: Iterable[Entry]) -> list[Fault]:
    """The failures of one session in the order of its log; of the entries those in `COURSE` are enough."""
    course = _Course()
    for entry in entries:
        course.read(entry)
    return course.found


class _Course:
    """A session's log as it is read on, entry by entry."""

    def __init__(self) -> None:
        self.found: list[Fault] = []
        # What lasts, by where it stands in `found`: gaps by seat, and the wait for another expert after a lost one.
        self._gaps: dict[Seat, int] = {}
        self._unserved: int | None = None
        self._opened_at: datetime | None = None
        self._claimed_at: datetime | None = None
        # Why the expert of this claim was away when they were given up: that comes before the release, in the same breath.
        self._loss: CauseClass | None = None
        self._is_seated = self._is_served = self._was_served = False

    def read(self, entry: Entry) -> None:
        match entry.event:
            case Opened():
                self._opened_at = entry.at
            case Claimed():
                self._claimed_at, self._loss = entry.at, None
                self._is_seated = self._is_served = False
            case Joined(seat=seat) if seat in EXPERT_SEATS:
                self._is_seated, self._loss = True, None
            case Connected():
                self._is_served = self._was_served = True
                self._served_again(entry.at)
            case Interrupted() | Resumed() | Left() as event:
                self._gap(entry, event)
            case Released() as event:
                self._release(entry, event)
            case Closed() as event:
                self._close(entry, event)
            case _:
                # What else is in the log neither fails nor mends.
                pass

    def _gap(self, entry: Entry, event: Interrupted | Resumed | Left) -> None:
        seat = event.seat
        match event:
            case Interrupted():
                # Said of a seat that is away already, it is a graver cause.
                self._end_gap(seat, Remedy.GIVEN_UP, entry.at)
                self._gaps[seat] = self._add(entry, FaultKind.INTERRUPTED, event.cause_class, event.since, seat=seat)
            case Resumed():
                self._end_gap(seat, Remedy.MENDED, entry.at, event.gap_ms / 1000)
            case Left():
                if seat in EXPERT_SEATS and seat in self._gaps:
                    self._loss = self.found[self._gaps[seat]].cause
                self._end_gap(seat, Remedy.REQUEUED if seat in EXPERT_SEATS else Remedy.GIVEN_UP, entry.at)

    def _release(self, entry: Entry, event: Released) -> None:
        cause = self._expert_cause()
        if event.reason not in (ReleaseReason.LEASE, ReleaseReason.EXPERT_LOST):
            return
        if self._is_served:
            kind = FaultKind.EXPERT_LOST if event.reason is ReleaseReason.EXPERT_LOST else FaultKind.LEASE
            self._unserved = self._add(entry, kind, cause, entry.at, Remedy.REQUEUED)
            return
        kind = FaultKind.FAILED_START if self._is_seated else FaultKind.LEASE
        begun = self._claimed_at or entry.at
        self._add(entry, kind, cause, begun, Remedy.REQUEUED, lost=entry.at - begun)

    def _close(self, entry: Entry, event: Closed) -> None:
        lasting = [self.found[index].cause for index in self._gaps.values()]
        for seat in tuple(self._gaps):
            self._end_gap(seat, Remedy.CLOSED, entry.at)
        self._served_again(entry.at)
        if event.cause not in (CloseCause.TECHNICAL, CloseCause.LOST):
            return
        kind = FaultKind.TECHNICAL if event.cause is CloseCause.TECHNICAL else FaultKind.LOST
        cause = event.cause_class or (lasting[-1] if lasting else CauseClass.UNKNOWN)
        begun = entry.at if self._was_served else self._opened_at or entry.at
        self._add(entry, kind, cause, begun, Remedy.CLOSED, lost=entry.at - begun)

    def _expert_cause(self) -> CauseClass:
        """Why an expert was lost: what had been lost of them by then; a start without a picture may be either side's."""
        if self._loss is not None:
            return self._loss
        return CauseClass.UNKNOWN if self._is_seated and not self._is_served else CauseClass.EXPERT_SIDE

    def _add(
        self,
        entry: Entry,
        kind: FaultKind,
        cause: CauseClass,
        since: datetime,
        remedy: Remedy = Remedy.GOING_ON,
        *,
        seat: Seat | None = None,
        lost: timedelta | None = None,
    ) -> int:
        self.found.append(
            Fault(
                session=entry.session,
                seq=entry.seq,
                at=entry.at,
                since=since,
                kind=kind,
                cause=cause,
                remedy=remedy,
                seat=seat,
                lost_seconds=None if lost is None else max(0.0, lost.total_seconds()),
            )
        )
        return len(self.found) - 1

    def _end_gap(self, seat: Seat, remedy: Remedy, at: datetime, seconds: float | None = None) -> None:
        index = self._gaps.pop(seat, None)
        if index is not None:
            gap = self.found[index]
            lost = (at - gap.since).total_seconds() if seconds is None else seconds
            self.found[index] = replace(gap, remedy=remedy, lost_seconds=max(0.0, lost))

    def _served_again(self, at: datetime) -> None:
        if self._unserved is not None:
            lost = self.found[self._unserved]
            self.found[self._unserved] = replace(lost, lost_seconds=max(0.0, (at - lost.since).total_seconds()))
            self._unserved = None


def lost_minutes(found: Sequence[Fault]) -> int:
    """Whole minutes that these took from customers; two at the same time count twice."""
    return round(sum(fault.lost_seconds or 0.0 for fault in found) / 60)
