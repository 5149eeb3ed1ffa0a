"""The advisor's pages: the point with its open form, and one session."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.domain.codes import CauseClass, Readiness, Reason
from etapalvelu.domain.codes import Language as ServiceLanguage
from etapalvelu.domain.errors import InvalidFieldError, NotAllowedError, NotFoundError, RefusalError
from etapalvelu.domain.people import may_read
from etapalvelu.domain.places import ServicePoint
from etapalvelu.domain.queue import places_among
from etapalvelu.domain.readiness import room_readiness
from etapalvelu.domain.session import Session
from etapalvelu.hours import themes_today
from etapalvelu.pages.advisor_views import (
    AdvisorView,
    RoomTile,
    SessionView,
    ThemeChoice,
    open_lines,
    room_tiles,
    session_view,
    theme_choices,
)
from etapalvelu.pages.failures import problem_words, words
from etapalvelu.pages.forms import Choice, Fields, FormError, FormView, advisor_stay, close_request, codes, open_request
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import Site, language_of, new_key, site_of
from etapalvelu.statuses import status_of

PAGE = "advisor.html"
SESSION_PAGE = "advisor_session.html"


class _NotWarnedError(Exception):
    """The room does not work, and the advisor has not said that they know."""

    def __init__(self, room: str) -> None:
        super().__init__(room)
        self.room = room


async def show(request: web.Request) -> web.StreamResponse:
    site = site_of(request)
    view = await advisor_view(site, visitor_of(request))
    return await _point_page(request, view, FormView(values_by_name=_first_choices(view, language_of(request)), key=new_key()))


async def open_session(request: web.Request) -> web.StreamResponse:
    """Open, and go on to the session; or the form again with words, and what was chosen kept."""
    site, visitor, language = site_of(request), visitor_of(request), language_of(request)
    fields = Fields(await request.post())
    errors: dict[str, str] = {}
    refusal = ""
    try:
        wanted = open_request(fields)
        await _check_warned(site, visitor, fields, wanted.room)
        session = await site.desk.open(visitor.person, wanted, key=site.deed_key(visitor, fields, "open", wanted))
    except FormError as error:
        errors, status = problem_words(error.problems, language), 422
    except InvalidFieldError as error:
        errors, status = problem_words({error.field: error.problem}, language), 422
    except _NotWarnedError as error:
        # A question to the advisor, and no failure.
        refusal, status = language.text("advisor.room_broken", room=error.room), 200
    except RefusalError as error:
        refusal, status = words(error, language), status_of(error)
    else:
        raise web.HTTPSeeOther(f"/advisor/sessions/{session.id}")
    form = FormView(values_by_name=fields.kept(), errors=errors, refusal=refusal, key=new_key())
    return await _point_page(request, await advisor_view(site, visitor), form, status)


async def show_session(request: web.Request) -> web.StreamResponse:
    return await _session_page(request, request.match_info["id"])


async def close_session(request: web.Request) -> web.StreamResponse:
    """Cancel or close."""
    site, visitor = site_of(request), visitor_of(request)

    async def close(session_id: str, fields: Fields) -> None:
        wanted = close_request(fields)
        await site.desk.close(visitor.person, session_id, wanted, key=site.deed_key(visitor, fields, "close", wanted))

    return await _answer_deed(request, close, "cause")


async def stay_or_leave(request: web.Request) -> web.StreamResponse:
    """The customer wishes the advisor to be there, or not."""
    site, visitor = site_of(request), visitor_of(request)

    async def stay(session_id: str, fields: Fields) -> None:
        wanted = advisor_stay(fields)
        key = site.deed_key(visitor, fields, "stays", wanted)
        await site.desk.advisor_present(visitor.person, session_id, wanted.stays, key=key)

    return await _answer_deed(request, stay, "stays")


async def _answer_deed(request: web.Request, deed: Callable[[str, Fields], Awaitable[None]], field: str) -> web.StreamResponse:
    """Do the deed in the session of the address; whoever comes too late sees how it is now. `field` may be malformed."""
    session_id = request.match_info["id"]
    try:
        await deed(session_id, Fields(await request.post()))
    except NotFoundError:
        raise
    except FormError:
        return await _session_page(request, session_id, InvalidFieldError(field))
    except RefusalError as refusal:
        return await _session_page(request, session_id, refusal)
    raise web.HTTPSeeOther(f"/advisor/sessions/{session_id}")


async def advisor_view(site: Site, visitor: Visitor) -> AdvisorView:
    point = await _point(site, visitor)
    rooms = [room for room in await site.places.rooms(point.id) if room.in_use and point.in_use]
    everyone = await site.sessions.open_sessions()
    own = [session for session in everyone if session.point == point.id]
    return AdvisorView(
        point=point.name,
        phone=point.phone,
        rooms=room_tiles(
            rooms,
            await site.places.devices([room.id for room in rooms]),
            await site.places.checks([room.id for room in rooms]),
            own,
            point.name,
            site.clock(),
        ),
        sessions=open_lines(
            own,
            places_among(everyone),
            {room.id: room.name for room in rooms},
            await site.names(session.expert for session in own),
        ),
        themes=theme_choices(await themes_today(site.themes, site.places), point, site.clock(), site.calendar.is_holiday),
    )


async def watched_session_view(site: Site, visitor: Visitor, session_id: str) -> SessionView:
    """The session again for whoever has its page open: that they look at it was noted when the page was read."""
    session = await site.sessions.session(session_id)
    if session is None or not may_read(visitor.person, session):
        raise NotFoundError
    return await _seen(site, session)


async def _seen(site: Site, session: Session) -> SessionView:
    room = await site.places.room(session.room)
    return session_view(
        session,
        room.name if room else session.room,
        await site.places.point(session.point),
        await site.names((session.advisor, session.expert)),
        await site.reports.place(session),
        await site.timers.closing_time(session),
        site.clock(),
        is_slow=site.timers.is_slow(session),
    )


async def _check_warned(site: Site, visitor: Visitor, fields: Fields, room_id: str) -> None:
    """Raise `_NotWarnedError` for a room that does not work, unless its warning was confirmed."""
    if fields.text("room_anyway", required=False) == room_id:
        return
    room = await site.places.room(room_id)
    # What cannot be opened anyway is refused with its own reason.
    if room is None or room.point != visitor.person.point or await site.reports.open_in_room(room_id) is not None:
        return
    devices, checks = await site.places.devices([room_id]), await site.places.checks([room_id])
    if room_readiness(devices[room_id], checks[room_id], site.clock()) is Readiness.BROKEN:
        raise _NotWarnedError(room.name)


def session_values(view: SessionView, language: Language) -> dict[str, object]:
    """What the session's templates ask for, as a page and as fragments."""
    return {"view": view, "refusal": "", "cause_classes": codes(CauseClass, "cause_class", language.text)}


