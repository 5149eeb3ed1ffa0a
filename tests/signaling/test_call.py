from collections.abc import Iterable
from typing import get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from signaling.call import MAY_SEND, REMEMBERED_SEATINGS, Call
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
from signaling.mailbox import HELD_CANDIDATES
from signaling.messages import (
    SEATS,
    Bye,
    CallClosed,
    Candidate,
    CandidateFrom,
    Decoded,
    FromPeer,
    Hello,
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
    Stats,
    StillTaken,
)
from signaling.ticket import Claims, ResumeClaims
from tests.signaling.samples import (
    HIDDEN_RELAY,
    HOST,
    RELAY,
    RELAY_SDP,
    answer,
    answer_from,
    candidate,
    candidate_from,
    claims,
    offer,
    offer_from,
    resume_claims,
)

AWAY_SECONDS = 120.0


def seated(*seats: Seat, relay_only: Iterable[Seat] = ()) -> Call:
    """A call with somebody on each of the seats."""
    call = Call(away_seconds=AWAY_SECONDS)
    for seat in seats:
        take(call, claims(seat, id=f"ticket-{seat}", relay_only=seat in relay_only))
    return call


def take(call: Call, ticket: Claims | ResumeClaims, now: float = 0.0) -> list[Effect]:
    before = call.admit(ticket, now)
    assert not any(isinstance(effect, Refuse) for effect in before), before
    return before + call.seat(ticket)


def test_who_sits_first_is_committed_then_welcomed() -> None:
    call = Call(away_seconds=AWAY_SECONDS)

    assert call.admit(claims("room"), 0.0) == [Joined(seat="room", who="who:login-room")]
    assert call.is_empty
    assert call.seat(claims("room")) == [Seated(seat="room", epoch=1, present=())]
    assert call.present() == {"room": "who:login-room"}


def test_the_second_is_told_who_is_there_and_the_first_that_the_second_came() -> None:
    call = seated("room")

    assert call.seat(claims("expert")) == [
        Seated(seat="expert", epoch=1, present=(Present(seat="room", epoch=1),)),
        Send(seat="room", message=SeatJoined(seat="expert", epoch=1)),
    ]


def test_messages_are_relayed_as_they_are() -> None:
    call = seated("room", "expert")

    assert call.receive("room", offer("expert", 2)) == [Send(seat="expert", message=offer_from("room", 2))]
    assert call.receive("expert", answer("room", 2)) == [Send(seat="room", message=answer_from("expert", 2))]
    assert call.receive("room", candidate("expert")) == [Send(seat="expert", message=candidate_from("room"))]
    assert call.receive("expert", Restart(to="room", generation=2)) == [
        Send(seat="room", message=RestartFrom(from_="expert", generation=2))
    ]


def test_a_seat_that_is_not_taken_is_not_heard() -> None:
    assert seated("room").receive("expert", Bye()) == []


def test_a_seat_cannot_write_to_itself() -> None:
    assert seated("room").receive("room", offer("room")) == [Refuse(code="not_allowed", text="a seat sends nothing to itself")]


def test_a_second_hello_is_refused() -> None:
    assert seated("room").receive("room", Hello(ticket="x")) == [
        Refuse(code="hello_twice", text="hello is the first message only")
    ]


def test_bye_hangs_up_commits_and_then_tells() -> None:
    call = seated("room", "expert")

    assert call.receive("expert", Bye()) == [
        HangUp(seat="expert"),
        Left(seat="expert", who="who:login-expert", reason="bye"),
        Send(seat="room", message=SeatLeft(seat="expert", reason="bye")),
    ]
    assert call.present() == {"room": "who:login-room"}


def test_quality_goes_to_the_service() -> None:
    quality = Quality(peer="expert", generation=1, stats=(Stats(type="transport"),))

    assert seated("room").receive("room", quality) == [QualitySampled(seat="room", who="who:login-room", quality=quality)]


NOTES: dict[type[Note], Note] = {
    Decoded: Decoded(peer="expert", generation=1, path="host", setup_ms=150),
    StillTaken: StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page"),
    MediaInterrupted: MediaInterrupted(peer="expert", cause="site_network", since_ms=10),
    MediaResumed: MediaResumed(peer="expert", gap_ms=10),
}


