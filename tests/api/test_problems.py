"""Refusals and failures below /api: one shape, stable codes, no traceback."""

import json
from collections.abc import Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from structlog.testing import capture_logs

from etapalvelu.api.problems import TITLES, tell_problems
from etapalvelu.domain.errors import (
    ConflictError,
    KeyReusedError,
    NotFoundError,
    RefusalError,
    TooManyAttemptsError,
    TryAgainError,
    WrongCredentialsError,
)
from etapalvelu.statuses import STATUSES
from tests.conftest import ADVISOR, SUPERVISOR
from tests.doorstep import Doorstep
from tests.samples import OPEN


async def test_what_is_no_json_of_ours(doorstep: Doorstep) -> None:
    headers = await doorstep.bearer(ADVISOR)
    as_json = headers | {"Content-Type": "application/json"}

    async def told(data: bytes, with_headers: dict[str, str]) -> tuple[int, str]:
        answer = await doorstep.client.post("/api/v1/sessions", data=data, headers=with_headers)
        return answer.status, (await answer.json())["code"]

    assert await told(b"{", as_json) == (400, "bad_request")
    assert await told(b'{"room": "\xff"}', as_json) == (400, "bad_request")
    assert await told(b"[" * 9 + b"]" * 9, as_json) == (400, "bad_request")
    assert await told(b'{"room": "\\ud800"}', as_json) == (400, "bad_request")
    assert await told(b'{"room": "\\u0000"}', as_json) == (400, "bad_request")
    assert await told(b"room=1", headers) == (415, "unsupported_media_type")
    assert await told(json.dumps(OPEN | {"room": "x" * 65536}).encode(), as_json) == (413, "too_large")


async def test_a_nul_in_an_address_is_refused(doorstep: Doorstep) -> None:
    headers = await doorstep.bearer(SUPERVISOR)

    path = await doorstep.client.get("/api/v1/sessions/x%00", headers=headers)
    query = await doorstep.client.get("/api/v1/sessions?point=x%00", headers=headers)

    assert [(answer.status, (await answer.json())["code"]) for answer in (path, query)] == [(400, "bad_request")] * 2


async def test_brackets_within_text_are_not_depth(doorstep: Doorstep) -> None:
    answer = await doorstep.post("/sessions", ADVISOR, OPEN | {"room": '[[[[[[[[[[ \\" {{{{{{{{{{'})

    assert (answer.status, (await answer.json())["field"]) == (422, "room")


async def test_unknown_addresses_and_methods_are_told_in_the_same_shape(doorstep: Doorstep) -> None:
    nowhere = await doorstep.client.get("/api/v1/nowhere")
    wrong = await doorstep.client.delete("/api/v1/queue", headers=await doorstep.bearer(SUPERVISOR))

    assert (nowhere.status, nowhere.content_type, (await nowhere.json())["code"]) == (
        404,
        "application/problem+json",
        "not_found",
    )
    assert (wrong.status, wrong.headers["Allow"], (await wrong.json())["code"]) == (405, "GET", "method_not_allowed")


async def test_strangers_are_told_how_to_come_in(doorstep: Doorstep) -> None:
    without = await doorstep.client.get("/api/v1/queue")
    wrong = await doorstep.client.get("/api/v1/queue", headers={"Authorization": "Bearer nonsense"})
    basic = await doorstep.client.get("/api/v1/queue", headers={"Authorization": "Basic YTpi"})

    for answer in (without, wrong, basic):
        told = (answer.status, answer.headers["WWW-Authenticate"], (await answer.json())["code"])
        assert told == (401, 'Bearer realm="etapalvelu"', "wrong_credentials")


@pytest.mark.parametrize(
    ("refusal", "status", "code", "header"),
    [
        (TryAgainError(), 503, "try_again", "2"),
        (TooManyAttemptsError(7), 429, "too_many_attempts", "7"),
        (WrongCredentialsError(), 401, "wrong_credentials", None),
        (NotFoundError(), 404, "not_found", None),
        (KeyReusedError(), 422, "key_reused", None),
        (ConflictError.again("room_in_use", {"room": "r"}), 409, "room_in_use", None),
        (RefusalError(), 400, "refused", None),
    ],
)
async def test_each_refusal_has_its_status(refusal: RefusalError, status: int, code: str, header: str | None) -> None:
    response = await _answer(_raising(refusal))

    problem = json.loads(response.text or "")
    assert (response.status, problem["code"], response.headers.get("Retry-After")) == (status, code, header)


async def test_a_refusal_is_told_in_the_persons_words_where_there_are_some() -> None:
    def words(request: web.Request, refusal: RefusalError) -> str:
        return f"{refusal.code} in {request.headers['Accept-Language']}"

    response = await _answer(_raising(NotFoundError()), words)

    assert json.loads(response.text or "")["detail"] == "not_found in sv"


async def test_an_unexpected_error_is_logged_once_and_answered_with_a_number() -> None:
    error = RuntimeError("secret detail")
    with capture_logs() as logged:
        response = await _answer(_raising(error))

    problem = json.loads(response.text or "")
    assert (response.status, problem["code"]) == (500, "internal")
    assert "secret detail" not in (response.text or "")
    assert logged == [{"event": "unexpected", "number": problem["number"], "exc_info": error, "log_level": "error"}]


async def test_an_http_refusal_without_words_of_ours_keeps_its_own_name() -> None:
    response = await _answer(_raising(web.HTTPGone()))

    assert json.loads(response.text or "") == {
        "type": "urn:etapalvelu:problem:gone",
        "title": "Gone",
        "status": 410,
        "code": "gone",
    }


async def test_pages_failures_are_left_to_the_pages() -> None:
    with pytest.raises(NotFoundError):
        await _answer(_raising(NotFoundError()), path="/advisor")


async def test_refusals_at_doors_without_pages_are_told_the_same_way_and_the_rest_left_alone() -> None:
    response = await _answer(_raising(TryAgainError()), path="/metrics")

    assert (response.status, response.content_type) == (503, "application/problem+json")
    with pytest.raises(web.HTTPBadRequest):
        await _answer(_raising(web.HTTPBadRequest()), path="/call")


def test_every_refusal_of_the_domain_has_a_title() -> None:
    def codes(kind: type[RefusalError]) -> set[str]:
        return {kind.code}.union(*(codes(below) for below in kind.__subclasses__()))

    own = {kind for kind in RefusalError.__subclasses__() if kind.__module__.startswith("etapalvelu.domain")}
    assert set().union(*map(codes, own)) - {"refused"} <= set(TITLES)
    assert own == {kind for kind, _ in STATUSES}


def _raising(error: Exception) -> Callable[[web.Request], object]:
    async def handler(_request: web.Request) -> web.StreamResponse:
        raise error

    return handler


async def _answer(handler: object, words: object = None, path: str = "/api/v1/x") -> web.Response:
    request = make_mocked_request("GET", path, headers={"Accept-Language": "sv"})
    response = await tell_problems(words)(request, handler)  # type: ignore[arg-type]
    assert isinstance(response, web.Response)
    return response
