"""Which doors there are and who may knock: one table of routes by role, and the guard that keeps it.

A route without a row is shut to everybody. What a person may do to the session behind the door, the deed itself decides.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from etapalvelu.access import CSRF_FIELD, CSRF_HEADER, VISITOR, Access, Visitor
from etapalvelu.attempts import Knocks, address_group
from etapalvelu.domain.errors import NotAllowedError, WrongCredentialsError
from etapalvelu.domain.people import Role
from etapalvelu.origin import check_origin

_log = structlog.get_logger("doors")

# No request carries more than this; pictures and files never pass the server.
MAX_BODY_BYTES = 64 * 1024

ADVISOR, EXPERT, SUPERVISOR, ADMIN = Role.ADVISOR, Role.EXPERT, Role.SUPERVISOR, Role.ADMIN
ROOM, AGENT = Role.ROOM, Role.AGENT
READERS = (SUPERVISOR, ADMIN)
EVERYBODY = tuple(Role)


class Kind(StrEnum):
    """How a door asks who is there, and how it refuses."""

    # For everybody; who has a login of the row's roles is known by it.
    OPEN = "open"
    # By cookie, posts with the token in the form; strangers are sent to sign in.
    PAGE = "page"
    # By bearer token, or cookie and the token in a header; strangers are told 401.
    API = "api"
    # The stream of fresh state: by bearer token, or the cookie of the role whose page asks.
    LIVE = "live"


class Door(msgspec.Struct, frozen=True):
    """One row: at this method and path these roles may knock."""

    method: str
    path: str
    kind: Kind
    roles: tuple[Role, ...] = ()


def _rows(kind: Kind, rows: Mapping[str, tuple[Role, ...]], prefix: str = "") -> tuple[Door, ...]:
    return tuple(
        Door(method=method, path=prefix + path, kind=kind, roles=roles)
        for name, roles in rows.items()
        for method, path in (name.split(" "),)
    )


DOORS: tuple[Door, ...] = (
    *_rows(
        Kind.OPEN,
        {
            "GET /": (),
            "GET /favicon.ico": (),
            "GET /static/*": (),
            "GET /healthz": (),
            "GET /readyz": (),
            "GET /metrics": (),
            "GET /login": (),
            "POST /login": (),
            "GET /room": (ROOM,),
            "POST /room": (ROOM,),
            # The ticket in its first message says who is there.
            "GET /call": (),
        },
    ),
    *_rows(
        Kind.PAGE,
        {
            "POST /logout": (ADVISOR, EXPERT, SUPERVISOR, ADMIN),
            "GET /advisor": (ADVISOR,),
            "POST /advisor": (ADVISOR,),
            "POST /advisor/check": (ADVISOR,),
            "GET /advisor/sessions/{id}": (ADVISOR,),
            "POST /advisor/sessions/{id}/close": (ADVISOR,),
            "POST /advisor/sessions/{id}/stays": (ADVISOR,),
            "GET /expert": (EXPERT,),
            "GET /supervisor": READERS,
            "POST /supervisor/check": (SUPERVISOR,),
            "GET /supervisor/sessions": READERS,
            "GET /supervisor/sessions.csv": READERS,
            "GET /supervisor/sessions/{id}": READERS,
            "GET /supervisor/faults": READERS,
            "GET /supervisor/faults.csv": READERS,
            "GET /supervisor/reports": READERS,
            "GET /admin": (ADMIN,),
            "POST /admin/points": (ADMIN,),
            "GET /admin/points/{point}": (ADMIN,),
            "POST /admin/points/{point}": (ADMIN,),
            "POST /admin/rooms": (ADMIN,),
            "GET /admin/rooms/{room}": (ADMIN,),
            "POST /admin/rooms/{room}": (ADMIN,),
            "GET /admin/rooms/{room}/camera": (ADMIN,),
            "GET /admin/camera-sheet.pdf": (ADMIN,),
            "POST /admin/rooms/{room}/pairing": (ADMIN,),
            "POST /admin/rooms/{room}/revoke": (ADMIN,),
            "GET /admin/themes/{theme}": (ADMIN,),
            "POST /admin/themes/{theme}": (ADMIN,),
            "POST /admin/staff": (ADMIN,),
            "GET /admin/staff/{account}": (ADMIN,),
            "POST /admin/staff/{account}": (ADMIN,),
        },
    ),
    *_rows(Kind.LIVE, {"GET /live": EVERYBODY}),
    *_rows(
        Kind.OPEN,
        {
            "GET /openapi.json": (),
            # The code in its body says which device is there.
            "POST /devices/pair": (),
        },
        prefix="/api/v1",
    ),
    *_rows(
        Kind.API,
        {
            "POST /sessions": (ADVISOR,),
            "GET /sessions": READERS,
            "POST /sessions/take": (EXPERT,),
            "GET /sessions/{id}": (ADVISOR, EXPERT, *READERS),
            "POST /sessions/{id}/claim": (EXPERT,),
            "POST /sessions/{id}/release": (EXPERT,),
            "POST /sessions/{id}/transfer": (EXPERT,),
            "POST /sessions/{id}/note": (EXPERT,),
            "POST /sessions/{id}/hold": (EXPERT,),
            "POST /sessions/{id}/continue": (EXPERT,),
            "POST /sessions/{id}/identify": (EXPERT,),
            "POST /sessions/{id}/advisor": (ADVISOR,),
            "POST /sessions/{id}/close": (ADVISOR, EXPERT, ROOM),
            "POST /sessions/{id}/ticket": (ADVISOR, EXPERT, ROOM, AGENT),
            "GET /queue": (EXPERT,),
            "GET /queue/next": (EXPERT,),
            "POST /queue/next/answer": (EXPERT,),
            "GET /rooms": (ADVISOR, *READERS),
            "POST /rooms/{id}/check": (ADVISOR, SUPERVISOR),
            "GET /rooms/{id}/checks": (ADVISOR, *READERS),
            "POST /rooms/{id}/camera": (ADMIN,),
            "POST /rooms/{id}/camera/look": (ADMIN,),
            "POST /rooms/{id}/camera/leave": (ADMIN,),
            "POST /devices/status": (AGENT,),
            "POST /devices/camera": (AGENT,),
            "GET /devices/check": (ROOM, AGENT),
            "POST /devices/check": (ROOM, AGENT),
            "GET /devices/speed": (ROOM, AGENT),
            "POST /devices/speed": (ROOM, AGENT),
        },
        prefix="/api/v1",
    ),
)

# Whose stream a page's name asks for, by the name's first word (`supervisor-sessions`).
LIVE_PAGES: Mapping[str, tuple[Role, ...]] = {
    "advisor": (ADVISOR,),
    "expert": (EXPERT,),
    "supervisor": READERS,
    "admin": (ADMIN,),
    "room": (ROOM,),
    "agent": (AGENT,),
}

_BY_ROUTE = {(door.method, door.path): door for door in DOORS}


def door_of(method: str, path: str) -> Door | None:
    """The row of a route: `path` is its pattern as registered. All static files have one row."""
    pattern = "/static/*" if path.startswith("/static") else path
    return _BY_ROUTE.get(("GET" if method == "HEAD" else method, pattern))


def guard(access: Access, origins: Collection[str] = (), knocks: Knocks | None = None) -> Middleware:
    """The middleware that keeps the table. Refusals are raised as `domain.errors`; pages and API give them words.

    Handlers behind it find who is there in `access.visitor_of(request)`.
    """

    counted = knocks or Knocks()

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith("/static/"):
            counted.check(address_group(request.remote))
        resource = request.match_info.route.resource
        if resource is None:
            return await handler(request)
        door = door_of(request.method, resource.canonical)
        if door is None:
            _log.error("door_without_a_row", method=request.method, path=resource.canonical)
            raise NotAllowedError
        if "\0" in request.path or any("\0" in text for text in request.query.values()):
            # No name of ours has one, and PostgreSQL takes none.
            raise web.HTTPBadRequest
        if request.method != "GET" or "upgrade" in request.headers.get("Connection", "").lower():
            check_origin(request, origins)
        visitor = await _let_in(access, door, request)
        if visitor is None and door.kind is Kind.PAGE:
            return _to_sign_in(request)
        if visitor is not None:
            request[VISITOR] = visitor
        return await handler(request)

    return middleware


async def _let_in(access: Access, door: Door, request: web.Request) -> Visitor | None:
    match door.kind:
        case Kind.OPEN:
            return await _first(access, request, door.roles)
        case Kind.PAGE:
            return await _at_page(access, door, request)
        case Kind.API:
            visitor = await access.by_bearer(request)
            if visitor is None:
                visitor = await access.by_csrf(request, request.headers.get(CSRF_HEADER), EVERYBODY)
            return _checked(visitor, door.roles)
        case Kind.LIVE:
            return await _at_stream(access, request)


async def _at_page(access: Access, door: Door, request: web.Request) -> Visitor | None:
    if request.method in ("GET", "HEAD"):
        visitor = await _first(access, request, door.roles)
    else:
        visitor = await access.by_csrf(request, await _form_token(request), door.roles)
    if visitor is not None:
        return visitor
    if await _first(access, request, EVERYBODY) is not None:
        raise NotAllowedError
    return None


def _to_sign_in(request: web.Request) -> web.Response:
    """Returned, not raised: the language that the address asks for is remembered on the answer."""
    wanted = {"next": str(request.rel_url)} if request.method in ("GET", "HEAD") else {}
    address = request.rel_url.with_path("/login").with_query(wanted)
    return web.Response(status=303, headers={"Location": str(address)})


async def _form_token(request: web.Request) -> str | None:
    try:
        token = (await request.post()).get(CSRF_FIELD)
    except (ValueError, LookupError) as error:
        raise web.HTTPBadRequest from error
    return token if isinstance(token, str) else None


async def _at_stream(access: Access, request: web.Request) -> Visitor:
    visitor = await access.by_bearer(request)
    page = request.query.get("page")
    roles = EVERYBODY if page is None else LIVE_PAGES.get(page.partition("-")[0].partition("_")[0], ())
    if visitor is None:
        visitor = await _first(access, request, roles) or await _first(access, request, EVERYBODY)
    return _checked(visitor, roles)


def _checked(visitor: Visitor | None, roles: Collection[Role]) -> Visitor:
    if visitor is None:
        raise WrongCredentialsError
    if visitor.role not in roles:
        raise NotAllowedError
    return visitor


async def _first(access: Access, request: web.Request, roles: Collection[Role]) -> Visitor | None:
    for role in roles:
        visitor = await access.by_cookie(request, role)
        if visitor is not None:
            return visitor
    return None
