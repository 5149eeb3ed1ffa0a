"""Errors to pages, in the person's language. The only place where a page's error gets its words.

Refusals keep their code; what nobody foresaw is logged once, with a number that the person can quote.
"""

import secrets
from collections.abc import Mapping
from datetime import date, datetime

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from etapalvelu.domain.errors import RefusalError
from etapalvelu.health import route_of
from etapalvelu.pages.forms import FormView
from etapalvelu.pages.frame import HOMES
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import LANGUAGE, SITE, language_of, remember_language, site_of, spoken
from etapalvelu.statuses import status_of

_log = structlog.get_logger("pages")

BEGUN = web.RequestKey("begun", bool)

# These speak for themselves: machines read them, not people.
OWN_WORDS = ("/api/", "/call", "/healthz", "/readyz", "/metrics", "/static/")


def words(refusal: RefusalError, language: Language) -> str:
    """The refusal as a sentence, with the next best thing in it where there is one."""
    facts = {name: _fact(fact, language) for name, fact in refusal.facts.items()}
    if refusal.code == "outside_hours" and refusal.facts.get("opens_at") is None:
        return language.text("refusal.outside_hours_unknown")
    if refusal.code == "room_not_fit" and refusal.facts.get("fit_from") is not None:
        return language.text("refusal.room_not_fit_until", **facts)
    key = f"refusal.{refusal.code}"
    return language.text(key if language.has(key) else "refusal.refused", **facts)


def problem_words(problems: Mapping[str, str], language: Language) -> dict[str, str]:
    """Words for the problems of a form's fields."""
    return {
        field: language.text(f"problem.{code}" if language.has(f"problem.{code}") else "refusal.invalid_field")
        for field, code in problems.items()
    }


@web.middleware
async def speak_language(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Settle the language before anything else, and remember it when the address asked for it."""
    request[LANGUAGE] = request.app[SITE].renderer.languages[spoken(request)]
    response = await handler(request)
    remember_language(request, response)
    return response


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a page's handler raises into a page. An answer that has begun can only be broken off."""
    if request.path.startswith(OWN_WORDS):
        return await handler(request)
    try:
        return await handler(request)
    except ConnectionError:
        raise
    except Exception as error:
        if BEGUN in request:
            _log.exception("answer_broken_off", route=route_of(request))
            if request.transport is not None:
                request.transport.abort()
            raise
        return await _told(request, error)


async def note_begun(request: web.Request, _response: web.StreamResponse) -> None:
    """Registered by `pages.routes` as `on_response_prepare`: from now on no other answer can be given."""
    request[BEGUN] = True


async def _told(request: web.Request, error: Exception) -> web.StreamResponse:
    if isinstance(error, RefusalError):
        return await refused(request, error)
    if isinstance(error, web.HTTPException):
        if error.status < 400:
            raise error
        return await _failed(request, error.status)
    number = secrets.token_hex(4).upper()
    _log.error("page_failed", route=route_of(request), number=number, exc_info=error)
    return await _failed(request, 500, number=number)


async def refused(request: web.Request, refusal: RefusalError) -> web.Response:
    """A page that says the refusal. The stream of fresh state gets the code alone: nobody reads its answer."""
    status = status_of(refusal)
    if request.path == "/live":
        response = web.json_response({"code": refusal.code}, status=status)
    else:
        response = await _failed(request, status, said=words(refusal, language_of(request)), code=refusal.code)
    retry_after = refusal.facts.get("retry_after")
    if retry_after is not None:
        response.headers[hdrs.RETRY_AFTER] = str(retry_after)
    return response


async def _failed(request: web.Request, status: int, *, said: str = "", number: str = "", code: str = "") -> web.Response:
    kind = str(status) if status in (403, 404, 500, 503) else "other"
    another_role = status == 403 and code == "forbidden" and any(request.path.startswith(home) for home in HOMES.values())
    values = {
        "kind": "role" if another_role else kind,
        "said": said,
        "number": number,
        # The sign-in form stands on the page itself: the other role is one step away.
        "form": FormView(),
        "next": request.path_qs if another_role and request.method == "GET" else "",
        "back": await _home(request),
    }
    return await site_of(request).page(request, "error.html", values, status)


async def _home(request: web.Request) -> str:
    """The front page of the first role signed in in this browser."""
    site = site_of(request)
    for role, home in HOMES.items():
        if await site.access.by_cookie(request, role) is not None:
            return home
    return "/login"


def _fact(fact: object, language: Language) -> object:
    if isinstance(fact, str):
        fact = _moment(fact)
    if isinstance(fact, datetime):
        return language.day_moment(fact)
    return language.day(fact) if isinstance(fact, date) else fact


def _moment(text: str) -> object:
    """Facts that were kept with a refusal come back as text; days and moments among them are read again."""
    try:
        return date.fromisoformat(text) if len(text) == len("2026-08-15") else datetime.fromisoformat(text)
    except ValueError:
        return text
