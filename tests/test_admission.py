"""Who is let in while the server goes down or is crowded, and that what is under way is finished."""

import asyncio
import resource
from typing import cast
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from etapalvelu.admission import Admission, raise_handle_limit
from etapalvelu.domain.errors import CrowdedError, ServerRestartingError


class Connection:
    def __init__(self) -> None:
        self.is_closed = False

    def force_close(self) -> None:
        self.is_closed = True


async def answered(_request: web.Request) -> web.StreamResponse:
    return web.Response(text="done")


async def ask(admission: Admission, path: str) -> web.StreamResponse:
    return await admission.admit(make_mocked_request("GET", path), answered)


async def test_everybody_is_let_in_on_an_ordinary_day() -> None:
    admission = Admission(most=1)
    admission.relieve([Connection()])

    answers = [await ask(admission, path) for path in ("/advisor", "/live", "/call")]

    assert [answer.keep_alive for answer in answers] == [None, None, None]


async def test_a_server_that_goes_down_takes_on_nothing_and_says_when_to_come_back() -> None:
    admission = Admission()
    admission.stop()

    for path in ("/advisor", "/live", "/call", "/readyz", "/api/v1/sessions"):
        with pytest.raises(ServerRestartingError) as refusal:
            await ask(admission, path)
        assert refusal.value.facts == {"retry_after": 1}
    assert (await ask(admission, "/healthz")).status == 200
    assert (await ask(admission, "/static/1/js/page.js")).status == 200


async def test_what_is_under_way_is_finished_before_the_end() -> None:
    admission, go_on = Admission(), asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.Response(text="done")

    asked = asyncio.ensure_future(admission.admit(make_mocked_request("POST", "/api/v1/sessions"), slow))
    await asyncio.sleep(0)
    admission.stop()
    draining = asyncio.ensure_future(admission.drain())
    await asyncio.sleep(0.6)
    was_waiting = not draining.done()
    go_on.set()
    await draining

    assert was_waiting
    assert (await asked).keep_alive is False


async def test_nobody_is_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etapalvelu.admission.DRAIN_SECONDS", 0)
    monkeypatch.setattr("etapalvelu.admission.FINISH_SECONDS", 0.1)
    admission, never = Admission(), asyncio.Event()

    async def stuck(_request: web.Request) -> web.StreamResponse:
        await never.wait()
        return web.Response()

    asked = asyncio.ensure_future(admission.admit(make_mocked_request("GET", "/advisor"), stuck))
    await asyncio.sleep(0)
    admission.stop()
    async with asyncio.timeout(2):
        await admission.drain()
    asked.cancel()

    assert not asked.done()


async def test_with_too_many_connections_the_idle_make_room_and_no_stream_begins() -> None:
    admission, connections = Admission(most=2), [Connection() for _ in range(3)]
    admission.relieve(connections)
    at_once = [connection.is_closed for connection in connections]
    admission.relieve([*connections, Connection()])

    for path in ("/live", "/call"):
        with pytest.raises(CrowdedError):
            await ask(admission, path)
    during = await ask(admission, "/api/v1/queue")
    admission.relieve(connections[:2])
    after = await ask(admission, "/live")

    assert at_once == [False, False, False]
    assert [connection.is_closed for connection in connections] == [True, True, True]
    assert during.keep_alive is False
    assert after.status == 200


async def test_a_connection_on_which_something_is_asked_is_left_alone() -> None:
    admission, request, go_on = Admission(most=0), make_mocked_request("POST", "/api/v1/sessions"), asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        await go_on.wait()
        return web.Response(text="done")

    asked = asyncio.ensure_future(admission.admit(request, slow))
    await asyncio.sleep(0)
    for _ in range(3):
        admission.relieve([request.protocol])
    go_on.set()

    assert (await asked).keep_alive is False
    assert not cast(Mock, request.protocol).force_close.called


def test_the_server_takes_all_the_handles_it_may() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        assert raise_handle_limit() == hard
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
