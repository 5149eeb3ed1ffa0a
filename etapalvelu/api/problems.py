"""Every refusal and failure under /api as problem+json (RFC 9457), with a stable `code`."""

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus

import msgspec
import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from etapalvelu.domain.errors import RefusalError
from etapalvelu.statuses import status_of

_log = structlog.get_logger("api")

CONTENT_TYPE = "application/problem+json"

PREFIX = "/api/"

# Programs ask here too: a refusal at these doors is told like one of the API.
NO_PAGES = ("/call", "/healthz", "/readyz", "/metrics", "/static/")

# Words in the person's language for a refusal, from their Accept-Language; pages know them.
Words = Callable[[web.Request, RefusalError], str]

TITLES = {
    "already_taken": "Another expert was faster.",
    "bad_request": "The request is not well-formed: broken JSON, too deep, or with a NUL in it.",
    "crowded": "The server has no handles left for further connections; nothing was done.",
    "csrf": "The cookie needs its login's token in X-CSRF-Token.",
    "forbidden": "You may know of this but not do it.",
    "internal": "This is our fault. Quote the number when you report it.",
    "invalid_field": "A field holds something the service does not know.",
    "key_reused": "The idempotency key was used with another request.",
    "late_report": "What was done before cannot have been done then; it was kept as refused.",
    "method_not_allowed": "There is no such call by this method.",
    "not_found": "There is no such thing, or you may not know of it.",
    "not_offered": "This theme has no remote service line of its own yet.",
    "origin": "The request came from another site's page.",
    "outside_hours": "Remote service is closed now.",
    "room_in_use": "One room serves one customer at a time.",
    "room_not_fit": "The room is not fit for remote service yet.",
    "room_out_of_use": "The room was taken out of use.",
    "server_restarting": "The server is going down for a moment; nothing was done.",
    "stale": "Things changed meanwhile.",
    "storage_full": "The server's disk is full: sessions under way go on, new ones cannot begin.",
    "too_large": "The body is larger than 64 KiB.",
    "too_many_attempts": "Too many failed attempts.",
    "try_again": "The database could not be had in time; nothing was done.",
    "unsupported_media_type": "Bodies are application/json.",
    "wrong_credentials": "A bearer token, or a login's cookie with its token in X-CSRF-Token, is needed.",
    "wrong_state": "This does not fit the state the session is in.",
}

_HTTP_CODES = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "unsupported_media_type"}


def tell_problems(words: Words | None = None) -> Middleware:
    """The middleware that turns what the doors and the calls raise into answers; pages' failures are not its business."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not request.path.startswith((PREFIX, *NO_PAGES)):
            return await handler(request)
        try:
            return await handler(request)
        except RefusalError as refusal:
            return _refused(refusal, None if words is None else words(request, refusal))
        except Exception as error:
            if request.path.startswith(PREFIX):
                return _failed(error)
            raise

    return middleware


def _failed(error: Exception) -> web.Response:
    if isinstance(error, web.HTTPException):
        return _http(error)
    if isinstance(error, ConnectionError):
        # Whoever asked went away in the middle of asking: no fault of ours, and nobody reads the answer.
        _log.debug("asker_gone")
        return _http(web.HTTPBadRequest())
    number = secrets.token_hex(4)
    _log.error("unexpected", number=number, exc_info=error)
    return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", {"number": number})


def _refused(refusal: RefusalError, detail: str | None) -> web.Response:
    status = status_of(refusal)
    members = dict(refusal.facts) | ({"detail": detail} if detail else {})
    response = _problem(status, refusal.code, members)
    if "retry_after" in refusal.facts:
        response.headers[hdrs.RETRY_AFTER] = str(refusal.facts["retry_after"])
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers[hdrs.WWW_AUTHENTICATE] = 'Bearer realm="etapalvelu"'
    return response


def _http(error: web.HTTPException) -> web.Response:
    status = HTTPStatus(error.status)
    response = _problem(status, _HTTP_CODES.get(error.status, status.name.lower()), {})
    if hdrs.ALLOW in error.headers:
        response.headers[hdrs.ALLOW] = error.headers[hdrs.ALLOW]
    return response


def _problem(status: HTTPStatus, code: str, members: Mapping[str, object]) -> web.Response:
    problem = {
        "type": f"urn:etapalvelu:problem:{code}",
        "title": TITLES.get(code, status.phrase),
        "status": int(status),
        "code": code,
        **members,
    }
    return web.Response(status=status, body=msgspec.json.encode(problem), content_type=CONTENT_TYPE)
