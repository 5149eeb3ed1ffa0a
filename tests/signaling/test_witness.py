"""Certificates announced and met, held against what this server carried."""

import pytest

from signaling.call import Call
from signaling.effects import Effect, NoteMade, Seated, Send
from signaling.messages import (
    Description,
    LineSecured,
    MediaInterrupted,
    Noted,
    Present,
    Seat,
    SeatJoined,
    SeatLeft,
    SessionDescription,
)
from signaling.sdp import fingerprints
from tests.signaling.calls import AWAY_SECONDS, seated, take
from tests.signaling.samples import SDP, claims, offer, offer_from, resume_claims

ROOM, EXPERT, OTHER = "a1" * 32, "b2" * 32, "c3" * 32


def announces(to: Seat, generation: int, *certificates: str, kind: str = "offer") -> Description:
    """A description that names these certificates."""
    lines = "".join(f"a=fingerprint:sha-256 {one.upper()}\r\n" for one in certificates)
    description = SessionDescription(type="offer" if kind == "offer" else "answer", sdp=SDP + lines)
    return Description(to=to, generation=generation, description=description)


def secured(peer: Seat, own: str, met: str, generation: int = 1) -> Noted:
    return Noted(note=LineSecured(peer=peer, generation=generation, own=own, met=met))


def stranger(seat: Seat, peer: Seat) -> NoteMade:
    """What the service hears of a line that is not to be trusted."""
    return NoteMade(seat=seat, who=f"who:login-{seat}", note=MediaInterrupted(peer=peer, cause="identity", since_ms=0))


def introduced() -> Call:
    """Room and expert, each of whom announced its certificate for generation 1."""
    call = seated("room", "expert")
    call.receive("room", announces("expert", 1, ROOM))
    call.receive("expert", announces("room", 1, EXPERT, kind="answer"))
    return call


def is_carried(effects: list[Effect], to: Seat) -> bool:
    return [effect.seat for effect in effects if isinstance(effect, Send)] == [to] and len(effects) == 1


def test_fingerprints_are_read_in_letters_of_either_size_and_other_hashes_passed_over() -> None:
    colons = ":".join(ROOM[at : at + 2] for at in range(0, 64, 2)).upper()
    sdp = f"{SDP}a=fingerprint:sha-256 {colons}\r\na=fingerprint:SHA-256 {colons}\r\na=fingerprint:sha-512 {OTHER}\r\n"

    assert fingerprints(sdp) == {ROOM}
    assert fingerprints(SDP) == frozenset()


def test_a_word_that_fits_what_was_carried_is_passed_on_alone() -> None:
    word = secured("room", EXPERT, ROOM)

    assert introduced().receive("expert", word) == [NoteMade(seat="expert", who="who:login-expert", note=word.note)]


@pytest.mark.parametrize(
    "word", [secured("room", EXPERT, OTHER), secured("room", OTHER, ROOM)], ids=["met another", "announced another"]
)
def test_a_word_that_does_not_fit_what_was_carried_tells_of_a_stranger(word: Noted) -> None:
    said = NoteMade(seat="expert", who="who:login-expert", note=word.note)

    assert introduced().receive("expert", word) == [said, stranger("expert", "room")]


@pytest.mark.parametrize("generation", [1, 2], ids=["nothing was announced", "another connection"])
def test_of_what_this_server_did_not_carry_it_says_nothing(generation: int) -> None:
    call = introduced() if generation == 2 else seated("room", "expert")
    word = secured("room", OTHER, OTHER, generation)

    assert call.receive("expert", word) == [NoteMade(seat="expert", who="who:login-expert", note=word.note)]


def test_a_description_without_a_certificate_contradicts_nothing() -> None:
    call = seated("room", "expert")
    call.receive("room", offer("expert"))
    word = secured("room", EXPERT, ROOM)

    assert len(call.receive("expert", word)) == 1


def test_another_certificate_within_a_generation_is_not_carried_and_is_told() -> None:
    call = introduced()

    assert call.receive("room", announces("expert", 1, OTHER)) == [stranger("room", "expert")]
    assert is_carried(call.receive("room", announces("expert", 1, ROOM)), "expert")
    assert is_carried(call.receive("room", announces("expert", 2, OTHER)), "expert")


def test_whoever_is_seated_anew_may_announce_anything() -> None:
    call = introduced()
    take(call, claims("expert", id="anew"))

    assert is_carried(call.receive("room", announces("expert", 1, OTHER)), "expert")
    assert is_carried(call.receive("expert", announces("room", 1, OTHER, kind="answer")), "room")


