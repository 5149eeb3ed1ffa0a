"""The stand-ins do what they stand for."""

from datetime import UTC, date, datetime

from tests.fakes import FakeCalendar, FakeCalls, FakeClock


def test_the_clock_moves_only_when_told() -> None:
    clock = FakeClock()

    before = clock()
    clock.advance(minutes=1, seconds=2)

    assert (before, clock()) == (datetime(2026, 8, 17, 7, 0, tzinfo=UTC), datetime(2026, 8, 17, 7, 1, 2, tzinfo=UTC))


def test_the_calendar_has_the_holidays_it_was_given() -> None:
    calendar = FakeCalendar(date(2026, 8, 17))

    assert [calendar.is_holiday(date(2026, 8, day)) for day in (16, 17, 18)] == [False, True, False]


async def test_the_calls_remember_what_was_asked_in_order() -> None:
    calls = FakeCalls()

    await calls.unseat("s1", "expert", "released")
    await calls.end("s1", "completed")

    assert calls.asked == [("unseat", "s1", "expert", "released"), ("end", "s1", "completed")]
