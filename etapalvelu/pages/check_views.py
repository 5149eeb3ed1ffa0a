"""What templates need of a room's check of itself: what to mend, what to look at, and everything that was looked at."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from etapalvelu.domain.places import RoomDevices, missing
from etapalvelu.domain.readiness import Check, CheckCode, CheckNote, CheckResult, RoomChecks, to_look_at, to_mend

# Said already by what the devices tell of themselves.
_TOLD_BY: Mapping[str, frozenset[CheckCode]] = {
    "screen_away": frozenset({CheckCode.SCREEN}),
    "document_camera_lost": frozenset(code for code in CheckCode if code.startswith("document_camera_")),
}
_SHAPES: Mapping[CheckResult, str] = {
    CheckResult.OK: "good",
    CheckResult.WARN: "warn",
    CheckResult.FAILED: "bad",
    CheckResult.SKIPPED: "unknown",
}
# In what the figure of each is told.
_UNITS: Mapping[CheckCode, str] = {
    CheckCode.DOCUMENT_CAMERA_FRESH: "unit.a_second",
    CheckCode.DOCUMENT_CAMERA_LIGHT: "unit.percent",
    CheckCode.DOCUMENT_CAMERA_SHARP: "unit.pixels_spread",
    CheckCode.DOCUMENT_CAMERA_STILL: "unit.megapixels",
    CheckCode.CAMERA: "unit.a_second",
    CheckCode.MICROPHONE: "unit.decibels",
    CheckCode.SPEAKER: "unit.decibels",
    CheckCode.SERVER_HTTP: "unit.milliseconds",
    CheckCode.SERVER_SOCKET: "unit.milliseconds",
    CheckCode.RELAY_UDP: "unit.milliseconds",
    CheckCode.RELAY_TCP: "unit.milliseconds",
    CheckCode.RELAY_TLS: "unit.milliseconds",
    CheckCode.BANDWIDTH_UP: "unit.kilobits",
    CheckCode.BANDWIDTH_DOWN: "unit.kilobits",
    CheckCode.LOSS: "unit.percent",
    CheckCode.ROUND_TRIP: "unit.milliseconds",
    CheckCode.CLOCK: "unit.seconds",
    CheckCode.DISK: "unit.megabytes",
    CheckCode.MEMORY: "unit.megabytes",
    CheckCode.LOAD: "unit.percent",
    CheckCode.CREDENTIAL: "unit.hours",
}
# What is easier to read by the thousand, and from how many on.
_THOUSANDS: Mapping[str, str] = {"unit.kilobits": "unit.megabits", "unit.megabytes": "unit.gigabytes"}
_MANY = 10_000


class CheckLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. `unit` is the key of words for the figure, empty without one."""

    code: CheckCode
    result: CheckResult
    shape: str
    note: CheckNote | None
    figure: float | None
    unit: str


class CheckView(msgspec.Struct, frozen=True, kw_only=True):
    """`to_mend` and `to_look_at` are codes that people are told what to do about."""

    running_since: datetime | None
    may_be_asked: bool
    checked_at: datetime | None
    to_mend: tuple[str, ...]
    to_look_at: tuple[str, ...]
    lines: tuple[CheckLine, ...]


def check_view(devices: RoomDevices, checks: RoomChecks, now: datetime) -> CheckView:
    believed = checks.believed(now)
    told = frozenset(code for lack in missing(devices) for code in _TOLD_BY.get(lack, ()))
    return CheckView(
        running_since=checks.asked_at if checks.is_running(devices, now) else None,
        may_be_asked=devices.agent_online or devices.screen_online,
        checked_at=max((check.at for check in believed), default=None),
        to_mend=tuple(code for code in to_mend(believed) if code not in told),
        to_look_at=tuple(code for code in to_look_at(believed) if code not in told),
        lines=tuple(map(_line, believed)),
    )


def told_figure(check: Check) -> tuple[float | None, str]:
    """What was measured as people read it, and the key of words for it, empty without any."""
    figure, unit = check.figure, "" if check.figure is None else _UNITS.get(check.code, "")
    if figure is not None and unit in _THOUSANDS and figure >= _MANY:
        return round(figure / 1000), _THOUSANDS[unit]
    return figure, unit


def _line(check: Check) -> CheckLine:
    figure, unit = told_figure(check)
    return CheckLine(
        code=check.code,
        result=check.result,
        shape=_SHAPES[check.result],
        note=check.note,
        figure=figure,
        unit=unit,
    )
