"""Public holidays of Finland, Midsummer Eve and Christmas Eve among them, when offices are closed."""

from collections.abc import Iterable
from datetime import date

import holidays


class FinnishCalendar:
    """`ports.Calendar`. `extra` are further days on which no remote service is given."""

    def __init__(self, extra: Iterable[date] = ()) -> None:
        self._public = holidays.country_holidays("FI")
        self._extra = frozenset(extra)

    def is_holiday(self, day: date) -> bool:
        return day in self._extra or day in self._public


class OpenCalendar:
    """`ports.Calendar` without holidays, for `[hours] always_open`."""

    def is_holiday(self, day: date) -> bool:
        return False
