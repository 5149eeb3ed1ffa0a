"""What happens in a call, as the log tells it: signaling's `Attendance`, written through the ledger.

Signaling speaks of seats and peers; here that becomes events of the session. A seat that is taken already is not taken again
in the log, however often a page is loaded anew.
"""

from collections.abc import Callable, Collection, Container, Sequence
from datetime import datetime, timedelta

import msgspec

from etapalvelu.domain.causes import cause_of, side
from etapalvelu.domain.claims import release
from etapalvelu.domain.codes import CauseClass, DocumentCamera, Path, ReleaseReason, Seat
from etapalvelu.domain.errors import ConflictError, NotFoundError
from etapalvelu.domain.events import Connected, Event, Interrupted, Joined, Left, Resumed, Secured, StillTaken
from etapalvelu.domain.identity import secure, stranger
from etapalvelu.domain.people import SYSTEM
from etapalvelu.domain.session import EXPERT_SEATS, Session
from etapalvelu.ledger import Ledger
from etapalvelu.ports import Clock, Decoded, Sample, SessionStore
from signaling import messages
from signaling.errors import RefusedError
from signaling.messages import Note, Quality

# Which seats of a call were not heard of in the last seconds.
Unheard = Callable[[str, float], Collection[str]]


def _all_are_heard(_call: str, _seconds: float) -> Collection[str]:
    return ()


