"""The expert's page: what it shows now, whole and in the parts that are kept fresh. Its deeds go to the API."""

from collections.abc import Mapping

from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.domain.people import may_know
from etapalvelu.domain.session import Session
from etapalvelu.pages.expert_views import colleagues, expert_view, own_session, session_facts
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import Site, site_of, staff_of

PAGE = "expert.html"

# Element on the page -> the template of what stands in it.
FRAGMENTS: Mapping[str, str] = {
    "queue": "expert-queue.html",
    "queue-words": "expert-count.html",
    "session-facts": "expert-facts.html",
    "session-news": "expert-news.html",
}


async def show(request: web.Request) -> web.StreamResponse:
    site = site_of(request)
    visitor = visitor_of(request)
    values = await expert_values(site, visitor) | {"colleagues": colleagues(staff_of(visitor), await site.accounts.accounts())}
    return await site.page(request, PAGE, values)


async def expert_values(site: Site, visitor: Visitor) -> dict[str, object]:
    """What the page's templates ask for, besides the frame."""
    expert = staff_of(visitor)
    known = await _known(site, visitor)
    rooms = await site.room_names()
    points = await site.point_names()
    session = own_session(expert, known)
    names = await site.names((session.expert, session.successor)) if session else {}
    return {
        "view": expert_view(expert, known, site.themes, rooms, points),
        "session": session_facts(session, expert, names, rooms, points, is_slow=site.timers.is_slow(session))
        if session
        else None,
        "now": site.clock(),
    }


async def fragments(site: Site, visitor: Visitor, language: Language) -> dict[str, str]:
    """The parts of the page that change, by the element they stand in."""
    values = await expert_values(site, visitor)
    return {target: site.fragment(template, language, values) for target, template in FRAGMENTS.items()}


async def current(site: Site, visitor: Visitor) -> Session | None:
    """The open session the expert has now."""
    return own_session(staff_of(visitor), await _known(site, visitor))


async def _known(site: Site, visitor: Visitor) -> list[Session]:
    return [session for session in await site.sessions.open_sessions() if may_know(visitor.person, session)]
