"""The admin's page: points, rooms and their devices, staff. Each form posts to its own address and comes back here."""

from collections import defaultdict

from aiohttp import web

from etapalvelu.access import visitor_of
from etapalvelu.domain.codes import Language as ServiceLanguage
from etapalvelu.domain.errors import InvalidFieldError, NotFoundError, RefusalError
from etapalvelu.domain.people import STAFF_ROLES, Role
from etapalvelu.hours import themes_today
from etapalvelu.pages.admin_changes import MOST_SHOWN, change_view, hours_words, record, record_fields
from etapalvelu.pages.admin_edit import change_facts
from etapalvelu.pages.admin_views import AdminView, PairingView, PointBlock, RoomBlock, ThemeBlock
from etapalvelu.pages.advisor_views import RoomTile
from etapalvelu.pages.board_views import room_tile_of
from etapalvelu.pages.failures import problem_words, words
from etapalvelu.pages.forms import Choice, Fields, FormError, FormView, codes, new_point, new_room, staff_request
from etapalvelu.pages.site import language_of, site_of
from etapalvelu.ports import Login, point_topic, room_topic
from etapalvelu.statuses import status_of

# Fields whose names the domain and the form spell differently.
FIELD_NAMES = {"point": {"id": "point_id"}, "room": {"id": "room_id", "point": "room_point"}}


async def show(request: web.Request) -> web.StreamResponse:
    return await _page(request)


async def add_point(request: web.Request) -> web.StreamResponse:
    site, fields = site_of(request), Fields(await request.post())
    try:
        point = new_point(fields)
        if await site.places.point(point.id) is not None:
            raise InvalidFieldError("id", "taken")
        await site.places.add_point(point)
        await record(request, "point", point.id, None, point)
    except (FormError, RefusalError) as error:
        return await _form_again(request, "point", fields, error)
    return _back("points")


async def add_room(request: web.Request) -> web.StreamResponse:
    site, fields = site_of(request), Fields(await request.post())
    try:
        room = new_room(fields)
        if await site.places.room(room.id) is not None:
            raise InvalidFieldError("id", "taken")
        if await site.places.point(room.point) is None:
            raise InvalidFieldError("point")
        await site.places.add_room(room)
        await record(request, "room", room.id, None, room)
    except (FormError, RefusalError) as error:
        return await _form_again(request, "room", fields, error)
    site.board.announce({point_topic(room.point)})
    return _back("points")


async def add_staff(request: web.Request) -> web.StreamResponse:
    site, fields = site_of(request), Fields(await request.post())
    try:
        added = await site.access.create_account(staff_request(fields))
        await record(request, "staff", added.account, None, added)
    except (FormError, RefusalError) as error:
        return await _form_again(request, "staff", fields, error)
    return _back("staff")


async def make_pairing_code(request: web.Request) -> web.StreamResponse:
    """A new code for the room's screen or agent, on the page this once."""
    site, fields = site_of(request), Fields(await request.post())
    room = await site.places.room(request.match_info["room"])
    if room is None:
        raise NotFoundError
    kind = Role.AGENT if fields.text("kind") == Role.AGENT else Role.ROOM
    code = await site.access.add_pairing_code(room.id, kind)
    shown = PairingView(room=room.name, kind=kind, code=f"{code[:4]}-{code[4:]}", server=str(request.url.origin()))
    return await _page(request, pairing=shown)


async def revoke_device(request: web.Request) -> web.StreamResponse:
    site, fields = site_of(request), Fields(await request.post())
    room_id = request.match_info["room"]
    for login in await site.accounts.logins(room=room_id):
        if login.id == fields.text("login"):
            await site.access.revoke(login)
            await record_fields(request, "device", room_id, {"device": (str(login.role), None)})
    site.board.announce({room_topic(room_id)})
    return _back("points")


