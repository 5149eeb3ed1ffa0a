"""What leaves for a line: on a simulated clock, packet by packet."""

import pytest

from etapalvelu.room.line import Line
from etapalvelu.room.pacer import HASTE, LEAST_SECONDS, MOST_SECONDS, REPEATED_SHARE, SAVED_SECONDS, WORTH_SECONDS, Pacer
from etapalvelu.room.rate import Reading

SIZE = 1_250
BITS = 8 * SIZE


class Desk:
    """A line that carries `bits_per_second`, and its pacer."""

    def __init__(self, bits_per_second: float, *, round_trip: float = 0.02) -> None:
        self.now = 100.0
        self.line = Line(bits_per_second)
        self.line.take(Reading(at=self.now, round_trip=round_trip, loss=0.02, bits_per_second=bits_per_second))
        self.pacer = Pacer(self.line, clock=lambda: self.now)

    def send(self, numbers: range) -> None:
        for number in numbers:
            self.now += self.pacer.schedule(number % 2**16, SIZE)


def test_a_good_line_is_given_a_picture_at_one_stroke() -> None:
    desk = Desk(600_000)

    desk.send(range(80))

    assert desk.line.step == "full"
    assert desk.now == 100


def test_on_a_thin_line_a_picture_leaves_room_between_its_packets() -> None:
    desk = Desk(100_000)

    desk.send(range(65_500, 65_560))

    assert desk.line.step != "full"
    # All but the first have waited, and none for longer than the packet before it takes.
    assert desk.now - 100 == pytest.approx(59 * BITS / (HASTE * 100_000), abs=0.01)


def test_what_is_lost_once_is_repeated_at_once() -> None:
    desk = Desk(600_000)
    desk.send(range(5))
    desk.now += 0.1

    assert desk.pacer.allow_repeat(3)
    assert desk.pacer.schedule(3, SIZE) == 0


@pytest.mark.parametrize(("round_trip", "patience"), [(0.001, LEAST_SECONDS), (0.3, 0.3), (7.0, MOST_SECONDS)])
def test_a_repeated_packet_is_given_the_time_to_arrive(round_trip: float, patience: float) -> None:
    desk = Desk(600_000, round_trip=round_trip)
    desk.send(range(5))
    desk.now += 0.1

    allowed = [desk.pacer.allow_repeat(3)]
    desk.now += patience - 0.01
    allowed.append(desk.pacer.allow_repeat(3))
    desk.now += 0.02
    allowed.append(desk.pacer.allow_repeat(3))

    assert allowed == [True, False, True]


def test_however_much_is_asked_for_repeating_takes_no_more_than_its_share() -> None:
    desk = Desk(200_000)
    desk.now += 10
    repeated = number = 0
    began = desk.now

    while desk.now < began + 10:
        desk.send(range(number, number + 20))
        number += 20
        for _ in range(4):
            desk.now += 0.05
            repeated += sum(desk.pacer.allow_repeat(asked) for asked in range(number - 20, number))

    most = REPEATED_SHARE * 200_000 * (desk.now - began + SAVED_SECONDS) / BITS
    assert 0.8 * most < repeated <= most


def test_a_loss_of_one_packet_in_seven_is_made_good() -> None:
    desk = Desk(600_000)
    asked = allowed = 0

    for number in range(600):
        desk.send(range(number, number + 1))
        desk.now += BITS / 600_000
        if number % 7 == 0:
            asked += 1
            allowed += desk.pacer.allow_repeat(number)

    assert asked == allowed


def test_what_nobody_waits_for_and_what_was_never_sent_is_not_repeated() -> None:
    desk = Desk(600_000)
    desk.send(range(5))
    desk.now += WORTH_SECONDS + 0.01

    assert not desk.pacer.allow_repeat(3)
    assert not desk.pacer.allow_repeat(77)


def test_a_number_comes_round_again() -> None:
    desk = Desk(100_000)
    desk.send(range(2_000))
    desk.now += 10
    desk.send(range(65_000, 65_536 + 10))
    desk.now += 0.1

    assert desk.pacer.allow_repeat(5)
