"""What an event makes of a session: whether it may happen now, and how the session stands after it.

`TRANSITIONS` says which events a state allows; here stands what a table cannot say: conditions on seats, holds and requests.
"""

from datetime import datetime
from functools import singledispatch

from msgspec.structs import replace

from etapalvelu.domain.codes import CauseClass, CloseCause, ReleaseReason, Seat, State
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
    Interrupted,
    Joined,
    Left,
    Noted,
    Released,
    Resumed,
    Secured,
    StillTaken,
    Transferred,
    TransferRequested,
    event_type,
)
from etapalvelu.domain.session import EXPERT_SEATS, TRANSITIONS, Session


def apply(session: Session, event: Event, *, seq: int, at: datetime, head: str) -> Session:
    """Return the session as it stands after `event`, the log's entry number `seq` with hash `head`.

    Raises `WrongStateError` when the table, or a condition, does not allow the event now.
    """
    state = TRANSITIONS[session.state].get(type(event))
    if state is None or not _is_possible(event, session):
        raise WrongStateError(session.state, event_type(event))
    moved = replace(session, state=state, seq=seq, last_at=at, head=head)
    return _fold(event, moved, at)


@singledispatch
def _is_possible(event: Event, session: Session) -> bool:
    """Most events need no more than the table."""
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
