"""The room screen's page: what the paired screen shows now, whole and in the parts that are kept fresh."""

from collections.abc import Mapping

from etapalvelu.domain.people import Device
from etapalvelu.domain.queue import place_of
from etapalvelu.pages.expert import told_state
from etapalvelu.pages.render import Renderer
from etapalvelu.pages.room_views import room_view, session_in
from etapalvelu.ports import PlaceStore, SessionStore

TEMPLATE = "room.html"
PAIR_TEMPLATE = "room-pair.html"

# Element on the page -> the template of what stands in it.
FRAGMENTS: Mapping[str, str] = {"calm": "room-words.html", "expert-name": "room-person.html"}


class RoomPage:
    """Made once by `pages.routes`. Who asks is the paired screen of the room."""

    def __init__(self, *, sessions: SessionStore, places: PlaceStore, renderer: Renderer) -> None:
        self._sessions = sessions
        self._places = places
        self._renderer = renderer

    async def values(self, screen: Device) -> dict[str, object]:
        """What the page's templates ask for, besides the frame."""
        room, point = await self._places.room(screen.room), await self._places.point(screen.point)
        sessions = await self._sessions.open_sessions()
        session = session_in(screen.room, sessions)
        place = place_of(session, sessions) if session else None
        return {"room": room_view(room.name if room else screen.room, point, session, place)}

    async def fragments(self, screen: Device, lang: str) -> dict[str, str]:
        """The parts of the page that change, by the element they stand in."""
        values = await self.values(screen)
        return {target: self._renderer.page(template, lang, values) for target, template in FRAGMENTS.items()}

    async def state(self, screen: Device) -> tuple[str, str]:
        """State and id of the session in this room; both empty without one."""
        return told_state(session_in(screen.room, await self._sessions.open_sessions()))