@pytest.mark.parametrize("seat", SEATS)
@pytest.mark.parametrize("kind", get_args(Note))
def test_each_seat_may_make_the_notes_of_its_cell(seat: Seat, kind: type[Note]) -> None:
    effects = seated(seat).receive(seat, Noted(note=NOTES[kind]))

    if seat in MAY_SEND[kind]:
        assert effects == [NoteMade(seat=seat, who=f"who:login-{seat}", note=NOTES[kind])]
    else:
        assert effects == [Refuse(code="not_allowed", text="this note is not for this seat to make")]


def test_only_the_camera_takes_stills() -> None:
    assert MAY_SEND[StillTaken] == {"camera"}


class TestOffersInAdvance:
    def test_an_offer_for_a_vacant_seat_waits_for_it(self) -> None:
        call = seated("camera", "room")

        assert call.receive("camera", offer("expert", 3)) == []
        assert call.receive("camera", candidate("expert", 3)) == []
        assert call.receive("room", offer("expert")) == []
        assert call.seat(claims("expert"))[:4] == [
            Seated(seat="expert", epoch=1, present=(Present(seat="room", epoch=1), Present(seat="camera", epoch=1))),
            Send(seat="expert", message=offer_from("camera", 3)),
            Send(seat="expert", message=candidate_from("camera", 3)),
            Send(seat="expert", message=offer_from("room", 1)),
        ]

    def test_it_is_delivered_once(self) -> None:
        call = seated("room")
        call.receive("room", offer("expert"))
        call.seat(claims("expert"))
        call.receive("expert", Bye())

        assert call.seat(claims("expert"))[1:] == [Send(seat="room", message=SeatJoined(seat="expert", epoch=2))]

    def test_the_newest_offer_counts_even_with_a_lower_number(self) -> None:
        call = seated("room")
        call.receive("room", offer("expert", 5))
        call.receive("room", candidate("expert", 5))

        call.receive("room", offer("expert", 1))

        assert delivered(call, "expert") == [offer_from("room", 1)]

    def test_a_candidate_of_another_generation_or_without_an_offer_is_of_no_use(self) -> None:
        call = seated("room", "camera")
        call.receive("room", candidate("expert"))
        call.receive("camera", offer("expert", 2))

        call.receive("camera", candidate("expert", 1))

        assert delivered(call, "expert") == [offer_from("camera", 2)]

    def test_an_answer_or_a_restart_for_a_vacant_seat_is_of_no_use(self) -> None:
        call = seated("room")
        call.receive("room", offer("expert"))

        call.receive("room", answer("expert"))
        call.receive("room", Restart(to="expert", generation=1))

        assert delivered(call, "expert") == [offer_from("room")]

    def test_candidates_are_kept_up_to_a_limit(self) -> None:
        call = seated("room")
        call.receive("room", offer("expert"))

        for _ in range(HELD_CANDIDATES + 5):
            call.receive("room", candidate("expert"))

        assert len(delivered(call, "expert")) == 1 + HELD_CANDIDATES

    def test_what_a_seat_offered_goes_when_it_goes(self) -> None:
        call = seated("room", "camera")
        call.receive("room", offer("expert"))

        call.receive("room", Bye())

        assert delivered(call, "expert") == []


def delivered(call: Call, seat: Seat) -> list[object]:
    effects = call.seat(claims(seat, id="fresh"))
    return [effect.message for effect in effects if isinstance(effect, Send) and effect.seat == seat]


