"""`GET /live`: fresh state to open pages and devices, as server-sent events.

Everything is said anew on each connect, so nothing is ever lost; afterwards only what changed, at most once a second.
"""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import msgspec
import structlog
from aiohttp import web

from etapalvelu.access import visitor_of
from etapalvelu.domain.errors import NotFoundError, RefusalError, TooManyAttemptsError, TryAgainError
from etapalvelu.domain.people import Device
from etapalvelu.pages.feeds import MAIN_FEEDS, Feed, Message, Watcher
from etapalvelu.pages.places import Places
from etapalvelu.pages.presence import Presence
from etapalvelu.pages.site import SITE, Site, language_of
from etapalvelu.ports import Notices, login_topic
from etapalvelu.tasks import every, spawn, stop
from etapalvelu.together import Together
from signaling.endpoint import RESTART_SECONDS

_log = structlog.get_logger("live")

# A word this often keeps proxies from closing the stream, finds listeners who are gone, and tells listeners that it lives.
HEARTBEAT_SECONDS = 10.0
HERE = b"event: here\ndata: {}\n\n"
# Notices that come close together are answered once.
PAUSE_SECONDS = 1.0
# Streams that end their pause at about the same time end it together.
PAUSE_STEP_SECONDS = 0.25
# Pages tell of a deed a little after it: the call that it begins is set up first, and needs the processor.
SETTLE_SECONDS = 0.3
# A browser opens six at most, and a program needs one: who has more of them open forgot to close them.
STREAMS_OF_A_LOGIN = 20
# How often all quiet streams are looked at: whether their listener and their login are still there.
LOOK_SECONDS = 4.0
# Who does not read for this long loses the stream.
WRITE_SECONDS = 10.0
# A device that comes back within this was never away: its page was loaded again, or the network blinked.
GRACE_SECONDS = 5.0
# What depends on the hour alone (opening, closing soon) is said anew this often.
RENEW_SECONDS = 60.0


# The page is of another version than the server; it tells its reader.
OUTDATED = (Message("outdated", {}, "outdated"),)


class Streams:
    """Made once by `pages.routes`; knows which streams are open on this server."""

    def __init__(self, site: Site, feeds: Mapping[str, Feed]) -> None:
        self._site = site
        self._feeds = feeds
        self._presence = Presence(site.places, site.board, site.node)
        self._streams: dict[str, set[_Stream]] = {}
        self._together = Together[list[Message]]()
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
        streams = self._streams.setdefault(login, set())
        if len(streams) >= STREAMS_OF_A_LOGIN:
            raise TooManyAttemptsError(math.ceil(LOOK_SECONDS))
        stream = _Stream(request)
        stream.is_outdated = request.query.get("version", self._site.renderer.version) != self._site.renderer.version
        streams.add(stream)
        try:
            await self._stream(stream, feed, watcher)
        finally:
            streams.discard(stream)
            if not streams:
                self._streams.pop(login, None)
        return stream.response

    async def look(self) -> None:
        """One look at all quiet streams; none of them keeps a timer of its own."""
        for login, streams in list(self._streams.items()):
            stands = await self._login_stands(login)
            for stream in tuple(streams):
                await stream.look(stands)

    async def _stream(self, stream: "_Stream", feed: Feed, watcher: Watcher) -> None:
        login = login_topic(watcher.visitor.login.id)
        topics = {login, self._closing, *await feed.topics(self._site, watcher)}
        async with self._site.board.listen(topics) as notices:
            first = await self._messages(feed, watcher)
            # Whoever asked may be gone before the first byte, and at any time after it.
            try:
                await stream.open(notices)
                async with self._present(watcher.visitor.person):
                    await self._run(stream, feed, watcher, [*OUTDATED, *first] if stream.is_outdated else first)
            except (ConnectionError, TimeoutError):
                _log.debug("stream_lost")

    async def _messages(self, feed: Feed, watcher: Watcher) -> list[Message]:
        """What the page shows now. Streams that hear of a change at once and show the same are read and rendered for once."""
        return await self._together.ask((feed, feed.shared_by(watcher)), lambda: feed.messages(self._site, watcher))

    def end(self) -> None:
        """The server goes down: say so to every open stream."""
        self._ending.set()
        self._site.board.announce({self._closing})

    async def _run(self, stream: "_Stream", feed: Feed, watcher: Watcher, messages: list[Message]) -> None:
        while True:
            await stream.say(messages)
            await stream.rest()
            if self._ending.is_set():
                await stream.say([Message("bye", {"retry_after": RESTART_SECONDS}, "bye")])
                return
            if stream.is_gone:
                return
            # This very login: a replaced screen hears of it, though its room has a screen.
            if not await self._login_stands(watcher.visitor.login.id):
                await stream.say([Message("reload", {}, "reload")])
                return
            fresh = await self._fresh(feed, watcher)
            messages, stream.is_behind = fresh or [], fresh is None

    async def _login_stands(self, login: str) -> bool:
        """While the database is away the login is believed; it is asked again at the next look."""
        try:
            return await self._site.access.login_stands(login)
        except TryAgainError:
            return True

    async def _fresh(self, feed: Feed, watcher: Watcher) -> list[Message] | None:
        """What the page should show now; None while the database is away, and a new page when this one is no more."""
        try:
            return await self._messages(feed, watcher)
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
            # In a task of its own: this one may be cancelled, and Python before 3.11.4 keeps no time limit in such a task.
            await spawn(self._went(person), "presence")

    async def _went(self, device: Device) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                await self._ending.wait()
        await self._presence.went(device)


