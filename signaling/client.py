"""A peer of a call in Python, for the room agent and for tests: takes its seat, and takes it again when the line is lost.

Iterate it for the server's messages. A lost line is no message: what is sent meanwhile waits for the next welcome.
"""

import asyncio
import contextlib
import secrets
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import aiohttp
from aiohttp import WSMsgType

from signaling.errors import SERVER_RESTARTING, PeerError, RefusedError
from signaling.messages import (
    SUBPROTOCOL,
    Bye,
    CallClosed,
    Error,
    FromPeer,
    FromServer,
    Hello,
    Noted,
    Quality,
    Welcome,
    decode_from_server,
    encode,
)

TicketSource = Callable[[], Awaitable[str]]

MAX_WAITING_MESSAGES: Final = 64
MAX_FRAME_BYTES: Final = 256 * 1024
ANSWER_SECONDS: Final = 6.0
SEND_SECONDS: Final = 5.0
HEARTBEAT_SECONDS: Final = 3.0
# Whatever stands between us and the server may say anything.
LONGEST_ASKED_SECONDS: Final = 60

# The seat can be had again, by the resume token or, where that is what was refused, by a fresh ticket.
_COME_BACK: Final = frozenset({"server_restarting", "server_fault", "try_again", "too_many", "hello_timeout"})
_ASK_AGAIN: Final = frozenset({"expired", "used", "forged", "malformed", "seat_lost"})


@dataclass(frozen=True, kw_only=True)
class Backoff:
    """Seconds between attempts: `first`, doubled each time up to `longest`, each shortened by a random part.

    A server that is back is found within a second, however long it was away; after `brisk` attempts, some minutes, the pauses
    double once more up to `tired`: then nobody waits in the call any longer.
    """

    first: float = 0.2
    longest: float = 0.8
    brisk: int = 500
    tired: float = 8.0

    def seconds(self, attempt: int, asked: float = 0.0) -> float:
        """The pause before attempt number `attempt` (from 1), and never less than the server `asked` for."""
        whole = min(self.longest, self.first * 2.0 ** min(attempt - 1, 16))
        if attempt > self.brisk:
            whole = max(whole, min(self.tired, self.longest * 2.0 ** min(attempt - self.brisk, 16)))
        chance = secrets.SystemRandom()
        return max(whole * chance.uniform(0.5, 1.0), min(asked, LONGEST_ASKED_SECONDS) * chance.uniform(1.0, 1.25))


_DEFAULT_BACKOFF: Final = Backoff()


