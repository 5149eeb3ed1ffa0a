"""Refusals: what a person may be told, each with a code.

Pages and API give them words; nothing else is ever told to a person.
"""

from collections.abc import Iterable
from datetime import datetime

from etapalvelu.domain.moments import timestamp


class RefusalError(Exception):
    """A deed is refused by a rule. `code` is stable; `facts` are plain JSON values that fill the words."""

    code = "refused"

    def __init__(self, **facts: object) -> None:
        super().__init__(self.code, facts)
        self.facts = facts


class ConflictError(RefusalError):
    """The deed does not fit how things stand. Such a refusal is kept as the answer to its idempotency key."""

    @classmethod
    def again(cls, code: str, facts: dict[str, object]) -> "ConflictError":
        """The same refusal as before, from what was kept of it."""
        refusal = cls(**facts)
        refusal.code = code
        return refusal


class InvalidFieldError(RefusalError):
    """A field holds something the service does not know. `problem` says what is wrong, `allowed` which codes there are."""

    code = "invalid_field"

    def __init__(self, field: str, problem: str = "unknown_value", *, allowed: Iterable[str] = ()) -> None:
        codes = [str(code) for code in allowed]
        super().__init__(field=field, problem=problem, **({"allowed": codes} if codes else {}))
        self.field = field
        self.problem = problem


class WrongStateError(ConflictError):
    """The deed does not fit the state the session is in (closed already, claimed by the caller already)."""

    code = "wrong_state"

    def __init__(self, state: str, deed: str) -> None:
        super().__init__(state=state, deed=deed)


class AlreadyTakenError(ConflictError):
    """Another expert was faster."""

    code = "already_taken"


class StaleError(ConflictError):
    """The session changed under a person's deed; they should look again."""

    code = "stale"


class NotAllowedError(RefusalError):
    """The person may know of the thing but not do this to it."""

    code = "forbidden"


class NotFoundError(RefusalError):
    """There is no such thing, or the person may not know of it. Both look the same on purpose."""

    code = "not_found"


class NotOfferedError(ConflictError):
    """The theme has no line of its own yet (non-disclosure needs one)."""

    code = "not_offered"


class OutsideHoursError(ConflictError):
    """Remote service is closed now. `opens_at` is the next moment it can be opened, or None if none within a year."""

    code = "outside_hours"

    def __init__(self, opens_at: datetime | None) -> None:
        super().__init__(opens_at=None if opens_at is None else timestamp(opens_at))


class RoomInUseError(ConflictError):
    """One room serves one customer at a time."""

    code = "room_in_use"


class RoomNotFitError(ConflictError):
    """The point is open but its room is not fit for remote service yet. `fit_from` is a date or None."""

    code = "room_not_fit"


class RoomOutOfUseError(ConflictError):
    """The room, or its point, was given up for remote service."""

    code = "room_out_of_use"


class LateReportError(ConflictError):
    """What was reported late cannot have been done then: before the opening, or later than now. `reason` says which."""

    code = "late_report"

    def __init__(self, reason: str) -> None:
        super().__init__(reason=reason)


class KeyReusedError(RefusalError):
    """An idempotency key came back with another request behind it."""

    code = "key_reused"


class TryAgainError(RefusalError):
    """The database could not be had in time; nothing was done. `retry_after` in seconds."""

    code = "try_again"

    def __init__(self, retry_after: int = 2) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class StorageFullError(TryAgainError):
    """The database's disk is full: nothing was done. New sessions are refused so, while those under way go on."""

    code = "storage_full"

    def __init__(self) -> None:
        super().__init__(retry_after=30)


class CrowdedError(TryAgainError):
    """The server has no handles left for further connections; nothing was done."""

    code = "crowded"

    def __init__(self) -> None:
        super().__init__(retry_after=5)


class ServerRestartingError(TryAgainError):
    """The server is going down and takes on nothing new; nothing was done. It is expected back in `retry_after` seconds."""

    code = "server_restarting"


class TooManyAttemptsError(RefusalError):
    """Too many failed sign-ins or pairings. `retry_after` in seconds."""

    code = "too_many_attempts"

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class WrongCredentialsError(RefusalError):
    """User name or password, pairing code, token or login is not good (any more)."""

    code = "wrong_credentials"
