"""Sessions and events that the core's tests begin from."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from etapalvelu.domain.codes import (
    ActingFor,
    CauseClass,
    CloseCause,
    IdentifiedBy,
    Language,
    Outcome,
    Path,
    Reason,
    ReleaseReason,
    Seat,
)
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
from etapalvelu.domain.log import Entry, append, canonical, event_data, open_session
from etapalvelu.domain.session import Session

NOW = datetime(2026, 8, 17, 7, 0, tzinfo=UTC)

OPENED = Opened(point="rantala", room="rantala-1", theme="pensions", language=Language.FI, reason=Reason.ADVICE)
CLAIMED = Claimed(expert="eero", lease_seconds=20)
RELEASED = Released(expert="eero", reason=ReleaseReason.WRONG_THEME)
CONNECTED = Connected(path=Path.HOST, setup_ms=120)
INTERRUPTED = Interrupted(seat=Seat.ROOM, cause_class=CauseClass.SITE_NETWORK, since=NOW)
RESUMED = Resumed(seat=Seat.ROOM, gap_ms=800)
ASKED = TransferRequested(code=ReleaseReason.WRONG_THEME, theme="families")
TRANSFERRED = Transferred(expert="elsa")
STILL = StillTaken(sha256="ab" * 32, size=1_900_000, width=3840, height=2160, verdict="readable")
SECURED = Secured(seat=Seat.ROOM, peer=Seat.EXPERT, generation=1, own="ab" * 32, met="cd" * 32)
NOTED = Noted(outcomes=(Outcome.ADVISED,))
IDENTIFIED = Identified(how=IdentifiedBy.ID_CARD, acting_for=ActingFor.SELF)
CLOSED = Closed(cause=CloseCause.COMPLETED)


def sits(*seats: Seat) -> list[Event]:
    return [Joined(seat=seat) for seat in seats]


WAITING: Sequence[Event] = ()
TAKEN: Sequence[Event] = (*sits(Seat.ROOM, Seat.CAMERA), CLAIMED)
SERVED: Sequence[Event] = (*TAKEN, *sits(Seat.EXPERT), CONNECTED)
HANDED_OVER: Sequence[Event] = (*SERVED, ASKED, TRANSFERRED)
ENDED: Sequence[Event] = (*SERVED, NOTED, CLOSED)

# One of each class, in the order of `EVENTS`.
EACH: tuple[Event, ...] = (
    OPENED,
    CLAIMED,
    RELEASED,
    Joined(seat=Seat.ADVISOR),
    Left(seat=Seat.ROOM),
    CONNECTED,
    INTERRUPTED,
    RESUMED,
    Held(),
    Continued(),
    ASKED,
    TRANSFERRED,
    Invited(seat=Seat.INTERPRETER),
    AdvisorStays(),
    AdvisorLeaves(),
    IDENTIFIED,
    STILL,
    SECURED,
    NOTED,
    CLOSED,
)


def told(*events: Event, opened: Opened = OPENED, session_id: str = "s1", step: timedelta = timedelta()) -> list[Entry]:
    """The log of a session to which these events happened, each `step` after the one before."""
    session, entry = open_session(session_id, opened, advisor="aino", actor="staff:aino", now=NOW)
    entries = [entry]
    for number, event in enumerate(events, start=1):
        session, entry = append(session, event, actor="system", now=NOW + number * step)
        entries.append(entry)
    return entries


def after(*events: Event, opened: Opened = OPENED, session_id: str = "s1", now: datetime = NOW) -> Session:
    """The session after these events, all of them at `now`."""
    session, _ = open_session(session_id, opened, advisor="aino", actor="staff:aino", now=now)
    for event in events:
        session, _ = append(session, event, actor="system", now=now)
    return session


def saying(entry: Entry, event: Event) -> Entry:
    """The entry with another event written in it, and its hash left as it was."""
    return replace(entry, type=event_type(event), written=canonical(event_data(event)).decode())