def test_an_offer_that_waits_may_be_replaced_by_that_of_another_connection() -> None:
    call = seated("room")

    assert call.receive("room", announces("expert", 1, ROOM)) == []
    assert call.receive("room", announces("expert", 1, OTHER)) == []


class TestKeptApart:
    """Lines that are cut, because it is not certain who is at their ends."""

    def test_both_ends_of_each_line_are_told_and_nothing_is_carried_any_more(self) -> None:
        call = seated("room", "camera", "expert")

        assert call.keep_apart(frozenset({"camera"})) == [
            Send(seat="room", message=SeatLeft(seat="camera", reason="identity")),
            Send(seat="camera", message=SeatLeft(seat="room", reason="identity")),
            Send(seat="camera", message=SeatLeft(seat="expert", reason="identity")),
            Send(seat="expert", message=SeatLeft(seat="camera", reason="identity")),
        ]
        assert call.receive("camera", offer("expert", 2)) == []
        assert call.receive("room", offer("camera", 2)) == []
        assert is_carried(call.receive("room", offer("expert")), "expert")
        assert call.present() == {seat: f"who:login-{seat}" for seat in ("room", "camera", "expert")}

    def test_said_again_it_does_nothing_and_one_more_tells_only_of_new_lines(self) -> None:
        call = seated("room", "camera", "expert")
        call.keep_apart(frozenset({"camera"}))

        assert call.keep_apart(frozenset({"camera"})) == []
        assert call.keep_apart(frozenset({"camera", "expert"})) == [
            Send(seat="room", message=SeatLeft(seat="expert", reason="identity")),
            Send(seat="expert", message=SeatLeft(seat="room", reason="identity")),
        ]

    def test_who_is_trusted_again_begins_anew_with_the_others(self) -> None:
        call = seated("room", "expert")
        call.keep_apart(frozenset({"expert"}))

        assert call.keep_apart(frozenset()) == [
            Send(seat="room", message=SeatJoined(seat="expert", epoch=1)),
            Send(seat="expert", message=SeatJoined(seat="room", epoch=1)),
        ]
        assert is_carried(call.receive("room", offer("expert")), "expert")

    def test_what_was_offered_meanwhile_begins_the_line_anew(self) -> None:
        call = seated("room", "camera", "expert")
        call.keep_apart(frozenset({"camera", "expert"}))
        call.receive("room", offer("expert", 2))
        call.receive("camera", offer("expert", 2))

        assert call.keep_apart(frozenset({"camera"})) == [
            Send(seat="room", message=SeatJoined(seat="expert", epoch=1)),
            Send(seat="expert", message=SeatJoined(seat="room", epoch=1)),
            Send(seat="expert", message=offer_from("room", 2)),
        ]

    def test_who_comes_back_away_from_it_finds_what_was_offered(self) -> None:
        call = seated("room", "expert")
        call.keep_apart(frozenset({"expert"}))
        call.receive("room", offer("expert", 2))
        call.lose("expert", 5.0)
        call.keep_apart(frozenset())

        assert call.seat(resume_claims(claims("expert", id="ticket-expert")))[1:] == [
            Send(seat="expert", message=SeatJoined(seat="room", epoch=1)),
            Send(seat="expert", message=offer_from("room", 2)),
        ]

    def test_a_seat_kept_apart_leaves_nothing_for_whoever_comes(self) -> None:
        call = seated("room", "camera")
        call.keep_apart(frozenset({"camera"}))
        call.receive("camera", offer("expert"))
        call.receive("room", offer("expert"))

        assert call.waiting("expert", "staff:me") == [offer_from("room")]
        assert [effect for effect in call.seat(claims("expert")) if isinstance(effect, Send) and effect.seat == "expert"] == [
            Send(seat="expert", message=offer_from("room"))
        ]

    def test_who_is_away_hears_it_when_back_and_nothing_of_what_waited(self) -> None:
        call = seated("room", "expert")
        call.lose("expert", 5.0)
        call.receive("room", offer("expert"))

        assert call.keep_apart(frozenset({"expert"})) == [Send(seat="room", message=SeatLeft(seat="expert", reason="identity"))]
        assert call.seat(resume_claims(claims("expert", id="ticket-expert"))) == [
            Seated(seat="expert", epoch=1, present=()),
            Send(seat="expert", message=SeatLeft(seat="room", reason="identity")),
        ]

    def test_a_newcomer_is_not_shown_to_whom_nothing_is_carried(self) -> None:
        call = Call(away_seconds=AWAY_SECONDS)
        take(call, claims("room"))
        take(call, claims("camera"))
        call.keep_apart(frozenset({"camera"}))

        assert call.seat(claims("expert"))[0] == Seated(seat="expert", epoch=1, present=(Present(seat="room", epoch=1),))
