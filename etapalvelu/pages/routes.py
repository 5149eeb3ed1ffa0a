"""Which handler answers at which address. Who may knock there stands in `etapalvelu.doors`."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
from aiohttp import web

from etapalvelu.access import Access
from etapalvelu.dawn import Dawn
from etapalvelu.desk import Desk
from etapalvelu.pages import (
    admin,
    admin_camera,
    admin_edit,
    advisor,
    assets,
    board,
    check,
    expert,
    live,
    login,
    month,
    room,
    supervisor,
    technical,
)
from etapalvelu.pages.failures import answer_failures, note_begun, speak_language
from etapalvelu.pages.feeds import FEEDS
from etapalvelu.pages.live import STREAMS, Streams, end_streams, keep_looking
from etapalvelu.pages.render import the_renderer
from etapalvelu.pages.site import SITE, Site
from etapalvelu.ports import AccountStore, Board, Calendar, Clock, PlaceStore, SessionStore
from etapalvelu.reports import Reports
from etapalvelu.setups import CameraSetups
from etapalvelu.technical import TechnicalLedger
from etapalvelu.timers import Timers

# The version stands in the address: what is behind it never changes.
FOR_EVER = "public, max-age=31536000, immutable"
FAVICON_KEPT = "public, max-age=86400"


class Pages(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that pages need; `attach` adds them, their streams and their static files to the application."""

    access: Access
    dawn: Dawn
    desk: Desk
    timers: Timers
    reports: Reports
    technical: TechnicalLedger
    sessions: SessionStore
    places: PlaceStore
    accounts: AccountStore
    calendar: Calendar
    board: Board
    setups: CameraSetups
    clock: Clock
    node: str
    longest_wait: timedelta

    def attach(self, app: web.Application) -> None:
        """Adds its two middlewares too: they must stand before the guard, whose refusals they put into words."""
        renderer = the_renderer()
        site = Site(**msgspec.structs.asdict(self), renderer=renderer)
        app[SITE], app[STREAMS] = site, Streams(site, FEEDS)
        app.middlewares.extend([speak_language, answer_failures])
        app.on_shutdown.append(end_streams)
        app.cleanup_ctx.append(keep_looking)
        app.on_response_prepare.extend([_keep_static, note_begun])
        app.add_routes(_ROUTES)
        app.router.add_static(f"/static/{renderer.version}", assets.STATIC)


async def favicon(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(Path(assets.STATIC, "favicon.svg"), headers={"Cache-Control": FAVICON_KEPT})


async def _keep_static(request: web.Request, response: web.StreamResponse) -> None:
    if request.path.startswith("/static/") and response.status in (200, 206, 304):
        response.headers["Cache-Control"] = FOR_EVER


_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_GETS: Sequence[tuple[str, _Handler]] = (
    ("/", login.front),
    ("/favicon.ico", favicon),
    ("/login", login.show),
    ("/live", live.answer),
    ("/advisor", advisor.show),
    ("/advisor/sessions/{id}", advisor.show_session),
    ("/expert", expert.show),
    ("/room", room.show),
    ("/supervisor", board.show),
    ("/supervisor/sessions", supervisor.show_log),
    ("/supervisor/sessions.csv", supervisor.export),
    ("/supervisor/sessions/{id}", supervisor.show_session),
    ("/supervisor/faults", technical.show),
    ("/supervisor/faults.csv", technical.export),
    ("/supervisor/reports", month.show),
    ("/admin", admin.show),
    ("/admin/points/{point}", admin_edit.show_point),
    ("/admin/rooms/{room}", admin_edit.show_room),
    ("/admin/rooms/{room}/camera", admin_camera.show),
    ("/admin/camera-sheet.pdf", admin_camera.sheet),
    ("/admin/themes/{theme}", admin_edit.show_theme),
    ("/admin/staff/{account}", admin_edit.show_staff),
)
_POSTS: Sequence[tuple[str, _Handler]] = (
    ("/login", login.sign_in),
    ("/logout", login.sign_out),
    ("/advisor", advisor.open_session),
    ("/advisor/check", check.ask_as_advisor),
    ("/supervisor/check", check.ask_as_supervisor),
    ("/advisor/sessions/{id}/close", advisor.close_session),
    ("/advisor/sessions/{id}/stays", advisor.stay_or_leave),
    ("/room", room.pair),
    ("/admin/points", admin.add_point),
    ("/admin/rooms", admin.add_room),
    ("/admin/points/{point}", admin_edit.change_point),
    ("/admin/rooms/{room}", admin_edit.change_room),
    ("/admin/themes/{theme}", admin_edit.change_theme),
    ("/admin/rooms/{room}/pairing", admin.make_pairing_code),
    ("/admin/rooms/{room}/revoke", admin.revoke_device),
    ("/admin/staff", admin.add_staff),
    ("/admin/staff/{account}", admin.change_staff),
)
_ROUTES = (
    *(web.get(path, handler, allow_head=path != "/live") for path, handler in _GETS),
    *(web.post(path, handler) for path, handler in _POSTS),
)
