"""The time that leases and limits go by: it runs on steadily, whatever is done to the server's clock.

The clock says when a session is first seen (also after a restart); from then on a steady counter does. So a clock that is set
forward ends nobody's session at once, and one that is set back keeps no room occupied for hours.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

from etapalvelu.domain.session import Session
from etapalvelu.ports import Clock

# A look this much later than the one before means that this server was stopped, not that anybody was away.
STALL_SECONDS: Final = 3.0


class SteadyTime:
    """`steady` counts seconds from anywhere and is never set."""

    def __init__(self, clock: Clock, steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._seen: dict[str, tuple[datetime, float]] = {}

    def follow(self, sessions: Iterable[Session]) -> None:
        """These are the open ones now; all others are forgotten."""
        steady = self._steady()
        self._seen = {session.id: (self.now(session), steady) for session in sessions}

    def now(self, session: Session) -> datetime:
        """The present moment in this session's own time, never before its last event."""
        seen = self._seen.get(session.id)
        now = self._clock() if seen is None else seen[0] + timedelta(seconds=self._steady() - seen[1])
        return max(now, session.last_at)


class Stalls:
    """Knows when this server itself was stopped: then those who found it silent get as long to come back, at most `most`."""

    def __init__(self, steady: Callable[[], float], most: float) -> None:
        self._steady = steady
        self._most = most
        self._looked_at = self._over_at = steady()

    def are_over(self) -> bool:
        """Asked about every second. False for a while after it was not."""
        now = self._steady()
        if now - self._looked_at > STALL_SECONDS:
            self._over_at = now + min(now - self._looked_at, self._most)
        self._looked_at = now
        return now >= self._over_at
