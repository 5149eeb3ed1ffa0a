"""What the room screen's templates need. Nothing of a customer is in it, for there is nothing."""

import msgspec

from etapalvelu.domain.places import Room, ServicePoint
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


def room_view(room: Room, point: ServicePoint | None, session: Session | None, place: int | None) -> RoomView:
    name, phone = (point.name, point.phone) if point else (room.point, "")
    if session is None:
        return RoomView(name=room.name, point=name, phone=phone)
    return RoomView(
        name=room.name,
        point=name,
        phone=phone,
        state=session.state,
        session=session.id,
        theme=session.theme,
        place=place,
        expert=session.successor or session.expert,
        on_hold=session.on_hold,
    )
