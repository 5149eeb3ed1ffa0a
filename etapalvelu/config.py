"""The configuration file, `config.toml`, as frozen types. An error names the key and says what to write.

Any key can be overridden by an environment variable `ETAPALVELU_<SECTION>__<KEY>`, e.g. `ETAPALVELU_SERVER__PORT=8443`.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

PREFIX = "ETAPALVELU_"

# A call renews what is half gone, which takes a moment.
SHORTEST_CREDENTIAL_SECONDS = 10

DATABASES = ("sqlite+aiosqlite:///", "postgresql+asyncpg://")


class ConfigError(Exception):
    """The configuration cannot be used; the message is one line for a person, naming file and key."""


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the server listens, and how it is reached."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    metrics_from: tuple[str, ...] = ("127.0.0.1", "::1")


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    url: str = "sqlite+aiosqlite:///etapalvelu.sqlite"


class Secrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file of keys, made at first start with mode 0600. Several servers share one."""

    file: str = "etapalvelu.keys"


class Call(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    heartbeat_seconds: float = 3.0
    seat_limit_seconds: float = 120.0
    lease_seconds: int = 20
    lost_seconds: float = 600.0
    slow_seconds: float = 30.0
    connect_seconds: float = 60.0
    relay_only: bool = False


class Turn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`secret` is read from `secret_file` where that is named. What follows `credential_seconds` is for coturn alone."""

    urls: tuple[str, ...] = ()
    secret: str = ""
    secret_file: str = ""
    credential_seconds: int = 7200
    realm: str = "etapalvelu"
    address: str = ""
    allowed_peers: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""


class Bus(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Empty for one server."""

    url: str = ""


class HoursSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    always_open: bool = False
    extra_holidays: tuple[str, ...] = ()


class BoardSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    longest_wait_minutes: float = 15.0


class CheckSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When rooms look at themselves, and what counts."""

    before_opening_minutes: float = 45.0
    speaker_must_be_heard: bool = True


class Log(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    level: str = "info"
    format: str = "json"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    server: Server = Server()
    store: StoreSettings = StoreSettings()
    secrets: Secrets = Secrets()
    call: Call = Call()
    turn: Turn = Turn()
    bus: Bus = Bus()
    hours: HoursSettings = HoursSettings()
    board: BoardSettings = BoardSettings()
    check: CheckSettings = CheckSettings()
    log: Log = Log()


def load(path: Path, environ: Mapping[str, str]) -> Config:
    """Read, override and check. Relative paths in it count from the file's own folder. Raises `ConfigError`."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; copy config.example.toml and edit it") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    return _with_secret(parse(raw, environ, name=str(path), folder=path.resolve().parent), name=str(path))


def parse(raw: dict[str, Any], environ: Mapping[str, str], *, name: str, folder: Path) -> Config:
    """Typed configuration from plain values. Raises `ConfigError`."""
    for variable, text in environ.items():
        section, separator, key = variable.removeprefix(PREFIX).lower().partition("__")
        if variable.startswith(PREFIX) and separator:
            value, beside = _value(section, key, text, variable), raw.get(section, {})
            if isinstance(beside, dict):
                raw = {**raw, section: {**beside, key: value}}
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {_in_words(str(error))}") from None
    _check(config, name)
    return _resolved(config, folder)


def _value(section: str, key: str, text: str, variable: str) -> Any:
    """The environment gives text; the field's type says how to read it."""
    sections = get_type_hints(Config)
    if section not in sections or key not in get_type_hints(sections[section]):
        raise ConfigError(f"{variable}: there is no key [{section}] {key}")
    wanted = get_type_hints(sections[section])[key]
    if wanted is str:
        return text
    if wanted == tuple[str, ...]:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert(text, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{variable}: {error}") from None


def _in_words(error: str) -> str:
    """msgspec says "Expected `int`, got `str` - at `$.server.port`"; people read sections and keys."""
    problem, _, where = error.partition(" - at `$.")
    place = where.rstrip("`").split("[")[0]
    section, _, key = place.partition(".")
    if not place:
        return f"{problem}: sections are {', '.join(get_type_hints(Config))}"
    return f"[{section}] {key}: {problem}" if key else f"[{section}]: {problem}"


def _check(config: Config, name: str) -> None:
    server = config.server
    if bool(server.tls_cert) != bool(server.tls_key):
        raise ConfigError(f"{name}: [server] tls_cert and tls_key belong together: give both or neither")
    if not 0 <= server.port <= 65535:
        raise ConfigError(f"{name}: [server] port: must be between 0 and 65535")
    if not (is_loopback(server.host) or server.tls_cert or server.trusted_proxies):
        raise ConfigError(
            f"{name}: [server] host: {server.host} is not loopback, so browsers need TLS: give tls_cert and tls_key, "
            "or name the proxies in front in trusted_proxies"
        )
    _check_addresses("server", "metrics_from", server.metrics_from, name)
    _check_addresses("server", "trusted_proxies", server.trusted_proxies, name)
    _check_turn(config.turn, name)
    _check_numbers(config, name)
    _check_rest(config, name)


def _check_addresses(section: str, key: str, addresses: Iterable[str], name: str) -> None:
    for text in addresses:
        try:
            ip_network(text)
        except ValueError:
            raise ConfigError(f"{name}: [{section}] {key}: {text} is no address or network such as 10.0.0.0/8") from None


def _check_turn(turn: Turn, name: str) -> None:
    if turn.secret and turn.secret_file:
        raise ConfigError(f"{name}: [turn] secret and secret_file: give one of them")
    if turn.urls and not (turn.secret or turn.secret_file):
        raise ConfigError(f"{name}: [turn] secret or secret_file: needed when urls are given (coturn's static-auth-secret)")
    for url in turn.urls:
        if not url.startswith(("stun:", "stuns:", "turn:", "turns:")):
            raise ConfigError(f"{name}: [turn] urls: {url} must begin with stun:, stuns:, turn: or turns:")
    if bool(turn.tls_cert) != bool(turn.tls_key):
        raise ConfigError(f"{name}: [turn] tls_cert and tls_key belong together: give both or neither")
    if turn.credential_seconds < SHORTEST_CREDENTIAL_SECONDS:
        raise ConfigError(f"{name}: [turn] credential_seconds: must be at least {SHORTEST_CREDENTIAL_SECONDS}")
    _check_addresses("turn", "allowed_peers", turn.allowed_peers, name)
    _check_addresses("turn", "address", [turn.address] if turn.address else [], name)


def _check_numbers(config: Config, name: str) -> None:
    for section, key, number in (
        ("call", "heartbeat_seconds", config.call.heartbeat_seconds),
        ("call", "seat_limit_seconds", config.call.seat_limit_seconds),
        ("call", "lease_seconds", config.call.lease_seconds),
        ("call", "lost_seconds", config.call.lost_seconds),
        ("call", "slow_seconds", config.call.slow_seconds),
        ("call", "connect_seconds", config.call.connect_seconds),
        ("board", "longest_wait_minutes", config.board.longest_wait_minutes),
    ):
        if not 0 < number < math.inf:
            raise ConfigError(f"{name}: [{section}] {key}: must be more than 0")


def _check_rest(config: Config, name: str) -> None:
    if not config.store.url.startswith(DATABASES):
        raise ConfigError(f"{name}: [store] url: must begin with {' or '.join(DATABASES)}")
    if not config.secrets.file:
        raise ConfigError(f"{name}: [secrets] file: must name a file; it is made at the first start")
    if config.bus.url:
        raise ConfigError(f"{name}: [bus] url: several servers are not supported in this version; leave it empty")
    if not 0 <= config.check.before_opening_minutes <= 12 * 60:
        raise ConfigError(f"{name}: [check] before_opening_minutes: must be between 0 and 720")
    if config.log.level not in ("debug", "info", "warning", "error"):
        raise ConfigError(f"{name}: [log] level: must be debug, info, warning or error")
    if config.log.format not in ("json", "text"):
        raise ConfigError(f"{name}: [log] format: must be json or text")


def _resolved(config: Config, folder: Path) -> Config:
    def path(text: str) -> str:
        return str(folder / text) if text else ""

    url, scheme = config.store.url, "sqlite+aiosqlite:///"
    if url.startswith(scheme):
        url = scheme + path(url.removeprefix(scheme))
    server = msgspec.structs.replace(config.server, tls_cert=path(config.server.tls_cert), tls_key=path(config.server.tls_key))
    turn = msgspec.structs.replace(
        config.turn,
        secret_file=path(config.turn.secret_file),
        tls_cert=path(config.turn.tls_cert),
        tls_key=path(config.turn.tls_key),
    )
    return msgspec.structs.replace(
        config,
        server=server,
        turn=turn,
        store=StoreSettings(url=url),
        secrets=Secrets(file=path(config.secrets.file)),
    )


def _with_secret(config: Config, name: str) -> Config:
    if not config.turn.secret_file:
        return config
    try:
        secret = Path(config.turn.secret_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name}: [turn] secret_file: cannot be read: {error}") from None
    if not secret:
        raise ConfigError(f"{name}: [turn] secret_file: {config.turn.secret_file} is empty")
    return msgspec.structs.replace(config, turn=msgspec.structs.replace(config.turn, secret=secret))


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
