"""What programs send: one class for each body and query. Unknown fields and wrong types are refused here, by name."""

import re
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec
from aiohttp import hdrs, web
from msgspec import Meta, inspect

from etapalvelu.domain.codes import (
    ActingFor,
    DocumentCamera,
    FollowUp,
    IdentifiedBy,
    Outcome,
    ReleaseReason,
    Seat,
    State,
)
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.seats import SeatName
from signaling.messages import Generation, SessionDescription

# No body has a reason to nest deeper than a list in an object.
MAX_DEPTH = 8

T = TypeVar("T")

Name = Annotated[str, Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]
Pixels = Annotated[int, Meta(ge=1, le=100_000)]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deed that needs no words; the body may be left out."""


class ReleaseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The expert gives the session back."""

    reason: ReleaseReason = ReleaseReason.CANNOT_SERVE


class TransferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To another line or to another expert: one of the two."""

    code: ReleaseReason
    theme: Name | None = None
    expert: Name | None = None


class TakeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of these themes only; of all the expert serves when left out."""

    themes: Annotated[tuple[Name, ...], Meta(max_length=50)] | None = None


class TicketBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to sit down."""

    seat: Seat


class AnswerBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An answer to an offer that waits in the call which comes next, as it would be said in the call."""

    call: Name
    to: SeatName
    generation: Generation
    description: SessionDescription


class NoteBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of it."""

    outcomes: Annotated[tuple[Outcome, ...], Meta(max_length=50)]
    follow_up: FollowUp = FollowUp.NONE


class IdentifyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the customer was identified; never who they are."""

    how: IdentifiedBy
    acting_for: ActingFor


class AdvisorBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer's choice about the advisor."""

    stays: bool


class PairBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The code that was shown once."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]


class StatusBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the room agent says of its document camera; `name` as browsers label it, where it is a device of the room PC."""

    document_camera: DocumentCamera
    name: Annotated[str, Meta(max_length=120)] = ""
    width: Pixels | None = None
    height: Pixels | None = None


class SessionQuery(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}
):
    """Which sessions. Times half-open on `opened_at`."""

    since: Moment | None = None
    until: Moment | None = None
    point: Name | None = None
    theme: Name | None = None
    state: State | None = None
    cursor: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


async def read(request: web.Request, body: type[T]) -> T:
    """The request's body as `body`. Raises `InvalidFieldError`, and HTTP 400, 413, 415 for what is no JSON of ours."""
    raw = await request.read()
    if not raw:
        raw = b"{}"
    elif request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower() != "application/json":
        raise web.HTTPUnsupportedMediaType
    # No text of ours holds a NUL, and PostgreSQL takes none.
    if _depth(raw) > MAX_DEPTH or b"\\u0000" in raw:
        raise web.HTTPBadRequest
    try:
        return msgspec.json.decode(raw, type=body)
    except msgspec.ValidationError as error:
        raise _named(error, body) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise web.HTTPBadRequest from None


def read_query(request: web.Request, query: type[T]) -> T:
    """The address's query as `query`; the last value of a name counts. Raises `InvalidFieldError`."""
    # Only the limit is read out of text: msgspec's lax mode would take any bare number for a moment.
    values: dict[str, str | int] = dict(request.query)
    limit = request.query.get("limit", "")
    if re.fullmatch("[0-9]{1,9}", limit):
        values["limit"] = int(limit)
    try:
        return msgspec.convert(values, query)
    except msgspec.ValidationError as error:
        raise _named(error, query) from None


def _named(error: msgspec.ValidationError, read: type[object]) -> InvalidFieldError:
    """msgspec writes "Expected `str`, got `int` - at `$.room`", "Invalid enum value 'x' - at `$.outcomes[0]`",
    "missing required field `room`", "unknown field `x`"."""
    text = str(error)
    lacking = re.search(r"(missing required|unknown) field `([^`]*)`", text)
    place = re.search(r" - at `(?:key in )?\$\.?([^.\[`]*)", text)
    if place is not None and place[1] and text.startswith("Invalid enum value"):
        return InvalidFieldError(place[1], allowed=_codes(inspect.type_info(read), place[1]))
    if place is not None and place[1]:
        return InvalidFieldError(place[1], "malformed")
    if lacking is not None:
        return InvalidFieldError(lacking[2], "required" if lacking[1] == "missing required" else "unknown_field")
    return InvalidFieldError("body", "malformed")


def _codes(described: inspect.Type, field: str) -> list[str]:
    """The code list of a field that holds a code, or several."""
    match described:
        case inspect.StructType(fields=fields):
            return [code for one in fields if one.encode_name == field for code in _codes(one.type, field)]
        case inspect.EnumType(cls=codes):
            return [str(code.value) for code in codes]
        case inspect.UnionType(types=types):
            return [code for one in types for code in _codes(one, field)]
        case inspect.VarTupleType(item_type=item):
            return _codes(item, field)
        case _:
            return []


def _depth(raw: bytes) -> int:
    """How deep lists and objects nest; text within quotes does not count."""
    deepest = depth = 0
    for sign in re.findall(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', raw, re.DOTALL):
        if sign in (b"[", b"{"):
            depth += 1
            deepest = max(deepest, depth)
        elif sign in (b"]", b"}"):
            depth -= 1
    return deepest
