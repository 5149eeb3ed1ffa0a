"""The server's life: its port, its signals, and an end within five seconds that leaves nobody wondering."""

import asyncio
import gc
import os
import signal
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from etapalvelu import faultpoints
from etapalvelu.admission import SPARE_HANDLES, Admission, raise_handle_limit
from etapalvelu.app import StartError, make_app
from etapalvelu.config import Config
from etapalvelu.tasks import every, spawn, stop

# How often open connections are counted.
RELIEVE_SECONDS = 1

# How long open requests may still take to end when streams and sockets are gone.
SHUTDOWN_SECONDS = 1

# The process is gone by then, come what may.
END_SECONDS = 4.5

# Of the cyclic garbage collector: new objects, and rounds of the younger generations, before the next older one is looked at.
COLLECTED_AFTER = (20_000, 20, 100)

_log = structlog.get_logger("app")


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then end within five seconds. Raises `StartError` when it cannot start."""
    admission = Admission(max(raise_handle_limit() - SPARE_HANDLES, SPARE_HANDLES))
    app = make_app(config, admission=admission)
    if faultpoints.is_lit:
        app.middlewares.insert(0, _die_at_replies)
    told_to_stop = _told_to_stop()
    async with listening(app, config) as runner:
        _spare_the_collector()

        async def relieve() -> None:
            admission.relieve(runner.server.connections if runner.server else [])

        relieving = spawn(every(RELIEVE_SECONDS, relieve, "connections"), "connections")
        _log.info("serving", host=config.server.host, port=config.server.port)
        await told_to_stop.wait()
        _log.info("stopping")
        _end_in_time()
        admission.stop()
        # Sockets and streams are told when to come back; whoever asks at once still finds somebody to say so.
        await app.shutdown()
        await admission.drain()
        await stop(relieving)


def _end_in_time() -> None:
    """The last resort, should a thread of the database or a request hang: what was committed is on the disk."""

    def end() -> None:
        _log.error("stopped_by_force", seconds=END_SECONDS)
        os._exit(1)

    timer = threading.Timer(END_SECONDS, end)
    timer.daemon = True
    timer.start()


def _spare_the_collector() -> None:
    """Take what was loaded for good out of the cyclic collector's rounds, and have it come round less often.

    When everybody comes back at once their objects are young and stay: looking through all of them again and again would stop
    the server for tenths of a second at a time.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)


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


@web.middleware
async def _die_at_replies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tests of faults only: the points before and after the answer to a deed."""
    response = await handler(request)
    if request.method == "POST":
        deed = request.path.rpartition("/")[2]
        faultpoints.reach("reply.before", deed)
        await response.prepare(request)
        await response.write_eof()
        faultpoints.reach("reply.after", deed)
    return response


def _tls(config: Config) -> ssl.SSLContext | None:
    if not config.server.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(config.server.tls_cert, config.server.tls_key)
    except OSError as error:
        raise StartError(f"[server] tls_cert, tls_key: cannot be used: {error}") from None
    return context


def _told_to_stop() -> asyncio.Event:
    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    return told
