"""One websocket: a bounded outbox with one writer, a time limit on every send, a rate limit on what comes in.

Whoever does not read loses the line; nobody else ever waits for them.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import WSMsgType, web

from signaling import errors
from signaling.errors import PeerError
from signaling.messages import MAX_MESSAGE_BYTES, SUBPROTOCOL, Error, FromServer, encode

MAX_OUTBOX_CHARS: Final = 1024 * 1024
# What the library refuses by itself, without a word; our own limit below it comes with a reason.
MAX_FRAME_BYTES: Final = 4 * MAX_MESSAGE_BYTES
CLOSE_SECONDS: Final = 2.0
# A peer that is there is heard after each ping, which comes one heartbeat after it was last heard.
SILENCE: Final = 1.2


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times in seconds. `away_seconds` is how long a lost seat is kept, `resume_seconds` how long a token works.

    `sockets_before_hello_of_one` is the share that one address may have of all that have not said hello yet.
    """

    hello_seconds: float = 2.0
    heartbeat_seconds: float = 3.0
    send_seconds: float = 3.0
    away_seconds: float = 120.0
    resume_seconds: float = 12 * 3600.0
    commit_seconds: float = 3.0
    outbox_messages: int = 128
    messages_per_second: float = 30.0
    messages_burst: int = 120
    sockets_before_hello: int = 256
    sockets_before_hello_of_one: int = 64


class Line:
    """The socket of one peer. `heard_at` is when it last gave any sign of life, on the steady clock, and `steady_since` when it
    was opened, or was heard again after a silence that was longer than a ping and its answer take. See `follow`.
    """

    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            heartbeat=limits.heartbeat_seconds,
            # Pings and pongs are handled in `receive`, which wants to know when the peer was last heard.
            autoping=False,
            compress=False,
            max_msg_size=MAX_FRAME_BYTES,
            timeout=CLOSE_SECONDS,
        )
        self._transport: asyncio.Transport | None = None
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._outbox_chars = 0
        self._farewell: tuple[int, str] | None = None
        self._is_receiving = False
        self._allowance = float(limits.messages_burst)
        self.heard_at = self._charged_at = self.steady_since = monotonic()

    @property
    def is_closing(self) -> bool:
        """Nothing more is sent or read."""
        return self._farewell is not None

    async def open(self, request: web.Request) -> web.WebSocketResponse:
        """Answer the upgrade."""
        await self._socket.prepare(request)
        transport = request.transport
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        return self._socket

    def follow(self, earlier: "Line") -> None:
        """Take over from the peer's line before: a new socket is no silence, unless the peer was silent in between."""
        if not self._is_silence(earlier.heard_at, self.steady_since):
            self.steady_since = earlier.steady_since

    def send(self, message: FromServer) -> None:
        """Put the message into the outbox; a peer that let it fill up loses the line."""
        if self.is_closing:
            return
        text = encode(message)
        self._outbox_chars += len(text)
        if self._outbox.qsize() >= self._limits.outbox_messages or self._outbox_chars > MAX_OUTBOX_CHARS:
            self.abort()
            return
        self._outbox.put_nowait(text)

    def refuse(self, code: str, text: str) -> None:
        """Tell the peer what is wrong and close with the code's close code."""
        self.send(Error(code=code, text=text, retry_after=errors.RETRY_AFTER.get(code)))
        self.close(errors.close_code(code), code)

    def close(self, code: int = errors.NORMAL, reason: str = "") -> None:
        """Close after everything in the outbox is sent."""
        if not self.is_closing:
            self._farewell = (code, reason)
            self._outbox.put_nowait(None)

    def abort(self) -> None:
        """Cut the connection without a word."""
        self.close()
        if self._transport is not None:
            self._transport.abort()

    async def carry(self, reading: asyncio.Task[None]) -> None:
        """Send what is put into the outbox until the line closes, then say goodbye and stop `reading`."""
        try:
            while (text := await self._outbox.get()) is not None:
                self._outbox_chars -= len(text)
                async with asyncio.timeout(self._limits.send_seconds):
                    await self._socket.send_str(text)
        except (TimeoutError, aiohttp.ClientError, ConnectionError):
            self.abort()
        # Only a reader that waits is cut short: one at work finishes what it has begun to commit.
        if self._is_receiving:
            reading.cancel()
            await asyncio.wait([reading])
        code, reason = self._farewell or (errors.NORMAL, "")
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, ConnectionError):
            async with asyncio.timeout(self._limits.send_seconds):
                await self._socket.close(code=code, message=reason.encode())
        if self._transport is not None and holds_unsent(self._transport):
            # Whoever did not even read the goodbye would keep the socket open for as long as they like.
            self._transport.abort()

    async def receive(self) -> str | None:
        """The next text, or None when the line is closed. Raises PeerError for what no peer may send."""
        while not self.is_closing:
            self._is_receiving = True
            try:
                message = await self._socket.receive()
            finally:
                self._is_receiving = False
            if message.type is not WSMsgType.ERROR:
                self._hear()
            self._charge()
            match message.type:
                case WSMsgType.TEXT:
                    return str(message.data)
                case WSMsgType.BINARY:
                    raise PeerError("not_text", "messages are JSON text, not binary")
                case WSMsgType.PING:
                    await self._answer_ping(message.data)
                case WSMsgType.PONG:
                    pass
                case _:
                    return None
        return None

    async def _answer_ping(self, data: bytes) -> None:
        try:
            async with asyncio.timeout(self._limits.send_seconds):
                await self._socket.pong(data)
        except (TimeoutError, aiohttp.ClientError, ConnectionError):
            self.abort()

    def _hear(self) -> None:
        now = self._monotonic()
        if self._is_silence(self.heard_at, now):
            self.steady_since = now
        self.heard_at = now

    def _is_silence(self, heard_at: float, now: float) -> bool:
        return now - heard_at > self._limits.heartbeat_seconds * SILENCE

    def _charge(self) -> None:
        now, rate = self._monotonic(), self._limits.messages_per_second
        earned = max(0.0, now - self._charged_at) * rate
        self._allowance = min(float(self._limits.messages_burst), self._allowance + earned) - 1
        self._charged_at = now
        if self._allowance < 0:
            raise PeerError("too_many", f"at most {rate:g} messages a second")


def holds_unsent(transport: asyncio.Transport) -> bool:
    """Whether something still waits to go out."""
    try:
        return transport.get_write_buffer_size() > 0
    except AttributeError:
        # One of TLS that was closed twice, by the peer and by us, has forgotten what it went through.
        return False
