"""The expert's page: what it shows now, whole and in the parts that are kept fresh. Its deeds go to the API."""

from collections.abc import Mapping, Sequence

from etapalvelu.domain.codes import State
from etapalvelu.domain.people import Staff
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import Theme
from etapalvelu.pages.expert_views import expert_view, own_session, session_facts
from etapalvelu.pages.render import Renderer
from etapalvelu.ports import Clock, PlaceStore
from etapalvelu.reports import Reports

TEMPLATE = "expert.html"

# Element on the page -> the template of what stands in it.
FRAGMENTS: Mapping[str, str] = {
    "queue": "expert-queue.html",
    "queue-words": "expert-count.html",
    "session-facts": "expert-facts.html",
}


class ExpertPage:
    """Made once by `pages.routes`. Who asks has been let in already."""

    def __init__(
        self, *, reports: Reports, places: PlaceStore, themes: Sequence[Theme], renderer: Renderer, clock: Clock
    ) -> None:
        self._reports = reports
        self._places = places
        self._themes = themes
        self._renderer = renderer
        self._clock = clock

    async def values(self, expert: Staff) -> dict[str, object]:
        """What the page's templates ask for, besides the frame."""
        known = await self._reports.open_sessions(expert)
        rooms = {room.id: room.name for room in await self._places.rooms()}
        points = {point.id: point.name for point in await self._places.points()}
        session = own_session(expert, known)
        return {
            "view": expert_view(expert, known, self._themes, rooms, points),
            "session": session_facts(session, rooms, points) if session else None,
            "now": self._clock(),
        }

    async def fragments(self, expert: Staff, lang: str) -> dict[str, str]:
        """The parts of the page that change, by the element they stand in."""
        values = await self.values(expert)
        return {target: self._renderer.page(template, lang, values) for target, template in FRAGMENTS.items()}

    async def state(self, expert: Staff) -> tuple[str, str]:
        """State and id of the session the expert has now; both empty without one."""
        return told_state(own_session(expert, await self._reports.open_sessions(expert)))


def told_state(session: Session | None) -> tuple[str, str]:
    """What `data-state` says: empty without a session."""
    if session is None or session.state is State.CLOSED:
        return "", ""
    return session.state, session.id
