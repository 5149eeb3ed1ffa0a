"""Deeds done while the server was away and reported when it is back. What is refused of them is kept beside the log, for the
supervisor; a newcomer's mistake would be to apply it after all.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from etapalvelu.domain.errors import ConflictError, InvalidFieldError, NotAllowedError
from etapalvelu.domain.people import Person
from etapalvelu.ports import Clock, DeedKey, RefusedReport, SessionStore


class Late(msgspec.Struct, frozen=True, kw_only=True):
    """A deed as it is reported: done at `since`, or just now when that is None. `said` are the codes in it."""

    deed: str
    since: datetime | None
    said: dict[str, Any]


class LateReports:
    """Made by the desk."""

    def __init__(self, sessions: SessionStore, clock: Clock) -> None:
        self._sessions = sessions
        self._clock = clock

    @asynccontextmanager
    async def keeping(self, who: Person, session_id: str, late: Late, key: DeedKey | None) -> AsyncIterator[None]:
        """When the deed in the block was reported late and is refused by how things stand, that is kept, and raised.

        Without a key nobody could know a report that comes twice: `InvalidFieldError`.
        """
        if late.since is None:
            yield
            return
        if key is None:
            raise InvalidFieldError("Idempotency-Key", "required")
        try:
            yield
        except (ConflictError, NotAllowedError) as refusal:
            await self._sessions.keep_refused(
                RefusedReport(
                    session=session_id,
                    at=self._clock(),
                    account=who.account,
                    key=key.key,
                    deed=late.deed,
                    since=late.since,
                    code=_reason(refusal.code, refusal.facts),
                    said=late.said,
                )
            )
            raise


def _reason(code: str, facts: dict[str, Any]) -> str:
    """In one word: a report that came too late for a closed session differs from one for a session that went on."""
    if code == "late_report":
        return str(facts["reason"])
    return f"session_{facts['state']}" if code == "wrong_state" else code
