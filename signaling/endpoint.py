"""aiohttp websocket <-> Group: opens and greets sockets, carries what they say; decides nothing about seats."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Iterator
from datetime import datetime
from typing import Final

from aiohttp import web

from signaling.attendance import Attendance, Calls
from signaling.errors import RETRY_AFTER, PeerError, SignalingError, TicketError
from signaling.group import Group, Peer, Surroundings
from signaling.line import Limits, Line
from signaling.messages import SUBPROTOCOL, Description, Hello, Seat, Waiting, decode_from_peer
from signaling.relay import DropLogin, EndCall, KeepApart, LocalRelay, Order, Relay, Unseat
from signaling.ticket import TICKET_SECONDS, Claims, ResumeClaims, check, check_resume

__all__ = ["Attendance", "CallEndpoint", "Calls", "Limits"]

# When a server that goes down is expected back; one that has too many at its door is asked again as late.
RESTART_SECONDS: Final = RETRY_AFTER["server_restarting"]

logger = logging.getLogger(__name__)

_DEFAULT_LIMITS = Limits()


class CallEndpoint:
    """The websocket `/call`. `attach` it to the application and call `sweep` every second; it is also the Calls."""

    def __init__(
        self,
        attendance: Attendance,
        *,
        ticket_key: bytes,
        resume_key: bytes,
        clock: Callable[[], datetime],
        origins: Collection[str] = (),
        limits: Limits = _DEFAULT_LIMITS,
        relay: Relay | None = None,
        login_stands: Callable[[str], Awaitable[bool]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        address_group: Callable[[str | None], str] = str,
    ) -> None:
        """`origins` are allowed besides the request's own host. `login_stands` is asked when a resume token comes
        to a server that does not know the seat (it was restarted); without it such a login is taken to stand.
        `address_group` tells which addresses are counted as one."""
        self._around = Surroundings(
            attendance=attendance,
            resume_key=resume_key,
            clock=clock,
            monotonic=monotonic,
            limits=limits,
            login_stands=login_stands,
        )
        self._ticket_key = ticket_key
        self._resume_key = resume_key
        self._clock = clock
        self._origins = frozenset(origins)
        self._limits = limits
        self._relay = relay or LocalRelay()
        self._groups: dict[str, Group] = {}
        self._lines: set[Line] = set()
        self._address_group = address_group
        self._before_hello: dict[Line, str] = {}
        self._dropped_logins: dict[str, float] = {}
        self._is_closing = False
        self._relay.attach(self._obey)

    def attach(self, app: web.Application, path: str = "/call") -> None:
        """Add the route, and tell and close every socket when the application shuts down."""
        app.router.add_get(path, self.handle)
        app.on_shutdown.append(self._shut_down)

    async def sweep(self, *, gives_up: bool = True) -> None:
        """Seats away too long are given up (if it `gives_up`), unconfirmed resumes are confirmed."""
        for name in [name for name, group in self._groups.items() if not group.is_quiet]:
            with self._group(name) as group:
                await group.sweep(gives_up=gives_up)
        forgotten = self._clock().timestamp() - self._limits.resume_seconds - TICKET_SECONDS
        self._dropped_logins = {login: at for login, at in self._dropped_logins.items() if at > forgotten}

    async def end(self, call: str, reason: str) -> None:
        """See Calls."""
        await self._relay.spread(EndCall(call=call, reason=reason))

    async def unseat(self, call: str, seat: Seat, reason: str, who: str | None = None) -> None:
        """See Calls."""
        await self._relay.spread(Unseat(call=call, seat=seat, reason=reason, who=who))

    async def keep_apart(self, call: str, seats: frozenset[Seat]) -> None:
        """See Calls."""
        await self._relay.spread(KeepApart(call=call, seats=seats))

    async def drop_login(self, login: str) -> None:
        """Close every socket and give up every seat of a login that was revoked; older tickets of it are refused."""
        await self._relay.spread(DropLogin(login=login))

    def sits(self, login: str) -> bool:
        """Truth that this login has a seat in some call of this server, or is away from it for a moment."""
        return any(group.call.seats_of(login) for group in self._groups.values())

    def present(self, call: str) -> dict[Seat, str]:
        """Who sits where, sockets that are away for a moment included; after a restart only those who came back."""
        group = self._groups.get(call)
        return {} if group is None else group.call.present()

    def unheard(self, call: str, seconds: float) -> frozenset[Seat]:
        """The taken seats of a call that this server heard nothing of in the last `seconds`, or for a while within them."""
        group = self._groups.get(call)
        return frozenset() if group is None else group.unheard(seconds)

    def waiting(self, call: str, seat: Seat, who: str) -> list[Waiting]:
        """See Calls."""
        group = self._groups.get(call)
        return [] if group is None else group.call.waiting(seat, who)

    async def answer(self, call: str, seat: Seat, who: str, answer: Description) -> bool:
        """See Calls."""
        if call not in self._groups:
            return False
        with self._group(call) as group:
            return await group.answer(seat, who, answer)

    def promise(self, call: str, seat: Seat, who: str) -> None:
        """See Calls."""
        if call in self._groups:
            self._groups[call].promise(seat, who)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The websocket `/call`. Refused upgrades answer 400 (no subprotocol), 403 (origin) or 503, with a line of words."""
        if SUBPROTOCOL not in _offered_subprotocols(request):
            raise web.HTTPBadRequest(text=f"this websocket speaks the subprotocol {SUBPROTOCOL}\n")
        if not self._is_origin_allowed(request):
            raise web.HTTPForbidden(text="the page's origin may not open this websocket\n")
        address = self._address_group(request.remote)
        if self._is_closing or self._is_crowded(address):
            raise web.HTTPServiceUnavailable(text="try again in a moment\n", headers={"Retry-After": str(RESTART_SECONDS)})
        line = Line(self._limits, self._around.monotonic)
        self._lines.add(line)
        self._before_hello[line] = address
        try:
            try:
                socket = await line.open(request)
            except ConnectionResetError:
                logger.debug("whoever asked for a call socket is gone")
                return web.Response()
            async with asyncio.TaskGroup() as group:
                await line.carry(group.create_task(self._serve(line)))
        finally:
            self._lines.discard(line)
            self._before_hello.pop(line, None)
        return socket

    async def _serve(self, line: Line) -> None:
        peer = None
        try:
            peer = await self._greet(line)
            while peer is not None and (text := await line.receive()) is not None:
                with self._group(peer.claims.call) as group:
                    await group.receive(peer, decode_from_peer(text))
        except SignalingError as error:
            logger.info("call socket refused: %s", error.code)
            line.refuse(error.code, error.text)
        except Exception:
            number = secrets.token_hex(4)
            logger.exception("call socket failed, fault %s", number)
            line.refuse("server_fault", f"a fault of the server, number {number}")
        finally:
            line.close()
            if peer is not None:
                with self._group(peer.claims.call) as group:
                    group.lose(peer)

    async def _greet(self, line: Line) -> Peer | None:
        try:
            async with asyncio.timeout(self._limits.hello_seconds):
                text = await line.receive()
        except TimeoutError:
            raise PeerError("hello_timeout", f"hello comes within {self._limits.hello_seconds:g} s") from None
        self._before_hello.pop(line, None)
        if text is None:
            return None
        hello = decode_from_peer(text)
        if not isinstance(hello, Hello):
            raise PeerError("hello_expected", "the first message is hello")
        peer = Peer(line=line, claims=await self._claims(hello), answered=hello.answered)
        with self._group(peer.claims.call) as group:
            await group.take_seat(peer, lambda: self._is_dropped(peer.claims))
        return peer

    async def _claims(self, hello: Hello) -> Claims | ResumeClaims:
        now = self._clock().timestamp()
        claims: Claims | ResumeClaims
        if hello.resume is not None:
            claims = check_resume(hello.resume, self._resume_key, now)
        else:
            claims = check(hello.ticket or "", self._ticket_key, now)
        if self._is_dropped(claims):
            raise TicketError("login_ended", "this login has ended")
        if isinstance(claims, Claims) and not await self._relay.use_ticket(claims.id, claims.expires, now):
            raise TicketError("used", "a ticket opens one socket; ask for a fresh one")
        return claims

    def _is_dropped(self, claims: Claims | ResumeClaims) -> bool:
        # A device that is paired again keeps its login id, so only what was minted before the drop is refused.
        lifetime = TICKET_SECONDS if isinstance(claims, Claims) else self._limits.resume_seconds
        return claims.expires - lifetime <= self._dropped_logins.get(claims.login, float("-inf"))

    async def _obey(self, order: Order) -> None:
        match order:
            case EndCall(call=call, reason=reason):
                group = self._groups.pop(call, None)
                if group is not None:
                    await group.end(reason)
            case Unseat(call=call, seat=seat, reason=reason, who=who):
                if call in self._groups:
                    with self._group(call) as group:
                        group.cut(seat, "unseated", f"the seat was taken away: {reason}", who)
                        await group.take_away(seat, reason, "unseated", who)
            case KeepApart(call=call, seats=seats):
                if call in self._groups:
                    await self._groups[call].keep_apart(seats)
            case DropLogin(login=login):
                await self._drop(login)

    async def _drop(self, login: str) -> None:
        self._dropped_logins[login] = self._clock().timestamp()
        held = [(name, seat) for name, group in self._groups.items() for seat in group.call.seats_of(login)]
        for name, seat in held:
            self._groups[name].cut(seat, "login_ended", "this login has ended")
        for name, seat in held:
            with self._group(name) as group:
                await group.take_away(seat, "login_ended", "login_ended")

    async def _shut_down(self, _app: web.Application) -> None:
        self._is_closing = True
        for line in self._lines:
            line.refuse("server_restarting", "the server is going down for a moment; come back with resume")

    @contextlib.contextmanager
    def _group(self, name: str) -> Iterator[Group]:
        """The call's group, made when it is the first to be used, gone when nobody sits there or uses it."""
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = Group(name, self._around)
        group.users += 1
        try:
            yield group
        finally:
            group.users -= 1
            if group.users == 0 and group.call.is_empty and self._groups.get(name) is group:
                del self._groups[name]

    def _is_crowded(self, address: str) -> bool:
        """Truth that too many sockets have not said hello: of this address, or of all."""
        waiting = self._before_hello.values()
        of_one = sum(1 for other in waiting if other == address)
        return len(waiting) >= self._limits.sockets_before_hello or of_one >= self._limits.sockets_before_hello_of_one

    def _is_origin_allowed(self, request: web.Request) -> bool:
        origin = request.headers.get("Origin")
        if origin is None or origin in self._origins:
            return True
        scheme, _, host = origin.partition("://")
        return scheme in {"http", "https"} and host.lower() == request.host.lower()


def _offered_subprotocols(request: web.Request) -> set[str]:
    offered = ",".join(request.headers.getall("Sec-WebSocket-Protocol", []))
    return {name.strip() for name in offered.split(",")}