class TestLostSockets:
    def test_nobody_is_told_and_the_seat_stays_taken(self) -> None:
        call = seated("room", "expert")

        call.lose("expert", 5.0)

        assert call.present() == {"room": "who:login-room", "expert": "who:login-expert"}
        assert call.overdue(5.0 + AWAY_SECONDS - 0.1) == []

    def test_after_the_limit_the_seat_is_given_up(self) -> None:
        call = seated("room", "expert")
        call.lose("expert", 5.0)

        assert call.overdue(5.0 + AWAY_SECONDS) == [
            Left(seat="expert", who="who:login-expert", reason="lost"),
            Send(seat="room", message=SeatLeft(seat="expert", reason="lost")),
        ]

    def test_losing_a_vacant_or_lost_seat_changes_nothing(self) -> None:
        call = seated("room")
        call.lose("expert", 1.0)
        call.lose("room", 1.0)

        call.lose("room", 100.0)

        assert call.overdue(1.0 + AWAY_SECONDS) == [Left(seat="room", who="who:login-room", reason="lost")]

    def test_a_resume_is_told_to_nobody_and_brings_what_was_missed(self) -> None:
        call = seated("room", "expert", "camera")
        call.lose("room", 5.0)
        call.receive("expert", Bye())
        take(call, claims("expert", id="ticket-new"))
        for message in (
            offer("room", 1),
            candidate("room", 1),
            answer("room", 1),
            answer("room", 1),
            Restart(to="room", generation=1),
            Restart(to="room", generation=1),
        ):
            call.receive("expert", message)
        call.receive("camera", answer("room", 4))

        effects = take(call, resume_claims(claims("room", id="ticket-room")))

        assert effects == [
            Seated(seat="room", epoch=1, present=(Present(seat="camera", epoch=1), Present(seat="expert", epoch=2))),
            Send(seat="room", message=SeatJoined(seat="expert", epoch=2)),
            Send(seat="room", message=offer_from("expert", 1)),
            Send(seat="room", message=candidate_from("expert", 1)),
            Send(seat="room", message=answer_from("expert", 1)),
            Send(seat="room", message=RestartFrom(from_="expert", generation=1)),
            Send(seat="room", message=answer_from("camera", 4)),
        ]

    def test_while_away_a_newer_generation_replaces_the_older_and_an_older_is_passed_over(self) -> None:
        call = seated("room", "expert")
        call.lose("room", 5.0)

        call.receive("expert", candidate("room", 2))
        call.receive("expert", candidate("room", 3))
        call.receive("expert", candidate("room", 2))

        effects = take(call, resume_claims(claims("room", id="ticket-room")))
        assert effects[1:] == [Send(seat="room", message=candidate_from("expert", 3))]

    def test_a_departure_while_away_is_told_on_return(self) -> None:
        call = seated("room", "expert")
        call.lose("room", 5.0)
        call.receive("expert", Bye())

        effects = take(call, resume_claims(claims("room", id="ticket-room")))

        assert effects == [
            Seated(seat="room", epoch=1, present=()),
            Send(seat="room", message=SeatLeft(seat="expert", reason="bye")),
        ]

    def test_a_reload_is_one_interruption_with_a_new_epoch(self) -> None:
        call = seated("room", "expert")
        call.lose("expert", 5.0)
        call.receive("room", candidate("expert", 7))

        effects = take(call, claims("expert", id="ticket-new"), now=7.5)

        assert effects == [
            Interrupted(seat="expert", who="who:login-expert", gap_ms=2500),
            Resumed(seat="expert", who="who:login-expert", gap_ms=2500),
            Seated(seat="expert", epoch=2, present=(Present(seat="room", epoch=1),)),
            Send(seat="room", message=SeatJoined(seat="expert", epoch=2)),
        ]

    def test_a_newer_socket_of_the_same_login_takes_a_live_seat(self) -> None:
        call = seated("expert")

        assert take(call, claims("expert", id="ticket-new"), now=7.5) == [
            Interrupted(seat="expert", who="who:login-expert", gap_ms=0),
            Resumed(seat="expert", who="who:login-expert", gap_ms=0),
            Seated(seat="expert", epoch=2, present=()),
        ]

    def test_a_gap_is_never_negative(self) -> None:
        call = seated("expert")
        call.lose("expert", 5.0)

        assert call.admit(claims("expert", id="ticket-new"), 4.0)[0] == Interrupted(
            seat="expert", who="who:login-expert", gap_ms=0
        )

    def test_the_older_page_cannot_take_the_seat_back(self) -> None:
        call = seated("expert")
        take(call, claims("expert", id="ticket-new"))

        assert call.admit(resume_claims(claims("expert", id="ticket-expert")), 0.0) == [
            Refuse(code="replaced", text="a newer page or device of the same login has the seat")
        ]