class _Stream:
    """The bytes of one stream, and a digest of what was said last in each slot. `is_behind`: something could not be read."""

    __slots__ = ("_loop", "_notices", "_renewed_at", "_request", "_said", "_wrote_at", "is_behind", "is_outdated", "response")

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._notices: Notices | None = None
        self._said: dict[str, bytes] = {}
        self._wrote_at = self._renewed_at = self._loop.time()
        self.is_behind = self.is_outdated = False
        self.response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )

    async def open(self, notices: Notices) -> None:
        self._notices = notices
        await self.response.prepare(self._request)

    @property
    def is_gone(self) -> bool:
        return self._request.transport is None or self._request.transport.is_closing()

    async def say(self, messages: list[Message]) -> None:
        """Send what differs from what was said in the same slot before."""
        texts = {message.slot: _text(message) for message in messages}
        digests = {slot: hashlib.blake2b(text, digest_size=16).digest() for slot, text in texts.items()}
        fresh = [text for slot, text in texts.items() if self._said.get(slot) != digests[slot]]
        if messages:
            self._renewed_at = self._loop.time()
        if fresh:
            async with asyncio.timeout(WRITE_SECONDS):
                await self.response.write(b"".join(fresh))
            self._wrote_at = self._loop.time()
            self._said |= digests

    async def rest(self) -> None:
        """Wait for a notice, or to be woken. Keeps the pause between two answers."""
        if self._notices is None:
            raise AssertionError("not open")
        await self._notices.wait()
        if not self.is_gone:
            now = self._loop.time()
            pause_ends = math.ceil((self._wrote_at + PAUSE_SECONDS) / PAUSE_STEP_SECONDS) * PAUSE_STEP_SECONDS
            await asyncio.sleep(max(pause_ends - now, SETTLE_SECONDS))
            self._notices.forget()

    async def look(self, login_stands: bool) -> None:
        """Wake it when there is something to do for it, else keep it alive. Waits for no listener."""
        if self._notices is None:
            return
        now, transport = self._loop.time(), self._request.transport
        if self.is_gone or self.is_behind or not login_stands or now - self._renewed_at >= RENEW_SECONDS:
            self._notices.wake()
        elif transport is not None and now - self._wrote_at >= HEARTBEAT_SECONDS:
            if transport.get_write_buffer_size():
                # What was said last still lies here unread.
                transport.abort()
            else:
                await self.response.write(HERE)
                self._wrote_at = now


async def answer(request: web.Request) -> web.StreamResponse:
    return await request.app[STREAMS].answer(request)


async def end_streams(app: web.Application) -> None:
    """Registered by `pages.routes` as `on_shutdown`."""
    app[STREAMS].end()


STREAMS = web.AppKey("streams", Streams)


async def keep_looking(app: web.Application) -> AsyncIterator[None]:
    """Registered by `pages.routes` as `cleanup_ctx`."""
    looking = spawn(every(LOOK_SECONDS, app[STREAMS].look, "streams"), "streams")
    site = app[SITE]
    following = spawn(Places(site.reports, site.board).follow(), "places")
    yield
    await stop(looking, following)


def _text(message: Message) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (message.event.encode(), msgspec.json.encode(message.data))
