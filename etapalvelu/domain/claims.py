"""Taking and giving back a session: what a claim, a release and the passing of time add to the log."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from etapalvelu.domain.codes import CauseClass, CloseCause, ReleaseReason, Seat, State
from etapalvelu.domain.errors import AlreadyTakenError, LateReportError, NotAllowedError, WrongStateError
from etapalvelu.domain.events import Claimed, Closed, Event, Left, Released, Transferred
from etapalvelu.domain.people import Person, Role, Staff, is_its_expert, serves
from etapalvelu.domain.session import Session

# An expert who took a session must be seated within this time.
LEASE_SECONDS = 20

# A session where nobody sits and nothing has happened for this long is lost: its room is wanted. Long enough for the room's
# devices to come after the opening, or after a restart.
LOST_SECONDS = 600

# The room's seat was given up although the expert sits there, or everybody's after a session was served: nobody comes back, and
# this is only for seats that are given up one after the other.
GONE_SECONDS = 5


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long picture and sound may take, from the expert's sitting down: until people are told, and until it is given up;
    and how long a session is kept where nobody sits."""

    tell_seconds: float = 30.0
    give_up_seconds: float = 60.0
    lost_seconds: float = LOST_SECONDS


def claim(who: Person, session: Session, lease_seconds: int = LEASE_SECONDS) -> Sequence[Event]:
    """The expert takes a waiting session, or answers its transfer request."""
    if not isinstance(who, Staff) or who.role is not Role.EXPERT:
        raise NotAllowedError
    if is_its_expert(who, session) or not session.is_open:
        raise WrongStateError(session.state, "claim")
    if not session.wants_expert:
        raise AlreadyTakenError
    if not serves(who, session):
        raise NotAllowedError
    if session.state is State.WAITING:
        return [Claimed(expert=who.account, lease_seconds=lease_seconds)]
    return [Transferred(expert=who.account)]


def release(session: Session, reason: ReleaseReason) -> Sequence[Event]:
    """The claim ends and the session waits on. Its expert's seat, if taken, is given up first.

    Raises `WrongStateError` without a claim, and when the session was handed over: then its expert just leaves.
    """
    if session.expert is None or session.successor is not None:
        raise WrongStateError(session.state, "release")
    left = [Left(seat=session.expert_seat)] if session.expert_seat in session.seats else []
    return [*left, Released(expert=session.expert, reason=reason)]


def require_expert(who: Person, session: Session) -> None:
    """Raise `NotAllowedError` unless the person is this session's expert or its successor; `WrongStateError` when closed.

    A waiting session is nobody's: an expert who may take it hears that, for their own claim may just have run out.
    """
    may_take = session.state is State.WAITING and isinstance(who, Staff) and who.role is Role.EXPERT and serves(who, session)
    if not may_take and not is_its_expert(who, session):
        raise NotAllowedError
    if may_take or not session.is_open:
        raise WrongStateError(session.state, "serve")


def check_late(session: Session, since: datetime | None, now: datetime) -> None:
    """Raise `LateReportError` unless what is reported late can have been done at `since`, None being now."""
    if since is not None and since < session.opened_at:
        raise LateReportError("before_opening")
    if since is not None and since > now:
        raise LateReportError("after_now")


def is_slow(session: Session, now: datetime, patience: Patience) -> bool:
    """Truth that the expert sits there and picture and sound take so long that everybody should be told."""
    return session.seated_at is not None and now >= session.seated_at + timedelta(seconds=patience.tell_seconds)


def due(session: Session, now: datetime, closes_at: datetime | None, patience: Patience) -> Sequence[Event]:
    """What time alone demands: an end to waiting at the theme's closing, to a session that everybody left, to an unused
    claim, to a call without a picture."""
    if session.state is State.WAITING and closes_at is not None and now >= closes_at:
        return [Closed(cause=CloseCause.HOURS_ENDED)]
    if session.state in (State.WAITING, State.CLAIMED) and not session.seats and _is_quiet(session, now, patience):
        return [Closed(cause=CloseCause.LOST)]
    if _is_forsaken(session, now):
        return [Closed(cause=CloseCause.LOST)]
    lease = timedelta(seconds=session.lease_seconds)
    if session.state is State.CONNECTED and Seat.ROOM not in session.seats and _is_gone(session, now):
        return [Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.SITE_NETWORK)]
    if session.state is State.CONNECTED:
        # Its expert left, and the one who answered the transfer request never sat down.
        is_empty = session.expert_seat not in session.seats and now >= session.last_at + lease
        return release(session, ReleaseReason.LEASE) if is_empty else []
    if session.state is not State.CLAIMED or session.claimed_at is None:
        return []
    if session.seated_at is None:
        over = now >= session.claimed_at + lease
        return release(session, ReleaseReason.LEASE) if over else []
    over = now >= session.seated_at + timedelta(seconds=patience.give_up_seconds)
    return _unconnected(session) if over else []


def _unconnected(session: Session) -> Sequence[Event]:
    """Another expert may have a better line, so the customer waits on; when it fails with the second one too, it is the room's
    line or nobody's, and a third expert would not mend it."""
    if session.failed_starts == 0:
        return release(session, ReleaseReason.EXPERT_LOST)
    room_is_away = Seat.ROOM not in session.seats or Seat.ROOM in session.interrupted
    return [Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.SITE_NETWORK if room_is_away else CauseClass.UNKNOWN)]


def _is_forsaken(session: Session, now: datetime) -> bool:
    """Truth that it was served, and that everybody's seat was given up since."""
    return session.state is State.WAITING and session.connected_at is not None and not session.seats and _is_gone(session, now)


def _is_gone(session: Session, now: datetime) -> bool:
    return now >= session.last_at + timedelta(seconds=GONE_SECONDS)


def _is_quiet(session: Session, now: datetime, patience: Patience) -> bool:
    return now >= session.last_at + timedelta(seconds=patience.lost_seconds)
