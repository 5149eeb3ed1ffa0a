"""Texts, days and times as people read them. Every moment is shown in Finnish time; the texts stand in web/locale."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from etapalvelu.domain.moments import HELSINKI

LANGUAGES = ("fi", "sv", "en")
FIRST_LANGUAGE = LANGUAGES[0]

_LOCALES = {"fi": "fi_FI", "sv": "sv_FI", "en": "en_GB"}
_CLOCKS = {"fi": "H.mm", "sv": "H.mm", "en": "HH:mm"}
_EXACT_CLOCKS = {"fi": "H.mm.ss", "sv": "H.mm.ss", "en": "HH:mm:ss"}
_MOMENTS = {"fi": "d.M.y 'klo' H.mm", "sv": "d.M.y 'kl.' H.mm", "en": "d MMM y, HH:mm"}
_DAY_MOMENTS = {"fi": "EEEE d.M. 'klo' H.mm", "sv": "EEEE d.M 'kl.' H.mm", "en": "EEEE d MMMM 'at' HH:mm"}
_WEEKDAY_CLOCKS = {"fi": "ccc H.mm", "sv": "ccc H.mm", "en": "ccc HH:mm"}
_DAYS = {"fi": "d.M.y", "sv": "d.M.y", "en": "d MMM y"}


class Language:
    """One language of the interface: its texts and its ways of writing moments and numbers."""

    def __init__(self, code: str, texts: Mapping[str, str]) -> None:
        self.code = code
        self._texts = texts
        self._locale = _LOCALES[code]

    def text(self, key: str, **facts: object) -> str:
        """The text with its `{name}` places filled. Raises KeyError for a key that no file has."""
        words = self._texts[key]
        for name, fact in facts.items():
            words = words.replace("{" + name + "}", str(fact))
        return words

    def has(self, key: str) -> bool:
        return key in self._texts

    def below(self, prefix: str) -> dict[str, str]:
        """All texts whose key starts with `prefix`."""
        return {key: words for key, words in self._texts.items() if key.startswith(prefix)}

    def clock(self, at: datetime) -> str:
        return self._format(at, _CLOCKS)

    def exact_clock(self, at: datetime) -> str:
        return self._format(at, _EXACT_CLOCKS)

    def moment(self, at: datetime) -> str:
        return self._format(at, _MOMENTS)

    def day_moment(self, at: datetime) -> str:
        """A moment soon to come, with its weekday."""
        return self._format(at, _DAY_MOMENTS)

    def weekday_clock(self, at: datetime) -> str:
        """A moment within a week, as short as can be."""
        return self._format(at, _WEEKDAY_CLOCKS)

    def day(self, day: date) -> str:
        return format_date(day, _DAYS[self.code], locale=self._locale)

    def short_weekday(self, number: int) -> str:
        """Monday is 0."""
        return format_date(date(2024, 1, 1 + number), "ccc", locale=self._locale)

    def weekday(self, number: int) -> str:
        """Monday is 0."""
        return format_date(date(2024, 1, 1 + number), "cccc", locale=self._locale)

    def month(self, first: date) -> str:
        return format_date(first, "LLLL y", locale=self._locale)

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self._locale)

    def _format(self, at: datetime, patterns: Mapping[str, str]) -> str:
        return format_datetime(at.astimezone(HELSINKI), patterns[self.code], locale=self._locale)


def duration(seconds: float | None) -> str:
    """`45 s`, `4 min 5 s`, `1 h 12 min`; the units are the same in all three languages. A dash for none."""
    if seconds is None:
        return "–"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def load_languages(folder: Path) -> dict[str, Language]:
    return {code: Language(code, json.loads((folder / f"{code}.json").read_text("utf-8"))) for code in LANGUAGES}


def choose_language(asked: str | None, remembered: str | None) -> str:
    """What the address says, else what the cookie remembers, else Finnish."""
    return next((code for code in (asked, remembered) if code in LANGUAGES), FIRST_LANGUAGE) or FIRST_LANGUAGE
