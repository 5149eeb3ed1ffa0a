"""Days without remote service: Finland's public holidays, the eves that close offices, and what the configuration adds."""

from datetime import date

from etapalvelu.calendar import FinnishCalendar, OpenCalendar

HOLIDAYS_2026 = {
    date(2026, 1, 1),
    date(2026, 1, 6),
    date(2026, 4, 3),
    date(2026, 4, 5),
    date(2026, 4, 6),
    date(2026, 5, 1),
    date(2026, 5, 14),
    date(2026, 5, 24),
    date(2026, 6, 19),
    date(2026, 6, 20),
    date(2026, 10, 31),
    date(2026, 12, 6),
    date(2026, 12, 24),
    date(2026, 12, 25),
    date(2026, 12, 26),
}


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1).toordinal()
    return [date.fromordinal(number) for number in range(first, date(year + 1, 1, 1).toordinal())]


def test_the_holidays_of_a_year_are_those_of_the_almanac() -> None:
    calendar = FinnishCalendar()

    assert {day for day in days_of(2026) if calendar.is_holiday(day)} == HOLIDAYS_2026


def test_the_configuration_may_add_days() -> None:
    calendar = FinnishCalendar([date(2026, 12, 31)])

    assert {day for day in days_of(2026) if calendar.is_holiday(day)} == HOLIDAYS_2026 | {date(2026, 12, 31)}


def test_the_open_calendar_has_none() -> None:
    assert not any(OpenCalendar().is_holiday(day) for day in HOLIDAYS_2026)
