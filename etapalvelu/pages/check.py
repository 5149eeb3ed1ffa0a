"""The button "Check the room" as a plain form; with script it is the API's call, and the page is not loaded."""

from aiohttp import web

from etapalvelu.access import visitor_of
from etapalvelu.pages.forms import Fields
from etapalvelu.pages.site import site_of


async def ask_as_advisor(request: web.Request) -> web.StreamResponse:
    return await _ask(request, "/advisor")


async def ask_as_supervisor(request: web.Request) -> web.StreamResponse:
    return await _ask(request, "/supervisor")


async def _ask(request: web.Request, back: str) -> web.StreamResponse:
    fields = Fields(await request.post())
    await site_of(request).dawn.ask(visitor_of(request).person, fields.text("room", required=False))
    raise web.HTTPSeeOther(back)
