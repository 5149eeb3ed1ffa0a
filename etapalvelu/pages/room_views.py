"""What the room screen's templates need. Nothing of a customer is in it, for there is nothing."""

from collections.abc import Iterable

import msgspec

from etapalvelu.domain.places import ServicePoint
from etapalvelu.domain.session import Session


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """`/room` of a paired screen. `state` is empty without a session; `document_camera` is a label to leave alone."""

    name: str
    point: str
    phone: str = ""
    state: str = ""
    session: str = ""
    theme: str = ""
    place: int | None = None
    expert: str | None = None
    on_hold: bool = False
    document_camera: str = ""
    is_slow: bool = False
    last_try: bool = False


def session_in(room: str, sessions: Iterable[Session]) -> Session | None:
    """The open session of this room; there is one at most."""
    return next((session for session in sessions if session.room == room and session.is_open), None)


def room_view(
    name: str,
    point: ServicePoint | None,
    session: Session | None,
    place: int | None,
    document_camera: str = "",
    *,
    is_slow: bool = False,
) -> RoomView:
    around = RoomView(
        name=name,
        point=point.name if point else "",
        phone=point.phone if point else "",
        document_camera=document_camera,
    )
    if session is None:
        return around
    return msgspec.structs.replace(
        around,
        state=session.state,
        session=session.id,
        theme=session.theme,
        place=place,
        expert=session.successor or session.expert,
        on_hold=session.on_hold,
        is_slow=is_slow,
        last_try=session.failed_starts > 0,
    )
