"""The room screen: pairing with a code, and what the paired screen shows now, whole and in the parts kept fresh."""

from collections.abc import Mapping

from aiohttp import web

from etapalvelu.access import Visitor, visitor_if_any
from etapalvelu.cookies import cookie_name, renew_cookie, set_cookie
from etapalvelu.domain.errors import RefusalError, WrongCredentialsError
from etapalvelu.domain.people import Device, Role
from etapalvelu.domain.session import Session
from etapalvelu.pages.failures import words
from etapalvelu.pages.language import Language
from etapalvelu.pages.room_views import room_view
from etapalvelu.pages.site import Site, language_of, site_of
from etapalvelu.statuses import status_of

PAGE = "room.html"
PAIR_PAGE = "room-pair.html"

# Element on the page -> the template of what stands in it.
FRAGMENTS: Mapping[str, str] = {"calm": "room-words.html", "expert-name": "room-person.html", "slow": "room-slow.html"}


async def show(request: web.Request) -> web.StreamResponse:
    """The room's screen. `?pair=CODE` pairs this browser first; a code is never left in the address."""
    if "pair" in request.query:
        return await _pair(request, request.query["pair"])
    site, visitor = site_of(request), visitor_if_any(request)
    if visitor is None:
        was_paired = cookie_name(request, Role.ROOM) in request.cookies
        return await _pair_form(request, language_of(request).text("room.pair_replaced") if was_paired else "")
    response = await site.page(request, PAGE, await room_values(site, visitor, await current(site, visitor)))
    renew_cookie(request, response, Role.ROOM)
    return response


async def pair(request: web.Request) -> web.StreamResponse:
    """The code as typed."""
    return await _pair(request, str((await request.post()).get("pair", "")))


async def room_values(site: Site, visitor: Visitor, session: Session | None) -> dict[str, object]:
    """What the page's templates ask for, besides the frame; `session` is the one that is open in the room."""
    screen = _screen_of(visitor)
    room, point = await site.places.room(screen.room), await site.places.point(screen.point)
    place = await site.reports.place(session) if session else None
    devices = (await site.places.devices([screen.room]))[screen.room]
    name = room.name if room else screen.room
    serving = (session.successor or session.expert) if session else None
    expert = (await site.accounts.staff([serving])).get(serving) if serving else None
    is_slow = session is not None and site.timers.is_slow(session)
    return {"room": room_view(name, point, session, place, expert, devices.document_camera_name, is_slow=is_slow)}


async def fragments(site: Site, visitor: Visitor, language: Language, session: Session | None) -> dict[str, str]:
    """The parts of the page that change, by the element they stand in."""
    values = await room_values(site, visitor, session)
    return {target: site.fragment(template, language, values) for target, template in FRAGMENTS.items()}


async def current(site: Site, visitor: Visitor) -> Session | None:
    """The open session in this room."""
    return await site.reports.open_in_room(_screen_of(visitor).room)


async def _pair(request: web.Request, code: str) -> web.StreamResponse:
    try:
        signed_in = await site_of(request).access.pair(code, Role.ROOM, request.remote)
    except WrongCredentialsError as refusal:
        return await _pair_form(request, language_of(request).text("room.pair_wrong"), status_of(refusal))
    except RefusalError as refusal:
        return await _pair_form(request, words(refusal, language_of(request)), status_of(refusal))
    response = web.Response(status=303, headers={"Location": "/room"})
    set_cookie(request, response, signed_in.visitor.role, signed_in.secret)
    return response


async def _pair_form(request: web.Request, error: str = "", status: int = 200) -> web.StreamResponse:
    return await site_of(request).page(request, PAIR_PAGE, {"code": "", "error": error}, status)


def _screen_of(visitor: Visitor) -> Device:
    if not isinstance(visitor.person, Device):
        raise TypeError(visitor.person)
    return visitor.person
