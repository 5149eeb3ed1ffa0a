"""The rooms' checks of themselves: who may ask for one, when it is time for one, and what the devices report.

Devices hear that they are asked on their streams. Nothing is asked of a room with a customer in it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from etapalvelu.domain.codes import Readiness
from etapalvelu.domain.errors import NotAllowedError, NotFoundError, RoomInUseError
from etapalvelu.domain.moments import HELSINKI, midnight, whole_ms
from etapalvelu.domain.people import Device, Person, Role, Staff
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint
from etapalvelu.domain.readiness import (
    ANSWERED_WITHIN,
    REPORTED_BY,
    Check,
    CheckCode,
    CheckNote,
    CheckResult,
    RoomChecks,
    room_readiness,
)
from etapalvelu.domain.themes import next_opening
from etapalvelu.ports import Board, Calendar, Clock, PlaceStore, SessionStore, point_topic, room_topic

# A room that was asked and did not answer is asked again this often, until it has answered once this morning.
AGAIN = timedelta(minutes=5)
# A device's credential that ends sooner than this ends in the middle of somebody's day.
CREDENTIAL_SECONDS = timedelta(days=2).total_seconds()


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """What this server is: of the program, and of the pages' static files."""

    program: str
    page: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a device looked at, as it says itself."""

    code: CheckCode
    result: CheckResult
    figure: float | None = None
    note: CheckNote | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a device found. `version` is its program's, or its page's."""

    version: str
    findings: Sequence[Finding]


