"""Whether the server lives and can serve, and figures for a monitor that hold nothing personal."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientError, web
from aiohttp.test_utils import TestClient
from structlog.testing import capture_logs

from etapalvelu.domain.errors import TryAgainError
from etapalvelu.health import CLIENT_GONE, Health
from tests.conftest import EXPERT, Service

Client = TestClient[web.Request, web.Application]
MakeClient = Callable[[web.Application], Awaitable[Client]]


async def served(service: Service, aiohttp_client: MakeClient, metrics_from: tuple[str, ...] = ("127.0.0.1", "::1")) -> Client:
    app = web.Application()

    async def secret(request: web.Request) -> web.Response:
        if request.match_info["id"] == "boom":
            raise ValueError("broken")
        if request.match_info["id"] == "left":
            assert request.transport is not None
            request.transport.abort()
            raise ConnectionResetError
        if request.match_info["id"] == "gone":
            raise web.HTTPNotFound
        return web.Response(text="x")

    app.router.add_get("/guest/{id}", secret)
    app.router.add_get("/live", secret_stream)
    Health(sessions=service.sessions, metrics_from=metrics_from).attach(app)
    return await aiohttp_client(app)


async def secret_stream(_request: web.Request) -> web.Response:
    return web.Response(text="x")


async def test_a_server_that_lives_says_so(service: Service, aiohttp_client: MakeClient) -> None:
    client = await served(service, aiohttp_client)

    answers = [await client.get(path) for path in ("/healthz", "/readyz")]

    assert [(answer.status, await answer.text()) for answer in answers] == [(200, "ok\n"), (200, "ready\n")]


async def test_without_its_database_it_lives_but_is_not_ready(
    service: Service, aiohttp_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_session_id: str) -> None:
        raise TryAgainError

    client = await served(service, aiohttp_client)
    monkeypatch.setattr(service.sessions, "session", away)

    answers = [await client.get(path) for path in ("/healthz", "/readyz")]

    assert [(answer.status, await answer.text()) for answer in answers] == [(200, "ok\n"), (503, "database away\n")]


async def test_metrics_count_open_sessions_and_answers_by_route(service: Service, aiohttp_client: MakeClient) -> None:
    client = await served(service, aiohttp_client)
    await service.opened("rantala-1")
    taken = await service.opened("rantala-2")
    await service.desk.claim(EXPERT, taken.id)
    for path in ("/guest/s3cr3t-token", "/guest/gone", "/guest/boom", "/nowhere/s3cr3t", "/live"):
        await client.get(path)

    text = await (await client.get("/metrics")).text()

    lines = {line for line in text.splitlines() if not line.startswith("#") and "created" not in line}
    assert {line for line in lines if line.startswith("etapalvelu_open_sessions")} == {
        'etapalvelu_open_sessions{state="waiting"} 1.0',
        'etapalvelu_open_sessions{state="claimed"} 1.0',
        'etapalvelu_open_sessions{state="connected"} 0.0',
    }
    assert {line for line in lines if line.startswith("etapalvelu_http_requests")} == {
        'etapalvelu_http_requests_total{route="/guest/{id}",status="200"} 1.0',
        'etapalvelu_http_requests_total{route="/guest/{id}",status="404"} 1.0',
        'etapalvelu_http_requests_total{route="/guest/{id}",status="500"} 1.0',
        'etapalvelu_http_requests_total{route="-",status="404"} 1.0',
        'etapalvelu_http_requests_total{route="/live",status="200"} 1.0',
    }
    assert {line for line in lines if "seconds_count" in line} == {
        'etapalvelu_http_seconds_count{route="/guest/{id}"} 3.0',
        'etapalvelu_http_seconds_count{route="-"} 1.0',
    }
    assert "s3cr3t" not in text


async def test_whoever_leaves_in_the_middle_is_no_fault_of_ours(service: Service, aiohttp_client: MakeClient) -> None:
    client = await served(service, aiohttp_client)

    with capture_logs() as lines, pytest.raises(ClientError):
        await client.get("/guest/left")

    assert [(line["route"], line["status"]) for line in lines if line["event"] == "answered"] == [("/guest/{id}", CLIENT_GONE)]


async def test_a_request_is_one_line_with_the_routes_pattern_only(service: Service, aiohttp_client: MakeClient) -> None:
    client = await served(service, aiohttp_client)

    with capture_logs() as lines:
        await client.get("/guest/s3cr3t-token?pair=ABCD2345")

    assert [{**line, "ms": 0} for line in lines] == [
        {"event": "answered", "log_level": "info", "method": "GET", "route": "/guest/{id}", "status": 200, "ms": 0}
    ]


@pytest.mark.parametrize(("metrics_from", "status"), [(("10.0.0.0/8", "::1"), 403), ((), 403), (("127.0.0.0/8",), 200)])
async def test_metrics_are_for_listed_addresses(
    service: Service, aiohttp_client: MakeClient, metrics_from: tuple[str, ...], status: int
) -> None:
    client = await served(service, aiohttp_client, metrics_from)

    answer = await client.get("/metrics")

    assert answer.status == status
    assert ("etapalvelu_open_sessions" in await answer.text()) is (status == 200)
