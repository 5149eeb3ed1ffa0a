"""Moments in time: always aware, in UTC, whole milliseconds; written as RFC 3339."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

HELSINKI = ZoneInfo("Europe/Helsinki")


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, e.g. `2026-08-17T06:12:03.250Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def midnight(day: date) -> datetime:
    """When the day begins in Finland, in UTC."""
    return datetime.combine(day, time.min, HELSINKI).astimezone(UTC)


def whole_ms(moment: datetime) -> datetime:
    """The moment without what is finer than a millisecond."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