class TestTakenSeats:
    def test_a_live_seat_is_not_for_another_login(self) -> None:
        call = seated("expert")

        taken = [Refuse(code="seat_taken", text="somebody else sits there")]
        other = claims("expert", login="other", id="ticket-other")
        assert call.admit(other, 0.0) == taken
        assert call.admit(resume_claims(other), 0.0) == taken

    def test_a_seat_left_behind_goes_to_another_login(self) -> None:
        call = seated("room", "expert")
        call.lose("expert", 5.0)

        effects = take(call, claims("expert", login="other", id="ticket-other"), now=6.0)

        assert effects == [
            Left(seat="expert", who="who:login-expert", reason="replaced"),
            Send(seat="room", message=SeatLeft(seat="expert", reason="replaced")),
            Joined(seat="expert", who="who:other"),
            Seated(seat="expert", epoch=2, present=(Present(seat="room", epoch=1),)),
            Send(seat="room", message=SeatJoined(seat="expert", epoch=2)),
        ]

    def test_a_seat_given_up_cannot_be_resumed(self) -> None:
        call = seated("room", "expert")
        call.receive("expert", Bye())

        assert call.admit(resume_claims(claims("expert", id="ticket-expert")), 0.0) == [
            Refuse(code="seat_lost", text="the seat was given up; ask for a fresh ticket")
        ]

    def test_a_server_started_anew_takes_the_token_s_word_and_says_so_to_the_service(self) -> None:
        call = seated("room")

        effects = take(call, resume_claims(claims("expert"), epoch=4))

        assert effects == [
            Joined(seat="expert", who="who:login-expert"),
            Seated(seat="expert", epoch=4, present=(Present(seat="room", epoch=1),)),
            Send(seat="room", message=SeatJoined(seat="expert", epoch=4)),
        ]
        assert take(call, claims("expert", id="ticket-new"))[2] == Seated(
            seat="expert", epoch=5, present=(Present(seat="room", epoch=1),)
        )

    def test_only_so_many_past_seatings_are_remembered(self) -> None:
        call = seated("room")

        for number in range(REMEMBERED_SEATINGS + 1):
            take(call, claims("expert", id=f"ticket-{number}"))
            call.receive("expert", Bye())

        assert call.admit(resume_claims(claims("expert", id="ticket-0")), 0.0) == [
            Joined(seat="expert", who="who:login-expert")
        ]


class TestTakenAway:
    def test_whoever_is_unseated_is_told_first_and_the_others_after_the_commit(self) -> None:
        call = seated("room", "expert")

        assert call.unseat("expert", "transferred") == [
            Drop(seat="expert", code="unseated", text="the seat was taken away: transferred"),
            Left(seat="expert", who="who:login-expert", reason="transferred"),
            Send(seat="room", message=SeatLeft(seat="expert", reason="transferred")),
        ]

    def test_a_vacant_seat_is_told_to_those_who_may_know_it_as_taken(self) -> None:
        assert seated("room").unseat("expert", "transferred") == [
            Send(seat="room", message=SeatLeft(seat="expert", reason="transferred"))
        ]

    def test_the_seats_of_a_login_are_known(self) -> None:
        assert seated("room", "expert").seats_of("login-expert") == ["expert"]

    def test_the_end_is_told_to_everybody_and_nobody_sits_down_any_more(self) -> None:
        call = seated("room", "expert")

        assert call.end("completed") == [
            Send(seat="room", message=CallClosed(reason="completed")),
            HangUp(seat="room"),
            Send(seat="expert", message=CallClosed(reason="completed")),
            HangUp(seat="expert"),
        ]
        over = [Refuse(code="call_over", text="the call has ended")]
        assert (call.admit(claims(), 0.0), call.seat(claims()), call.is_empty) == (over, over, True)


class TestRelayOnly:
    @pytest.mark.parametrize("hidden", ["room", "expert"])
    def test_one_relay_only_ticket_hides_both_ends_from_each_other(self, hidden: Seat) -> None:
        call = seated("room", "expert", relay_only=[hidden])

        assert call.receive("room", offer("expert")) == [Send(seat="expert", message=offer_from("room", sdp=RELAY_SDP))]
        assert call.receive("expert", candidate("room", text=HOST)) == []
        assert call.receive("expert", candidate("room", text=RELAY)) == [
            Send(seat="room", message=candidate_from("expert", text=HIDDEN_RELAY))
        ]
        assert call.receive("expert", Candidate(to="room", generation=1, candidate=None)) == [
            Send(seat="room", message=CandidateFrom(from_="expert", generation=1, candidate=None))
        ]

    def test_screen_and_camera_stay_direct(self) -> None:
        call = seated("room", "camera", relay_only=["room", "camera"])

        assert call.receive("camera", offer("room")) == [Send(seat="room", message=offer_from("camera"))]

    def test_an_offer_in_advance_is_hidden_by_the_ticket_of_the_one_who_comes(self) -> None:
        call = seated("room")
        call.receive("room", offer("expert"))
        call.receive("room", candidate("expert"))

        effects = call.seat(claims("expert", relay_only=True))

        assert effects[1:2] == [Send(seat="expert", message=offer_from("room", sdp=RELAY_SDP))]
        assert effects[2:] == [Send(seat="room", message=SeatJoined(seat="expert", epoch=1))]


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


AnyCall.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestAnyCall = AnyCall.TestCase
