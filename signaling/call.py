"""Who sits in a call and what its messages lead to. No I/O, no clock: `now` is in seconds of any steady clock.

A seating is asked for with `admit`, whose effects are committed before `seat` seats or tells anybody (R2).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from msgspec import structs

from signaling.advance import Answers
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
from signaling.mailbox import Carried, Mailbox, News
from signaling.messages import (
    ROOM_SEATS,
    SEATS,
    Bye,
    CallClosed,
    Candidate,
    CandidateFrom,
    Decoded,
    Description,
    DescriptionFrom,
    FromPeer,
    Hello,
    IceCandidate,
    LineSecured,
    MediaInterrupted,
    MediaResumed,
    Note,
    Noted,
    Present,
    Quality,
    Restart,
    RestartFrom,
    Seat,
    SeatJoined,
    SeatLeft,
    SeatPromised,
    StillTaken,
    Waiting,
)
from signaling.sdp import relay_candidate, relay_description
from signaling.ticket import Claims, ResumeClaims, holder
from signaling.witness import Witness

REMEMBERED_SEATINGS: Final = 64

_EVERYBODY: Final[frozenset[Seat]] = frozenset(SEATS)
# Every message and note type has its row; a test walks the table cell by cell.
MAY_SEND: Final[dict[type[FromPeer | Note], frozenset[Seat]]] = {
    Hello: _EVERYBODY,
    Description: _EVERYBODY,
    Candidate: _EVERYBODY,
    Restart: _EVERYBODY,
    Quality: _EVERYBODY,
    Noted: _EVERYBODY,
    Bye: _EVERYBODY,
    Decoded: _EVERYBODY,
    StillTaken: frozenset({"camera"}),
    MediaInterrupted: _EVERYBODY,
    MediaResumed: _EVERYBODY,
    LineSecured: _EVERYBODY,
}


@dataclass(frozen=True, kw_only=True)
class _Sitter:
    """`lost_at` is when the socket was lost; None while it stands."""

    who: str
    login: str
    id: str
    epoch: int
    relay_only: bool
    lost_at: float | None = None


class Call:
    """One signaling group of at most one sitter a seat."""

    def __init__(self, *, away_seconds: float) -> None:
        self._away_seconds = away_seconds
        self._sitters: dict[Seat, _Sitter] = {}
        self._epochs: dict[Seat, int] = {}
        self._mailbox = Mailbox()
        self._witness = Witness()
        self._apart: frozenset[Seat] = frozenset()
        self._answers = Answers()
        self._past_seatings: dict[str, None] = {}
        self._is_over = False

    @property
    def is_empty(self) -> bool:
        """Nobody sits here, away or not."""
        return not self._sitters

    @property
    def apart(self) -> frozenset[Seat]:
        """The seats whose lines to everybody are kept cut."""
        return self._apart

    @property
    def is_anyone_away(self) -> bool:
        """Truth that a seat is kept for somebody whose socket was lost."""
        return any(sitter.lost_at is not None for sitter in self._sitters.values())

    def present(self) -> dict[Seat, str]:
        """Who sits where, away or not."""
        return {seat: sitter.who for seat, sitter in self._sitters.items()}

    def waiting(self, seat: Seat, who: str) -> list[Waiting]:
        """What waits for a vacant seat, for `who` may come to sit there; see Calls."""
        if seat in self._sitters:
            return []
        hidden = {other for other in self._sitters if self._is_relay_only(other, seat) or self._is_cut(other, seat)}
        held = (mail for mail in self._mailbox.held(seat) if mail.from_ not in {*hidden, self._answers.others(seat, who)})
        return [mail for mail in held if isinstance(mail, DescriptionFrom | CandidateFrom)]

    def answer(self, seat: Seat, who: str, answer: Description) -> list[Effect]:
        """`who` may come to sit on the vacant seat, and answers an offer in advance that waits there; see Calls.

        Nothing when no such offer waits, or it is answered already.
        """
        offers = self._sitters.get(answer.to)
        if offers is None or offers.lost_at is not None or not self._answers.keep(seat, who, answer, self.waiting(seat, who)):
            return []
        self._witness.is_stranger(seat, answer, (self._epochs.get(seat, 0) + 1, offers.epoch))
        return [Send(seat=answer.to, message=_from(seat, answer))]

    def promise(self, seat: Seat, who: str) -> list[Send]:
        """The vacant seat is given to `who`, who is about to sit down: whose offer they have answered may begin."""
        answered = self._answers.of(seat)
        if answered is None or answered.who != who or self._sitters[answered.offers].lost_at is not None:
            return []
        return [Send(seat=answered.offers, message=SeatPromised(seat=seat, answered=answered.generation))]

    def seats_of(self, login: str) -> list[Seat]:
        """The seats this login has taken."""
        return [seat for seat, sitter in self._sitters.items() if sitter.login == login]

    def admit(self, claims: Claims | ResumeClaims, now: float) -> list[Effect]:
        """What must be committed before `seat` may be called; a Refuse in it ends the matter."""
        if self._is_over:
            return [Refuse(code="call_over", text="the call has ended")]
        match claims:
            case Claims():
                return self._admit_fresh(claims, now)
            case ResumeClaims():  # pragma: no branch
                return self._admit_resumed(claims)

    def seat(self, claims: Claims | ResumeClaims, answered: int | None = None) -> list[Effect]:
        """Take the seat as `admit` allowed. The sitter is welcomed and given its mail, the others are told.

        `answered`: the generation of the offer in advance that the sitter says to have answered before.
        """
        if self._is_over:
            return [Refuse(code="call_over", text="the call has ended")]
        seat, before = claims.seat, self._sitters.get(claims.seat)
        is_same_seating = before is not None and before.id == claims.id
        if before is not None and not is_same_seating:
            self._begins_anew(seat, before)
        epoch = self._epochs.get(seat, 0) + 1 if isinstance(claims, Claims) else claims.epoch
        self._epochs[seat] = max(epoch, self._epochs.get(seat, 0))
        self._sitters[seat] = _Sitter(
            who=claims.who, login=claims.login, id=claims.id, epoch=epoch, relay_only=claims.relay_only
        )
        early = self._answers.collect(seat)
        is_early = early is not None and (early.who, early.generation) == (claims.who, answered)
        effects: list[Effect] = [Seated(seat=seat, epoch=epoch, present=self._others(seat))]
        mail = self._mailbox.collect(seat)
        # An offer is answered once: whoever else sits down waits for the next one.
        effects += self._deliver(seat, [one for one in mail if early is None or not early.is_of(one)])
        if is_same_seating:
            return effects
        joined = SeatJoined(seat=seat, epoch=epoch)
        if early is None or not is_early:
            return effects + self._tell_others(seat, joined)
        effects += self._tell(early.offers, structs.replace(joined, answered=early.generation))
        return effects + self._tell_others(seat, joined, but=early.offers)

    def receive(self, seat: Seat, message: FromPeer) -> list[Effect]:
        """What a message from a taken seat leads to; nothing when the seat is not taken."""
        if seat not in self._sitters:
            return []
        match message:
            case Hello():
                return [Refuse(code="hello_twice", text="hello is the first message only")]
            case Description() | Candidate() | Restart():
                return self._relay(seat, message)
            case Quality():
                return [QualitySampled(seat=seat, who=self._sitters[seat].who, quality=message)]
            case Noted():
                return self._note(seat, message.note)
            case Bye():  # pragma: no branch
                return [HangUp(seat=seat), *self._vacate(seat, "bye")]

    def lose(self, seat: Seat, lost_at: float) -> None:
        """The seat's socket is gone; the seat stays taken, and nobody is told."""
        sitter = self._sitters.get(seat)
        if sitter is not None and sitter.lost_at is None:
            self._sitters[seat] = replace(sitter, lost_at=lost_at)

    def overdue(self, now: float) -> list[Effect]:
        """Gives up the seats that were away for too long."""
        late = [
            seat
            for seat, sitter in self._sitters.items()
            if sitter.lost_at is not None and now - sitter.lost_at >= self._away_seconds
        ]
        return [effect for seat in late for effect in self._vacate(seat, "lost")]

    def unseat(self, seat: Seat, reason: str, *, code: str = "unseated", who: str | None = None) -> list[Effect]:
        """The service takes the seat away, from `who` when named: nothing happens when another sits there by now.

        A vacant seat is told to the others all the same: they may know it as taken.
        """
        sitter = self._sitters.get(seat)
        if sitter is None:
            return self._tell_others(seat, SeatLeft(seat=seat, reason=reason))
        if who not in (None, sitter.who):
            return []
        return [Drop(seat=seat, code=code, text=f"the seat was taken away: {reason}"), *self._vacate(seat, reason)]

    def keep_apart(self, seats: frozenset[Seat]) -> list[Effect]:
        """Cut every line of these seats and carry nothing over it, for it is not certain who is at its ends.

        Whoever was kept apart and is not named any more begins anew with the others.
        """
        before, self._apart = self._apart, seats
        for seat in seats - before:
            self._mailbox.forget(seat)
        pairs = [(seat, other) for seat in self._sitters for other in self._sitters if seat != other]
        effects: list[Effect] = []
        for seat, other in pairs:
            was_cut, is_cut = not before.isdisjoint((seat, other)), self._is_cut(seat, other)
            if is_cut and not was_cut:
                effects += self._tell(seat, SeatLeft(seat=other, reason="identity"))
            elif was_cut and not is_cut:
                effects += self._tell(seat, SeatJoined(seat=other, epoch=self._sitters[other].epoch))
                if self._sitters[seat].lost_at is None:
                    effects += self._deliver(seat, self._mailbox.take(seat, other))
        return effects

    def end(self, reason: str) -> list[Effect]:
        """The call is over for everybody; nobody can sit down any more."""
        self._is_over = True
        seats = list(self._sitters)
        self._sitters.clear()
        return [effect for seat in seats for effect in (Send(seat=seat, message=CallClosed(reason=reason)), HangUp(seat=seat))]

    def _admit_fresh(self, claims: Claims, now: float) -> list[Effect]:
        seat, sitter = claims.seat, self._sitters.get(claims.seat)
        if sitter is None:
            return [Joined(seat=seat, who=claims.who)]
        if holder(sitter.login) == holder(claims.login):
            gap_ms = 0 if sitter.lost_at is None else max(0, round((now - sitter.lost_at) * 1000))
            return [
                Interrupted(seat=seat, who=sitter.who, gap_ms=gap_ms),
                Resumed(seat=seat, who=sitter.who, gap_ms=gap_ms),
            ]
        if sitter.lost_at is None:
            return [Refuse(code="seat_taken", text="somebody else sits there")]
        return [*self._vacate(seat, "replaced"), Joined(seat=seat, who=claims.who)]

    def _admit_resumed(self, claims: ResumeClaims) -> list[Effect]:
        sitter = self._sitters.get(claims.seat)
        if sitter is not None and sitter.id == claims.id:
            return []
        if sitter is not None and holder(sitter.login) == holder(claims.login):
            return [Refuse(code="replaced", text="a newer page or device of the same login has the seat")]
        if sitter is not None:
            return [Refuse(code="seat_taken", text="somebody else sits there")]
        if claims.id in self._past_seatings:
            return [Refuse(code="seat_lost", text="the seat was given up; ask for a fresh ticket")]
        return [Joined(seat=claims.seat, who=claims.who)]

    def _relay(self, seat: Seat, message: Description | Candidate | Restart) -> list[Effect]:
        if message.to == seat:
            return [Refuse(code="not_allowed", text="a seat sends nothing to itself")]
        carried, sitter = _from(seat, message), self._sitters.get(message.to)
        if self._is_cut(seat, message.to):
            # As for a vacant seat: it begins anew with whoever is trusted there.
            self._mailbox.offer_in_advance(message.to, carried)
            return []
        epochs = self._sitters[seat].epoch, None if sitter is None else sitter.epoch
        if isinstance(message, Description) and self._witness.is_stranger(seat, message, epochs):
            return [self._stranger(seat, message.to)]
        if sitter is None:
            self._mailbox.offer_in_advance(message.to, carried)
            self._answers.forget(seat, before=message.generation)
            return []
        if sitter.lost_at is not None:
            self._mailbox.keep(message.to, carried)
            return []
        return self._deliver(message.to, [carried])

    def _note(self, seat: Seat, note: Note) -> list[Effect]:
        if seat not in MAY_SEND[type(note)]:
            return [Refuse(code="not_allowed", text="this note is not for this seat to make")]
        made = NoteMade(seat=seat, who=self._sitters[seat].who, note=note)
        if isinstance(note, LineSecured) and self._witness.contradicts(seat, note):
            return [made, self._stranger(seat, note.peer)]
        return [made]

    def _stranger(self, seat: Seat, peer: Seat) -> NoteMade:
        """What announces or meets another certificate than this server carried is said as the seat itself would say it."""
        note = MediaInterrupted(peer=peer, cause="identity", since_ms=0)
        return NoteMade(seat=seat, who=self._sitters[seat].who, note=note)

    def _vacate(self, seat: Seat, reason: str) -> list[Effect]:
        sitter = self._sitters.pop(seat)
        self._begins_anew(seat, sitter)
        return [
            Left(seat=seat, who=sitter.who, reason=reason),
            *self._tell_others(seat, SeatLeft(seat=seat, reason=reason)),
        ]

    def _begins_anew(self, seat: Seat, before: _Sitter) -> None:
        """Whatever `before` said from this seat, and was to hear there, is void."""
        self._remember(before.id)
        self._mailbox.forget(seat)
        self._answers.forget(seat)

    def _tell_others(self, seat: Seat, news: News, but: Seat | None = None) -> list[Effect]:
        return [effect for other in self._sitters if other not in (seat, but) for effect in self._tell(other, news)]

    def _tell(self, seat: Seat, news: News) -> list[Effect]:
        if self._sitters[seat].lost_at is None:
            return [Send(seat=seat, message=news)]
        self._mailbox.tell_later(seat, news)
        return []

    def _deliver(self, to: Seat, mail: Iterable[News | Carried]) -> list[Effect]:
        seen = (self._seen_by(to, message) for message in mail)
        return [Send(seat=to, message=message) for message in seen if message is not None]

    def _seen_by(self, to: Seat, message: News | Carried) -> News | Carried | None:
        match message:
            case DescriptionFrom() | CandidateFrom() | RestartFrom() if self._is_cut(message.from_, to):
                return None
            case DescriptionFrom() if self._is_relay_only(message.from_, to):
                sdp = relay_description(message.description.sdp)
                return structs.replace(message, description=structs.replace(message.description, sdp=sdp))
            case CandidateFrom(candidate=IceCandidate() as candidate) if self._is_relay_only(message.from_, to):
                text = relay_candidate(candidate.candidate)
                if text is None:
                    return None
                return structs.replace(message, candidate=structs.replace(candidate, candidate=text))
            case DescriptionFrom() | CandidateFrom() | RestartFrom() | SeatJoined() | SeatLeft():  # pragma: no branch
                return message

    def _is_relay_only(self, one: Seat, other: Seat) -> bool:
        if {one, other} <= ROOM_SEATS:
            return False
        return any(seat in self._sitters and self._sitters[seat].relay_only for seat in (one, other))

    def _is_cut(self, one: Seat, other: Seat) -> bool:
        return not self._apart.isdisjoint((one, other))

    def _others(self, seat: Seat) -> tuple[Present, ...]:
        there = (other for other in SEATS if other != seat and other in self._sitters and not self._is_cut(seat, other))
        return tuple(Present(seat=other, epoch=self._sitters[other].epoch) for other in there)

    def _remember(self, seating: str) -> None:
        self._past_seatings[seating] = None
        while len(self._past_seatings) > REMEMBERED_SEATINGS:
            del self._past_seatings[next(iter(self._past_seatings))]


def _from(seat: Seat, message: Description | Candidate | Restart) -> Carried:
    match message:
        case Description():
            return DescriptionFrom(
                from_=seat,
                generation=message.generation,
                description=message.description,
                in_advance=message.in_advance,
            )
        case Candidate():
            return CandidateFrom(from_=seat, generation=message.generation, candidate=message.candidate)
        case Restart():  # pragma: no branch
            return RestartFrom(from_=seat, generation=message.generation)
