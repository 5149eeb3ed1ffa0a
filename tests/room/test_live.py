import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import aiohttp
import pytest

from etapalvelu.room import live
from etapalvelu.room.live import Event, EventReader, sessions
from etapalvelu.room.server import Server, ServerRefusedError
from signaling.client import Backoff
from tests.room.cameras import until
from tests.room.service import Service


def read(text: str) -> list[Event]:
    reader = EventReader()
    events = [reader.feed(line) for line in text.split("\n")]
    return [event for event in events if event is not None]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("event: session\ndata: {}\n\n", [Event("session", "{}")]),
        ("event:none\ndata:{}\n\n", [Event("none", "{}")]),
        ("data: a\ndata: b\n\n", [Event("message", "a\nb")]),
        (": comment\n\n", []),
        ("event: empty\n\ndata: x\n\n", [Event("message", "x")]),
        ("id: 1\nretry: 10\nodd\ndata: x\n\n", [Event("message", "x")]),
        ("event: session\ndata: cut off", []),
    ],
)
def test_events_are_put_together_from_lines(text: str, events: list[Event]) -> None:
    assert read(text) == events


@pytest.fixture
async def server(service: Service) -> AsyncIterator[Server]:
    service.credentials.add("secret")
    async with aiohttp.ClientSession() as http:
        yield Server(http, service.address, "secret")


async def test_the_session_is_told_at_once_and_on_each_change(
    service: Service, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "BACKOFF", Backoff(first=0.05, longest=0.05))
    service.session = "s1"
    async with aclosing(sessions(server)) as news, asyncio.timeout(10):
        first = await anext(news)
        service.turn_to(None)
        second = await anext(news)
        service.say("event: fragment\ndata: {}\n\n: comment\n\n")
        service.turn_to("s2")
        third = await anext(news)
        await service.stop()
        await service.start()
        fourth = await anext(news)

    assert [first, second, third, fourth] == ["s1", None, "s2", "s2"]


@pytest.mark.parametrize("nonsense", ["event: session\ndata: {}\n\n", "event: session\ndata: " + "x" * 600_000 + "\n\n"])
async def test_nonsense_on_the_stream_opens_it_anew(
    service: Service, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, nonsense: str
) -> None:
    monkeypatch.setattr(live, "BACKOFF", Backoff(first=0.05, longest=0.05))
    async with aclosing(sessions(server)) as news, asyncio.timeout(10):
        assert await anext(news) is None
        service.say(nonsense)
        assert await anext(news) is None

    assert "no news of sessions: the server wrote an event that cannot be read" in caplog.messages


async def test_trouble_is_tried_again_and_an_unknown_credential_is_not(
    service: Service, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "BACKOFF", Backoff(first=0.02, longest=0.02))
    service.trouble["/live"] = [(503, {}), (404, {"code": "not_found"})]
    async with aclosing(sessions(server)) as news, asyncio.timeout(10):
        assert await anext(news) is None
    assert caplog.messages.count("no news of sessions: the server answered 503") == 1
    assert caplog.messages.count("no news of sessions: the server refused: not_found") == 1

    service.credentials.clear()
    async with aclosing(sessions(server)) as news, asyncio.timeout(10):
        with pytest.raises(ServerRefusedError, match="unknown_login"):
            await anext(news)


async def test_it_comes_back_when_it_is_asked_to(service: Service, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the header of a refusal, and by a `bye` before the stream ends; what says nothing of it is tried again at once."""
    asked: list[float] = []

    class Patient(Backoff):
        def seconds(self, attempt: int, asked_for: float = 0.0) -> float:
            asked.append(asked_for)
            return 0.01

    monkeypatch.setattr(live, "BACKOFF", Patient())
    service.trouble["/live"] = [(429, {"retry_after": 7}), (503, {})]
    service.goodbye = {"retry_after": 3}
    async with aclosing(sessions(server)) as news, asyncio.timeout(10):
        assert await anext(news) is None
        coming = asyncio.ensure_future(anext(news))
        await service.stop()
        await service.start()
        assert await coming is None

    assert asked[:3] == [7, 0, 3]


async def test_silence_counts_as_a_lost_stream(
    service: Service, server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(live, "SILENCE_LIMIT", aiohttp.ClientTimeout(total=None, sock_read=0.2))
    monkeypatch.setattr(live, "BACKOFF", Backoff(first=0.02, longest=0.02))
    async with aclosing(sessions(server)) as news, asyncio.timeout(10):
        assert await anext(news) is None
        assert await anext(news) is None

    await until(lambda: "no news of sessions: the server is away" in caplog.messages)
