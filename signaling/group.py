"""A call with its live sockets: carries its effects out in the order they are given.

Seats change under the lock and only after Attendance has committed; relaying waits for neither.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from signaling.attendance import Attendance
from signaling.call import Call
from signaling.effects import (
    Drop,
    Effect,
    HangUp,
    Interrupted,
    Joined,
    Left,
    NoteMade,
    QualitySampled,
    Refuse,
    Resumed,
    Seated,
    Send,
)
from signaling.errors import PeerError, SignalingError, TicketError
from signaling.line import Limits, Line
from signaling.messages import Bye, Description, FromPeer, Seat, Welcome
from signaling.pace import Pace
from signaling.ticket import Claims, ResumeClaims, mint_resume

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What every group of an endpoint shares; see CallEndpoint."""

    attendance: Attendance
    resume_key: bytes
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    limits: Limits
    login_stands: Callable[[str], Awaitable[bool]] | None


@dataclass(eq=False, kw_only=True)
class Peer:
    """A socket that showed its claims; `is_confirmed` is False while the service has not heard of a resumed seat.

    `answered`: see `Call.seat`.
    """

    line: Line
    claims: Claims | ResumeClaims
    answered: int | None = None
    is_confirmed: bool = True


class Group:
    """`users` counts who is at work on the group, so that the endpoint knows when it may be forgotten."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self._name = name
        self._around = around
        self._peers: dict[Seat, Peer] = {}
        # Of each seat the newest, though it may be gone.
        self._lines: dict[Seat, Line] = {}
        self._lock = asyncio.Lock()
        self._pace = Pace()
        self.call = Call(away_seconds=around.limits.away_seconds)
        self.users = 0

    async def take_seat(self, peer: Peer, is_dropped: Callable[[], bool]) -> None:
        """Seat the peer and welcome it, or raise SignalingError. `is_dropped`: the login ended in the meantime."""
        claims = peer.claims
        if isinstance(claims, ResumeClaims) and self.call.admit(claims, self._around.monotonic()) == []:
            # Nothing to commit: a resume waits for nobody's database.
            await self._carry_out(self.call.seat(claims), peer)
            return
        async with self._lock:
            await self._carry_out(self.call.admit(claims, self._around.monotonic()), peer)
            await self._carry_out(self.call.seat(claims, peer.answered), peer)
            if is_dropped():
                await self._carry_out(self.call.unseat(claims.seat, "login_ended", code="login_ended"))

    async def receive(self, peer: Peer, message: FromPeer) -> None:
        """What a seated peer sent; a peer that was replaced meanwhile is not heard any more."""
        seat = peer.claims.seat
        if not self._pace.admits(seat, message, self._around.monotonic()):
            return
        if isinstance(message, Bye):
            async with self._lock:
                if self._peers.get(seat) is peer:
                    await self._carry_out(self.call.receive(seat, message), peer)
        elif self._peers.get(seat) is peer:
            await self._carry_out(self.call.receive(seat, message), peer)

    async def answer(self, seat: Seat, who: str, answer: Description) -> bool:
        """See Calls."""
        async with self._lock:
            effects = self.call.answer(seat, who, answer)
            await self._carry_out(effects)
        return effects != []

    def promise(self, seat: Seat, who: str) -> None:
        """See Calls; waits for nothing."""
        for effect in self.call.promise(seat, who):
            self._reach(effect)

    def lose(self, peer: Peer) -> None:
        """The peer's socket is gone."""
        if self._peers.get(peer.claims.seat) is peer:
            del self._peers[peer.claims.seat]
            self.call.lose(peer.claims.seat, peer.line.heard_at)

    def cut(self, seat: Seat, code: str, text: str, who: str | None = None) -> None:
        """Close the seat's socket at once, whatever the database does; `take_away` vacates the seat after it."""
        peer = self._peers.get(seat)
        if peer is not None and who in (None, peer.claims.who):
            peer.line.refuse(code, text)

    async def take_away(self, seat: Seat, reason: str, code: str, who: str | None = None) -> None:
        """Vacate the seat and tell the others; see `Call.unseat`."""
        async with self._lock:
            await self._carry_out(self.call.unseat(seat, reason, code=code, who=who))

    async def keep_apart(self, seats: frozenset[Seat]) -> None:
        """See `Call.keep_apart`; asked again and again, it does nothing but what is new."""
        if seats != self.call.apart:
            await self._carry_out(self.call.keep_apart(seats))

    async def end(self, reason: str) -> None:
        """Tell everybody that the call is over; waits for nothing."""
        await self._carry_out(self.call.end(reason))

    @property
    def is_quiet(self) -> bool:
        """Truth that a sweep would find nothing to do."""
        return not self.call.is_anyone_away and all(peer.is_confirmed for peer in self._peers.values())

    def unheard(self, seconds: float) -> frozenset[Seat]:
        """The taken seats of which nothing was heard all through the last `seconds`, or for a while within them.

        One heartbeat at least: so long says nothing who has nothing to say.
        """
        begun = self._around.monotonic() - max(seconds, self._around.limits.heartbeat_seconds)
        steady = {seat for seat, peer in self._peers.items() if peer.line.heard_at > begun and peer.line.steady_since <= begun}
        return frozenset(self.call.present()) - steady

    async def sweep(self, *, gives_up: bool = True) -> None:
        """Give up seats that were away too long, if it `gives_up`; say resumed seats again that the service has not heard of.

        A group where somebody is being seated waits for the next sweep, so that no other group waits for it.
        """
        if self._lock.locked():
            return
        async with self._lock:
            if gives_up:
                await self._carry_out(self.call.overdue(self._around.monotonic()))
            for peer in [peer for peer in self._peers.values() if not peer.is_confirmed]:
                await self._confirm_later(peer)

    async def _carry_out(self, effects: list[Effect], asking: Peer | None = None) -> None:
        for effect in effects:
            match effect:
                case Send() | Drop() | HangUp():
                    self._reach(effect)
                case Refuse(code=code, text=text):
                    raise PeerError(code, text)
                case Seated():
                    self._welcome(effect, asking)
                case Joined():
                    await self._commit_joined(effect, asking)
                case Left() | Interrupted() | Resumed() | NoteMade() | QualitySampled():
                    await self._commit(effect)

    def _reach(self, effect: Send | Drop | HangUp) -> None:
        peer = self._peers.get(effect.seat)
        if peer is None:
            return
        match effect:
            case Send(message=message):
                peer.line.send(message)
            case Drop(seat=seat, code=code, text=text):
                del self._peers[seat]
                peer.line.refuse(code, text)
            case HangUp(seat=seat):
                del self._peers[seat]
                peer.line.close()

    def _welcome(self, seated: Seated, peer: Peer | None) -> None:
        if peer is None:
            raise AssertionError("nobody asked for this seat")
        older = self._peers.get(seated.seat)
        if older is not None:
            older.line.refuse("replaced", "a newer socket of the same login has the seat")
        if isinstance(peer.claims, ResumeClaims) and seated.seat in self._lines:
            peer.line.follow(self._lines[seated.seat])
        self._peers[seated.seat] = peer
        self._lines[seated.seat] = peer.line
        claims = ResumeClaims(
            call=self._name,
            seat=seated.seat,
            who=peer.claims.who,
            login=peer.claims.login,
            id=peer.claims.id,
            epoch=seated.epoch,
            relay_only=peer.claims.relay_only,
            expires=int(self._around.clock().timestamp() + self._around.limits.resume_seconds),
        )
        peer.line.send(
            Welcome(
                seat=seated.seat,
                epoch=seated.epoch,
                present=seated.present,
                heartbeat_seconds=self._around.limits.heartbeat_seconds,
                resume=mint_resume(claims, self._around.resume_key),
            )
        )

    async def _commit_joined(self, joined: Joined, peer: Peer | None) -> None:
        try:
            async with asyncio.timeout(self._around.limits.commit_seconds):
                if peer is not None and isinstance(peer.claims, ResumeClaims):
                    await self._confirm(peer)
                else:
                    await self._around.attendance.joined(self._name, joined.seat, joined.who)
        except SignalingError:
            raise
        except Exception as fault:  # noqa: BLE001 - logged, and the seat waits for its commit
            _log_fault("a seat could not be committed", fault)
            if peer is None or isinstance(peer.claims, Claims):
                raise PeerError("try_again", "the seat could not be recorded; try again in a moment") from None
            peer.is_confirmed = False

    async def _confirm(self, peer: Peer) -> None:
        """A seat that was taken before this server started is said again; the service may know better by now."""
        if self._around.login_stands is not None and not await self._around.login_stands(peer.claims.login):
            raise TicketError("login_ended", "this login has ended")
        await self._around.attendance.joined(peer.claims.call, peer.claims.seat, peer.claims.who)

    async def _confirm_later(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(self._around.limits.commit_seconds):
                await self._confirm(peer)
            peer.is_confirmed = True
        except SignalingError as error:
            await self._carry_out(self.call.unseat(peer.claims.seat, "unseated", code=error.code))
        except Exception as fault:  # noqa: BLE001 - logged, and tried again at the next sweep
            _log_fault("a resumed seat is still not confirmed", fault)

    async def _commit(self, effect: Left | Interrupted | Resumed | NoteMade | QualitySampled) -> None:
        # The service tries again by itself; whoever waits in the call is not left without an answer.
        attendance, call, seat, who = self._around.attendance, self._name, effect.seat, effect.who
        try:
            match effect:
                case Left(reason=reason):
                    await attendance.left(call, seat, who, reason)
                case Interrupted(gap_ms=gap_ms):
                    await attendance.interrupted(call, seat, who, self._around.clock() - timedelta(milliseconds=gap_ms))
                case Resumed(gap_ms=gap_ms):
                    await attendance.resumed(call, seat, who, gap_ms)
                case NoteMade(note=note):
                    await attendance.noted(call, seat, who, note)
                case QualitySampled(quality=quality):
                    await attendance.sampled(call, seat, who, quality)
        except Exception:
            logger.exception("the service could not take word of a call")


def _log_fault(text: str, fault: Exception) -> None:
    """A time-out has no traceback worth writing: hundreds of them, while everybody comes back, would hold up the rest."""
    logger.error(text, exc_info=None if isinstance(fault, TimeoutError) else fault)
