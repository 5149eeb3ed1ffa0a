"""Puts the server together: the only file that knows everybody. It decides nothing."""

import socket
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version as version_of
from pathlib import Path

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.access import Access, Revoked, Sits
from etapalvelu.admission import Admission
from etapalvelu.api import routes as api_routes
from etapalvelu.api.checks import Checks
from etapalvelu.api.problems import tell_problems
from etapalvelu.attempts import address_group
from etapalvelu.attendance import SessionAttendance
from etapalvelu.board.local import LocalBoard
from etapalvelu.calendar import FinnishCalendar, OpenCalendar
from etapalvelu.config import Config, ConfigError
from etapalvelu.dawn import Dawn, Versions
from etapalvelu.desk import Desk
from etapalvelu.domain.claims import Patience
from etapalvelu.domain.errors import RefusalError, TryAgainError
from etapalvelu.domain.themes import ALL_WEEK, THEMES, Theme
from etapalvelu.doors import MAX_BODY_BYTES, guard
from etapalvelu.headers import add_security_headers
from etapalvelu.health import Health
from etapalvelu.keys import Keys, load_keys
from etapalvelu.ledger import Ledger
from etapalvelu.origin import behind_proxies, networks
from etapalvelu.pages.assets import static_version
from etapalvelu.pages.failures import words
from etapalvelu.pages.routes import Pages
from etapalvelu.pages.site import language_of
from etapalvelu.passwords import Passwords
from etapalvelu.ports import Calendar, Clock
from etapalvelu.reports import Reports
from etapalvelu.seats import CallSettings
from etapalvelu.setups import CameraSetups
from etapalvelu.steady import Stalls
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.engine import close, make_engine
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.reserve import Reserve
from etapalvelu.store.sessions import SqlSessions
from etapalvelu.store.technical import SqlFaults
from etapalvelu.store.version import newest, version
from etapalvelu.talk import GuardedAttendance
from etapalvelu.tasks import every, spawn, stop
from etapalvelu.technical import TechnicalLedger
from etapalvelu.timers import Timers
from etapalvelu.upcoming import Preparing
from signaling.endpoint import CallEndpoint, Limits

# How often lost seats, leases and hours are looked at, how often room on the disk, how often old keys.
SWEEP_SECONDS = 1
RESERVE_SECONDS = 5
FORGET_SECONDS = 600
# How often is looked whether rooms are to check themselves.
DAWN_SECONDS = 20

_log = structlog.get_logger("app")


class StartError(Exception):
    """The server cannot start; the message is one line for a person that says what to do."""


def utc_now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the clock that everybody else is given


def themes_of(config: Config) -> tuple[Theme, ...]:
    if not config.hours.always_open:
        return THEMES
    return tuple(msgspec.structs.replace(theme, hours=ALL_WEEK) for theme in THEMES)


def calendar_of(config: Config) -> Calendar:
    if config.hours.always_open:
        return OpenCalendar()
    try:
        return FinnishCalendar(date.fromisoformat(day) for day in config.hours.extra_holidays)
    except ValueError as error:
        raise ConfigError(f"[hours] extra_holidays: {error}; write days as 2026-12-31") from None


