"""`etapalvelu check`: what is wrong with configuration, database and TURN, said before anybody serves."""

import asyncio
import time
from pathlib import Path

import msgspec
from sqlalchemy import text

from etapalvelu.app import StartError, calendar_of, check_database
from etapalvelu.config import Config, ConfigError
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.keys import KeysError, load_keys
from etapalvelu.store.engine import make_engine, writing
from signaling import turn

# For how long the credential is good that TURN is tried with.
CREDENTIAL_SECONDS = 60


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    what: str
    ok: bool
    words: str


async def check(config: Config) -> list[Finding]:
    """Look at everything; one fault does not hide the next."""
    return [
        _check_calendar(config),
        _check_keys(config),
        await _check_store(config),
        *_check_turn_secret(config),
        *await asyncio.gather(*(_check_turn(url, config) for url in config.turn.urls)),
        *([] if config.turn.urls else [Finding(what="TURN", ok=True, words="none named; rooms must reach Kela directly")]),
    ]


def _check_calendar(config: Config) -> Finding:
    try:
        calendar_of(config)
    except ConfigError as error:
        return Finding(what="configuration", ok=False, words=str(error))
    return Finding(what="configuration", ok=True, words="every key is known and has a value that can be used")


def _check_keys(config: Config) -> Finding:
    path = Path(config.secrets.file)
    try:
        load_keys(path)
    except KeysError as error:
        return Finding(what="keys", ok=False, words=str(error))
    if path.stat().st_mode & 0o077:
        return Finding(what="keys", ok=False, words=f"{path} can be read by others: chmod 600 it")
    return Finding(what="keys", ok=True, words=f"{path} is there, for its owner only")


async def _check_store(config: Config) -> Finding:
    engine = make_engine(config.store.url)
    try:
        await check_database(engine)
        async with writing(engine) as connection:
            await connection.execute(text("UPDATE point SET name = name WHERE 1 = 0"))
    except StartError as error:
        return Finding(what="database", ok=False, words=str(error))
    except TryAgainError as error:
        return Finding(what="database", ok=False, words=f"[store] url: cannot be written: {error.__cause__}")
    finally:
        await engine.dispose()
    return Finding(what="database", ok=True, words="at this program's version, can be read and written")


def _check_turn_secret(config: Config) -> list[Finding]:
    path = Path(config.turn.secret_file)
    if config.turn.secret_file and path.stat().st_mode & 0o077:
        return [Finding(what="TURN secret", ok=False, words=f"{path} can be read by others: chmod 600 it")]
    return []


async def _check_turn(url: str, config: Config) -> Finding:
    """Ask for a real relay address with a real credential, as a room would."""
    what = f"TURN {url}"
    if not url.startswith(("turn:", "turns:")):
        return Finding(what=what, ok=True, words="a STUN server; nothing to sign in to")
    try:
        from etapalvelu.room.relay import WORDS, RelayError, try_relay  # noqa: PLC0415 - an optional part
    except ImportError:
        return Finding(what=what, ok=False, words="not tried: install etapalvelu[room] on this machine to try it")
    username, password = turn.credential("check", config.turn.secret, time.time(), CREDENTIAL_SECONDS)
    try:
        took = await try_relay(url, username, password)
    except RelayError as error:
        return Finding(what=what, ok=False, words=WORDS[error.fault])
    return Finding(what=what, ok=True, words=f"gave a relay address in {took:.0f} ms")
