"""Which session is on in this room, as the server tells it in a stream of events that is opened again whenever it ends.

While the server is away nothing is told: a call that is on goes on.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from http import HTTPStatus
from typing import Final

import aiohttp
import msgspec
from aiohttp.http import HttpProcessingError
from msgspec import Struct

from etapalvelu.room.server import Server, ServerAwayError, ServerRefusedError
from signaling.client import Backoff

log = logging.getLogger(__name__)

# The server writes something at least every 10 seconds.
SILENCE_LIMIT: Final = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=25)
BACKOFF: Final = Backoff()
_ABOUT_THE_SESSION: Final = ("session", "none")


class Event(Struct, frozen=True):
    name: str
    data: str


class EventReader:
    """Puts lines of a server-sent event stream together (WHATWG HTML, 9.2.6); only `event` and `data` matter here."""

    def __init__(self) -> None:
        self._name = ""
        self._data: list[str] = []

    def feed(self, line: str) -> Event | None:
        """Take one line without its end; return an event when it is complete."""
        if not line:
            return self._complete()
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        return None

    def _complete(self) -> Event | None:
        event = Event(self._name or "message", "\n".join(self._data)) if self._data else None
        self._name, self._data = "", []
        return event


class _Session(Struct, frozen=True):
    id: str


class _Bye(Struct, frozen=True):
    """The server goes down for a moment."""

    retry_after: float = 0.0


async def sessions(server: Server, hear: Callable[[Event], None] | None = None) -> AsyncGenerator[str | None, None]:
    """Yield the id of the session in this room, or None when there is none, on each connect and each change. `hear` is told all
    other events.

    Raises ServerRefusedError when the credential is no longer good.
    """
    attempt = 0
    while True:
        asked = 0.0
        try:
            async with aclosing(_events(server)) as events:
                async for event in events:
                    attempt = 0
                    if event.name in _ABOUT_THE_SESSION:
                        yield _session(event)
                    elif event.name == "bye":
                        asked = msgspec.json.decode(event.data, type=_Bye).retry_after
                    elif hear is not None:
                        # Some of them are of a later version, or for pages.
                        hear(event)
        except ServerAwayError as error:
            asked = asked or error.retry_after
            log.warning("no news of sessions: %s", error)
        except ServerRefusedError as error:
            if error.status == HTTPStatus.UNAUTHORIZED:
                raise
            log.warning("no news of sessions: %s", error)
        except (msgspec.DecodeError, ValueError, HttpProcessingError):
            log.warning("no news of sessions: the server wrote an event that cannot be read")
        attempt += 1
        await asyncio.sleep(BACKOFF.seconds(attempt, asked))


def _session(event: Event) -> str | None:
    return None if event.name == "none" else msgspec.json.decode(event.data, type=_Session).id


async def _events(server: Server) -> AsyncGenerator[Event, None]:
    reader = EventReader()
    async with server.live(SILENCE_LIMIT) as stream:
        log.info("follows the server")
        while line := await stream.readline():
            event = reader.feed(line.decode("utf-8", "replace").rstrip("\r\n"))
            if event is not None:
                yield event
