"""The admin's forms for what is there already: a point, a room, a theme's hours, a person's facts.

Nothing is taken away that the log may refer to: it goes out of use. Each change is kept with who made it.
"""

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from aiohttp import web

from etapalvelu.domain.codes import Language as ServiceLanguage
from etapalvelu.domain.errors import InvalidFieldError, NotFoundError, RefusalError
from etapalvelu.domain.people import Staff
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.themes import Theme, WeekHours
from etapalvelu.hours import themes_today
from etapalvelu.pages.admin_changes import clock, hours_words, record, record_fields
from etapalvelu.pages.failures import problem_words, words
from etapalvelu.pages.forms import (
    Choice,
    Fields,
    FormError,
    FormView,
    changed_hours,
    changed_point,
    changed_room,
    codes,
    staff_request,
)
from etapalvelu.pages.site import Site, language_of, site_of
from etapalvelu.ports import HOURS, QUEUE, point_topic, room_topic
from etapalvelu.statuses import status_of

PAGE = "admin_edit.html"
Values = Mapping[str, tuple[str, ...]]
T = TypeVar("T")


async def show_point(request: web.Request) -> web.StreamResponse:
    point = await _point(request)
    return await _page(request, "point", point.name, FormView(values_by_name=_of_point(point)))


async def change_point(request: web.Request) -> web.StreamResponse:
    point, site, fields = await _point(request), site_of(request), Fields(await request.post())
    try:
        changed = changed_point(fields, point)
    except FormError as error:
        return await _again(request, "point", point.name, fields, error)
    await site.places.change_point(changed)
    await record(request, "point", point.id, point, changed)
    rooms = await site.places.rooms(point.id)
    site.board.announce({QUEUE, HOURS, point_topic(point.id), *(room_topic(room.id) for room in rooms)})
    return _back("points")


async def show_room(request: web.Request) -> web.StreamResponse:
    room = await _room(request)
    return await _page(request, "room", room.name, FormView(values_by_name=_of_room(room)))


async def change_room(request: web.Request) -> web.StreamResponse:
    room, site, fields = await _room(request), site_of(request), Fields(await request.post())
    try:
        changed = changed_room(fields, room)
    except FormError as error:
        return await _again(request, "room", room.name, fields, error)
    await site.places.change_room(changed)
    await record(request, "room", room.id, room, changed)
    site.board.announce({QUEUE, point_topic(room.point), room_topic(room.id)})
    return _back("points")


async def show_theme(request: web.Request) -> web.StreamResponse:
    theme, _ = await _theme(request)
    return await _page(request, "theme", _name(request, theme), FormView(values_by_name=_of_week(theme.hours)))


async def change_theme(request: web.Request) -> web.StreamResponse:
    """New hours, or with `usual` those it was made with."""
    (theme, made), site, fields = await _theme(request), site_of(request), Fields(await request.post())
    try:
        hours = made.hours if fields.text("deed", required=False) == "usual" else changed_hours(fields)
    except FormError as error:
        return await _again(request, "theme", _name(request, theme), fields, error)
    await site.places.set_theme_hours(theme.key, None if hours == made.hours else hours)
    await record(request, "theme", theme.key, theme, msgspec.structs.replace(theme, hours=hours))
    site.board.announce({QUEUE, HOURS})
    return _back("themes")


async def show_staff(request: web.Request) -> web.StreamResponse:
    account = await site_of(request).accounts.account(request.match_info["account"])
    if account is None:
        raise NotFoundError
    return await _page(request, "staff", account.staff.account, FormView(values_by_name=_of_staff(account.staff)))


async def change_facts(request: web.Request, staff: Staff, fields: Fields) -> web.StreamResponse:
    site = site_of(request)
    try:
        asked = staff_request(fields, staff)
        changed = await site.access.change_staff(staff.account, asked)
    except (FormError, RefusalError) as error:
        return await _again(request, "staff", staff.account, fields, error)
    await record(request, "staff", staff.account, staff, changed)
    if asked.password:
        await record_fields(request, "staff", staff.account, {"password": (None, None)})
    return _back("staff")


async def _point(request: web.Request) -> ServicePoint:
    return _there(await site_of(request).places.point(request.match_info["point"]))


async def _room(request: web.Request) -> Room:
    return _there(await site_of(request).places.room(request.match_info["room"]))


async def _theme(request: web.Request) -> tuple[Theme, Theme]:
    """The theme as it is today, and as it was made."""
    site = site_of(request)
    made = _there(next((theme for theme in site.themes if theme.key == request.match_info["theme"]), None))
    (today,) = await themes_today([made], site.places)
    return today, made


def _there(found: T | None) -> T:
    if found is None:
        raise NotFoundError
    return found


def _name(request: web.Request, theme: Theme) -> str:
    return language_of(request).text(f"theme.{theme.key}")


def _of_point(point: ServicePoint) -> Values:
    return {
        "point_name": (point.name,),
        "municipality": (point.municipality,),
        "phone": (point.phone,),
        "opens_on": (point.opens_on.isoformat(),),
        "in_use": ("yes",) if point.in_use else (),
        **_of_week(point.hours),
    }


def _of_room(room: Room) -> Values:
    fit_from = "" if room.fit_from is None else room.fit_from.isoformat()
    return {"room_name": (room.name,), "fit_from": (fit_from,), "in_use": ("yes",) if room.in_use else ()}


def _of_week(hours: WeekHours) -> Values:
    return {
        f"{end}_{day}": (clock(at),)
        for day, spell in hours.items()
        for end, at in (("opens", spell.opens), ("closes", spell.closes))
    }


def _of_staff(staff: Staff) -> Values:
    return {
        "name": (staff.name,),
        "title": (staff.title,),
        "role": (staff.role,),
        "point": (staff.point or "",),
        "themes": staff.themes,
        "languages": staff.languages,
    }


async def _again(
    request: web.Request, kind: str, title: str, fields: Fields, error: FormError | RefusalError
) -> web.StreamResponse:
    """The form as it was sent, and words beside what is wrong in it."""
    language, refusal, problems, status = language_of(request), "", dict[str, str](), 422
    if isinstance(error, FormError):
        problems = error.problems
    elif isinstance(error, InvalidFieldError):
        problems = {error.field: error.problem}
    else:
        refusal, status = words(error, language), status_of(error)
    form = FormView(values_by_name=fields.kept(), errors=problem_words(problems, language), refusal=refusal)
    return await _page(request, kind, title, form, status)


async def _page(request: web.Request, kind: str, title: str, form: FormView, status: int = 200) -> web.StreamResponse:
    site = site_of(request)
    values = {"kind": kind, "title": title, "form": form, "choices": await _choices(site, request)}
    if kind == "theme":
        _, made = await _theme(request)
        values["usual"] = hours_words(made.hours, language_of(request))
    if kind == "staff":
        values["staff"] = _there(await site.accounts.account(request.match_info["account"])).staff
    return await site.page(request, PAGE, values, status)


async def _choices(site: Site, request: web.Request) -> dict[str, tuple[Choice, ...]]:
    language = language_of(request)
    return {
        "point": tuple((await site.point_names()).items()),
        "theme": tuple((theme.key, language.text(f"theme.{theme.key}")) for theme in site.themes if theme.offered),
        "language": codes(ServiceLanguage, "language", language.text),
    }


def _back(part: str) -> web.Response:
    return web.Response(status=303, headers={"Location": f"/admin#{part}"})
