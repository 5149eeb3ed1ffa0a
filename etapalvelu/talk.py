"""What may be said in a call, and by whom: one table of messages by role, and the attendance that keeps it."""

from collections.abc import Mapping
from datetime import datetime

import structlog

from etapalvelu.domain.codes import Seat
from etapalvelu.domain.people import Role
from signaling.attendance import Attendance
from signaling.call import MAY_SEND
from signaling.errors import RefusedError
from signaling.messages import Note, Quality, StillTaken
from signaling.messages import Seat as SeatName

_log = structlog.get_logger("talk")

_TALKERS = (Role.ROOM, Role.AGENT, Role.EXPERT, Role.ADVISOR)

# Who is seated where. The interpreter's seat is nobody's yet: no ticket leads to it.
SEATS: Mapping[Seat, Role | None] = {
    Seat.ROOM: Role.ROOM,
    Seat.CAMERA: Role.AGENT,
    Seat.EXPERT: Role.EXPERT,
    Seat.EXPERT2: Role.EXPERT,
    Seat.ADVISOR: Role.ADVISOR,
    Seat.INTERPRETER: None,
}

# Messages of the websocket (and the kinds of `noted`) by the role whose ticket led there.
MESSAGES: Mapping[str, tuple[Role, ...]] = {
    "hello": _TALKERS,
    "description": _TALKERS,
    "candidate": _TALKERS,
    "restart": _TALKERS,
    "quality": _TALKERS,
    "noted": _TALKERS,
    "bye": _TALKERS,
    "noted.decoded": (Role.ROOM, Role.EXPERT, Role.ADVISOR),
    "noted.interrupted": _TALKERS,
    "noted.resumed": _TALKERS,
    "noted.secured": _TALKERS,
    # The wire's own rule: a still is the camera's word.
    "noted.still_taken": tuple(role for seat, role in SEATS.items() if role is not None and str(seat) in MAY_SEND[StillTaken]),
}


def may_say(seat: Seat, message: str) -> bool:
    """Truth that whoever sits there may send this message, e.g. `restart` or `noted.still_taken`."""
    return SEATS[seat] in MESSAGES.get(message, ())


class GuardedAttendance:
    """Keeps the table of messages in front of the service: signaling knows seats, but not which role may say what.

    `description`, `candidate` and `restart` never reach the service: who may say `hello` may say them.
    """

    def __init__(self, behind: Attendance) -> None:
        self._behind = behind

    async def joined(self, call: str, seat: SeatName, who: str) -> None:
        if not may_say(Seat(seat), "hello"):
            raise RefusedError("not_allowed", "nobody is seated there")
        await self._behind.joined(call, seat, who)

    async def left(self, call: str, seat: SeatName, who: str, reason: str) -> None:
        await self._behind.left(call, seat, who, reason)

    async def interrupted(self, call: str, seat: SeatName, who: str, since: datetime) -> None:
        await self._behind.interrupted(call, seat, who, since)

    async def resumed(self, call: str, seat: SeatName, who: str, gap_ms: int) -> None:
        await self._behind.resumed(call, seat, who, gap_ms)

    async def noted(self, call: str, seat: SeatName, who: str, note: Note) -> None:
        """What this seat may not say is dropped: nothing of it reaches the log of the session."""
        if self._may(seat, f"noted.{note.__struct_config__.tag}"):
            await self._behind.noted(call, seat, who, note)

    async def sampled(self, call: str, seat: SeatName, who: str, quality: Quality) -> None:
        if self._may(seat, "quality"):
            await self._behind.sampled(call, seat, who, quality)

    def _may(self, seat: SeatName, message: str) -> bool:
        if may_say(Seat(seat), message):
            return True
        _log.warning("message_not_allowed", seat=seat, message=message)
        return False
