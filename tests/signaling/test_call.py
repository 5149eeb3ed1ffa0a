from typing import get_args

import pytest

from signaling.call import MAY_SEND, REMEMBERED_SEATINGS, Call
from signaling.effects import (
    Drop,
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
    Hello,
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
from tests.signaling.calls import AWAY_SECONDS, NOTES, delivered, seated, take
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
    def test_an_offer_for_a_vacant_seat_waits_for_it_and_the_document_comes_after_the_people(self) -> None:
        call = seated("camera", "room")

        assert call.receive("camera", offer("expert", 3)) == []
        assert call.receive("camera", candidate("expert", 3)) == []
        assert call.receive("room", offer("expert")) == []
        assert call.seat(claims("expert"))[:4] == [
            Seated(seat="expert", epoch=1, present=(Present(seat="room", epoch=1), Present(seat="camera", epoch=1))),
            Send(seat="expert", message=offer_from("room", 1)),
            Send(seat="expert", message=offer_from("camera", 3)),
            Send(seat="expert", message=candidate_from("camera", 3)),
        ]

    def test_whoever_may_come_reads_it_beforehand_and_finds_it_all_the_same(self) -> None:
        call = seated("room")
        call.receive("room", offer("expert"))
        call.receive("room", candidate("expert"))

        read = call.waiting("expert", "staff:me")

        assert read == [offer_from("room"), candidate_from("room")]
        assert delivered(call, "expert") == read
        assert call.waiting("expert", "staff:me") == []

    def test_nobody_reads_beforehand_what_only_relays_may_reach(self) -> None:
        call = seated("room", relay_only=["room"])
        call.receive("room", offer("expert"))

        assert call.waiting("expert", "staff:me") == []

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


class TestTakenSeats:
    def test_a_live_seat_is_not_for_another_login(self) -> None:
        call = seated("expert")

        taken = [Refuse(code="seat_taken", text="somebody else sits there")]
        other = claims("expert", login="other", id="ticket-other")
        assert call.admit(other, 0.0) == taken
        assert call.admit(resume_claims(other), 0.0) == taken

    def test_a_device_that_is_paired_anew_takes_the_seat_of_the_one_before(self) -> None:
        call = Call(away_seconds=AWAY_SECONDS)
        old, new = (claims("room", login=f"room:r1:room#{number}", id=f"ticket-{number}") for number in (1, 2))
        take(call, old)

        effects = take(call, new)

        assert effects[:2] == [
            Interrupted(seat="room", who="who:room:r1:room#1", gap_ms=0),
            Resumed(seat="room", who="who:room:r1:room#1", gap_ms=0),
        ]
        assert (call.seats_of(old.login), call.seats_of(new.login)) == ([], ["room"])
        assert call.admit(resume_claims(old), 0.0) == [
            Refuse(code="replaced", text="a newer page or device of the same login has the seat")
        ]

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
    def test_who_is_named_is_unseated_and_nobody_who_came_after(self) -> None:
        call = seated("room", "expert")
        sitter = call.present()["expert"]

        assert call.unseat("expert", "released", who="staff:an-earlier-one") == []
        assert call.present()["expert"] == sitter
        call.unseat("expert", "released", who=sitter)
        assert "expert" not in call.present()

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