class Dawn:
    """Made once by `app`. `before` is how long before a point opens its rooms check themselves; nothing for never."""

    def __init__(
        self,
        *,
        places: PlaceStore,
        sessions: SessionStore,
        board: Board,
        calendar: Calendar,
        clock: Clock,
        versions: Versions,
        before: timedelta,
        is_speaker_needed: bool = True,
    ) -> None:
        self._places = places
        self._sessions = sessions
        self._board = board
        self._calendar = calendar
        self._clock = clock
        self._versions = versions
        self._before = before
        self._is_speaker_needed = is_speaker_needed

    async def ask(self, who: Person, room_id: str) -> datetime:
        """Have the room look at itself; returns the moment by which the devices know this asking.

        Raises `NotFoundError` and `NotAllowedError` outside the person's scope, `RoomInUseError` while a session is open.
        """
        if not (isinstance(who, Staff) and who.role in (Role.ADVISOR, Role.SUPERVISOR)):
            raise NotAllowedError
        room = await self._room(who, room_id)
        if room.id in await self._in_use():
            raise RoomInUseError(room=room.id)
        return await self._ask(room)

    async def asked(self, device: Device) -> datetime | None:
        """When the device was asked, if it has still to answer."""
        checks = (await self._places.checks([device.room]))[device.room]
        return checks.asked_at if checks.is_due(device.role, self._clock()) else None

    async def of_room(self, who: Person, room_id: str) -> tuple[Readiness, RoomChecks]:
        """The newest checks of a room in the person's scope. Raises `NotFoundError`."""
        room = await self._room(who, room_id)
        devices = (await self._places.devices([room.id]))[room.id]
        checks = (await self._places.checks([room.id]))[room.id]
        return room_readiness(devices, checks, self._clock()), checks

    async def report(self, device: Device, report: Report, credential_seconds: float | None) -> None:
        """Keep what a device found, with what only the server can tell. `credential_seconds`: how long its login is good yet,
        None for as long as nobody ends it. Raises `NotAllowedError` for what is not this device's to report."""
        if not {finding.code for finding in report.findings} <= REPORTED_BY[device.role]:
            raise NotAllowedError
        now = self._clock()
        findings = [*map(self._judged, report.findings)]
        findings += await self._own(device, report.version, credential_seconds)
        # The newest word on each thing.
        newest = {finding.code: finding for finding in findings}
        await self._places.add_checks(device.room, [_check(finding, now) for finding in newest.values()])
        self._board.announce({room_topic(device.room), point_topic(device.point)})

    async def sweep(self) -> None:
        """Ask the rooms whose point opens soon, or is open, and that have not answered since it was time."""
        if not self._before:
            return
        now = self._clock()
        rooms = await self._places.rooms()
        points = {point.id: point for point in await self._places.points()}
        since = {room.id: moment for room in rooms if (moment := self._time_of(room, points.get(room.point), now)) is not None}
        if not since:
            return
        checks = await self._places.checks(since)
        devices = await self._places.devices(since)
        in_use = await self._in_use()
        for room in rooms:
            if (
                room.id in since
                and room.id not in in_use
                and _is_wanted(checks[room.id], devices[room.id], since[room.id], now)
            ):
                await self._ask(room)

    def _time_of(self, room: Room, point: ServicePoint | None, now: datetime) -> datetime | None:
        """When today's check was to begin, if it was; None at a point or in a room that gives no service now."""
        if point is None or not (point.in_use and room.in_use):
            return None
        if room.fit_from is None or now.astimezone(HELSINKI).date() < room.fit_from:
            return None
        opens = _opening(point, now, self._before, self._calendar)
        return None if opens is None or now < opens - self._before else opens - self._before

    async def _own(self, device: Device, version: str, credential_seconds: float | None) -> list[Finding]:
        """What the server finds out by itself when a device reports."""
        if device.role is Role.ROOM:
            return [_held(CheckCode.PAGE_VERSION, version == self._versions.page), _held(CheckCode.SCREEN, True)]
        devices = (await self._places.devices([device.room]))[device.room]
        lasts = credential_seconds is None or credential_seconds >= CREDENTIAL_SECONDS
        return [
            _held(CheckCode.AGENT_VERSION, version == self._versions.program),
            _held(CheckCode.SCREEN, devices.screen_online),
            Finding(
                code=CheckCode.CREDENTIAL,
                result=CheckResult.OK if lasts else CheckResult.WARN,
                figure=None if credential_seconds is None else round(credential_seconds / 3600, 1),
            ),
        ]

    def _judged(self, finding: Finding) -> Finding:
        """Where devices cancel their own sound the microphone cannot hear the speaker, so it is only told."""
        is_unheard = finding.code is CheckCode.SPEAKER and finding.result is CheckResult.FAILED
        if is_unheard and finding.note is CheckNote.NOT_HEARD and not self._is_speaker_needed:
            return msgspec.structs.replace(finding, result=CheckResult.WARN)
        return finding

    async def _ask(self, room: Room) -> datetime:
        moment = whole_ms(self._clock())
        await self._places.ask_check(room.id, moment)
        self._board.announce({room_topic(room.id), point_topic(room.point)})
        return moment

    async def _room(self, who: Person, room_id: str) -> Room:
        room = await self._places.room(room_id)
        if room is None or (isinstance(who, Staff) and who.point not in (None, room.point)):
            raise NotFoundError
        return room

    async def _in_use(self) -> set[str]:
        return {session.room for session in await self._sessions.open_sessions()}


def _opening(point: ServicePoint, now: datetime, before: timedelta, calendar: Calendar) -> datetime | None:
    """The opening whose time of checking may have come: today's, also while the point is open."""
    both = (point.hours, point.hours)
    coming = next_opening(now, both, calendar.is_holiday, point.opens_on)
    if coming is None or coming > now:
        return coming
    # Open now: the first moment of this day at which it was.
    return next_opening(midnight(now.astimezone(HELSINKI).date()), both, calendar.is_holiday, point.opens_on)


def _is_wanted(checks: RoomChecks, devices: RoomDevices, since: datetime, now: datetime) -> bool:
    if not (devices.agent_online or devices.screen_online) or checks.answered_since(since):
        return False
    return checks.asked_at is None or checks.asked_at < since or now - checks.asked_at >= max(AGAIN, ANSWERED_WITHIN)


def _held(code: CheckCode, holds: bool) -> Finding:
    return Finding(code=code, result=CheckResult.OK if holds else CheckResult.FAILED)


def _check(finding: Finding, at: datetime) -> Check:
    return Check(code=finding.code, result=finding.result, at=at, figure=finding.figure, note=finding.note)
