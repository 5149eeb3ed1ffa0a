"""Leases and limits go by a counter that nobody sets, not by the clock."""

import msgspec

from etapalvelu.steady import Stalls, SteadyTime
from tests.conftest import Service
from tests.fakes import FakeClock


class Counter:
    """Seconds from anywhere, moved by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


async def test_a_session_first_seen_goes_by_the_clock(service: Service) -> None:
    session, clock = await service.opened(), service.clock
    clock.advance(seconds=7)

    assert SteadyTime(clock, Counter()).now(session) == clock()


async def test_a_clock_that_is_set_moves_no_session_that_is_followed(service: Service) -> None:
    session, counter, clock = await service.opened(), Counter(), FakeClock(service.clock())
    time, begun = SteadyTime(clock, counter), clock()
    time.follow([session])

    clock.advance(hours=2)
    forward = time.now(session)
    clock.advance(hours=-4)
    counter.seconds += 5
    time.follow([session])
    back = time.now(session)

    assert forward == begun
    assert (back - begun).total_seconds() == 5


async def test_no_session_is_before_its_own_last_event(service: Service) -> None:
    session, clock = await service.opened(), FakeClock(service.clock())
    clock.advance(hours=-2)

    assert SteadyTime(clock, Counter()).now(session) == session.last_at


async def test_sessions_that_ended_are_forgotten(service: Service) -> None:
    session, clock = await service.opened(), FakeClock(service.clock())
    time = SteadyTime(clock, Counter())
    time.follow([session])
    time.follow([])
    clock.advance(hours=2)

    assert time.now(msgspec.structs.replace(session, seq=2)) == clock()


def test_a_server_that_was_stopped_gives_others_as_long_to_come_back() -> None:
    counter = Counter()
    stalls = Stalls(counter, most=120)
    heard = []
    for seconds in (1, 1, 60, 1, 58, 1, 1):
        # Looked every second, but for the minute it was stopped.
        for _ in range(1 if seconds == 60 else seconds):
            counter.seconds += seconds if seconds == 60 else 1
            heard.append(stalls.are_over())

    assert heard == [True, True] + [False] * 60 + [True, True]


def test_no_stall_is_waited_for_longer_than_a_seat_is_kept() -> None:
    counter = Counter()
    stalls = Stalls(counter, most=5)
    counter.seconds += 60
    heard = [stalls.are_over()]
    for _ in range(5):
        counter.seconds += 1
        heard.append(stalls.are_over())

    assert heard == [False] * 5 + [True]
