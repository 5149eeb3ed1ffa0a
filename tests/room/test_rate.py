"""The rate against lines of known width: what is sent beyond it queues, and beyond the queue it is lost."""

from dataclasses import dataclass, field

import pytest

from etapalvelu.room.h264 import CEILING_BITS_PER_SECOND
from etapalvelu.room.rate import (
    FLOOR_BITS_PER_SECOND,
    HIGHEST_START_BITS_PER_SECOND,
    LOWEST_START_BITS_PER_SECOND,
    START_BITS_PER_SECOND,
    KnownRates,
    RateControl,
    Reading,
)


@dataclass
class Wire:
    """Carries `width` bits a second and holds `room` seconds of it; what is asked for is sent as far as the rate allows."""

    width: float
    wanted: float = 10e6
    room: float = 0.4
    quickest: float = 0.02
    control: RateControl = field(default_factory=RateControl)
    now: float = 0.0
    queue: float = 0.0
    rates: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1
            sent = min(self.wanted, self.control.bits_per_second)
            backlog = max(0.0, self.queue + sent - self.width)
            self.queue = min(backlog, self.room * self.width)
            loss = (backlog - self.queue) / sent
            delay = self.quickest + self.queue / self.width
            self.control.feed(Reading(at=self.now, round_trip=delay, loss=loss, bits_per_second=sent))
            self.rates.append(self.control.bits_per_second)
            self.late.append(delay)


def reading(at: float, *, round_trip: float | None = 0.02, loss: float = 0.0, sent: float = 1e6) -> Reading:
    return Reading(at=at, round_trip=round_trip, loss=loss, bits_per_second=sent)


@pytest.mark.parametrize("width", [150_000, 300_000, 800_000, 2_000_000])
@pytest.mark.parametrize("room", [0.1, 0.4, 2.0])
def test_a_line_is_used_and_not_choked(width: float, room: float) -> None:
    wire = Wire(width, room=room)

    wire.run(120)
    settled = wire.rates[40:]
    late = sorted(wire.late[40:])

    assert sum(settled) / len(settled) > 0.65 * width
    assert max(settled) < 1.3 * width
    assert late[len(late) * 95 // 100] < 0.3


def test_a_wide_line_is_soon_known_to_be_wide() -> None:
    wire = Wire(20e6)

    wire.run(10)

    assert wire.rates[-1] == CEILING_BITS_PER_SECOND


def test_where_little_is_sent_nothing_is_learned() -> None:
    wire = Wire(20e6, wanted=60_000)

    wire.run(30)

    assert wire.rates == [START_BITS_PER_SECOND] * 30


def test_what_it_began_with_comes_back_though_little_is_sent() -> None:
    wire = Wire(150_000)
    wire.run(20)
    thin = wire.rates[-1]
    wire.width, wire.wanted = 20e6, 30_000

    wire.run(120)

    assert thin < 200_000
    assert wire.rates[-1] == START_BITS_PER_SECOND


def test_a_line_that_becomes_thin_is_followed_within_seconds() -> None:
    wire = Wire(5e6, room=1.0)
    wire.run(20)
    wire.width = 400_000

    wire.run(8)

    assert wire.rates[-1] < 450_000


def test_a_little_loss_is_borne_and_much_is_not() -> None:
    rates = []
    for loss in (0.0, 0.03, 0.1):
        control = RateControl()
        control.feed(reading(1, loss=loss))
        rates.append(control.bits_per_second / START_BITS_PER_SECOND)

    assert rates == [1.25, 1.0, 0.85]


def test_a_step_down_goes_where_the_line_seems_to_end() -> None:
    """A second's worth of 600 kbit/s, and how much later the answer comes after it."""
    left = []
    for later in (0.06, 0.08, 0.5, 3.0):
        control = RateControl()
        control.feed(reading(1, round_trip=0.01, sent=0))
        control.feed(reading(2, round_trip=0.01 + later, sent=START_BITS_PER_SECOND))
        left.append(round(control.bits_per_second / START_BITS_PER_SECOND, 2))

    assert left == [1.25, 0.83, 0.6, 0.5]


def test_while_the_queue_empties_nothing_changes() -> None:
    control = RateControl()
    rates = []
    for second, round_trip in enumerate((0.02, 0.6, 0.4, 0.2, 0.19, 0.02)):
        control.feed(reading(second, round_trip=round_trip, sent=0))
        rates.append(round(control.bits_per_second / START_BITS_PER_SECOND, 2))

    assert rates == [1.0, 0.85, 0.85, 0.85, 0.72, 0.76]


def test_answers_that_are_too_late_to_be_measured_are_taken_for_very_late() -> None:
    control = RateControl()
    for second in range(8):
        control.feed(reading(second, round_trip=None, sent=0))
    unknown = control.bits_per_second
    control.feed(reading(9, sent=0))
    for second in range(10, 15):
        control.feed(reading(second, round_trip=None, sent=0))

    assert (unknown, control.bits_per_second) == (START_BITS_PER_SECOND, START_BITS_PER_SECOND / 2)


def test_a_line_that_got_longer_is_not_taken_for_a_full_one_forever() -> None:
    control = RateControl()
    control.feed(reading(0, round_trip=0.02))
    for second in range(1, 100):
        control.feed(reading(second, round_trip=0.3))

    assert control.bits_per_second > START_BITS_PER_SECOND


def test_a_line_that_does_not_even_carry_the_least_is_choked_until_it_begins_again() -> None:
    wire = Wire(20_000, room=3.0)

    wire.run(20)
    seen = [(wire.control.is_choked, wire.control.bits_per_second)]
    wire.control.begin_again()
    seen.append((wire.control.is_choked, wire.control.bits_per_second))

    assert seen == [(True, FLOOR_BITS_PER_SECOND), (False, FLOOR_BITS_PER_SECOND)]


def test_the_next_call_begins_with_what_the_seats_line_carried_within_bounds() -> None:
    known = KnownRates()
    for seat, rate in (("expert", 10_000), ("room", 3e6), ("expert2", 700_000), ("expert2", 900_000)):
        known.remember(seat, rate)

    assert [known.start(seat) for seat in ("expert", "room", "expert2", "other")] == [
        LOWEST_START_BITS_PER_SECOND,
        HIGHEST_START_BITS_PER_SECOND,
        900_000,
        START_BITS_PER_SECOND,
    ]


def test_what_was_lost_in_a_cut_says_nothing_of_the_line_after_it() -> None:
    control = RateControl()
    at, before, after = 0.0, [], []
    for _ in range(5):
        for _ in range(13):
            at += 1
            control.feed(reading(at))
        before.append(control.bits_per_second)
        at += 5
        control.feed(reading(at, loss=0.98, round_trip=None))
        after.append(control.bits_per_second)
    control.feed(reading(at + 1, loss=0.3))

    assert after == before
    assert control.bits_per_second < after[-1]
