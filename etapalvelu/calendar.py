"""Public holidays of Finland, Midsummer Eve and Christmas Eve among them, when offices are closed."""

from collections.abc import Container, Iterable
from datetime import date
from functools import cached_property


class FinnishCalendar:
    """`ports.Calendar`. `extra` are further days on which no remote service is given."""

    def __init__(self, extra: Iterable[date] = ()) -> None:
        self._extra = frozenset(extra)

    @cached_property
    def _public(self) -> Container[date]:
        from holidays import country_holidays  # noqa: PLC0415 - slow to import, and a start of the server asks for no day

        return country_holidays("FI")

    def is_holiday(self, day: date) -> bool:
        return day in self._extra or day in self._public


class OpenCalendar:
    """`ports.Calendar` without holidays, for `[hours] always_open`."""

    def is_holiday(self, day: date) -> bool:
        return False
