"""What comes too fast is dropped, and never so that an interruption is left without its end."""

import pytest

from signaling.messages import (
    Bye,
    Decoded,
    FromPeer,
    LineSecured,
    MediaInterrupted,
    MediaResumed,
    Noted,
    Quality,
    Seat,
    StillTaken,
)
from signaling.pace import PACE_SECONDS, Pace


def quality(peer: Seat = "expert") -> Quality:
    return Quality(peer=peer, generation=1, stats=())


LOST = Noted(note=MediaInterrupted(peer="expert", cause="site_network", since_ms=10))
STRANGER = Noted(note=MediaInterrupted(peer="expert", cause="identity", since_ms=0))
ENDS = Noted(note=LineSecured(peer="expert", generation=1, own="a" * 64, met="b" * 64))
BACK = Noted(note=MediaResumed(peer="expert", gap_ms=10))


def heard(*said: tuple[float, FromPeer], seat: Seat = "room") -> list[bool]:
    pace = Pace()
    return [pace.admits(seat, message, at) for at, message in said]


@pytest.mark.parametrize(
    "message",
    [quality(), LOST, BACK, ENDS, STRANGER],
    ids=["quality", "interrupted", "resumed", "secured", "identity"],
)
def test_one_in_five_seconds_is_heard(message: FromPeer) -> None:
    assert heard((0, message), (4.9, message), (PACE_SECONDS, message), (6, message)) == [True, False, True, False]


def test_each_seat_and_each_peer_has_its_own_pace() -> None:
    pace = Pace()

    assert [pace.admits(seat, quality(peer), 0) for seat in ("room", "camera") for peer in ("expert", "advisor")] == [True] * 4


def test_an_interruption_that_was_heard_has_its_end_heard_too() -> None:
    assert heard((0, LOST), (1, BACK), (2, LOST), (3, BACK), (5, LOST), (5.5, BACK)) == [True, True, False, False, True, True]


def test_a_stranger_is_heard_of_however_soon_after_another_loss_and_so_is_the_end() -> None:
    assert heard((0, LOST), (1, STRANGER), (2, BACK)) == [True, True, True]


@pytest.mark.parametrize(
    "message",
    [
        Bye(),
        Noted(note=Decoded(peer="expert", generation=1, path="host", setup_ms=1)),
        Noted(note=StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="unchecked")),
    ],
    ids=["bye", "decoded", "still_taken"],
)
def test_all_else_is_heard_at_any_pace(message: FromPeer) -> None:
    assert heard((0, message), (0, message), (0.1, message)) == [True] * 3
