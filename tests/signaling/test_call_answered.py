"""Answers in advance: one for an offer, from whoever may come; and who that was is known when the seat is taken."""

import pytest
from msgspec import structs

from signaling.call import Call
from signaling.effects import Effect, Send
from signaling.messages import Description, Seat, SeatJoined, SeatPromised
from tests.signaling.calls import delivered, seated
from tests.signaling.samples import answer, answer_from, candidate, candidate_from, claims, offer, offer_from

ME = claims("expert").who


def in_advance(generation: int = 1) -> Description:
    return structs.replace(offer("expert", generation), in_advance=True)


def offered(*others: Seat, generation: int = 1) -> Call:
    """A call whose room has offered in advance, and may be answered."""
    call = seated("room", *others)
    call.receive("room", in_advance(generation))
    return call


def told(effects: list[Effect], seat: Seat) -> list[object]:
    return [effect.message for effect in effects if isinstance(effect, Send) and effect.seat == seat]


def joined(call: Call, seat: Seat = "room", answered: int | None = 1, who: str | None = None) -> list[object]:
    """What the seat is told when the expert sits down."""
    newcomer = claims("expert") if who is None else structs.replace(claims("expert"), who=who)
    return told(call.seat(newcomer, answered), seat)


def test_an_answer_in_advance_goes_to_who_offered() -> None:
    call = offered("camera")

    assert call.answer("expert", ME, answer("room")) == [Send(seat="room", message=answer_from("expert"))]


def test_whoever_answered_is_known_when_they_sit_down_and_only_to_who_offered() -> None:
    call = offered("camera")
    call.receive("camera", offer("expert", 3))
    call.answer("expert", ME, answer("room"))

    effects = call.seat(claims("expert"), 1)

    assert told(effects, "room") == [SeatJoined(seat="expert", epoch=1, answered=1)]
    assert told(effects, "camera") == [SeatJoined(seat="expert", epoch=1)]
    assert told(effects, "expert") == [offer_from("camera", 3)]


def test_an_offer_that_was_answered_waits_for_nobody_else() -> None:
    call = offered()
    call.receive("room", candidate("expert"))
    call.answer("expert", ME, answer("room"))

    assert call.waiting("expert", "staff:other") == []
    assert call.waiting("expert", ME) == [structs.replace(offer_from("room"), in_advance=True), candidate_from("room")]


@pytest.mark.parametrize(("who", "answered"), [("staff:other", 1), (None, None), (None, 2)])
def test_another_one_or_another_page_is_not_taken_for_who_answered(who: str | None, answered: int | None) -> None:
    call = offered()
    call.answer("expert", ME, answer("room"))

    assert joined(call, answered=answered, who=who) == [SeatJoined(seat="expert", epoch=1)]


def test_whoever_comes_instead_gets_no_offer_that_was_answered() -> None:
    call = offered()
    call.answer("expert", "staff:other", answer("room"))

    assert delivered(call, "expert") == []


def test_only_the_first_answer_is_heard() -> None:
    call = offered()
    call.answer("expert", ME, answer("room"))

    assert call.answer("expert", "staff:other", answer("room")) == []
    assert call.answer("expert", ME, answer("room")) == []


@pytest.mark.parametrize("late", [answer("room", 2), answer("camera"), offer("room")])
def test_what_answers_no_offer_that_waits_is_not_heard(late: Description) -> None:
    call = offered("camera")
    call.receive("room", candidate("expert"))

    assert call.answer("expert", ME, late) == []
    assert joined(call) == [SeatJoined(seat="expert", epoch=1)]


def test_an_offer_for_whoever_sits_down_is_not_answered_before() -> None:
    call = seated("room")
    call.receive("room", offer("expert"))

    assert call.answer("expert", ME, answer("room")) == []


def test_a_taken_seat_is_not_answered_from() -> None:
    call = offered("expert")
    call.receive("room", in_advance())

    assert call.answer("expert", ME, answer("room")) == []


def test_nothing_is_answered_while_who_offered_is_away() -> None:
    call = offered()
    call.lose("room", 10.0)

    assert call.answer("expert", ME, answer("room")) == []


def test_what_may_only_be_reached_through_relays_is_not_answered_in_advance() -> None:
    call = seated("room", relay_only=["room"])
    call.receive("room", in_advance())

    assert call.answer("expert", ME, answer("room")) == []


def test_a_newer_offer_is_answered_anew() -> None:
    call = offered()
    call.answer("expert", ME, answer("room"))

    call.receive("room", in_advance(2))

    assert call.waiting("expert", "staff:other") == [structs.replace(offer_from("room", 2), in_advance=True)]
    assert call.answer("expert", "staff:other", answer("room", 2)) == [Send(seat="room", message=answer_from("expert", 2))]


def test_the_same_offer_said_again_stays_answered() -> None:
    call = offered()
    call.answer("expert", ME, answer("room"))

    call.receive("room", in_advance())

    assert joined(call) == [SeatJoined(seat="expert", epoch=1, answered=1)]


def test_a_newer_offer_of_another_seat_leaves_an_answer_as_it_is() -> None:
    call = offered("camera")
    call.answer("expert", ME, answer("room"))

    call.receive("camera", offer("expert", 5))

    assert joined(call) == [SeatJoined(seat="expert", epoch=1, answered=1)]


def test_who_offered_begins_anew_and_so_does_the_answer() -> None:
    call = offered()
    call.answer("expert", ME, answer("room"))

    call.seat(claims("room", id="reloaded"))

    assert joined(call) == [SeatJoined(seat="expert", epoch=1)]


def test_who_offered_and_is_away_hears_of_it_when_it_is_back() -> None:
    call = offered()
    call.answer("expert", ME, answer("room"))
    call.lose("room", 10.0)

    assert joined(call) == []
    assert SeatJoined(seat="expert", epoch=1, answered=1) in told(call.seat(claims("room", id="ticket-room")), "room")


def test_whose_offer_was_answered_may_begin_once_the_seat_is_sure() -> None:
    call = offered("camera")
    call.answer("expert", ME, answer("room"))

    assert call.promise("expert", "staff:other") == []
    assert call.promise("expert", ME) == [Send(seat="room", message=SeatPromised(seat="expert", answered=1))]


def test_nothing_is_promised_where_nobody_has_answered_or_nobody_hears() -> None:
    call = offered()
    assert call.promise("expert", ME) == []

    call.answer("expert", ME, answer("room"))
    call.lose("room", 10.0)

    assert call.promise("expert", ME) == []
