"""Who changed what on the admin's pages: kept with each change, and told in words."""

from collections.abc import Mapping
from datetime import date, time

import msgspec
from aiohttp import web

from etapalvelu.access import visitor_of
from etapalvelu.changes import Differences, differences
from etapalvelu.domain.themes import ALL_WEEK, Hours, WeekHours
from etapalvelu.pages.admin_views import ChangedField, ChangeView, spells
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import site_of
from etapalvelu.ports import Change

MOST_SHOWN = 20


async def record(request: web.Request, kind: str, subject: str, before: msgspec.Struct | None, after: msgspec.Struct) -> None:
    """Keep what became different; nothing when nothing did."""
    await record_fields(request, kind, subject, differences(before, after))


async def record_fields(request: web.Request, kind: str, subject: str, fields: Differences) -> None:
    site = site_of(request)
    if fields:
        account = visitor_of(request).account
        await site.places.add_change(Change(at=site.clock(), account=account, kind=kind, id=subject, fields=fields))


def change_view(change: Change, names: dict[str, str], language: Language) -> ChangeView:
    """The change in the reader's words; `names` are those of staff, by account."""
    return ChangeView(
        at=change.at,
        who=names.get(change.account, change.account),
        kind=change.kind,
        id=change.id,
        is_new=all(before is None for before, _ in change.fields.values()),
        fields=tuple(
            ChangedField(name=name, before=_words(name, before, language), after=_words(name, after, language))
            for name, (before, after) in change.fields.items()
        ),
    )


def _words(field: str, value: object, language: Language) -> str:
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return language.text("admin.yes" if value else "admin.no")
    if field in ("mode", "crop") and isinstance(value, dict):
        return _mode(value) if field == "mode" else _crop(value)
    if field == "hours":
        return hours_words(msgspec.convert(value, dict[int, Hours], strict=False), language)
    if field in ("opens_on", "fit_from"):
        return language.day(date.fromisoformat(str(value)))
    if field in ("themes", "languages") and isinstance(value, list):
        return ", ".join(language.text(f"{field[:-1]}.{code}") for code in value)
    return language.text(f"role.{value}") if field in ("role", "device") else str(value)


def _mode(mode: Mapping[str, int]) -> str:
    return f"{mode['width']} × {mode['height']}, {mode['frames_per_second']}/s"


def _crop(crop: Mapping[str, float]) -> str:
    """The part of the picture from left to right and from top to bottom."""
    left, top, right, bottom = (round(crop[side] * 100) for side in ("left", "top", "right", "bottom"))
    return f"{left}–{right} %, {top}–{bottom} %"


def hours_words(hours: WeekHours, language: Language) -> str:
    """`Mon-Fri 9.00-16.00`, spell by spell."""
    if hours == ALL_WEEK:
        return language.text("admin.always_open")
    words = []
    for spell in spells(hours):
        first, last = language.short_weekday(spell.since), language.short_weekday(spell.until)
        days = first if first == last else f"{first}–{last}"
        words.append(f"{days} {clock(spell.hours.opens)}–{clock(spell.hours.closes)}")
    return ", ".join(words) or language.text("admin.never_open")


def clock(at: time) -> str:
    """As the forms write it; the end of the day is 24.00."""
    return "24.00" if at == time.max else f"{at.hour}.{at.minute:02}"