class AwayError(ConnectionError):
    """Raised by a ticket source that has none just now; `retry_after` is in how many seconds the server wants to be asked."""

    def __init__(self, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class CallClient:
    """One seat in one call. `async for message in client`, `send`, and `close` with a bye.

    Iteration ends after `call_closed` or `close`; it raises RefusedError when the seat is refused for good, with the
    server's code, and whatever SignalingError the ticket source raises. Network errors of either are tried again.
    """

    def __init__(
        self,
        url: str,
        ticket: TicketSource,
        session: aiohttp.ClientSession,
        *,
        ssl_context: ssl.SSLContext | None = None,
        backoff: Backoff = _DEFAULT_BACKOFF,
    ) -> None:
        """`ticket` is asked for a fresh ticket whenever one is needed. `url` begins with ws, wss, http or https."""
        self._url = url
        self._ticket = ticket
        self._session = session
        self._ssl = ssl_context
        self._backoff = backoff
        self._attempts = 0
        self._resume: str | None = None
        self._welcome: Welcome | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._is_welcomed = False
        self._waiting: deque[FromPeer] = deque(maxlen=MAX_WAITING_MESSAGES)
        self._closing = asyncio.Event()

    @property
    def is_connected(self) -> bool:
        """Welcomed, and the line stands as far as is known."""
        return self._is_welcomed

    def __aiter__(self) -> AsyncIterator[FromServer]:
        return self._messages()

    async def send(self, message: FromPeer) -> None:
        """Send now, or after the next welcome; samples of quality are not kept for later."""
        if self._is_welcomed and await self._try_to_send(message):
            return
        if not isinstance(message, Quality):
            self._waiting.append(message)

    async def close(self) -> None:
        """Give the seat up for good; iteration ends."""
        self._closing.set()
        if self._socket is not None:
            await self._try_to_send(Bye())
            await self._socket.close()

    async def _messages(self) -> AsyncIterator[FromServer]:
        while not self._closing.is_set():
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    # The ticket first: the server waits for hello for two seconds only.
                    hello = await self._hello()
                    socket = self._socket = await self._connect()
                    await socket.send_str(encode(hello))
            except (TimeoutError, aiohttp.ClientError, OSError) as fault:
                _refuse_upgrade(fault)
                await self._hang_up()
                await self._pause(_asked(fault))
                continue
            try:
                while not isinstance(message := await self._next(socket), Error):
                    if message is not None:
                        yield message
                    if isinstance(message, CallClosed):
                        return
            finally:
                await self._hang_up()
            if not self._closing.is_set():
                self._judge(message)
                await self._pause(message.retry_after or 0)

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        return await self._session.ws_connect(
            self._url,
            protocols=(SUBPROTOCOL,),
            heartbeat=HEARTBEAT_SECONDS,
            max_msg_size=MAX_FRAME_BYTES,
            ssl=True if self._ssl is None else self._ssl,
        )

    async def _hello(self) -> Hello:
        return Hello(resume=self._resume) if self._resume is not None else Hello(ticket=await self._ticket())

    async def _hang_up(self) -> None:
        socket, self._socket, self._is_welcomed = self._socket, None, False
        if socket is not None:
            await socket.close()

    async def _next(self, socket: aiohttp.ClientWebSocketResponse) -> FromServer | None:
        """The next message, None for one of a later version, Error also for the end of the line."""
        try:
            frame = await socket.receive(None if self._is_welcomed else ANSWER_SECONDS)
        except TimeoutError:
            return Error(code="try_again", text="the server did not answer hello")
        except (aiohttp.ClientError, ConnectionError):
            # The answer to a ping met a line that was just lost.
            return Error(code="server_restarting", text="the line was lost")
        if frame.type is not WSMsgType.TEXT:
            return _end_of_line(frame)
        try:
            message = decode_from_server(frame.data)
        except PeerError as fault:
            return Error(code="server_fault", text=fault.text)
        if isinstance(message, Welcome):
            await self._go_on(message)
        return message

    async def _go_on(self, welcome: Welcome) -> None:
        is_new_seating = self._welcome is None or self._welcome.epoch != welcome.epoch or self._resume is None
        if self._welcome is not None and is_new_seating:
            # The others begin anew with a new epoch: what was meant for the old connections is of no use.
            kept = [message for message in self._waiting if isinstance(message, Noted)]
            self._waiting = deque(kept, maxlen=MAX_WAITING_MESSAGES)
        self._welcome, self._resume, self._attempts = welcome, welcome.resume, 0
        while self._waiting and await self._try_to_send(self._waiting[0]):
            self._waiting.popleft()
        # Only now, so that nothing overtakes what waited.
        self._is_welcomed = True

    async def _try_to_send(self, message: FromPeer) -> bool:
        if self._socket is None:
            return False
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._socket.send_str(encode(message))
        except (TimeoutError, aiohttp.ClientError, ConnectionError):
            return False
        return True

    def _judge(self, error: Error) -> None:
        """Prepare the next attempt, or raise RefusedError where none makes sense."""
        if error.code in _ASK_AGAIN or (error.code == "seat_taken" and self._resume is not None):
            self._resume = None
        elif error.code not in _COME_BACK:
            raise RefusedError(error.code, error.text)

    async def _pause(self, asked: float) -> None:
        self._attempts += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.seconds(self._attempts, asked)):
                await self._closing.wait()


def _end_of_line(frame: aiohttp.WSMessage) -> Error:
    # The close reason carries the error's code, for the case that the message before it was lost.
    if frame.type is WSMsgType.CLOSE and frame.data != SERVER_RESTARTING and frame.extra:
        return Error(code=frame.extra, text="the server closed the line")
    return Error(code="server_restarting", text="the line was lost")


def _asked(fault: Exception) -> float:
    """How many seconds a refused upgrade, or whoever was asked for a ticket, asks us to wait."""
    if isinstance(fault, AwayError):
        return fault.retry_after
    headers = fault.headers if isinstance(fault, aiohttp.WSServerHandshakeError) else None
    return 0.0 if headers is None else asked_seconds(headers)


def asked_seconds(headers: Mapping[str, str]) -> float:
    """What a refusal says of when to come back; 0 where it says nothing that can be counted."""
    said = headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else 0.0


def _refuse_upgrade(fault: Exception) -> None:
    """A server that answers the upgrade with 4xx will not change its mind, unless it says that there are too many just now."""
    if (
        isinstance(fault, aiohttp.WSServerHandshakeError)
        and 400 <= fault.status < 500
        and fault.status != HTTPStatus.TOO_MANY_REQUESTS
    ):
        raise RefusedError("upgrade_refused", f"the server answered {fault.status} to the websocket") from None
