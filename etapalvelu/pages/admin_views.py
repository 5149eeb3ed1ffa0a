"""What the admin's templates need, made from what the store knows. No I/O here."""

from collections.abc import Mapping, Sequence

import msgspec

from etapalvelu.domain.places import ServicePoint
from etapalvelu.domain.themes import ALL_WEEK, Hours
from etapalvelu.pages.advisor_views import RoomTile
from etapalvelu.ports import Account, Login


class RoomBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A room with the credentials its devices hold."""

    tile: RoomTile
    devices: tuple[Login, ...]


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """Weekdays from one to another (Monday 0) with the same hours."""

    since: int
    until: int
    hours: Hours


class PointBlock(msgspec.Struct, frozen=True, kw_only=True):
    point: ServicePoint
    rooms: tuple[RoomBlock, ...]

    @property
    def is_always_open(self) -> bool:
        return self.point.hours == ALL_WEEK

    @property
    def spells(self) -> tuple[Spell, ...]:
        """The week's opening hours, days with the same ones together."""
        spells: list[Spell] = []
        for day, hours in sorted(self.point.hours.items()):
            last = spells[-1] if spells else None
            if last is not None and last.hours == hours and last.until == day - 1:
                spells[-1] = Spell(since=last.since, until=day, hours=hours)
            else:
                spells.append(Spell(since=day, until=day, hours=hours))
        return tuple(spells)


class PairingView(msgspec.Struct, frozen=True, kw_only=True):
    """A code that was just made, shown this once. `kind` is `room` or `agent`."""

    room: str
    kind: str
    code: str
    server: str


class AdminView(msgspec.Struct, frozen=True, kw_only=True):
    points: tuple[PointBlock, ...]
    staff: tuple[Account, ...]
    point_names: Mapping[str, str]


def admin_view(
    points: Sequence[ServicePoint],
    tiles: Mapping[str, Sequence[RoomTile]],
    devices: Mapping[str, Sequence[Login]],
    accounts: Sequence[Account],
) -> AdminView:
    """`tiles` by point, `devices` by room."""
    return AdminView(
        points=tuple(
            PointBlock(
                point=point,
                rooms=tuple(RoomBlock(tile=tile, devices=tuple(devices.get(tile.id, ()))) for tile in tiles.get(point.id, ())),
            )
            for point in points
        ),
        staff=tuple(sorted(accounts, key=lambda account: (account.staff.role, account.staff.account))),
        point_names={point.id: point.name for point in points},
    )
