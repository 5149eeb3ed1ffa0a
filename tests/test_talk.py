from collections.abc import Iterator
from datetime import UTC, datetime
from typing import get_args

import pytest

from etapalvelu.domain.codes import Seat
from etapalvelu.talk import MESSAGES, SEATS, GuardedAttendance, may_say
from signaling.errors import RefusedError
from signaling.messages import SEATS as WIRE_SEATS
from signaling.messages import FromPeer, MediaResumed, Note, Quality, StillTaken
from tests.signaling.fakes import FakeAttendance


async def test_what_a_seat_may_not_say_does_not_reach_the_service() -> None:
    attendance = FakeAttendance()
    guarded = GuardedAttendance(attendance)
    still = StillTaken(sha256="0" * 64, size=1, width=1, height=1, verdict="ok")
    resumed = MediaResumed(peer="room", gap_ms=1)
    quality = Quality(peer="room", generation=1, stats=())
    since = datetime(2026, 8, 17, tzinfo=UTC)

    await guarded.joined("c", "expert", "staff:eero")
    with pytest.raises(RefusedError):
        await guarded.joined("c", "interpreter", "guest:x")
    await guarded.noted("c", "expert", "staff:eero", still)
    await guarded.noted("c", "camera", "device:r", still)
    await guarded.noted("c", "expert", "staff:eero", resumed)
    await guarded.sampled("c", "interpreter", "guest:x", quality)
    await guarded.sampled("c", "room", "device:r", quality)
    await guarded.interrupted("c", "room", "device:r", since)
    await guarded.resumed("c", "room", "device:r", 5)
    await guarded.left("c", "room", "device:r", "bye")

    assert attendance.heard == [
        ("joined", "c", "expert", "staff:eero"),
        ("noted", "c", "camera", "device:r", still),
        ("noted", "c", "expert", "staff:eero", resumed),
        ("sampled", "c", "room", "device:r", quality),
        ("interrupted", "c", "room", "device:r", since),
        ("resumed", "c", "room", "device:r", 5),
        ("left", "c", "room", "device:r", "bye"),
    ]


def test_every_message_of_the_wire_has_a_row() -> None:
    assert set(MESSAGES) == set(_wire_messages())
    assert {str(seat) for seat in SEATS} == set(WIRE_SEATS)


@pytest.mark.parametrize("seat", list(Seat))
def test_who_may_say_what(seat: Seat) -> None:
    said = {message for message in MESSAGES if may_say(seat, message)}

    everything = set(MESSAGES)
    expected = {
        Seat.ROOM: everything - {"noted.still_taken"},
        Seat.EXPERT: everything - {"noted.still_taken"},
        Seat.EXPERT2: everything - {"noted.still_taken"},
        Seat.ADVISOR: everything - {"noted.still_taken"},
        Seat.CAMERA: everything - {"noted.decoded"},
        Seat.INTERPRETER: set[str](),
    }
    assert said == expected[seat]
    assert not may_say(seat, "shout")


def _wire_messages() -> Iterator[str]:
    yield from (str(message.__struct_config__.tag) for message in get_args(FromPeer))
    yield from (f"noted.{note.__struct_config__.tag}" for note in get_args(Note))
