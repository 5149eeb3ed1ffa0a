"""The supervisor's log, and one session drawn to scale. They read only; how things are now stands in `board`."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.domain.codes import State
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.pages.asked import asked_day, asked_moment, midnight_of
from etapalvelu.pages.exports import answer_csv
from etapalvelu.pages.failures import problem_words
from etapalvelu.pages.forms import Choice, FormView, codes
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import Site, language_of, site_of
from etapalvelu.pages.supervisor_views import (
    COLUMNS,
    PAGE_ROWS,
    USUAL_COLUMNS,
    LogRow,
    TimelineView,
    accounts_in,
    log_view,
    timeline_view,
)
from etapalvelu.ports import Named, SessionFilter
from etapalvelu.reports import Timeline

FILTERS = ("from", "to", "point", "theme", "state", "text")

COLUMNS_COOKIE = "etapalvelu-log-columns"
LONGEST_SEARCH = 80


async def show_log(request: web.Request) -> web.StreamResponse:
    """The log by filter, newest first. A filter that cannot be read is said beside its field, and nothing is listed."""
    site, visitor, language = site_of(request), visitor_of(request), language_of(request)
    asked = _asked(request)
    rows: list[LogRow] = []
    which, errors, status = SessionFilter(limit=PAGE_ROWS), dict[str, str](), 200
    try:
        which = await _filter(site, asked, request.query.get("after", ""))
        # One row more than is shown tells whether there is an older page.
        more = msgspec.structs.replace(which, limit=PAGE_ROWS + 1)
        points, rooms = await site.point_names(), await site.room_names()
        found = await site.reports.select(visitor.person, more)
        names = await site.names(account for session in found for account in (session.expert, session.advisor))
        rows = [
            LogRow(
                session=session,
                point=points.get(session.point, session.point),
                room=rooms.get(session.room, session.room),
                expert=names.get(session.expert or ""),
                advisor=names[session.advisor],
            )
            for session in found
        ]
    except InvalidFieldError as error:
        errors, status = problem_words({error.field: error.problem}, language), 422
    form = FormView(errors=errors, choices=await _filter_choices(site, visitor, language))
    columns = _columns(request)
    values = {"view": log_view(rows, which, asked, columns), "asked": asked, "form": form}
    response = await site.page(request, "supervisor_sessions.html", values, status)
    if "column" in request.query:
        response.set_cookie(
            COLUMNS_COOKIE, ".".join(columns), max_age=365 * 24 * 3600, httponly=True, samesite="Lax", secure=request.secure
        )
    return response


async def export(request: web.Request) -> web.StreamResponse:
    """The whole log by filter as CSV, written as it is read."""
    site, visitor = site_of(request), visitor_of(request)
    rows = site.reports.csv_rows(visitor.person, await _filter(site, _asked(request), ""))
    return await answer_csv(request, rows, "etapalvelu.csv")


async def show_session(request: web.Request) -> web.StreamResponse:
    site = site_of(request)
    known = await site.reports.timeline(visitor_of(request).person, request.match_info["id"])
    return await site.page(request, "supervisor_session.html", {"view": await _drawn(site, known, language_of(request))})


async def watched_session_view(site: Site, visitor: Visitor, session_id: str, language: Language) -> TimelineView:
    """The session again for whoever has its page open: that they look at it was noted when the page was read."""
    return await _drawn(site, await site.reports.watched(visitor.person, session_id), language)


async def _drawn(site: Site, known: Timeline, language: Language) -> TimelineView:
    point, room = await site.places.point(known.session.point), await site.places.room(known.session.room)
    names = (point.name if point else known.session.point, room.name if room else known.session.room)
    named = [*(account for entry in known.entries for account in accounts_in(entry)), *(one.account for one in known.refused)]
    people = await site.names(named)
    return timeline_view(known, names, people, language, site.clock())


def _asked(request: web.Request) -> dict[str, str]:
    return {name: request.query.get(name, "").strip() for name in FILTERS}


def _columns(request: web.Request) -> tuple[str, ...]:
    """Those the address names, else those this browser remembers, else the usual ones; in their own order."""
    named = request.query.getall("column", []) or request.cookies.get(COLUMNS_COOKIE, "").split(".")
    return tuple(name for name in COLUMNS if name in named) or USUAL_COLUMNS


async def _filter(site: Site, asked: Mapping[str, str], after: str) -> SessionFilter:
    """The filter of an address. Both days are counted in. Raises `InvalidFieldError`."""
    if asked["state"] and asked["state"] not in set(State):
        raise InvalidFieldError("state")
    until = asked_day(asked["to"], "to")
    return SessionFilter(
        since=midnight_of(asked_day(asked["from"], "from")),
        until=midnight_of(until + timedelta(days=1) if until else None),
        point=asked["point"] or None,
        theme=asked["theme"] or None,
        state=State(asked["state"]) if asked["state"] else None,
        named=await _named(site, asked["text"]),
        after=_after(after),
        limit=PAGE_ROWS,
    )


async def _named(site: Site, text: str) -> Named | None:
    """What the typed text may name. Nobody needs to know how a name is spelled in capitals."""
    if not text:
        return None
    if len(text) > LONGEST_SEARCH:
        raise InvalidFieldError("text", "too_long")
    part = text.casefold()
    staff = [account.staff for account in await site.accounts.accounts()]
    return Named(
        id=text,
        rooms=tuple(key for key, name in (await site.room_names()).items() if part in name.casefold()),
        points=tuple(key for key, name in (await site.point_names()).items() if part in name.casefold()),
        accounts=tuple(one.account for one in staff if part in one.name.casefold() or part in one.account),
    )


def _after(text: str) -> tuple[datetime, str] | None:
    """The last row of the page before."""
    at, _, session_id = text.partition("~")
    moment = asked_moment(at)
    return None if moment is None or not session_id else (moment, session_id)


async def _filter_choices(site: Site, visitor: Visitor, language: Language) -> dict[str, tuple[Choice, ...]]:
    return {
        "point": tuple((point.id, point.name) for point in await site.reports.points(visitor.person)),
        "theme": tuple((theme.key, language.text(f"theme.{theme.key}")) for theme in site.themes),
        "state": codes(State, "state", language.text),
    }
