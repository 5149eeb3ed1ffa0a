"""The session: states, the one table of what may happen when, and the fold of events into the current state.

Nobody else compares or sets a state. A newcomer's mistake would be to keep a counter beside the events: every figure
here is derived from them.
"""

from datetime import datetime
from functools import singledispatch

import msgspec
from msgspec.structs import replace

from etapalvelu.domain.codes import (
    CauseClass,
    CloseCause,
    FollowUp,
    Language,
    Need,
    Outcome,
    Path,
    Reason,
    ReleaseReason,
    Seat,
    State,
)
from etapalvelu.domain.errors import WrongStateError
from etapalvelu.domain.events import (
    AdvisorLeaves,
    AdvisorStays,
    Claimed,
    Closed,
    Connected,
    Continued,
    Event,
    Held,
    Identified,
    Interrupted,
    Invited,
    Joined,
    Left,
    Noted,
    Opened,
    Released,
    Resumed,
    Secured,
    StillTaken,
    Transferred,
    TransferRequested,
    event_type,
)

EXPERT_SEATS = frozenset({Seat.EXPERT, Seat.EXPERT2})


def _staying(state: State, *events: type[Event]) -> dict[type[Event], State]:
    return dict.fromkeys(events, state)


_ALWAYS: tuple[type[Event], ...] = (Joined, Left, Interrupted, Resumed, Secured, Invited, AdvisorStays, AdvisorLeaves)
_SERVED: tuple[type[Event], ...] = (StillTaken, Identified, Noted)

