"""A room's check of itself: what its devices are asked, what they report, and the bytes that measure their line."""

import asyncio
import math
import os
import time
from datetime import datetime
from typing import Annotated

import msgspec
from aiohttp import web
from limits import RateLimitItemPerMinute
from msgspec import Meta

from etapalvelu.access import visitor_of
from etapalvelu.api.answers import IceServer, Moment
from etapalvelu.api.bodies import Name, Nothing, read_query
from etapalvelu.api.calls import Asked, Call, post, question, reply
from etapalvelu.attempts import Attempts
from etapalvelu.dawn import Dawn, Finding, Report
from etapalvelu.domain.codes import Readiness, Seat
from etapalvelu.domain.errors import InvalidFieldError, NotAllowedError
from etapalvelu.domain.moments import timestamp
from etapalvelu.domain.people import Device
from etapalvelu.domain.readiness import CheckCode, CheckNote, CheckResult, RoomChecks
from etapalvelu.ports import Clock
from etapalvelu.seats import CallSettings, IceTransportPolicy, ice_for

# A measurement is this large at most, takes this long, and is made this often by one device.
MOST_BYTES = 4_000_000
LONGEST_SECONDS = 10.0
MEASUREMENTS = 30
MEASUREMENTS_MINUTES = 10
# The credentials a check tries the relays with are good for this long.
TURN_SECONDS = 120
_PIECE_BYTES = 64 * 1024
_FINDINGS = 40


class FindingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing the device looked at. The unit of `figure` follows from the code."""

    code: CheckCode
    result: CheckResult
    figure: float | None = None
    note: CheckNote | None = None


class CheckReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a device found. `version` is that of its program, or of its page's files."""

    version: Name
    checks: Annotated[tuple[FindingBody, ...], Meta(max_length=_FINDINGS)]


class SpeedQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many bytes are wanted; the device may go away before they have all come."""

    bytes: Annotated[str, Meta(pattern="^[0-9]{1,7}$")] = "1000000"


class CheckSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a device needs to look at itself. `run` names the asking that waits for an answer; null when none does."""

    run: str | None
    now: Moment
    ice_servers: list[IceServer]
    ice_transport_policy: IceTransportPolicy


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an upload: how many bytes, and in how many milliseconds from the first of them to the last."""

    bytes: int
    milliseconds: int


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """The check that was asked for; the room's devices answer within half a minute."""

    run: str


class CheckAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at, and when."""

    code: CheckCode
    result: CheckResult
    at: Moment
    figure: float | None
    note: CheckNote | None


class RoomCheckList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest check of each code in a room."""

    room: str
    readiness: Readiness
    asked_at: Moment | None
    checks: list[CheckAnswer]


class Checks:
    """Handlers over `Dawn`."""

    def __init__(self, *, dawn: Dawn, settings: CallSettings, clock: Clock) -> None:
        self._dawn = dawn
        self._settings = msgspec.structs.replace(settings, turn_seconds=TURN_SECONDS)
        self._clock = clock
        self._measured = Attempts("speed", RateLimitItemPerMinute(MEASUREMENTS, MEASUREMENTS_MINUTES))

    async def ask(self, asked: Asked, body: Nothing) -> Asking:
        return Asking(run=timestamp(await self._dawn.ask(asked.person, asked.id)))

    async def of_room(self, asked: Asked, query: Nothing) -> RoomCheckList:
        readiness, checks = await self._dawn.of_room(asked.person, asked.id)
        return _listed(asked.id, readiness, checks, self._clock())

    async def sheet(self, asked: Asked, query: Nothing) -> CheckSheet:
        run = await self._dawn.asked(_device(asked))
        now = self._clock()
        ice = ice_for(self._settings, Seat.CAMERA, now)
        return CheckSheet(
            run=None if run is None else timestamp(run),
            now=timestamp(now),
            ice_servers=msgspec.convert(ice.servers, list[IceServer]),
            ice_transport_policy=ice.transport_policy,
        )

    async def report(self, asked: Asked, body: CheckReport) -> None:
        if any(check.figure is not None and not math.isfinite(check.figure) for check in body.checks):
            raise InvalidFieldError("checks", "malformed")
        expires_at = asked.visitor.login.expires_at
        lasts = None if expires_at is None else (expires_at - self._clock()).total_seconds()
        findings = [Finding(**msgspec.structs.asdict(check)) for check in body.checks]
        await self._dawn.report(_device(asked), Report(version=body.version, findings=findings), lasts)

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Bytes that say nothing, as many as wanted, within a time."""
        wanted = int(read_query(request, SpeedQuery).bytes)
        if wanted > MOST_BYTES:
            raise InvalidFieldError("bytes", "too_large")
        self._count(request)
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream", "Cache-Control": "no-store"})
        response.content_length = wanted
        await response.prepare(request)
        piece = os.urandom(_PIECE_BYTES)
        # Who goes away, or is slow, has measured what there was to measure.
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                for sent in range(0, wanted, _PIECE_BYTES):
                    await response.write(piece[: wanted - sent])
        except (ConnectionError, TimeoutError):
            response.force_close()
        return response

    async def receive(self, request: web.Request) -> web.Response:
        """Count the bytes that come, and forget them."""
        self._count(request)
        began: float | None = None
        count, now = 0, time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                async for piece in request.content.iter_any():
                    now = time.monotonic()
                    began = now if began is None else began
                    count += len(piece)
                    if count > MOST_BYTES:
                        raise web.HTTPRequestEntityTooLarge(max_size=MOST_BYTES, actual_size=count)
        except TimeoutError:
            raise web.HTTPRequestTimeout from None
        return reply(Received(bytes=count, milliseconds=round(1000 * (now - (now if began is None else began)))))

    def _count(self, request: web.Request) -> None:
        login = visitor_of(request).login.id
        self._measured.check(login)
        self._measured.failed(login)


def check_calls(checks: Checks) -> tuple[Call, ...]:
    """The rows of the API for looking at rooms."""
    speed = "/devices/speed"
    return (
        post("/rooms/{id}/check", "Have a room look at itself", checks.ask, Nothing, Asking),
        question("/rooms/{id}/checks", "What a room last found in itself", checks.of_room, Nothing, RoomCheckList),
        question("/devices/check", "What a device needs to look at itself", checks.sheet, Nothing, CheckSheet),
        post("/devices/check", "What a device found when it looked at itself", checks.report, CheckReport, None),
        Call(
            method="GET",
            path=speed,
            summary="Bytes that measure a room's line downwards",
            respond=checks.send,
            query=SpeedQuery,
            answer=None,
            is_binary=True,
        ),
        Call(
            method="POST",
            path=speed,
            summary="Count the bytes that measure a room's line upwards",
            respond=checks.receive,
            answer=Received,
            is_binary=True,
        ),
    )


def _device(asked: Asked) -> Device:
    if not isinstance(asked.person, Device):
        raise NotAllowedError
    return asked.person


def _listed(room: str, readiness: Readiness, known: RoomChecks, now: datetime) -> RoomCheckList:
    return RoomCheckList(
        room=room,
        readiness=readiness,
        asked_at=None if known.asked_at is None else timestamp(known.asked_at),
        checks=[
            CheckAnswer(code=check.code, result=check.result, at=timestamp(check.at), figure=check.figure, note=check.note)
            for check in known.believed(now)
        ],
    )
