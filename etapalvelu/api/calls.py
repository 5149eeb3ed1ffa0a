"""How every call goes: body read, key read, question or deed, answer written.

One row for a call; OpenAPI is made of the same rows.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.api.bodies import Moment, Nothing, read, read_query
from etapalvelu.domain.errors import InvalidFieldError, NotAllowedError
from etapalvelu.domain.moments import whole_ms
from etapalvelu.domain.people import Person, Staff
from etapalvelu.ports import Clock, DeedKey

KEY_HEADER = "Idempotency-Key"
# When a deed was done that is reported late. No part of the body: a retry under the same key is the same deed with or without.
SINCE_HEADER = "Done-At"
LONGEST_KEY = 200

B = TypeVar("B")
Q = TypeVar("Q")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Who asks, of which session, and by which idempotency key; `since` when the deed is reported late."""

    visitor: Visitor
    id: str
    key: DeedKey | None = None
    since: datetime | None = None

    @property
    def person(self) -> Person:
        return self.visitor.person

    @property
    def staff(self) -> Staff:
        """The person where only staff may knock."""
        if not isinstance(self.visitor.person, Staff):
            raise NotAllowedError
        return self.visitor.person


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call of the API: where it is, what it takes and gives, and what answers it."""

    method: str
    path: str
    summary: str
    respond: Callable[[web.Request], Awaitable[web.StreamResponse]]
    answer: type[msgspec.Struct] | None
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    status: int = 200
    may_be_empty: bool = False
    has_key: bool = False
    may_be_late: bool = False
    is_open: bool = False
    # The body (of a post) or the answer (of a get) is bytes, and no JSON.
    is_binary: bool = False


def deed(
    path: str,
    summary: str,
    do: Callable[[Asked, B], Awaitable[msgspec.Struct | None]],
    body: type[B],
    answer: type[msgspec.Struct],
    clock: Clock,
    *,
    status: int = 200,
    may_be_empty: bool = False,
    may_be_late: bool = False,
) -> Call:
    """A post that changes a session; a caller's key makes its retry harmless. None is answered 204."""

    async def respond(request: web.Request) -> web.Response:
        words = await read(request, body)
        since = done_at(request) if may_be_late else None
        return _reply(await do(_asked(request, await deed_key(request, clock), since), words), status)

    return Call(
        method="POST",
        path=path,
        summary=summary,
        respond=respond,
        body=_struct(body),
        answer=answer,
        status=status,
        may_be_empty=may_be_empty,
        has_key=True,
        may_be_late=may_be_late,
    )


def post(
    path: str,
    summary: str,
    do: Callable[[Asked, B], Awaitable[msgspec.Struct | None]],
    body: type[B],
    answer: type[msgspec.Struct] | None,
) -> Call:
    """A post that changes no session, so it needs no key."""

    async def respond(request: web.Request) -> web.Response:
        return _reply(await do(_asked(request), await read(request, body)), 200)

    return Call(method="POST", path=path, summary=summary, respond=respond, body=_struct(body), answer=answer)


def question(
    path: str, summary: str, ask: Callable[[Asked, Q], Awaitable[msgspec.Struct]], query: type[Q], answer: type[msgspec.Struct]
) -> Call:
    async def respond(request: web.Request) -> web.Response:
        return _reply(await ask(_asked(request), read_query(request, query)), 200)

    return Call(method="GET", path=path, summary=summary, respond=respond, query=_struct(query), answer=answer)


async def deed_key(request: web.Request, clock: Clock) -> DeedKey | None:
    """The caller's idempotency key with a digest of method, path and body. Raises `InvalidFieldError`."""
    key = request.headers.get(KEY_HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= sign <= "~" for sign in key):
        raise InvalidFieldError(KEY_HEADER, "malformed")
    digest = hashlib.sha256(f"{request.method} {request.path}\n".encode() + await request.read()).hexdigest()
    return DeedKey(account=visitor_of(request).account, key=key, digest=digest, at=clock())


def done_at(request: web.Request) -> datetime | None:
    """When the deed was done, if it is reported late. Raises `InvalidFieldError`."""
    text = request.headers.get(SINCE_HEADER)
    if text is None:
        return None
    try:
        return whole_ms(msgspec.convert(text, Moment).astimezone(UTC))
    except (msgspec.ValidationError, OverflowError):
        raise InvalidFieldError(SINCE_HEADER, "malformed") from None


def reply(answer: msgspec.Struct, status: int = 200) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(answer), content_type="application/json")


def _reply(answer: msgspec.Struct | None, status: int) -> web.Response:
    return web.Response(status=204) if answer is None else reply(answer, status)


def _asked(request: web.Request, key: DeedKey | None = None, since: datetime | None = None) -> Asked:
    return Asked(visitor=visitor_of(request), id=request.match_info.get("id", ""), key=key, since=since)


def _struct(type_: type[object]) -> type[msgspec.Struct] | None:
    """The type for the schema; a call that needs no words has none."""
    return type_ if issubclass(type_, msgspec.Struct) and type_ is not Nothing else None
