"""What both ends say of a line, held against each other: a word that does not fit is a stranger between."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from etapalvelu.domain.codes import CauseClass, Seat
from etapalvelu.domain.errors import WrongStateError
from etapalvelu.domain.events import Event, Interrupted, Joined, Left, Secured
from etapalvelu.domain.identity import apart, contradicts, secure, stranger
from etapalvelu.domain.log import append
from tests.domain.samples import CLOSED, INTERRUPTED, NOW, RELEASED, RESUMED, SERVED, after

A, B, M = "a" * 64, "b" * 64, "c" * 64
ROOM_SAYS = Secured(seat=Seat.ROOM, peer=Seat.EXPERT, generation=1, own=A, met=B)
EXPERT_SAYS = Secured(seat=Seat.EXPERT, peer=Seat.ROOM, generation=1, own=B, met=A)
CAMERA_SAYS = Secured(seat=Seat.CAMERA, peer=Seat.EXPERT, generation=1, own=A, met=B)
STRANGER = Interrupted(seat=Seat.ROOM, cause_class=CauseClass.IDENTITY, since=NOW)


def test_two_ends_that_met_each_other_agree() -> None:
    assert secure(after(*SERVED), ROOM_SAYS, NOW) == [ROOM_SAYS]
    assert secure(after(*SERVED, ROOM_SAYS), EXPERT_SAYS, NOW) == [EXPERT_SAYS]


def test_a_word_said_again_adds_nothing() -> None:
    assert secure(after(*SERVED, ROOM_SAYS), ROOM_SAYS, NOW) == []


@pytest.mark.parametrize(
    "word",
    [replace(EXPERT_SAYS, met=M), replace(EXPERT_SAYS, own=M), replace(ROOM_SAYS, met=M), replace(ROOM_SAYS, own=M)],
    ids=["met another", "was not met", "met another later", "is another later"],
)
def test_a_word_that_does_not_fit_is_logged_with_the_loss_of_the_line(word: Secured) -> None:
    session = after(*SERVED, ROOM_SAYS)

    events = secure(session, word, NOW + timedelta(seconds=1))

    lost = Interrupted(seat=word.peer, cause_class=CauseClass.IDENTITY, since=NOW + timedelta(seconds=1))
    assert events == [word, lost]
    told = after(*SERVED, ROOM_SAYS, *events)
    assert (told.distrusted, told.interrupted) == ((word.peer,), (word.peer,))


def test_words_of_different_lines_do_not_touch_each_other() -> None:
    session = after(*SERVED, ROOM_SAYS)

    assert secure(session, CAMERA_SAYS, NOW) == [CAMERA_SAYS]
    assert not contradicts(session, replace(CAMERA_SAYS, own=M))


def test_it_is_said_once_of_a_line_that_is_not_trusted() -> None:
    session = after(*SERVED, ROOM_SAYS, STRANGER)
    word = replace(EXPERT_SAYS, met=M)

    assert contradicts(session, word)
    assert secure(session, word, NOW) == [word]


def test_both_ends_that_find_out_log_one_loss_of_their_line() -> None:
    by_expert = stranger(after(*SERVED), Seat.EXPERT, Seat.ROOM, NOW)

    assert by_expert == [STRANGER]
    assert stranger(after(*SERVED, *by_expert), Seat.ROOM, Seat.EXPERT, NOW) == []
    assert stranger(after(*SERVED, *by_expert), Seat.EXPERT, Seat.CAMERA, NOW) == [replace(STRANGER, seat=Seat.CAMERA)]
    assert stranger(after(*SERVED), Seat.CAMERA, Seat.EXPERT, NOW) == [replace(STRANGER, seat=Seat.CAMERA)]


@pytest.mark.parametrize(
    ("lost", "kept_apart"),
    [(Seat.ROOM, {Seat.EXPERT}), (Seat.EXPERT, {Seat.EXPERT}), (Seat.CAMERA, {Seat.CAMERA})],
    ids=["the people's, by the expert", "the people's, by the room", "the document's"],
)
def test_whose_lines_stay_cut(lost: Seat, kept_apart: set[Seat]) -> None:
    session = after(*SERVED, replace(STRANGER, seat=lost))

    assert apart(session) == kept_apart
    assert apart(after(*SERVED)) == frozenset()


def test_of_the_documents_line_the_camera_is_lost_whoever_found_out() -> None:
    expert = replace(EXPERT_SAYS, peer=Seat.CAMERA, met=M)
    lost = Interrupted(seat=Seat.CAMERA, cause_class=CauseClass.IDENTITY, since=NOW)

    assert secure(after(*SERVED, CAMERA_SAYS), expert, NOW) == [expert, lost]
    assert secure(after(*SERVED, expert), CAMERA_SAYS, NOW) == [CAMERA_SAYS, lost]


@pytest.mark.parametrize(
    "between",
    [
        (INTERRUPTED, RESUMED),
        (Left(seat=Seat.ROOM), Joined(seat=Seat.ROOM)),
    ],
    ids=["came back anew", "another screen"],
)
def test_what_was_said_of_a_connection_tells_nothing_of_the_one_after_it(between: tuple[Event, ...]) -> None:
    word = replace(EXPERT_SAYS, met=M)

    assert secure(after(*SERVED, ROOM_SAYS, *between), word, NOW) == [word]
    assert secure(after(*SERVED, ROOM_SAYS), replace(word, generation=2), NOW) == [replace(word, generation=2)]


def test_an_expert_who_is_gone_takes_the_distrust_along() -> None:
    assert after(*SERVED, ROOM_SAYS, EXPERT_SAYS, RELEASED).secured == ()
    lost = replace(STRANGER, seat=Seat.EXPERT)
    assert (after(*SERVED, lost).distrusted, after(*SERVED, lost, RELEASED).distrusted) == ((Seat.EXPERT,), ())
    assert (after(*SERVED, STRANGER, ROOM_SAYS, CLOSED).distrusted, after(*SERVED, ROOM_SAYS, CLOSED).secured) == ((), ())
    assert after(*SERVED, STRANGER, RESUMED).distrusted == ()


def test_a_stranger_is_told_of_a_line_that_is_interrupted_already_and_only_once() -> None:
    session = after(*SERVED, INTERRUPTED, STRANGER)

    assert (session.interrupted, session.distrusted) == ((Seat.ROOM,), (Seat.ROOM,))
    with pytest.raises(WrongStateError):
        append(session, STRANGER, actor="system", now=NOW)


@pytest.mark.parametrize(
    "word", [replace(ROOM_SAYS, seat=Seat.ADVISOR), replace(ROOM_SAYS, peer=Seat.ROOM)], ids=["sits nowhere", "its own peer"]
)
def test_only_who_sits_there_says_anything_of_another(word: Secured) -> None:
    with pytest.raises(WrongStateError):
        append(after(*SERVED), word, actor="system", now=NOW)


def test_a_peer_who_is_gone_is_not_lost_once_more() -> None:
    word = replace(ROOM_SAYS, peer=Seat.ADVISOR)
    session = after(*SERVED, word)

    assert secure(session, replace(word, met=M), NOW) == [replace(word, met=M)]
