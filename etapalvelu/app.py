"""Puts the server together: the only file that knows everybody. It decides nothing."""

import asyncio
import signal
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import structlog
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.access import Access
from etapalvelu.api import routes as api_routes
from etapalvelu.api.problems import tell_problems
from etapalvelu.attempts import address_group
from etapalvelu.attendance import SessionAttendance
from etapalvelu.board.local import LocalBoard
from etapalvelu.calendar import FinnishCalendar, OpenCalendar
from etapalvelu.config import Config, ConfigError
from etapalvelu.desk import Desk
from etapalvelu.domain.claims import Patience
from etapalvelu.domain.errors import RefusalError, TryAgainError
from etapalvelu.domain.themes import ALL_WEEK, THEMES, Theme
from etapalvelu.doors import MAX_BODY_BYTES, GuardedAttendance, guard
from etapalvelu.headers import add_security_headers
from etapalvelu.health import Health
from etapalvelu.keys import load_keys
from etapalvelu.ledger import Ledger
from etapalvelu.origin import behind_proxies, networks
from etapalvelu.pages.failures import words
from etapalvelu.pages.routes import Pages
from etapalvelu.pages.site import language_of
from etapalvelu.passwords import Passwords
from etapalvelu.ports import Calendar, Clock
from etapalvelu.reports import Reports
from etapalvelu.seats import CallSettings
from etapalvelu.store.accounts import SqlAccounts
from etapalvelu.store.engine import make_engine
from etapalvelu.store.migrate import newest, version
from etapalvelu.store.places import SqlPlaces
from etapalvelu.store.sessions import SqlSessions
from etapalvelu.tasks import every, spawn, stop
from etapalvelu.timers import Timers
from signaling.endpoint import CallEndpoint, Limits

# How often lost seats, leases and hours are looked at, and how often old keys.
SWEEP_SECONDS = 1
FORGET_SECONDS = 600

# How long open requests may take to end after SIGTERM; streams and sockets are ended at once.
SHUTDOWN_SECONDS = 3

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


def make_app(config: Config, clock: Clock = utc_now, passwords: Passwords | None = None) -> web.Application:
    """The whole server, not yet listening. Raises `ConfigError` and `keys.KeysError`."""
    keys, themes = load_keys(Path(config.secrets.file)), themes_of(config)
    engine = make_engine(config.store.url)
    sessions, places, accounts = SqlSessions(engine), SqlPlaces(engine), SqlAccounts(engine)
    board, passwords, calendar = LocalBoard(), passwords or Passwords(), calendar_of(config)
    node = f"{socket.gethostname()}:{config.server.port}"

    async def revoked(login: str) -> None:
        await endpoint.drop_login(login)

    access = Access(
        accounts=accounts,
        places=places,
        board=board,
        themes=themes,
        key=keys.csrf,
        clock=clock,
        passwords=passwords,
        revoked=revoked,
    )
    ledger = Ledger(sessions=sessions, board=board, clock=clock)
    attendance = SessionAttendance(ledger, sessions, clock)
    endpoint = CallEndpoint(
        GuardedAttendance(attendance),
        ticket_key=keys.ticket,
        resume_key=keys.resume,
        clock=clock,
        origins=_origins(config),
        limits=Limits(heartbeat_seconds=config.call.heartbeat_seconds, away_seconds=config.call.seat_limit_seconds),
        login_stands=access.login_stands,
        address_group=address_group,
    )
    desk = Desk(
        ledger=ledger,
        sessions=sessions,
        places=places,
        accounts=accounts,
        calls=endpoint,
        calendar=calendar,
        themes=themes,
        settings=CallSettings(
            ticket_key=keys.ticket,
            turn_urls=config.turn.urls,
            turn_secret=config.turn.secret,
            turn_seconds=config.turn.credential_seconds,
            relay_only=config.call.relay_only,
        ),
        clock=clock,
    )
    timers = Timers(
        ledger=ledger,
        sessions=sessions,
        calls=endpoint,
        calendar=calendar,
        places=places,
        themes=themes,
        clock=clock,
        patience=Patience(tell_seconds=config.call.slow_seconds, give_up_seconds=config.call.connect_seconds),
    )
    reports = Reports(sessions=sessions, places=places, clock=clock)
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.on_response_prepare.append(add_security_headers)
    Health(sessions=sessions, metrics_from=config.server.metrics_from).attach(app)
    app.middlewares.append(behind_proxies(networks(config.server.trusted_proxies)))
    Pages(
        access=access,
        desk=desk,
        timers=timers,
        reports=reports,
        sessions=sessions,
        places=places,
        accounts=accounts,
        calendar=calendar,
        board=board,
        clock=clock,
        node=node,
        longest_wait=timedelta(minutes=config.board.longest_wait_minutes),
    ).attach(app)
    api_routes.attach(app, desk=desk, reports=reports, access=access, places=places, board=board, clock=clock)
    endpoint.attach(app)
    app.middlewares.extend([tell_problems(_in_their_words), guard(access, _origins(config))])

    async def missing_seats() -> None:
        await attendance.give_up_missing(endpoint.present)

    async def life(_app: web.Application) -> AsyncIterator[None]:
        try:
            await check_database(engine)
            await places.node_started(node)
            running = [
                spawn(every(SWEEP_SECONDS, endpoint.sweep, "calls"), "calls"),
                # At the second look, so a seat has the whole of its limit to be taken again after a restart.
                spawn(every(config.call.seat_limit_seconds / 2, missing_seats, "missing seats"), "missing seats"),
                spawn(every(SWEEP_SECONDS, timers.sweep, "sweep"), "sweep"),
                spawn(every(FORGET_SECONDS, timers.forget_keys, "forget keys"), "forget keys"),
            ]
            yield
            await stop(*running)
        finally:
            passwords.close()
            await engine.dispose()

    app.cleanup_ctx.append(life)
    return app


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT. Raises `StartError` when it cannot start."""
    app = make_app(config)
    async with listening(app, config):
        _log.info("serving", host=config.server.host, port=config.server.port)
        await _told_to_stop()
        _log.info("stopping")


@asynccontextmanager
async def listening(app: web.Application, config: Config) -> AsyncIterator[web.AppRunner]:
    """The app behind its port for the length of the block."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, config.server.host, config.server.port, ssl_context=_tls(config))
        try:
            await site.start()
        except OSError as error:
            raise StartError(
                f"[server] host and port: cannot listen on {config.server.host}:{config.server.port}: {error.strerror}; "
                "is another program using the port?"
            ) from None
        yield runner
    finally:
        await runner.cleanup()


def _in_their_words(request: web.Request, refusal: RefusalError) -> str:
    """The API's refusals reach people too, through the expert's page: said as a page would say them."""
    return words(refusal, language_of(request))


def _origins(config: Config) -> tuple[str, ...]:
    return (config.server.public_url.rstrip("/"),) if config.server.public_url else ()


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.server.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.server.tls_cert, config.server.tls_key)
    except OSError as error:
        raise StartError(f"[server] tls_cert, tls_key: cannot be used: {error}") from None
    return context


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


async def _told_to_stop() -> None:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    await told.wait()
