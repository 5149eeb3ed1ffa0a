"""`GET /live`: fresh state to open pages and devices, as server-sent events.

Everything is said anew on each connect, so nothing is ever lost; afterwards only what changed, at most once a second.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import msgspec
import structlog
from aiohttp import web

from etapalvelu.access import visitor_of
from etapalvelu.domain.errors import NotFoundError, RefusalError, TooManyAttemptsError, TryAgainError
from etapalvelu.domain.people import Device
from etapalvelu.pages.feeds import MAIN_FEEDS, Feed, Message, Watcher
from etapalvelu.pages.presence import Presence
from etapalvelu.pages.site import Site, language_of
from etapalvelu.ports import LOGINS, Notices

_log = structlog.get_logger("live")

# A comment this often keeps proxies from closing the stream, and finds listeners who are gone.
HEARTBEAT_SECONDS = 10.0
# Notices that come close together are answered once.
PAUSE_SECONDS = 1.0
# Pages tell of a deed a little after it: the call that it begins is set up first, and needs the processor.
SETTLE_SECONDS = 0.3
# A browser opens six at most, and a program needs one: who has more of them open forgot to close them.
STREAMS_OF_A_LOGIN = 20
# How often a quiet stream looks whether its listener and its login are still there.
LOOK_SECONDS = 4.0
# Who does not read for this long loses the stream.
WRITE_SECONDS = 10.0
# A device that comes back within this was never away: its page was loaded again, or the network blinked.
GRACE_SECONDS = 5.0
# What depends on the hour alone (opening, closing soon) is said anew this often.
RENEW_SECONDS = 60.0


class Streams:
    """Made once by `pages.routes`; knows which streams are open on this server."""

    def __init__(self, site: Site, feeds: Mapping[str, Feed]) -> None:
        self._site = site
        self._feeds = feeds
        self._presence = Presence(site.places, site.board, site.node)
        self._streams: Counter[str] = Counter()
        self._closing = f"streams end on {site.node}"
        self._ending = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        visitor = visitor_of(request)
        page = request.query.get("page", MAIN_FEEDS[visitor.role])
        feed = self._feeds.get(page)
        if feed is None:
            raise NotFoundError
        watcher = Watcher(visitor=visitor, language=language_of(request), session_id=request.query.get("id", ""))
        login = visitor.login.id
        if self._streams[login] >= STREAMS_OF_A_LOGIN:
            raise TooManyAttemptsError(math.ceil(LOOK_SECONDS))
        self._streams[login] += 1
        try:
            return await self._stream(request, feed, watcher)
        finally:
            self._streams[login] -= 1
            if not self._streams[login]:
                del self._streams[login]

    async def _stream(self, request: web.Request, feed: Feed, watcher: Watcher) -> web.StreamResponse:
        person = watcher.visitor.person
        topics = {LOGINS, self._closing, *await feed.topics(self._site, watcher)}
        async with self._site.board.listen(topics) as notices:
            first = await feed.messages(self._site, watcher)
            stream = _Stream(request)
            await stream.open()
            async with self._present(person):
                try:
                    await self._run(stream, feed, watcher, notices, first)
                except (ConnectionError, TimeoutError):
                    _log.debug("stream_lost")
        return stream.response

    def end(self) -> None:
        """The server goes down: say so to every open stream."""
        self._ending.set()
        self._site.board.announce({self._closing})

    async def _run(self, stream: "_Stream", feed: Feed, watcher: Watcher, notices: Notices, messages: list[Message]) -> None:
        is_behind = False
        while True:
            await stream.say(messages)
            heard = await stream.rest(notices)
            if self._ending.is_set():
                await stream.say([Message("bye", {}, "bye")])
                return
            if stream.is_gone:
                return
            # This very login: a replaced screen hears of it, though its room has a screen.
            if not await self._login_stands(watcher.visitor.login.id):
                await stream.say([Message("reload", {}, "reload")])
                return
            fresh = await self._fresh(feed, watcher) if heard or is_behind or stream.is_old else []
            messages, is_behind = fresh or [], fresh is None

    async def _login_stands(self, login: str) -> bool:
        """While the database is away the login is believed; it is asked again at the next look."""
        try:
            return await self._site.access.login_stands(login)
        except TryAgainError:
            return True

    async def _fresh(self, feed: Feed, watcher: Watcher) -> list[Message] | None:
        """What the page should show now; None while the database is away, and a new page when this one is no more."""
        try:
            return await feed.messages(self._site, watcher)
        except TryAgainError:
            return None
        except RefusalError:
            return [Message("reload", {}, "reload")]

    @asynccontextmanager
    async def _present(self, person: object) -> AsyncIterator[None]:
        """A device is here for the length of the block, and a little longer."""
        if not isinstance(person, Device):
            yield
            return
        try:
            await self._presence.came(person)
            yield
        finally:
            await self._went(person)

    async def _went(self, device: Device) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._ending.wait()
        await self._presence.went(device)


class _Stream:
    """The bytes of one stream, and what was said last in each slot."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._said: dict[str, Message] = {}
        self._said_at = self._loop.time()
        self._renewed_at = self._loop.time()
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )

    async def open(self) -> None:
        await self.response.prepare(self._request)

    @property
    def is_gone(self) -> bool:
        return self._request.transport is None or self._request.transport.is_closing()

    @property
    def is_old(self) -> bool:
        return self._loop.time() - self._renewed_at >= RENEW_SECONDS

    async def say(self, messages: list[Message]) -> None:
        """Send what differs from what was said in the same slot before."""
        fresh = [message for message in messages if self._said.get(message.slot) != message]
        if messages:
            self._renewed_at = self._loop.time()
        if fresh:
            await self._write("".join(_text(message) for message in fresh))
            self._said |= {message.slot: message for message in fresh}
        elif self._loop.time() - self._said_at >= HEARTBEAT_SECONDS:
            await self._write(": here\n\n")

    async def rest(self, notices: Notices) -> bool:
        """Wait for a notice, for a while; True when there was one. Keeps the pause between two answers."""
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await notices.wait()
        except TimeoutError:
            return False
        too_soon = PAUSE_SECONDS - (self._loop.time() - self._said_at)
        await asyncio.sleep(max(too_soon, SETTLE_SECONDS))
        return True

    async def _write(self, text: str) -> None:
        async with asyncio.timeout(WRITE_SECONDS):
            await self.response.write(text.encode())
        self._said_at = self._loop.time()


async def answer(request: web.Request) -> web.StreamResponse:
    return await request.app[STREAMS].answer(request)


async def end_streams(app: web.Application) -> None:
    """Registered by `pages.routes` as `on_shutdown`."""
    app[STREAMS].end()


STREAMS = web.AppKey("streams", Streams)


def _text(message: Message) -> str:
    return f"event: {message.event}\ndata: {msgspec.json.encode(message.data).decode()}\n\n"
