"""The session: its states, the one table of what may happen when, and how it stands after its events (`domain.fold`).

Nobody else compares or sets a state. A newcomer's mistake would be to keep a counter beside the events: every figure
here is derived from them.
"""

from datetime import datetime

import msgspec

from etapalvelu.domain.codes import (
    CauseClass,
    CloseCause,
    FollowUp,
    Language,
    Need,
    Outcome,
    Path,
    Reason,
    Seat,
    State,
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
