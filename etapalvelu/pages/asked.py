"""Days and moments as they stand in an address or a filter's field. Both days of a span are counted in, judged in Finland."""

from datetime import UTC, date, datetime

from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.moments import midnight


def asked_day(text: str, field: str) -> date | None:
    """The day that was asked for, None when none was. Raises `InvalidFieldError` on the field."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidFieldError(field, "not_a_date") from None
    if not 2000 <= day.year <= 2200:
        raise InvalidFieldError(field, "not_a_date")
    return day


def midnight_of(day: date | None) -> datetime | None:
    return midnight(day) if day is not None else None


def asked_moment(text: str) -> datetime | None:
    """The moment at which the page before ended; None for an address that somebody cut short, which begins anew."""
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None