TRANSITIONS: dict[State, dict[type[Event], State]] = {
    State.WAITING: {
        Claimed: State.CLAIMED,
        Closed: State.CLOSED,
        **_staying(State.WAITING, *_ALWAYS),
    },
    State.CLAIMED: {
        Connected: State.CONNECTED,
        Released: State.WAITING,
        Closed: State.CLOSED,
        **_staying(State.CLAIMED, *_ALWAYS, *_SERVED),
    },
    State.CONNECTED: {
        Released: State.WAITING,
        Closed: State.CLOSED,
        **_staying(State.CONNECTED, *_ALWAYS, *_SERVED, Held, Continued, TransferRequested, Transferred),
    },
    State.CLOSED: {},
}


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One session as it stands after event `seq`. Times are aware, in UTC.

    `claimed_at` is the claim under way, or else the last one that led to a connection. `seats` are those taken in the
    call and not given up; `interrupted` the ones among them whose media or socket is known to be lost just now, and
    `distrusted` those among these whose line is not encrypted for whom it should be; `secured` is what the ends say of a line.
    `seated_at` is when the expert of this claim sat down, until picture and sound go both ways; `failed_starts` counts the
    claims in a row whose expert sat down and was lost without that.
    """

    id: str
    seq: int
    head: str
    last_at: datetime
    state: State
    point: str
    room: str
    theme: str
    language: Language
    reason: Reason
    needs: tuple[Need, ...]
    advisor: str
    advisor_stays: bool
    opened_at: datetime
    expert: str | None = None
    expert_seat: Seat = Seat.EXPERT
    successor: str | None = None
    transfer: TransferRequested | None = None
    claimed_at: datetime | None = None
    lease_seconds: int = 0
    seated_at: datetime | None = None
    failed_starts: int = 0
    held_claim_at: datetime | None = None
    connected_at: datetime | None = None
    path: Path | None = None
    closed_at: datetime | None = None
    close_cause: CloseCause | None = None
    cause_class: CauseClass | None = None
    outcomes: tuple[Outcome, ...] = ()
    follow_up: FollowUp = FollowUp.NONE
    on_hold: bool = False
    stills: int = 0
    seats: tuple[Seat, ...] = ()
    interrupted: tuple[Seat, ...] = ()
    secured: tuple[Secured, ...] = ()
    distrusted: tuple[Seat, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state is not State.CLOSED

    @property
    def wants_expert(self) -> bool:
        """Truth that some expert may take it: it waits, or asks for a successor."""
        return self.state is State.WAITING or self.transfer is not None

    @property
    def successor_seat(self) -> Seat:
        return Seat.EXPERT if self.expert_seat is Seat.EXPERT2 else Seat.EXPERT2

    @property
    def waiting_seconds(self) -> int | None:
        """Whole seconds from the opening to the first connection, or to a close without one; None until then."""
        end = self.connected_at or self.closed_at
        return None if end is None else int((end - self.opened_at).total_seconds())

    @property
    def service_seconds(self) -> int | None:
        """Whole seconds from the first connection to the close; None until closed, or when never connected."""
        if self.connected_at is None or self.closed_at is None:
            return None
        return int((self.closed_at - self.connected_at).total_seconds())

    def apply(self, event: Event, *, seq: int, at: datetime, head: str) -> "Session":
        """Return the session as it stands after `event`, the log's entry number `seq` with hash `head`.

        Raises `WrongStateError` when the table, or a condition on seats, does not allow the event now.
        """
        state = TRANSITIONS[self.state].get(type(event))
        if state is None or not _is_possible(event, self):
            raise WrongStateError(self.state, event_type(event))
        moved = replace(self, state=state, seq=seq, last_at=at, head=head)
        return _fold(event, moved, at)


def opened(session_id: str, event: Opened, *, advisor: str, at: datetime, head: str) -> Session:
    """The session right after its first event."""
    return Session(
        id=session_id,
        seq=1,
        head=head,
        last_at=at,
        state=State.WAITING,
        point=event.point,
        room=event.room,
        theme=event.theme,
        language=event.language,
        reason=event.reason,
        needs=event.needs,
        advisor=advisor,
        advisor_stays=event.advisor_stays,
        opened_at=at,
    )


@singledispatch
def _is_possible(event: Event, session: Session) -> bool:
    """What the table cannot say: conditions on seats, holds and open requests."""
    return True


@_is_possible.register
def _(event: Released, session: Session) -> bool:
    return event.expert == session.expert and session.successor is None


@_is_possible.register
def _(event: Joined, session: Session) -> bool:
    return event.seat not in session.seats and _may_be_seated(session, event.seat)


@_is_possible.register
def _(event: Left, session: Session) -> bool:
    return event.seat in session.seats


@_is_possible.register
def _(event: Interrupted, session: Session) -> bool:
    # That a line is not to be trusted is said of one that is interrupted already, too.
    is_graver = event.cause_class is CauseClass.IDENTITY and event.seat not in session.distrusted
    return event.seat in session.seats and (is_graver or event.seat not in session.interrupted)


@_is_possible.register
def _(event: Resumed, session: Session) -> bool:
    return event.seat in session.interrupted


@_is_possible.register
def _(event: Secured, session: Session) -> bool:
    return event.seat in session.seats and event.seat is not event.peer


@_is_possible.register
def _(event: Connected, session: Session) -> bool:
    return Seat.ROOM in session.seats and session.expert_seat in session.seats


@_is_possible.register
def _(event: Held, session: Session) -> bool:
    return not session.on_hold


@_is_possible.register
def _(event: Continued, session: Session) -> bool:
    return session.on_hold


@_is_possible.register
def _(event: AdvisorStays, session: Session) -> bool:
    return not session.advisor_stays


@_is_possible.register
def _(event: AdvisorLeaves, session: Session) -> bool:
    return session.advisor_stays


@_is_possible.register
def _(event: TransferRequested, session: Session) -> bool:
    is_one = (event.theme is None) != (event.expert is None)
    return is_one and session.successor is None and event.expert != session.expert


@_is_possible.register
def _(event: Transferred, session: Session) -> bool:
    return session.transfer is not None and event.expert != session.expert


@_is_possible.register
def _(event: Closed, session: Session) -> bool:
    return (event.cause is CloseCause.TECHNICAL) == (event.cause_class is not None)


def _may_be_seated(session: Session, seat: Seat) -> bool:
    if seat not in EXPERT_SEATS:
        return True
    if session.state is State.WAITING:
        return False
    return seat is session.expert_seat or session.successor is not None


@singledispatch
def _fold(event: Event, session: Session, at: datetime) -> Session:
    """What the event changes besides the state; most leave the rest alone."""
    return session


@_fold.register
def _(event: Claimed, session: Session, at: datetime) -> Session:
    return replace(session, expert=event.expert, claimed_at=at, lease_seconds=event.lease_seconds)


@_fold.register
def _(event: Released, session: Session, at: datetime) -> Session:
    return replace(
        session,
        expert=None,
        successor=None,
        transfer=None,
        claimed_at=session.held_claim_at,
        seated_at=None,
        failed_starts=session.failed_starts + (session.seated_at is not None and event.reason is ReleaseReason.EXPERT_LOST),
        on_hold=False,
        expert_seat=Seat.EXPERT,
        seats=_without(session.seats, *EXPERT_SEATS),
        interrupted=_without(session.interrupted, *EXPERT_SEATS),
        secured=_unsaid(session, *EXPERT_SEATS),
        distrusted=_without(session.distrusted, *EXPERT_SEATS),
    )


@_fold.register
def _(event: Joined, session: Session, at: datetime) -> Session:
    seated = replace(session, seats=(*session.seats, event.seat))
    is_start = session.state is State.CLAIMED and event.seat is session.expert_seat
    return replace(seated, seated_at=at) if is_start else seated


@_fold.register
def _(event: Left, session: Session, at: datetime) -> Session:
    left = replace(_trusted(session, event.seat), seats=_without(session.seats, event.seat))
    if event.seat is session.expert_seat and session.successor is not None:
        return replace(left, expert=session.successor, expert_seat=session.successor_seat, successor=None)
    if event.seat is session.successor_seat:
        return replace(left, successor=None)
    return left


@_fold.register
def _(event: Connected, session: Session, at: datetime) -> Session:
    first = session.connected_at or at
    moved = replace(session, connected_at=first, held_claim_at=session.claimed_at, path=event.path)
    return replace(moved, seated_at=None, failed_starts=0)


@_fold.register
def _(event: Interrupted, session: Session, at: datetime) -> Session:
    is_stranger = event.cause_class is CauseClass.IDENTITY
    return replace(
        session,
        interrupted=(*_without(session.interrupted, event.seat), event.seat),
        distrusted=(*session.distrusted, event.seat) if is_stranger else session.distrusted,
    )


@_fold.register
def _(event: Resumed, session: Session, at: datetime) -> Session:
    return _trusted(session, event.seat)


@_fold.register
def _(event: Secured, session: Session, at: datetime) -> Session:
    others = tuple(said for said in session.secured if (said.seat, said.peer) != (event.seat, event.peer))
    return replace(session, secured=(*others, event))


@_fold.register
def _(event: Held, session: Session, at: datetime) -> Session:
    return replace(session, on_hold=True)


@_fold.register
def _(event: Continued, session: Session, at: datetime) -> Session:
    return replace(session, on_hold=False)


@_fold.register
def _(event: TransferRequested, session: Session, at: datetime) -> Session:
    return replace(session, transfer=event)


@_fold.register
def _(event: Transferred, session: Session, at: datetime) -> Session:
    return replace(session, transfer=None, successor=event.expert)


@_fold.register
def _(event: AdvisorStays, session: Session, at: datetime) -> Session:
    return replace(session, advisor_stays=True)


@_fold.register
def _(event: AdvisorLeaves, session: Session, at: datetime) -> Session:
    return replace(session, advisor_stays=False)


@_fold.register
def _(event: StillTaken, session: Session, at: datetime) -> Session:
    return replace(session, stills=session.stills + 1)


@_fold.register
def _(event: Noted, session: Session, at: datetime) -> Session:
    return replace(session, outcomes=event.outcomes, follow_up=event.follow_up)


@_fold.register
def _(event: Closed, session: Session, at: datetime) -> Session:
    return replace(
        session,
        closed_at=at,
        close_cause=event.cause,
        cause_class=event.cause_class,
        seated_at=None,
        failed_starts=0,
        transfer=None,
        on_hold=False,
        seats=(),
        interrupted=(),
        secured=(),
        distrusted=(),
    )


def _trusted(session: Session, seat: Seat) -> Session:
    """The session with this seat's line begun anew: what was said of the one before tells nothing of the next."""
    return replace(
        session,
        interrupted=_without(session.interrupted, seat),
        secured=_unsaid(session, seat),
        distrusted=_without(session.distrusted, seat),
    )


def _unsaid(session: Session, *gone: Seat) -> tuple[Secured, ...]:
    return tuple(said for said in session.secured if said.seat not in gone and said.peer not in gone)


def _without(seats: tuple[Seat, ...], *gone: Seat) -> tuple[Seat, ...]:
    return tuple(seat for seat in seats if seat not in gone)
