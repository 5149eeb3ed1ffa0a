"""What can happen to a session. Each class is one `type` in the log and its fields are that entry's `data`.

Who did it and when stand in the log entry around it (`domain.log.Entry`), so an event never names a time except
`since`: the moment a thing began when it was noticed later.
"""

from datetime import datetime
from typing import get_args

import msgspec

from etapalvelu.domain.codes import (
    ActingFor,
    CauseClass,
    CloseCause,
    FollowUp,
    IdentifiedBy,
    Language,
    Need,
    Outcome,
    Path,
    Reason,
    ReleaseReason,
    Seat,
)


class Opened(msgspec.Struct, frozen=True, kw_only=True, tag="opened", forbid_unknown_fields=True):
    """The advisor opened the session; the actor of this entry is the session's advisor."""

    point: str
    room: str
    theme: str
    language: Language
    reason: Reason
    needs: tuple[Need, ...] = ()
    advisor_stays: bool = False


class Claimed(msgspec.Struct, frozen=True, kw_only=True, tag="claimed", forbid_unknown_fields=True):
    """An expert took the session, and must join within `lease_seconds`."""

    expert: str
    lease_seconds: int


class Released(msgspec.Struct, frozen=True, kw_only=True, tag="released", forbid_unknown_fields=True):
    """The claim ended; the session waits on in the place it had."""

    expert: str
    reason: ReleaseReason


class Joined(msgspec.Struct, frozen=True, kw_only=True, tag="joined", forbid_unknown_fields=True):
    """A seat was really taken in the call."""

    seat: Seat


class Left(msgspec.Struct, frozen=True, kw_only=True, tag="left", forbid_unknown_fields=True):
    """A seat was given up for good."""

    seat: Seat


class Connected(msgspec.Struct, frozen=True, kw_only=True, tag="connected", forbid_unknown_fields=True):
    """Room and expert see and hear each other. `setup_ms`: from the later seating to the first decoded frame."""

    path: Path
    setup_ms: int


class Interrupted(msgspec.Struct, frozen=True, kw_only=True, tag="interrupted", forbid_unknown_fields=True):
    """Media or the seat was lost at `since`."""

    seat: Seat
    cause_class: CauseClass
    since: datetime


class Resumed(msgspec.Struct, frozen=True, kw_only=True, tag="resumed", forbid_unknown_fields=True):
    """What was interrupted is back after `gap_ms`."""

    seat: Seat
    gap_ms: int


class Held(msgspec.Struct, frozen=True, kw_only=True, tag="held", forbid_unknown_fields=True):
    """The expert put the customer on hold."""


class Continued(msgspec.Struct, frozen=True, kw_only=True, tag="continued", forbid_unknown_fields=True):
    """The hold ended."""


class TransferRequested(msgspec.Struct, frozen=True, kw_only=True, tag="transfer_requested", forbid_unknown_fields=True):
    """The expert asks another line (`theme`) or another person (`expert`) to go on. Exactly one of the two is set."""

    code: ReleaseReason
    theme: str | None = None
    expert: str | None = None


class Transferred(msgspec.Struct, frozen=True, kw_only=True, tag="transferred", forbid_unknown_fields=True):
    """Another expert answered the request, and sits down in `expert2`."""

    expert: str


class Invited(msgspec.Struct, frozen=True, kw_only=True, tag="invited", forbid_unknown_fields=True):
    """A further seat was offered to somebody."""

    seat: Seat


class AdvisorStays(msgspec.Struct, frozen=True, kw_only=True, tag="advisor_stays", forbid_unknown_fields=True):
    """The customer chose to have the advisor present."""


class AdvisorLeaves(msgspec.Struct, frozen=True, kw_only=True, tag="advisor_leaves", forbid_unknown_fields=True):
    """The customer chose to go on without the advisor."""


class Identified(msgspec.Struct, frozen=True, kw_only=True, tag="identified", forbid_unknown_fields=True):
    """How the customer was identified and for whom they act; never who."""

    how: IdentifiedBy
    acting_for: ActingFor


class StillTaken(msgspec.Struct, frozen=True, kw_only=True, tag="still_taken", forbid_unknown_fields=True):
    """A still reached the expert whole. `sha256` in hex, `size` in bytes; the picture itself is nowhere.

    `raw_sha256`: of the camera's whole picture, where the still is the page that was made from it.
    """

    sha256: str
    size: int
    width: int
    height: int
    verdict: str
    raw_sha256: str | None = None


class Secured(msgspec.Struct, frozen=True, kw_only=True, tag="secured", forbid_unknown_fields=True):
    """One end says between which certificates its line to `peer` is encrypted: SHA-256 of its own and of the one it met."""

    seat: Seat
    peer: Seat
    generation: int
    own: str
    met: str


class Noted(msgspec.Struct, frozen=True, kw_only=True, tag="noted", forbid_unknown_fields=True):
    """What came of it, in codes. `since` is set when it was reported late: when it was done."""

    outcomes: tuple[Outcome, ...]
    follow_up: FollowUp = FollowUp.NONE
    since: datetime | None = None


class Closed(msgspec.Struct, frozen=True, kw_only=True, tag="closed", forbid_unknown_fields=True):
    """The end. `cause_class` is set exactly when the cause is technical, `since` as with `Noted`."""

    cause: CloseCause
    cause_class: CauseClass | None = None
    since: datetime | None = None


Event = (
    Opened
    | Claimed
    | Released
    | Joined
    | Left
    | Connected
    | Interrupted
    | Resumed
    | Held
    | Continued
    | TransferRequested
    | Transferred
    | Invited
    | AdvisorStays
    | AdvisorLeaves
    | Identified
    | StillTaken
    | Secured
    | Noted
    | Closed
)

EVENTS: tuple[type[Event], ...] = get_args(Event)


def event_type(event: Event | type[Event]) -> str:
    """The event's name in the log, e.g. `still_taken`."""
    return str(event.__struct_config__.tag)