class SessionAttendance:
    """One for the server; every method is awaited by the endpoint before it tells anybody."""

    def __init__(self, ledger: Ledger, sessions: SessionStore, clock: Clock, unheard: Unheard = _all_are_heard) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._clock = clock
        self._unheard = unheard
        self._missing: frozenset[tuple[str, Seat]] = frozenset()

    async def give_up_missing(self, present: Callable[[str], Container[str]]) -> None:
        """Give up the seats that the log knows as taken and signaling did not know at two calls of this, long apart.

        After a restart signaling knows only who came back. `present` must speak for all servers, should there be several.
        """
        sessions = await self._sessions.open_sessions()
        missing = frozenset((one.id, seat) for one in sessions for seat in one.seats if seat not in present(one.id))
        still_missing, self._missing = missing & self._missing, missing
        for call, seat in sorted(still_missing):
            await self.left(call, seat, SYSTEM, "lost")

    async def joined(self, call: str, seat: str, who: str) -> None:
        """Log the first seating. Raises `RefusedError` when the session has ended or the seat is another's by now."""
        taken = Seat(seat)

        def decide(session: Session) -> Sequence[Event]:
            if not session.is_open:
                raise RefusedError("call_over", "The session has ended.")
            if taken in EXPERT_SEATS and who.partition(":")[2] not in (session.expert, session.successor):
                raise RefusedError("released", "The session has gone back to the queue.")
            if taken is Seat.ADVISOR and not session.advisor_stays:
                raise RefusedError("unseated", "The customer goes on without the advisor.")
            return [] if taken in session.seats else [Joined(seat=taken)]

        try:
            await self._ledger.change(call, who, decide)
        except (ConflictError, NotFoundError) as error:
            raise RefusedError("call_over", "The session has ended.") from error

    async def left(self, call: str, seat: str, who: str, reason: str) -> None:
        """A seat was given up for good. Without a successor the expert's leaving releases the session."""
        gone = Seat(seat)

        def decide(session: Session) -> Sequence[Event]:
            if gone not in session.seats:
                return []
            if gone is session.expert_seat and session.successor is None and session.expert is not None:
                return release(session, ReleaseReason.EXPERT_LOST)
            return [Left(seat=gone)]

        await self._ledger.change_if_true(call, who if reason == "bye" else SYSTEM, decide)

    async def interrupted(self, call: str, seat: str, who: str, since: datetime) -> None:
        cause = side(Seat(seat))
        await self._interrupt(call, Seat(seat), SYSTEM, since, lambda _session: cause)

    async def resumed(self, call: str, seat: str, who: str, gap_ms: int) -> None:
        await self._resume(call, Seat(seat), SYSTEM, gap_ms)

    async def noted(self, call: str, seat: str, who: str, note: Note) -> None:
        """Something a seat saw or did. What does not fit the session (any more) is dropped."""
        match note:
            case messages.Decoded():
                await self._decoded(call, Seat(seat), note)
            case messages.StillTaken():
                await self._still_taken(call, who, note)
            case messages.MediaInterrupted(cause=CauseClass.IDENTITY):
                await self._distrust(call, Seat(seat), Seat(note.peer), who)
            case messages.MediaInterrupted():
                await self._lost(call, Seat(seat), who, note)
            case messages.MediaResumed():
                await self._resume(call, Seat(note.peer), who, note.gap_ms)
            case messages.LineSecured():
                await self._secured(call, Seat(seat), who, note)

    async def camera_is(self, room: str, state: DocumentCamera) -> None:
        """How the room's agent says its camera is. One that was lost in a session is logged, and so is its return."""
        for session in await self._sessions.open_sessions():
            if session.room == room and Seat.CAMERA in session.seats:
                await self._hear_camera(session, state)

    async def _hear_camera(self, session: Session, state: DocumentCamera) -> None:
        now = self._clock()
        if state is DocumentCamera.LOST:
            await self._interrupt(session.id, Seat.CAMERA, SYSTEM, now, lambda _session: CauseClass.DOCUMENT_CAMERA)
        elif state is DocumentCamera.OK and Seat.CAMERA in session.interrupted:
            entries = await self._sessions.entries(session.id)
            gaps = [
                entry.event for entry in entries if isinstance(entry.event, Interrupted) and entry.event.seat is Seat.CAMERA
            ]
            # What was lost for another cause is not back because the camera sees.
            if gaps and gaps[-1].cause_class is CauseClass.DOCUMENT_CAMERA:
                await self._resume(session.id, Seat.CAMERA, SYSTEM, round((now - gaps[-1].since).total_seconds() * 1000))

    async def sampled(self, call: str, seat: str, who: str, quality: Quality) -> None:
        stats = msgspec.to_builtins(quality.stats)
        await self._sessions.add_sample(Sample(session=call, at=self._clock(), seat=seat, peer=quality.peer, stats=stats))

    async def _decoded(self, call: str, seat: Seat, note: messages.Decoded) -> None:
        """Both sides' word makes the session connected."""
        session = await self._sessions.session(call)
        if session is None or session.claimed_at is None or {seat, Seat(note.peer)} != {Seat.ROOM, session.expert_seat}:
            return
        said = await self._sessions.add_decoded(
            Decoded(
                session=call,
                claimed_at=session.claimed_at,
                seat=seat,
                generation=note.generation,
                path=note.path,
                setup_ms=note.setup_ms,
            )
        )
        by_seat = {decoded.seat: decoded for decoded in said}
        room, expert = by_seat.get(Seat.ROOM), by_seat.get(session.expert_seat)
        if room is None or expert is None or room.generation != expert.generation:
            return
        event = Connected(path=Path(expert.path), setup_ms=max(room.setup_ms, expert.setup_ms))
        await self._ledger.change_if_true(call, SYSTEM, lambda fresh: [event] if fresh.claimed_at == session.claimed_at else [])

    async def _still_taken(self, call: str, who: str, note: messages.StillTaken) -> None:
        event = StillTaken(
            sha256=note.sha256,
            size=note.size,
            width=note.width,
            height=note.height,
            verdict=note.verdict,
            raw_sha256=note.raw_sha256,
        )
        await self._ledger.change_if_true(call, who, lambda _session: [event])

    async def _secured(self, call: str, seat: Seat, who: str, note: messages.LineSecured) -> None:
        """One end's word of who is at the other; that two words contradict each other is logged with the later one."""
        word = Secured(seat=seat, peer=Seat(note.peer), generation=note.generation, own=note.own, met=note.met)
        await self._ledger.change_if_true(call, who, lambda session: secure(session, word, self._clock()))

    async def _distrust(self, call: str, seat: Seat, peer: Seat, who: str) -> None:
        await self._ledger.change_if_true(call, who, lambda session: stranger(session, seat, peer, self._clock()))

    async def _lost(self, call: str, teller: Seat, who: str, note: messages.MediaInterrupted) -> None:
        lost, since = Seat(note.peer), self._clock() - timedelta(milliseconds=note.since_ms)
        # Asked now: by the commit the one who fell silent may be back.
        unheard = frozenset(Seat(seat) for seat in self._unheard(call, note.since_ms / 1000))

        def cause(session: Session) -> CauseClass:
            return cause_of(
                note.cause,
                teller=teller,
                lost=lost,
                unheard=unheard,
                seats=session.seats,
                path=session.path,
                relay_protocol=note.relay_protocol,
            )

        await self._interrupt(call, lost, who, since, cause, told_by=teller)

    async def _interrupt(
        self,
        call: str,
        seat: Seat,
        actor: str,
        since: datetime,
        cause: Callable[[Session], CauseClass],
        told_by: Seat | None = None,
    ) -> None:
        """A seat of which it is known that its own media are lost tells nothing new: it is one gap, seen from both ends."""

        def decide(session: Session) -> Sequence[Event]:
            if told_by in session.interrupted:
                return []
            begun = max(session.opened_at, min(since, self._clock()))
            return [Interrupted(seat=seat, cause_class=cause(session), since=begun)]

        await self._ledger.change_if_true(call, actor, decide)

    async def _resume(self, call: str, seat: Seat, actor: str, gap_ms: int) -> None:
        await self._ledger.change_if_true(call, actor, lambda _session: [Resumed(seat=seat, gap_ms=max(0, gap_ms))])
