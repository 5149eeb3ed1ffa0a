"""Themes (service lines), their hours, and when remote service can next be opened. All in Europe/Helsinki."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta

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
    local = now.astimezone(HELSINKI)
    today = hours.get(local.weekday())
    return (
        today is not None
        and not is_holiday(local.date())
        and today.opens <= local.time()
        and (local.time() < today.closes or today.closes == time.max)
    )


def closing_time(now: datetime, hours: WeekHours, is_holiday: IsHoliday) -> datetime | None:
    """When the present opening ends; None when closed now. A day open until midnight has no closing to speak of."""
    if not is_open(now, hours, is_holiday):
        return None
    local = now.astimezone(HELSINKI)
    closes = hours[local.weekday()].closes
    return None if closes == time.max else datetime.combine(local.date(), closes, HELSINKI)


def next_opening(now: datetime, both: tuple[WeekHours, WeekHours], is_holiday: IsHoliday, not_before: date) -> datetime | None:
    """The first moment from `now` on at which both hours (the theme's and the point's) are open; None within a year."""
    for day in _days(max(now.astimezone(HELSINKI).date(), not_before)):
        if is_holiday(day):
            continue
        windows = [hours[day.weekday()] for hours in both if day.weekday() in hours]
        if len(windows) < len(both):
            continue
        opens = max(window.opens for window in windows)
        closes = min(window.closes for window in windows)
        start = max(datetime.combine(day, opens, HELSINKI), now.astimezone(HELSINKI))
        if start < datetime.combine(day, closes, HELSINKI):
            return start
    return None


def _days(first: date) -> Iterator[date]:
    return (first + timedelta(days=ahead) for ahead in range(LOOK_AHEAD_DAYS))
