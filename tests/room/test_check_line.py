"""Measuring the way to a server that answers badly, or not at all."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from etapalvelu.room import check_line
from etapalvelu.room.check_line import LineCheck
from etapalvelu.room.server import Server, client_session

NOW = datetime(2026, 8, 17, 7, 0, tzinfo=UTC)


@pytest.fixture
async def answers() -> AsyncIterator[tuple[TestServer, dict[str, int]]]:
    """A server whose speed is answered with these statuses, and that has no websocket."""
    statuses = {"GET": 200, "POST": 200}

    async def speed(request: web.Request) -> web.Response:
        if request.method == "POST":
            async for _ in request.content.iter_any():
                pass
        return web.json_response({"bytes": 0, "milliseconds": 0}, status=statuses[request.method])

    app = web.Application()
    app.router.add_route("*", "/api/v1/devices/speed", speed)
    server = TestServer(app)
    await server.start_server()
    yield server, statuses
    await server.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_line, "MEASURED_SECONDS", 0.2)
    monkeypatch.setattr(check_line, "MEASURED_BYTES", 50_000)


def address_of(server: TestServer) -> str:
    return str(server.make_url("")).rstrip("/")


async def measured(address: str) -> dict[str, tuple[str, str | None]]:
    async with client_session(None) as http:
        line = LineCheck(Server(http, address), trust=None, now=lambda: NOW)
        return {finding.code: (finding.result, finding.note) for finding in await line.measured()}


async def test_an_answer_without_bytes_measures_nothing(answers: tuple[TestServer, dict[str, int]]) -> None:
    said = await measured(address_of(answers[0]))

    assert said["bandwidth_down"] == ("failed", "not_measured")
    assert said["bandwidth_up"] == ("failed", "not_measured")
    assert said["server_socket"] == ("failed", "no_answer")


async def test_having_measured_too_often_says_nothing_of_the_line(answers: tuple[TestServer, dict[str, int]]) -> None:
    answers[1].update(GET=429, POST=503)

    said = await measured(address_of(answers[0]))

    assert said["bandwidth_down"] == ("skipped", "not_measured")
    assert said["bandwidth_up"] == ("failed", "not_measured")


async def test_a_server_that_went_away_midway_is_told(answers: tuple[TestServer, dict[str, int]]) -> None:
    address = address_of(answers[0])
    await answers[0].close()

    said = await measured(address)

    assert said == {
        "server_socket": ("failed", "no_answer"),
        "bandwidth_down": ("failed", "no_answer"),
        "bandwidth_up": ("failed", "no_answer"),
        "loss": ("skipped", "not_measured"),
        "round_trip": ("failed", "no_answer"),
    }


def test_a_closed_socket_counts_nothing() -> None:
    closed = socket.socket()
    closed.close()

    assert check_line._counted(closed) is None
