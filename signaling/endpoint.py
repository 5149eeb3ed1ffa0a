"""aiohttp websocket <-> Call: carries messages and effects, decides nothing."""

import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiohttp import web

from signaling.messages import Note, Quality, Seat
from signaling.relay import Relay


class Attendance(Protocol):
    """What happened in calls, for the service. Every word is awaited before any other seat is told."""

    async def joined(self, call: str, seat: Seat, who: str) -> None:
        """Somebody sits down for the first time. Raises RefusedError when they may not after all. Idempotent."""

    async def left(self, call: str, seat: Seat, who: str, reason: str) -> None:
        """The seat was given up for good: `bye`, `lost`, `replaced`, or the reason the service gave."""

    async def interrupted(self, call: str, seat: Seat, who: str, since: datetime) -> None:
        """The seat was away since `since` (aware, UTC); said together with `resumed`, when it comes back anew."""

    async def resumed(self, call: str, seat: Seat, who: str, gap_ms: int) -> None:
        """The seat is back with a new peer after `gap_ms`."""

    async def noted(self, call: str, seat: Seat, who: str, note: Note) -> None:
        """The seat has something for the log."""

    async def sampled(self, call: str, seat: Seat, who: str, quality: Quality) -> None:
        """The seat sent a summary of its line to another."""


class Calls(Protocol):
    """What the service may ask of signaling."""

    async def end(self, call: str, reason: str) -> None:
        """Tell all seats `call_closed` and close their sockets; no Attendance call follows."""

    async def unseat(self, call: str, seat: Seat, reason: str) -> None:
        """Take the seat from whoever sits there; they are told `error {code: "unseated"}`, others `seat_left`."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Times in seconds. `away_seconds` is how long a lost seat is kept, `resume_seconds` how long a token works."""

    hello_seconds: float = 2.0
    heartbeat_seconds: float = 3.0
    send_seconds: float = 5.0
    away_seconds: float = 120.0
    resume_seconds: float = 12 * 3600.0
    commit_seconds: float = 3.0
    sweep_seconds: float = 1.0
    outbox_messages: int = 128
    messages_per_second: float = 30.0
    messages_burst: int = 120
    sockets_before_hello: int = 256


class CallEndpoint:
    """The websocket `/call`. `attach` it to the application and keep `run` running; it is also the Calls."""

    def __init__(
        self,
        attendance: Attendance,
        *,
        ticket_key: bytes,
        resume_key: bytes,
        clock: Callable[[], datetime],
        origins: Collection[str] = (),
        limits: Limits = Limits(),
        relay: Relay | None = None,
        login_stands: Callable[[str], Awaitable[bool]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`origins` are allowed besides the request's own host. `login_stands` is asked when a resume token comes
        to a server that does not know the seat (it was restarted); without it such a login is taken to stand."""

    def attach(self, app: web.Application, path: str = "/call") -> None:
        """Add the route, and tell and close every socket when the application shuts down."""

    async def run(self) -> None:
        """Gives up seats that stayed away too long; runs until cancelled, as one of the server's tasks."""

    async def end(self, call: str, reason: str) -> None:
        """See Calls."""

    async def unseat(self, call: str, seat: Seat, reason: str) -> None:
        """See Calls."""

    async def drop_login(self, login: str) -> None:
        """Close every socket and give up every seat of a login that was revoked; older tickets of it are refused."""

    def present(self, call: str) -> dict[Seat, str]:
        """Who sits where, sockets that are away for a moment included: the service's sweep asks after a restart."""
        return {}
