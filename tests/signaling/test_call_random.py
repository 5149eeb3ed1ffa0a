from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

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
from signaling.messages import (
    SEATS,
    Bye,
    FromPeer,
    Hello,
    Noted,
    Quality,
    Restart,
    Seat,
    SeatJoined,
    SeatLeft,
)
from signaling.ticket import Claims, ResumeClaims
from tests.signaling.calls import AWAY_SECONDS, NOTES
from tests.signaling.samples import (
    answer,
    candidate,
    claims,
    offer,
    resume_claims,
)

a_seat = st.sampled_from(SEATS)
a_generation = st.integers(1, 3)
a_message: st.SearchStrategy[FromPeer] = st.one_of(
    st.builds(offer, a_seat, a_generation),
    st.builds(answer, a_seat, a_generation),
    st.builds(candidate, a_seat, a_generation),
    st.builds(Restart, to=a_seat, generation=a_generation),
    st.builds(Quality, peer=a_seat, generation=a_generation, stats=st.just(())),
    st.builds(Noted, note=st.sampled_from(list(NOTES.values()))),
    st.just(Bye()),
    st.just(Hello(ticket="x")),
)


class AnyCall(RuleBasedStateMachine):
    """Whatever peers, clocks and the service do: seats and Attendance agree, and the vacant are told nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.call = Call(away_seconds=AWAY_SECONDS)
        self.now = 0.0
        self.live: set[Seat] = set()
        self.attended: dict[Seat, str] = {}
        self.known: dict[Seat, dict[Seat, int]] = {}
        self.tickets = 0
        self.tokens: list[ResumeClaims] = []

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Joined(seat=seat, who=who):
                    self.attended[seat] = who
                case Left(seat=seat, who=who):
                    assert self.attended.pop(seat) == who
                    self.live.discard(seat)
                case Seated(seat=seat, present=present):
                    assert self.attended[seat]
                    self.live.add(seat)
                    self.known.setdefault(seat, {}).update({other.seat: other.epoch for other in present})
                case Send(seat=seat, message=message):
                    assert seat in self.live
                    self.learn(seat, message)
                case HangUp(seat=seat) | Drop(seat=seat):
                    self.live.discard(seat)
                case Interrupted(seat=seat, gap_ms=gap_ms) | Resumed(seat=seat, gap_ms=gap_ms):
                    assert (seat in self.attended, gap_ms >= 0) == (True, True)
                case NoteMade(seat=seat) | QualitySampled(seat=seat):
                    assert seat in self.live
                case Refuse(code=code):
                    assert code in {"seat_taken", "replaced", "seat_lost", "not_allowed", "hello_twice", "call_over"}

    def learn(self, seat: Seat, message: object) -> None:
        if isinstance(message, SeatJoined):
            self.known[seat][message.seat] = message.epoch
        elif isinstance(message, SeatLeft):
            self.known[seat].pop(message.seat, None)

    def sit(self, ticket: Claims | ResumeClaims) -> None:
        before = self.call.admit(ticket, self.now)
        self.carry_out(before)
        if not any(isinstance(effect, Refuse) for effect in before):
            if isinstance(ticket, Claims):
                self.known[ticket.seat] = {}
            effects = self.call.seat(ticket)
            self.carry_out(effects)
            self.tokens += [
                resume_claims(ticket, effect.epoch)
                for effect in effects
                if isinstance(effect, Seated) and isinstance(ticket, Claims)
            ]

    @rule(seat=a_seat, login=st.sampled_from(["a", "b"]), relay_only=st.booleans())
    def hello(self, seat: Seat, login: str, relay_only: bool) -> None:
        self.tickets += 1
        self.sit(claims(seat, login=login, id=f"ticket-{self.tickets}", relay_only=relay_only))

    @rule(data=st.data())
    def resume(self, data: st.DataObject) -> None:
        if self.tokens:
            self.sit(data.draw(st.sampled_from(self.tokens)))

    @rule(seat=a_seat, message=a_message)
    def speak(self, seat: Seat, message: FromPeer) -> None:
        if seat in self.live:
            self.carry_out(self.call.receive(seat, message))

    @rule(seat=a_seat)
    def lose(self, seat: Seat) -> None:
        self.call.lose(seat, self.now)
        self.live.discard(seat)

    @rule(seconds=st.floats(-10, 200))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.carry_out(self.call.overdue(self.now))

    @rule(seat=a_seat)
    def unseat(self, seat: Seat) -> None:
        self.carry_out(self.call.unseat(seat, "transferred"))

    @invariant()
    def attendance_and_call_agree(self) -> None:
        assert self.call.present() == self.attended

    @invariant()
    def the_live_sit(self) -> None:
        assert self.live <= set(self.attended)

    @invariant()
    def whoever_is_live_knows_who_sits(self) -> None:
        for seat in self.live:
            assert set(self.known[seat]) == set(self.attended) - {seat}


AnyCall.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestAnyCall = AnyCall.TestCase
