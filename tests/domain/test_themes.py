"""Hours of service: to the minute, over weekends and holidays, and on the two nights when clocks are changed."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.themes import ALL_WEEK, THEMES, Hours, Theme, WeekHours, closing_time, is_open, next_opening, weekdays

OFFICE = weekdays(9, 16)
LONG_AGO = date(2020, 1, 1)


def helsinki(text: str) -> datetime:
    """Finnish time as written, e.g. `2026-08-17 09:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=HELSINKI).astimezone(UTC)


def never(_day: date) -> bool:
    return False


def midsummer(day: date) -> bool:
    return day == date(2026, 6, 19)


def test_the_themes_are_those_of_the_service_with_their_hours() -> None:
    nine_to_four, ten_to_three = weekdays(9, 16), weekdays(10, 15)

    assert {theme.key: theme.hours for theme in THEMES} == {
        "pensions": nine_to_four,
        "international": ten_to_three,
        "rehabilitation": nine_to_four,
        "families": nine_to_four,
        "studies": nine_to_four,
        "collection": ten_to_three,
        "sickness": nine_to_four,
        "social-assistance": nine_to_four,
        "restricted": nine_to_four,
        "unemployment-housing": nine_to_four,
    }
    assert [theme.key for theme in THEMES if not theme.offered] == ["restricted"]
    assert Theme(key="new", hours=OFFICE).offered


@pytest.mark.parametrize(
    ("now", "is_so"),
    [
        ("2026-08-17 08:59:59.999", False),
        ("2026-08-17 09:00", True),
        ("2026-08-17 15:59:59.999", True),
        ("2026-08-17 16:00", False),
        ("2026-08-22 12:00", False),
        ("2026-08-23 12:00", False),
        ("2026-06-18 12:00", True),
        ("2026-06-19 12:00", False),
        ("2026-01-12 08:59", False),
        ("2026-01-12 09:00", True),
    ],
)
def test_open_is_half_open_on_working_days(now: str, is_so: bool) -> None:
    moment = helsinki(now)

    assert is_open(moment, OFFICE, midsummer) is is_so
    assert closing_time(moment, OFFICE, midsummer) == (helsinki(f"{now[:10]} 16:00") if is_so else None)


def test_hours_are_judged_in_helsinki_summer_and_winter() -> None:
    assert is_open(datetime(2026, 8, 17, 6, tzinfo=UTC), OFFICE, never)
    assert not is_open(datetime(2026, 1, 12, 6, tzinfo=UTC), OFFICE, never)


def test_a_service_around_the_clock_never_closes() -> None:
    for now in ("2026-08-22 00:00", "2026-08-22 23:59:59.999999", "2026-03-29 03:30", "2026-10-25 03:30"):
        assert is_open(helsinki(now), ALL_WEEK, never)
        assert closing_time(helsinki(now), ALL_WEEK, never) is None
    assert not is_open(helsinki("2026-06-19 12:00"), ALL_WEEK, midsummer)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-08-17 07:00", "2026-08-17 09:00"),
        ("2026-08-17 09:00", "2026-08-17 09:00"),
        ("2026-08-17 12:34:56.789", "2026-08-17 12:34:56.789"),
        ("2026-08-17 16:00", "2026-08-18 09:00"),
        ("2026-08-21 15:59:59", "2026-08-21 15:59:59"),
        ("2026-08-21 16:00", "2026-08-24 09:00"),
        ("2026-08-22 12:00", "2026-08-24 09:00"),
        ("2026-06-18 16:00", "2026-06-22 09:00"),
        ("2026-03-27 16:00", "2026-03-30 09:00"),
        ("2026-10-23 16:00", "2026-10-26 09:00"),
    ],
)
def test_the_next_opening_skips_nights_weekends_and_holidays(now: str, opens: str) -> None:
    assert next_opening(helsinki(now), (OFFICE, OFFICE), midsummer, LONG_AGO) == helsinki(opens)


def test_the_hour_in_utc_changes_with_the_clocks() -> None:
    in_spring = next_opening(helsinki("2026-03-27 16:00"), (OFFICE, OFFICE), never, LONG_AGO)
    in_autumn = next_opening(helsinki("2026-10-23 16:00"), (OFFICE, OFFICE), never, LONG_AGO)

    assert in_spring == datetime(2026, 3, 30, 6, tzinfo=UTC)
    assert in_autumn == datetime(2026, 10, 26, 7, tzinfo=UTC)


def test_both_theme_and_point_must_be_open() -> None:
    tuesdays: WeekHours = {1: Hours(time(12), time(20))}
    mornings = weekdays(9, 12)
    now = helsinki("2026-08-19 08:00")

    assert next_opening(now, (OFFICE, tuesdays), never, LONG_AGO) == helsinki("2026-08-25 12:00")
    assert next_opening(now, (ALL_WEEK, tuesdays), never, LONG_AGO) == helsinki("2026-08-25 12:00")
    assert next_opening(now, (mornings, tuesdays), never, LONG_AGO) is None
    assert next_opening(now, (OFFICE, {}), never, LONG_AGO) is None


def test_nothing_opens_before_the_agreement_begins() -> None:
    now = helsinki("2026-08-05 10:00")

    assert next_opening(now, (OFFICE, OFFICE), never, date(2026, 8, 15)) == helsinki("2026-08-17 09:00")
    assert next_opening(now, (OFFICE, OFFICE), never, date(2026, 8, 5)) == now


def test_a_year_of_holidays_has_no_opening() -> None:
    assert next_opening(helsinki("2026-08-05 10:00"), (OFFICE, OFFICE), lambda _day: True, LONG_AGO) is None


NIGHT: WeekHours = {6: Hours(time(3, 30), time(4, 30))}


def test_the_hour_that_comes_twice_in_autumn_is_open_from_its_first_coming_to_the_end() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    close = datetime(2026, 10, 25, 2, 30, tzinfo=UTC)

    opens = [
        first + timedelta(minutes=minutes)
        for minutes in range(-60, 180)
        if is_open(first + timedelta(minutes=minutes), NIGHT, never)
    ]

    assert (opens[0], opens[-1], len(opens)) == (first, close - timedelta(minutes=1), 120)
    assert closing_time(first, NIGHT, never) == close
    assert next_opening(first + timedelta(minutes=45), (NIGHT, NIGHT), never, LONG_AGO) == first + timedelta(minutes=45)


def test_the_hour_that_is_missing_in_spring_opens_when_it_would_have_come() -> None:
    missing = next_opening(helsinki("2026-03-28 12:00"), (NIGHT, NIGHT), never, LONG_AGO)

    # 03:30 does not exist that night, and 04:30 comes at the same moment: there is nothing to open for.
    assert missing == helsinki("2026-04-05 03:30")
