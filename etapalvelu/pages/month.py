"""The supervisor's report of a month, of all or of one point or theme, beside the month before. It reads the log only."""

from collections.abc import Sequence
from datetime import date

from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.moments import midnight
from etapalvelu.domain.session import Session
from etapalvelu.pages.asked import asked_day
from etapalvelu.pages.forms import Choice
from etapalvelu.pages.month_views import month_after, month_before, month_view
from etapalvelu.pages.site import Site, language_of, site_of


async def show(request: web.Request) -> web.StreamResponse:
    """What cannot be read in the address is left out: the month is then this one, and no point or theme is asked for."""
    site, visitor = site_of(request), visitor_of(request)
    this_month = site.today().replace(day=1)
    month = min(_month(request.query.get("month", "")) or this_month, this_month)
    points = {point.id: point.name for point in await site.reports.points(visitor.person)}
    themes = [theme.key for theme in site.themes]
    asked = {
        "point": _known(request.query.get("point", ""), points),
        "theme": _known(request.query.get("theme", ""), themes),
    }
    sessions = await _opened(site, visitor, month, asked)
    earlier = await _opened(site, visitor, month_before(month), asked)
    choices: dict[str, Sequence[Choice]] = {
        "point": tuple(points.items()),
        "theme": tuple((key, language_of(request).text(f"theme.{key}")) for key in themes),
    }
    view = month_view(month, sessions, earlier, this_month, points)
    return await site.page(request, "supervisor_reports.html", {"view": view, "asked": asked, "choices": choices})


async def _opened(site: Site, visitor: Visitor, month: date, asked: dict[str, str]) -> list[Session]:
    begins, ends = midnight(month), midnight(month_after(month))
    sessions = await site.reports.between(visitor.person, begins, ends, asked["point"] or None)
    return [session for session in sessions if asked["theme"] in ("", session.theme)]


def _known(asked: str, codes: Sequence[str] | dict[str, str]) -> str:
    return asked if asked in codes else ""


def _month(text: str) -> date | None:
    try:
        return asked_day(f"{text}-01", "month")
    except InvalidFieldError:
        return None