async def change_staff(request: web.Request) -> web.StreamResponse:
    """Change its facts, shut it out or let it in again, or end its logins. Nobody shuts themselves out."""
    site, fields, account = site_of(request), Fields(await request.post()), request.match_info["account"]
    known = await site.accounts.account(account)
    if known is None:
        raise NotFoundError
    match fields.text("deed"):
        case "sign_out":
            for login in await site.accounts.logins(account=account):
                await site.access.revoke(login)
        case "close" if account != visitor_of(request).account:
            await site.access.set_active(account, False)
            await record_fields(request, "staff", account, {"in_use": (True, False)})
        case "open":
            await site.access.set_active(account, True)
            await record_fields(request, "staff", account, {"in_use": (False, True)})
        case "change":
            return await change_facts(request, known.staff, fields)
        case _:
            raise InvalidFieldError("deed")
    return _back("staff")


async def _page(
    request: web.Request,
    forms: dict[str, FormView] | None = None,
    pairing: PairingView | None = None,
    status: int = 200,
) -> web.Response:
    site, view = site_of(request), await _view(request)
    given = forms or {}
    values = {
        "view": view,
        "pairing": pairing,
        "choices": _choices(request, view),
        **{f"{name}_form": given.get(name, FormView()) for name in ("point", "room", "staff")},
    }
    return await site.page(request, "admin.html", values, status)


async def _view(request: web.Request) -> AdminView:
    site, visitor = site_of(request), visitor_of(request)
    language = language_of(request)
    points = await site.reports.points(visitor.person)
    names = {point.id: point.name for point in points}
    tiles: dict[str, list[RoomTile]] = defaultdict(list)
    devices: dict[str, list[Login]] = {}
    in_use = {}
    for state in await site.reports.rooms(visitor.person, given_up=True):
        in_use[state.room.id] = state.room.in_use
        tiles[state.room.point].append(room_tile_of(state, names.get(state.room.point, state.room.point), site.clock()))
        devices[state.room.id] = await site.accounts.logins(room=state.room.id)
    accounts = await site.accounts.accounts()
    people = {account.staff.account: account.staff.shown_name for account in accounts}
    themes = await themes_today(site.themes, site.places)
    return AdminView(
        points=tuple(
            PointBlock(
                point=point,
                hours=hours_words(point.hours, language),
                rooms=tuple(
                    RoomBlock(tile=tile, in_use=in_use[tile.id], devices=tuple(devices[tile.id])) for tile in tiles[point.id]
                ),
            )
            for point in points
        ),
        themes=tuple(
            ThemeBlock(key=now.key, hours=hours_words(now.hours, language), is_own=now.hours != made.hours)
            for now, made in zip(themes, site.themes, strict=True)
        ),
        staff=tuple(sorted(accounts, key=lambda account: (account.staff.role, account.staff.account))),
        changes=tuple(change_view(change, people, language) for change in await site.places.changes(MOST_SHOWN)),
        point_names=names,
    )


def _choices(request: web.Request, view: AdminView) -> dict[str, tuple[Choice, ...]]:
    site, language = site_of(request), language_of(request)
    return {
        "point": tuple(view.point_names.items()),
        "role": codes(STAFF_ROLES, "role", language.text),
        "theme": tuple((theme.key, language.text(f"theme.{theme.key}")) for theme in site.themes if theme.offered),
        "language": codes(ServiceLanguage, "language", language.text),
    }


async def _form_again(request: web.Request, name: str, fields: Fields, error: FormError | RefusalError) -> web.Response:
    """The page with the form as it was sent, and words beside what is wrong in it."""
    language = language_of(request)
    refusal, problems, status = "", dict[str, str](), 422
    if isinstance(error, FormError):
        problems = error.problems
    elif isinstance(error, InvalidFieldError):
        problems = {FIELD_NAMES.get(name, {}).get(error.field, error.field): error.problem}
    else:
        refusal, status = words(error, language), status_of(error)
    form = FormView(values_by_name=fields.kept(), errors=problem_words(problems, language), refusal=refusal)
    return await _page(request, {name: form}, status=status)


def _back(part: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/admin#{part}"})
