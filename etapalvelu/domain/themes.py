"""Themes (service lines), their hours, and when remote service can next be opened. All in Europe/Helsinki."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta

import msgspec

from etapalvelu.domain.moments import HELSINKI

# How far ahead a refusal looks for the next opening.
LOOK_AHEAD_DAYS = 366


class Hours(msgspec.Struct, frozen=True):
    """Half-open: from `opens` up to, not including, `closes`."""

    opens: time
    closes: time


WeekHours = Mapping[int, Hours]
"""Weekday (Monday 0) to hours; a missing day is closed."""

IsHoliday = Callable[[date], bool]


def weekdays(opens: int, closes: int) -> WeekHours:
    """Monday to Friday, whole hours."""
    return {day: Hours(time(opens), time(closes)) for day in range(5)}


ALL_WEEK: WeekHours = {day: Hours(time(0), time.max) for day in range(7)}


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """A service line. `offered` is False while it has no line of its own to open sessions on."""

    key: str
    hours: WeekHours
    offered: bool = True


# In the customer's order of likelihood, as the open form shows them.
THEMES: tuple[Theme, ...] = (
    Theme(key="social-assistance", hours=weekdays(9, 16)),
    Theme(key="unemployment-housing", hours=weekdays(9, 16)),
    Theme(key="sickness", hours=weekdays(9, 16)),
    Theme(key="families", hours=weekdays(9, 16)),
    Theme(key="pensions", hours=weekdays(9, 16)),
    Theme(key="rehabilitation", hours=weekdays(9, 16)),
    Theme(key="studies", hours=weekdays(9, 16)),
    Theme(key="international", hours=weekdays(10, 15)),
    Theme(key="collection", hours=weekdays(10, 15)),
    Theme(key="restricted", hours=weekdays(9, 16), offered=False),
)


def is_open(now: datetime, hours: WeekHours, is_holiday: IsHoliday) -> bool:
    """Truth that service by `hours` is given at this moment."""
    window = _window(now.astimezone(HELSINKI).date(), hours, is_holiday)
    return window is not None and window[0] <= now < window[1]


def closing_time(now: datetime, hours: WeekHours, is_holiday: IsHoliday) -> datetime | None:
    """When the present opening ends; None when closed now. A day open until midnight has no closing to speak of."""
    today = now.astimezone(HELSINKI).date()
    window = _window(today, hours, is_holiday)
    if window is None or not window[0] <= now < window[1] or hours[today.weekday()].closes == time.max:
        return None
    return window[1]


def next_opening(now: datetime, both: tuple[WeekHours, WeekHours], is_holiday: IsHoliday, not_before: date) -> datetime | None:
    """The first moment from `now` on at which both hours (the theme's and the point's) are open; None within a year."""
    for day in _days(max(now.astimezone(HELSINKI).date(), not_before)):
        theirs, ours = (_window(day, hours, is_holiday) for hours in both)
        if theirs is None or ours is None:
            continue
        start = max(theirs[0], ours[0], now.astimezone(UTC))
        if start < min(theirs[1], ours[1]):
            return start
    return None


def _window(day: date, hours: WeekHours, is_holiday: IsHoliday) -> tuple[datetime, datetime] | None:
    """From when to when service is given on this day, in UTC, where the nights of daylight saving have no traps."""
    today = hours.get(day.weekday())
    if today is None or is_holiday(day):
        return None
    end = (day + timedelta(days=1), time(0)) if today.closes == time.max else (day, today.closes)
    return _instant(day, today.opens), _instant(*end)


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, HELSINKI).astimezone(UTC)


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range(LOOK_AHEAD_DAYS))
