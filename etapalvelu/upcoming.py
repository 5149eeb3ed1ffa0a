"""What an expert's browser may prepare before the click on "Take next": a line to the room that waits longest.

Describing and encrypting a line takes browsers longer than all that the server does for a claim. So the offers that wait in
the session are read before it, and one expert's browser may answer them, too: the line then stands, and carries nothing before
the seat is taken, which needs the claim.
"""

from typing import Protocol

import msgspec

from etapalvelu.domain.codes import Seat
from etapalvelu.domain.people import Staff
from etapalvelu.domain.queue import queue_for
from etapalvelu.ports import Clock, SessionStore
from etapalvelu.seats import CallSettings, Ice, ice_for, seat_name
from signaling.messages import Description, Waiting
from signaling.messages import Seat as SeatName


class Calls(Protocol):
    """What is asked of signaling here."""

    def waiting(self, call: str, seat: SeatName, who: str) -> list[Waiting]: ...

    async def answer(self, call: str, seat: SeatName, who: str, answer: Description) -> bool: ...


class Upcoming(msgspec.Struct, frozen=True, kw_only=True):
    """The call that "Take next" would lead to, None when nothing waits, and what a connection with it begins with."""

    call: str | None
    ice: Ice
    offers: list[Waiting]


class Preparing:
    """Made once by `app`."""

    def __init__(self, *, sessions: SessionStore, calls: Calls, settings: CallSettings, clock: Clock) -> None:
        self._sessions = sessions
        self._calls = calls
        self._settings = settings
        self._clock = clock

    async def upcoming(self, expert: Staff) -> Upcoming:
        """What this expert would take now. Where only relays may be used nothing is given out before the claim."""
        ice = ice_for(self._settings, Seat.EXPERT, self._clock())
        first = next(iter(queue_for(expert, await self._sessions.open_sessions())), None)
        # Who is to take over from a colleague sits in another seat, whose offers are made when it is taken.
        if first is None or first.expert is not None or self._settings.relay_only:
            return Upcoming(call=None, ice=ice, offers=[])
        return Upcoming(call=first.id, ice=ice, offers=self._calls.waiting(first.id, seat_name(Seat.EXPERT), expert.actor))

    async def answer(self, expert: Staff, call: str, answer: Description) -> bool:
        """Answer an offer of `upcoming` before the claim. False when it waits for this expert no more."""
        upcoming = await self.upcoming(expert)
        return upcoming.call == call and await self._calls.answer(call, seat_name(Seat.EXPERT), expert.actor, answer)