def point_values(view: AdvisorView, language: Language) -> dict[str, object]:
    """What the point's templates ask for, as a page and as fragments. The open form names the rooms as the fragments do."""
    return {"view": view, "room_words": {room.id: _room(room, language)[1] for room in view.rooms}}


def open_choices(view: AdvisorView, language: Language) -> dict[str, tuple[Choice, ...]]:
    """What may be chosen in the open form just now; what may not is shown with the reason."""
    return {
        "theme": tuple(_theme(theme, language) for theme in view.themes),
        "room": tuple(_room(room, language) for room in view.rooms),
        "language": codes(ServiceLanguage, "language", language.text),
        "reason": codes(Reason, "reason", language.text),
    }


async def _point(site: Site, visitor: Visitor) -> ServicePoint:
    point = await site.places.point(visitor.person.point) if visitor.person.point else None
    if point is None:
        raise NotAllowedError
    return point


async def _point_page(request: web.Request, view: AdvisorView, form: FormView, status: int = 200) -> web.Response:
    form = FormView(
        values_by_name=form.values_by_name,
        errors=form.errors,
        refusal=form.refusal,
        key=form.key,
        choices=open_choices(view, language_of(request)),
    )
    warned = next((room for room in view.rooms if room.id == form.value("room") and room.is_free and room.is_broken), None)
    values = point_values(view, language_of(request)) | {"form": form, "warned": warned}
    return await site_of(request).page(request, PAGE, values, status)


async def _session_page(request: web.Request, session_id: str, refusal: RefusalError | None = None) -> web.Response:
    site, language = site_of(request), language_of(request)
    session = await site.reports.session(visitor_of(request).person, session_id)
    values = session_values(await _seen(site, session), language)
    if refusal is None:
        return await site.page(request, SESSION_PAGE, values)
    return await site.page(request, SESSION_PAGE, {**values, "refusal": words(refusal, language)}, status_of(refusal))


def _first_choices(view: AdvisorView, language: Language) -> dict[str, tuple[str, ...]]:
    """The one room that is free and works, and the language the advisor reads; theme and reason are the customer's to tell."""
    free = [room for room in view.rooms if room.is_free]
    fit = [room for room in free if room.readiness in (Readiness.READY, Readiness.RELAY_ONLY)] or free
    return {"room": (fit[0].id,) if len(fit) == 1 else (), "language": (language.code,)}


def _theme(theme: ThemeChoice, language: Language) -> Choice:
    """Closed ones can be chosen all the same: an open page may be older than the hour, and a refusal tells the hours."""
    name = language.text(f"theme.{theme.key}")
    if not theme.offered:
        return theme.key, language.text("advisor.theme_not_offered", theme=name), True
    if theme.open_now or theme.opens_at is None:
        return theme.key, name
    return theme.key, language.text("advisor.theme_opens", theme=name, opens_at=language.weekday_clock(theme.opens_at))


def _room(room: RoomTile, language: Language) -> Choice:
    if not room.is_free:
        return room.id, language.text("advisor.room_in_use", room=room.name)
    return room.id, language.text("advisor.room_state", room=room.name, state=language.text(f"readiness.{room.readiness}"))
