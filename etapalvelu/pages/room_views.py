"""What the room screen's templates need. Nothing of a customer is in it, for there is nothing."""

import msgspec

from etapalvelu.domain.codes import Seat
from etapalvelu.domain.people import Staff
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
    expert: str = ""
    title: str = ""
    on_hold: bool = False
    document_camera: str = ""
    is_slow: bool = False
    last_try: bool = False
    distrusted: tuple[Seat, ...] = ()


def room_view(
    name: str,
    point: ServicePoint | None,
    session: Session | None,
    place: int | None,
    expert: Staff | None = None,
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
        expert=expert.shown_name if expert else "",
        title=expert.title if expert else "",
        on_hold=session.on_hold,
        is_slow=is_slow,
        last_try=session.failed_starts > 0,
        distrusted=session.distrusted,
    )