class _Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What the server stands on: everything below the doors that needs nothing else of ours."""

    config: Config
    clock: Clock
    keys: Keys
    themes: tuple[Theme, ...]
    calendar: Calendar
    passwords: Passwords
    engine: AsyncEngine
    reserve: Reserve
    sessions: SqlSessions
    places: SqlPlaces
    accounts: SqlAccounts
    board: LocalBoard
    setups: CameraSetups

    @property
    def seating(self) -> CallSettings:
        turn = self.config.turn
        return CallSettings(
            ticket_key=self.keys.ticket,
            turn_urls=turn.urls,
            turn_secret=turn.secret,
            turn_seconds=turn.credential_seconds,
            relay_only=self.config.call.relay_only,
        )

    @property
    def node(self) -> str:
        return f"{socket.gethostname()}:{self.config.server.port}"


def make_app(
    config: Config, clock: Clock = utc_now, passwords: Passwords | None = None, admission: Admission | None = None
) -> web.Application:
    """The whole server, not yet listening. Raises `ConfigError` and `keys.KeysError`."""
    ground = _ground(config, clock, passwords or Passwords())
    board, sessions = ground.board, ground.sessions

    async def revoked(login: str) -> None:
        await endpoint.drop_login(login)

    def sits(login: str) -> bool:
        return endpoint.sits(login)

    access = _access(ground, revoked, sits)
    ledger = Ledger(sessions=sessions, board=board, clock=clock)
    attendance = SessionAttendance(ledger, sessions, clock, lambda call, seconds: endpoint.unheard(call, seconds))
    endpoint = _endpoint(ground, attendance, access)
    desk, timers = _desk(ground, ledger, endpoint), _timers(ground, ledger, endpoint)
    reports = Reports(sessions=sessions, places=ground.places, clock=clock)
    dawn = _dawn(ground)

    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.on_response_prepare.append(add_security_headers)
    Health(sessions=sessions, metrics_from=config.server.metrics_from, is_short=lambda: ground.reserve.is_short).attach(app)
    app.middlewares.append(behind_proxies(networks(config.server.trusted_proxies)))
    _pages(ground, access, desk, timers, reports, dawn).attach(app)
    api_routes.attach(
        app,
        desk=desk,
        reports=reports,
        preparing=Preparing(sessions=sessions, calls=endpoint, settings=ground.seating, clock=clock),
        access=access,
        places=ground.places,
        board=board,
        setups=ground.setups,
        clock=clock,
        checks=Checks(dawn=dawn, settings=ground.seating, clock=clock),
        camera_is=attendance.camera_is,
    )
    endpoint.attach(app)
    admit = (admission or Admission()).admit
    app.middlewares.extend([tell_problems(_in_their_words), admit, guard(access, _origins(config))])
    app.cleanup_ctx.append(_life(ground, attendance, endpoint, timers, dawn))
    return app


def _ground(config: Config, clock: Clock, passwords: Passwords) -> _Ground:
    engine = make_engine(config.store.url)
    board, reserve = LocalBoard(), Reserve(engine)
    return _Ground(
        config=config,
        clock=clock,
        keys=load_keys(Path(config.secrets.file)),
        themes=themes_of(config),
        calendar=calendar_of(config),
        passwords=passwords,
        engine=engine,
        reserve=reserve,
        sessions=SqlSessions(engine, reserve),
        places=SqlPlaces(engine),
        accounts=SqlAccounts(engine),
        board=board,
        setups=CameraSetups(board=board, clock=clock),
    )


def _access(ground: _Ground, revoked: Revoked, sits: Sits) -> Access:
    return Access(
        accounts=ground.accounts,
        places=ground.places,
        board=ground.board,
        themes=ground.themes,
        key=ground.keys.csrf,
        clock=ground.clock,
        passwords=ground.passwords,
        revoked=revoked,
        sits=sits,
    )


def _endpoint(ground: _Ground, attendance: SessionAttendance, access: Access) -> CallEndpoint:
    call = ground.config.call
    return CallEndpoint(
        GuardedAttendance(attendance),
        ticket_key=ground.keys.ticket,
        resume_key=ground.keys.resume,
        clock=ground.clock,
        origins=_origins(ground.config),
        limits=Limits(heartbeat_seconds=call.heartbeat_seconds, away_seconds=call.seat_limit_seconds),
        login_stands=access.seat_stands,
        address_group=address_group,
    )


def _desk(ground: _Ground, ledger: Ledger, endpoint: CallEndpoint) -> Desk:
    return Desk(
        ledger=ledger,
        sessions=ground.sessions,
        places=ground.places,
        accounts=ground.accounts,
        calls=endpoint,
        calendar=ground.calendar,
        themes=ground.themes,
        settings=ground.seating,
        clock=ground.clock,
        lease_seconds=ground.config.call.lease_seconds,
    )


def _timers(ground: _Ground, ledger: Ledger, endpoint: CallEndpoint) -> Timers:
    call = ground.config.call
    return Timers(
        ledger=ledger,
        sessions=ground.sessions,
        calls=endpoint,
        calendar=ground.calendar,
        places=ground.places,
        themes=ground.themes,
        clock=ground.clock,
        patience=Patience(tell_seconds=call.slow_seconds, give_up_seconds=call.connect_seconds, lost_seconds=call.lost_seconds),
    )


def _dawn(ground: _Ground) -> Dawn:
    check = ground.config.check
    return Dawn(
        places=ground.places,
        sessions=ground.sessions,
        board=ground.board,
        calendar=ground.calendar,
        clock=ground.clock,
        versions=Versions(program=version_of("etapalvelu"), page=static_version()),
        before=timedelta(minutes=check.before_opening_minutes),
        is_speaker_needed=check.speaker_must_be_heard,
    )


def _pages(ground: _Ground, access: Access, desk: Desk, timers: Timers, reports: Reports, dawn: Dawn) -> Pages:
    return Pages(
        dawn=dawn,
        access=access,
        desk=desk,
        timers=timers,
        reports=reports,
        technical=TechnicalLedger(store=SqlFaults(ground.engine), accesses=ground.sessions, clock=ground.clock),
        sessions=ground.sessions,
        places=ground.places,
        accounts=ground.accounts,
        calendar=ground.calendar,
        board=ground.board,
        setups=ground.setups,
        clock=ground.clock,
        node=ground.node,
        longest_wait=timedelta(minutes=ground.config.board.longest_wait_minutes),
    )


def _life(
    ground: _Ground, attendance: SessionAttendance, endpoint: CallEndpoint, timers: Timers, dawn: Dawn
) -> Callable[[web.Application], AsyncIterator[None]]:
    """What goes on beside the requests, from the check of the database to its end."""

    stalls = Stalls(time.monotonic, ground.config.call.seat_limit_seconds)

    async def calls() -> None:
        await endpoint.sweep(gives_up=stalls.are_over())

    async def missing_seats() -> None:
        await attendance.give_up_missing(endpoint.present)

    async def life(_app: web.Application) -> AsyncIterator[None]:
        try:
            await check_database(ground.engine)
            await ground.places.node_started(ground.node)
            running = [
                spawn(every(SWEEP_SECONDS, calls, "calls"), "calls"),
                # At the second look, so a seat has the whole of its limit to be taken again after a restart.
                spawn(every(ground.config.call.seat_limit_seconds / 2, missing_seats, "missing seats"), "missing seats"),
                spawn(every(SWEEP_SECONDS, timers.sweep, "sweep"), "sweep"),
                spawn(every(FORGET_SECONDS, timers.forget_keys, "forget keys"), "forget keys"),
                spawn(ground.reserve.look(), "reserve at start"),
                spawn(every(RESERVE_SECONDS, ground.reserve.look, "reserve"), "reserve"),
                spawn(every(DAWN_SECONDS, dawn.sweep, "dawn"), "dawn"),
            ]
            yield
            await stop(*running)
        finally:
            ground.passwords.close()
            await close(ground.engine)

    return life


def _in_their_words(request: web.Request, refusal: RefusalError) -> str:
    """The API's refusals reach people too, through the expert's page: said as a page would say them."""
    return words(refusal, language_of(request))


def _origins(config: Config) -> tuple[str, ...]:
    return (config.server.public_url.rstrip("/"),) if config.server.public_url else ()


async def check_database(engine: AsyncEngine) -> None:
    """Raise `StartError` unless the database can be read and is at this program's version."""
    try:
        found = await version(engine)
    except TryAgainError as error:
        raise StartError(f"[store] url: the database cannot be used: {error.__cause__}") from None
    if found != newest():
        raise StartError(
            f"[store] url: the database is at version {found or 'none'}, this program needs {newest()}; "
            "run `etapalvelu migrate` with the same --config"
        )
