"""The room screen's page: what it shows now, whole and in the parts that are kept fresh."""

from collections.abc import Mapping

from etapalvelu.domain.people import Device
from etapalvelu.pages.expert import told_state
from etapalvelu.pages.render import Renderer
from etapalvelu.pages.room_views import RoomView, room_view
from etapalvelu.ports import PlaceStore
from etapalvelu.reports import Reports

TEMPLATE = "room.html"
PAIR_TEMPLATE = "room-pair.html"

# Element on the page -> the template of what stands in it.
FRAGMENTS: Mapping[str, str] = {"calm": "room-words.html", "expert-name": "room-person.html"}


class RoomPage:
    """Made once by `pages.routes`. Who asks is the paired screen of the room."""

    def __init__(self, *, reports: Reports, places: PlaceStore, renderer: Renderer) -> None:
        self._reports = reports
        self._places = places
        self._renderer = renderer

    async def values(self, screen: Device) -> dict[str, object]:
        """What the page's templates ask for, besides the frame."""
        return {"room": await self._view(screen)}

    async def fragments(self, screen: Device, lang: str) -> dict[str, str]:
        """The parts of the page that change, by the element they stand in."""
        values = await self.values(screen)
        return {target: self._renderer.page(template, lang, values) for target, template in FRAGMENTS.items()}

    async def state(self, screen: Device) -> tuple[str, str]:
        """The state and id of the session in this room; both empty without one."""
        return told_state(await self._reports.open_in_room(screen.room))

    async def _view(self, screen: Device) -> RoomView:
        room = await self._places.room(screen.room)
        point = await self._places.point(screen.point)
        session = await self._reports.open_in_room(screen.room)
        if room is None:
            return RoomView(name=screen.room, point=point.name if point else screen.point)
        place = await self._reports.place(session) if session else None
        return room_view(room, point, session, place)
