"""What a room's check of itself found, and whether the room can be used therefore.

A check is kept by its code; words for people stand under `check.`, `check_do.` and `check_note.` in the locale.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from etapalvelu.domain.codes import Readiness
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import RoomDevices, readiness

# What was found the day before yesterday says nothing of this morning.
BELIEVED = timedelta(hours=36)
# A check takes half of this at most; who has not answered by then does not answer.
ANSWERED_WITHIN = timedelta(seconds=60)


class CheckCode(StrEnum):
    """What is looked at, in the order people read it."""

    DOCUMENT_CAMERA_OPENS = "document_camera_opens"
    DOCUMENT_CAMERA_FRESH = "document_camera_fresh"
    DOCUMENT_CAMERA_LIGHT = "document_camera_light"
    DOCUMENT_CAMERA_SHARP = "document_camera_sharp"
    DOCUMENT_CAMERA_STILL = "document_camera_still"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    SCREEN = "screen"
    SERVER_HTTP = "server_http"
    SERVER_SOCKET = "server_socket"
    DIRECT_PATH = "direct_path"
    RELAY_UDP = "relay_udp"
    RELAY_TCP = "relay_tcp"
    RELAY_TLS = "relay_tls"
    BANDWIDTH_UP = "bandwidth_up"
    BANDWIDTH_DOWN = "bandwidth_down"
    LOSS = "loss"
    ROUND_TRIP = "round_trip"
    CLOCK = "clock"
    DISK = "disk"
    MEMORY = "memory"
    LOAD = "load"
    CODECS = "codecs"
    CREDENTIAL = "credential"
    AGENT_VERSION = "agent_version"
    PAGE_VERSION = "page_version"


class CheckResult(StrEnum):
    """`warn`: it works, but somebody should look."""

    OK = "ok"
    WARN = "warn"
    FAILED = "failed"
    SKIPPED = "skipped"


class CheckNote(StrEnum):
    """Why a check was left out, or what exactly failed."""

    NO_TURN = "no_turn"
    NOT_NAMED = "not_named"
    RELAYS_ONLY = "relays_only"
    NO_PRINT = "no_print"
    NO_PICTURE = "no_picture"
    FROZEN = "frozen"
    BLACK = "black"
    SILENT = "silent"
    NOT_HEARD = "not_heard"
    PERMISSION = "permission"
    MISSING = "missing"
    BUSY = "busy"
    NO_NETWORK = "no_network"
    NO_UDP = "no_udp"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    NOT_MEASURED = "not_measured"


# By the device that looks; the rest the server finds out by itself when the agent reports.
REPORTED_BY: dict[Role, frozenset[CheckCode]] = {
    Role.ROOM: frozenset({CheckCode.CAMERA, CheckCode.MICROPHONE, CheckCode.SPEAKER, CheckCode.CODECS}),
    Role.AGENT: frozenset(CheckCode)
    - {
        CheckCode.CAMERA,
        CheckCode.MICROPHONE,
        CheckCode.SPEAKER,
        CheckCode.CODECS,
        CheckCode.SCREEN,
        CheckCode.CREDENTIAL,
        CheckCode.AGENT_VERSION,
        CheckCode.PAGE_VERSION,
    },
}
RELAYS = (CheckCode.RELAY_UDP, CheckCode.RELAY_TCP, CheckCode.RELAY_TLS)
# None of these alone keeps a room from being used: together they say how it reaches Kela.
_ROUTES = frozenset({CheckCode.DIRECT_PATH, *RELAYS})
_ORDER = {code: place for place, code in enumerate(CheckCode)}
# What is known to have answered a check, by whose device it is.
_ANSWER_OF = {Role.AGENT: CheckCode.SERVER_HTTP, Role.ROOM: CheckCode.CODECS}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: its result, the figure measured (in the unit its words name), and why, where that helps."""

    code: CheckCode
    result: CheckResult
    at: datetime
    figure: float | None = None
    note: CheckNote | None = None


class RoomChecks(msgspec.Struct, frozen=True, kw_only=True):
    """The newest check of each code, and when somebody last asked for them."""

    asked_at: datetime | None = None
    checks: tuple[Check, ...] = ()

    def is_due(self, role: Role, now: datetime) -> bool:
        """Truth that the device of this role was asked, and has not answered yet."""
        if self.asked_at is None or now - self.asked_at >= ANSWERED_WITHIN:
            return False
        return not any(check.code is _ANSWER_OF[role] and check.at >= self.asked_at for check in self.checks)

    def is_running(self, devices: RoomDevices, now: datetime) -> bool:
        """Truth that an answer is still to come from a device that is there."""
        here = ((Role.AGENT, devices.agent_online), (Role.ROOM, devices.screen_online))
        return any(is_here and self.is_due(role, now) for role, is_here in here)

    def believed(self, now: datetime) -> tuple[Check, ...]:
        """What still counts, in the order people read it."""
        return tuple(
            sorted((check for check in self.checks if now - check.at < BELIEVED), key=lambda check: _ORDER[check.code])
        )

    def answered_since(self, moment: datetime) -> bool:
        """Truth that the agent has answered since then."""
        return any(check.code is _ANSWER_OF[Role.AGENT] and check.at >= moment for check in self.checks)


def room_readiness(devices: RoomDevices, checks: RoomChecks, now: datetime) -> Readiness:
    """What the devices say of themselves just now, and what the last check found."""
    standing = readiness(devices)
    if standing is not Readiness.READY:
        return standing
    return found_readiness(checks.believed(now))


def found_readiness(checks: Iterable[Check]) -> Readiness:
    """What a check alone says of the room."""
    known = tuple(checks)
    if to_mend(known):
        return Readiness.BROKEN
    return Readiness.RELAY_ONLY if _result(known, CheckCode.DIRECT_PATH) is CheckResult.FAILED else Readiness.READY


def to_mend(checks: Iterable[Check]) -> tuple[CheckCode, ...]:
    """What keeps the room from being used. Of the ways to Kela one is enough, if it is one that may be used."""
    known = tuple(checks)
    failed = [check.code for check in known if check.result is CheckResult.FAILED]
    direct = _result(known, CheckCode.DIRECT_PATH)
    relayed = any(_result(known, code) is CheckResult.OK for code in RELAYS)
    relays_tried = any(_result(known, code) is CheckResult.FAILED for code in RELAYS)
    # Direct is skipped where only relays may be used.
    no_way = not relayed and (direct is CheckResult.FAILED or (direct is CheckResult.SKIPPED and relays_tried))
    return tuple(code for code in failed if code not in _ROUTES or no_way)


def to_look_at(checks: Iterable[Check]) -> tuple[CheckCode, ...]:
    """What works, but not as it should; a way to Kela that fails while another works is of these."""
    known = tuple(checks)
    broken = to_mend(known)
    return tuple(
        check.code
        for check in known
        if check.result is CheckResult.WARN or (check.result is CheckResult.FAILED and check.code not in broken)
    )


def _result(checks: Iterable[Check], code: CheckCode) -> CheckResult | None:
    return next((check.result for check in checks if check.code is code), None)
