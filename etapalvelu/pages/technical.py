"""The supervisor's page of failures: what failed where and why, over time, and the list with links to the sessions."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta

import msgspec
from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.domain.codes import CauseClass
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.technical import FaultFilter
from etapalvelu.pages.asked import asked_day, asked_moment, midnight_of
from etapalvelu.pages.exports import answer_csv
from etapalvelu.pages.failures import problem_words
from etapalvelu.pages.forms import Choice, FormView, codes
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import Site, language_of, site_of
from etapalvelu.pages.technical_views import PAGE_ROWS, FaultsView, faults_view

FILTERS = ("from", "to", "point", "room", "cause")
# Without other wishes the last days up to today; no more than a year and a day at a time.
USUAL_DAYS = 30
MOST_DAYS = 366

_NUMBER = re.compile("[0-9]{1,9}")


async def show(request: web.Request) -> web.StreamResponse:
    """A filter that cannot be read is said beside its field, and nothing is listed."""
    site, visitor, language = site_of(request), visitor_of(request), language_of(request)
    asked = _asked(request)
    errors, status, view = dict[str, str](), 200, None
    try:
        span = _span(site, asked)
        view = await _view(site, visitor, asked, span, request.query.get("after", ""))
        asked |= {"from": span[0].isoformat(), "to": span[1].isoformat()}
    except InvalidFieldError as error:
        errors, status = problem_words({error.field: error.problem}, language), 422
    form = FormView(errors=errors, choices=await _choices(site, visitor, language))
    values = {"view": view, "asked": asked, "form": form}
    return await site.page(request, "supervisor_faults.html", values, status)


async def export(request: web.Request) -> web.StreamResponse:
    """All failures by filter as CSV."""
    site, asked = site_of(request), _asked(request)
    rows = site.technical.csv_rows(visitor_of(request).person, _filter(asked, _span(site, asked)))
    return await answer_csv(request, rows, "etapalvelu-faults.csv")


async def _view(site: Site, visitor: Visitor, asked: Mapping[str, str], span: tuple[date, date], after: str) -> FaultsView:
    which = _filter(asked, span)
    page = await site.technical.page(visitor.person, msgspec.structs.replace(which, after=_after(after)))
    figures = await site.technical.figures(visitor.person, which)
    return faults_view(figures, page, span, asked, (await site.point_names(), await site.room_names()))


def _asked(request: web.Request) -> dict[str, str]:
    return {name: request.query.get(name, "").strip() for name in FILTERS}


def _span(site: Site, asked: Mapping[str, str]) -> tuple[date, date]:
    """The first and the last day. Raises `InvalidFieldError`."""
    first, last = asked_day(asked["from"], "from"), asked_day(asked["to"], "to")
    last = last or max(site.today(), first or site.today())
    first = first or last - timedelta(days=USUAL_DAYS - 1)
    if first > last:
        raise InvalidFieldError("to", "before_from")
    if (last - first).days >= MOST_DAYS:
        raise InvalidFieldError("from", "too_long_span")
    return first, last


def _filter(asked: Mapping[str, str], span: tuple[date, date]) -> FaultFilter:
    if asked["cause"] and asked["cause"] not in set(CauseClass):
        raise InvalidFieldError("cause")
    return FaultFilter(
        since=midnight_of(span[0]),
        until=midnight_of(span[1] + timedelta(days=1)),
        point=asked["point"] or None,
        room=asked["room"] or None,
        cause=CauseClass(asked["cause"]) if asked["cause"] else None,
        limit=PAGE_ROWS,
    )


def _after(text: str) -> tuple[datetime, str, int] | None:
    """The last row of the page before."""
    at, _, rest = text.partition("~")
    session_id, _, seq = rest.rpartition("~")
    moment = asked_moment(at)
    return None if moment is None or not session_id or not _NUMBER.fullmatch(seq) else (moment, session_id, int(seq))


async def _choices(site: Site, visitor: Visitor, language: Language) -> dict[str, tuple[Choice, ...]]:
    points = await site.point_names()
    rooms = await site.rooms_of(visitor)
    return {
        "point": tuple((point.id, point.name) for point in await site.reports.points(visitor.person)),
        "room": tuple((room.id, f"{points.get(room.point, room.point)}, {room.name}") for room in rooms),
        "cause": codes(CauseClass, "cause_class", language.text),
    }
