"""Service points and their rooms, and the agreement that makes a point a point."""

from datetime import date, datetime

import msgspec

from etapalvelu.domain.codes import DocumentCamera, Readiness
from etapalvelu.domain.errors import NotOfferedError, OutsideHoursError, RoomNotFitError, RoomOutOfUseError
from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.themes import IsHoliday, Theme, WeekHours, is_open, next_opening


class ServicePoint(msgspec.Struct, frozen=True, kw_only=True):
    """A municipal desk. It gives no service before `opens_on`, the agreement's first day, nor when not `in_use` any more.

    `phone` is the line to offer when remote service is not to be had.
    """

    id: str
    name: str
    municipality: str
    hours: WeekHours
    opens_on: date
    phone: str = ""
    in_use: bool = True


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """A private room. `fit_from` is the day it became fit for remote service: None while it is not.

    Nothing that the log refers to is taken away: a room that is given up is not `in_use`.
    """

    id: str
    name: str
    point: str
    fit_from: date | None
    in_use: bool = True


class RoomDevices(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a room's two devices just now."""

    screen_paired: bool = False
    screen_online: bool = False
    agent_paired: bool = False
    agent_online: bool = False
    document_camera: DocumentCamera | None = None
    document_camera_name: str = ""


def readiness(devices: RoomDevices) -> Readiness:
    """Ready when screen and agent are both here and the document camera gives pictures.

    A room whose devices were never paired is unknown; one that misses a device it had is broken.
    """
    if not (devices.screen_paired and devices.agent_paired):
        return Readiness.UNKNOWN
    if not (devices.screen_online and devices.agent_online):
        return Readiness.BROKEN
    return Readiness.READY if devices.document_camera is DocumentCamera.OK else Readiness.BROKEN


def missing(devices: RoomDevices) -> tuple[str, ...]:
    """What keeps the room from being ready, as codes in the order a person should mend them."""
    checks = (
        ("screen_not_paired", devices.screen_paired),
        ("agent_not_paired", devices.agent_paired),
        ("screen_away", devices.screen_online or not devices.screen_paired),
        ("agent_away", devices.agent_online or not devices.agent_paired),
        ("document_camera_lost", not devices.agent_online or devices.document_camera is DocumentCamera.OK),
    )
    return tuple(code for code, holds in checks if not holds)


def check_opening(theme: Theme, room: Room, point: ServicePoint, now: datetime, is_holiday: IsHoliday) -> None:
    """Raise the refusal that stands against opening a session of this theme in this room now, if any does."""
    if not theme.offered:
        raise NotOfferedError(theme=theme.key)
    if not (point.in_use and room.in_use):
        raise RoomOutOfUseError(room=room.id)
    today = now.astimezone(HELSINKI).date()
    both = (theme.hours, point.hours)
    if today < point.opens_on or not all(is_open(now, hours, is_holiday) for hours in both):
        raise OutsideHoursError(next_opening(now, both, is_holiday, point.opens_on))
    if room.fit_from is None or today < room.fit_from:
        raise RoomNotFitError(room=room.id, fit_from=None if room.fit_from is None else room.fit_from.isoformat())
