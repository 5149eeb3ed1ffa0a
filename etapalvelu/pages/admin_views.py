"""What the admin's templates need, made from what the store knows. No I/O here."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from etapalvelu.domain.places import ServicePoint
from etapalvelu.domain.themes import Hours, WeekHours
from etapalvelu.pages.advisor_views import RoomTile
from etapalvelu.ports import Account, Login


class RoomBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A room with the credentials its devices hold."""

    tile: RoomTile
    in_use: bool
    devices: tuple[Login, ...]


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """Weekdays from one to another (Monday 0) with the same hours."""

    since: int
    until: int
    hours: Hours


class PointBlock(msgspec.Struct, frozen=True, kw_only=True):
    """`hours` in words."""

    point: ServicePoint
    hours: str
    rooms: tuple[RoomBlock, ...]


class ThemeBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A theme with its hours in words; `is_own` when they are not the ones it was made with."""

    key: str
    hours: str
    is_own: bool


class ChangedField(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    before: str
    after: str


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One change, told."""

    at: datetime
    who: str
    kind: str
    id: str
    is_new: bool
    fields: tuple[ChangedField, ...]


def spells(week: WeekHours) -> tuple[Spell, ...]:
    """The week's hours, days with the same ones together."""
    found: list[Spell] = []
    for day, hours in sorted(week.items()):
        last = found[-1] if found else None
        if last is not None and last.hours == hours and last.until == day - 1:
            found[-1] = Spell(since=last.since, until=day, hours=hours)
        else:
            found.append(Spell(since=day, until=day, hours=hours))
    return tuple(found)


class PairingView(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was just made, shown this once. `kind` is `room` or `agent`."""

    room: str
    kind: str
    code: str
    server: str


class AdminView(msgspec.Struct, frozen=True, kw_only=True):
    points: tuple[PointBlock, ...]
    themes: tuple[ThemeBlock, ...]
    staff: tuple[Account, ...]
    changes: tuple[ChangeView, ...]
    point_names: Mapping[str, str]
