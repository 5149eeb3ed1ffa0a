from signaling.effects import (
    Interrupted,
    Left,
    Refuse,
    Resumed,
    Seated,
    Send,
)
from signaling.messages import (
    Bye,
    Present,
    Restart,
    RestartFrom,
    SeatJoined,
    SeatLeft,
)
from tests.signaling.calls import AWAY_SECONDS, seated, take
from tests.signaling.samples import (
    answer,
    answer_from,
    candidate,
    candidate_from,
    claims,
    offer,
    offer_from,
    resume_claims,
)


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
