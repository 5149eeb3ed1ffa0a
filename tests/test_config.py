"""The configuration: every key explained in the example, every mistake named in one line."""

import tomllib
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest

from etapalvelu.config import Config, ConfigError, Secrets, StoreSettings, is_loopback, load, parse

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
FOLDER = Path("/srv/etapalvelu")

KEYS = [
    (section, key, default)
    for section, kind in get_type_hints(Config).items()
    for key, default in msgspec.structs.asdict(kind()).items()
]


def parsed(raw: dict[str, Any] | None = None, /, **environ: str) -> Config:
    return parse(raw or {}, environ, name="config.toml", folder=FOLDER)


def refused(raw: dict[str, Any] | None = None, /, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        parsed(raw, **environ)
    return str(error.value)


@pytest.mark.parametrize(("section", "key", "default"), KEYS, ids=[f"{section}.{key}" for section, key, _ in KEYS])
def test_the_example_shows_the_default_of_every_key_under_an_explanation(section: str, key: str, default: Any) -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    start = lines.index(f"[{section}]")
    number = next(number for number, line in enumerate(lines[start:], start=start) if line.startswith(f"{key} = "))
    above = number - 1
    while not lines[above].startswith(("#", "[")):
        above -= 1

    assert tomllib.loads(lines[number]) == {key: list(default) if isinstance(default, tuple) else default}
    assert lines[above].startswith("# ")


def test_the_example_is_the_defaults_and_no_more() -> None:
    raw = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))

    assert msgspec.convert(raw, Config) == Config()
    assert [(section, key) for section, keys in raw.items() for key in keys] == [(section, key) for section, key, _ in KEYS]
    assert parse(raw, {}, name="config.toml", folder=FOLDER) == parsed()


def test_relative_paths_count_from_the_files_folder() -> None:
    config = parsed({"server": {"tls_cert": "cert.pem", "tls_key": "/etc/key.pem"}})

    assert config.store == StoreSettings(url="sqlite+aiosqlite:////srv/etapalvelu/etapalvelu.sqlite")
    assert config.secrets == Secrets(file="/srv/etapalvelu/etapalvelu.keys")
    assert (config.server.tls_cert, config.server.tls_key) == ("/srv/etapalvelu/cert.pem", "/etc/key.pem")


@pytest.mark.parametrize("url", ["sqlite+aiosqlite:////var/lib/e.sqlite", "postgresql+asyncpg://e@db/e"])
def test_a_database_that_is_named_in_full_stays_so(url: str) -> None:
    assert parsed({"store": {"url": url}}).store.url == url


def test_a_file_is_read_with_what_the_environment_says_instead(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[server]\nport = 9000\n[turn]\nsecret = "s"\n', encoding="utf-8")
    environ = {
        "ETAPALVELU_SERVER__PORT": "9001",
        "ETAPALVELU_SERVER__METRICS_FROM": "10.0.0.0/8, ::1,",
        "ETAPALVELU_TURN__URLS": "turn:a,turns:b",
        "ETAPALVELU_CALL__RELAY_ONLY": "true",
        "ETAPALVELU_CALL__HEARTBEAT_SECONDS": "1.5",
        "ETAPALVELU_LOG__LEVEL": "debug",
        "ETAPALVELU_PAIR": "ABCD2345",
        "OTHER__KEY": "x",
    }

    config = load(path, environ)

    assert (config.server.port, config.server.metrics_from) == (9001, ("10.0.0.0/8", "::1"))
    assert (config.turn.urls, config.turn.secret) == (("turn:a", "turns:b"), "s")
    assert (config.call.relay_only, config.call.heartbeat_seconds, config.log.level) == (True, 1.5, "debug")
    assert config.secrets.file == str(tmp_path / "etapalvelu.keys")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"server": {"prt": 1}}, "[server]: Object contains unknown field `prt`"),
        (
            {"servers": {}},
            "Object contains unknown field `servers`: "
            "sections are server, store, secrets, call, turn, bus, hours, board, check, log",
        ),
        ({"server": 8080}, "[server]: Expected `object`, got `int`"),
        ({"server": {"port": "8080"}}, "[server] port: Expected `int`, got `str`"),
        ({"server": {"port": 70000}}, "[server] port: must be between 0 and 65535"),
        ({"server": {"port": -1}}, "[server] port: must be between 0 and 65535"),
        ({"server": {"metrics_from": "::1"}}, "[server] metrics_from: Expected `array`, got `str`"),
        ({"server": {"metrics_from": ["::1", 5]}}, "[server] metrics_from: Expected `str`, got `int`"),
        (
            {"server": {"metrics_from": ["monitor"]}},
            "[server] metrics_from: monitor is no address or network such as 10.0.0.0/8",
        ),
        (
            {"server": {"trusted_proxies": ["10.0.0.1/8"]}},
            "[server] trusted_proxies: 10.0.0.1/8 is no address or network such as 10.0.0.0/8",
        ),
        ({"server": {"tls_cert": "c.pem"}}, "[server] tls_cert and tls_key belong together: give both or neither"),
        ({"server": {"tls_key": "k.pem"}}, "[server] tls_cert and tls_key belong together: give both or neither"),
        (
            {"store": {"url": "sqlite:///e.sqlite"}},
            "[store] url: must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://",
        ),
        ({"secrets": {"file": ""}}, "[secrets] file: must name a file; it is made at the first start"),
        ({"call": {"heartbeat_seconds": 0}}, "[call] heartbeat_seconds: must be more than 0"),
        ({"call": {"heartbeat_seconds": float("nan")}}, "[call] heartbeat_seconds: must be more than 0"),
        ({"call": {"seat_limit_seconds": -5}}, "[call] seat_limit_seconds: must be more than 0"),
        ({"call": {"relay_only": "yes"}}, "[call] relay_only: Expected `bool`, got `str`"),
        (
            {"turn": {"urls": ["turn:a"]}},
            "[turn] secret or secret_file: needed when urls are given (coturn's static-auth-secret)",
        ),
        ({"turn": {"secret": "s", "secret_file": "f"}}, "[turn] secret and secret_file: give one of them"),
        (
            {"turn": {"urls": ["https://a"], "secret": "s"}},
            "[turn] urls: https://a must begin with stun:, stuns:, turn: or turns:",
        ),
        ({"turn": {"tls_key": "k"}}, "[turn] tls_cert and tls_key belong together: give both or neither"),
        ({"turn": {"credential_seconds": 9}}, "[turn] credential_seconds: must be at least 10"),
        ({"turn": {"allowed_peers": ["rooms"]}}, "[turn] allowed_peers: rooms is no address or network such as 10.0.0.0/8"),
        ({"turn": {"address": "here"}}, "[turn] address: here is no address or network such as 10.0.0.0/8"),
        (
            {"bus": {"url": "nats://a"}},
            "[bus] url: several servers are not supported in this version; leave it empty",
        ),
        ({"log": {"level": "loud"}}, "[log] level: must be debug, info, warning or error"),
        ({"log": {"format": "xml"}}, "[log] format: must be json or text"),
    ],
)
def test_a_mistake_is_named_with_its_key(raw: dict[str, Any], words: str) -> None:
    assert refused(raw) == f"config.toml: {words}"


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("ETAPALVELU_SERVER__PRT", "1", "there is no key [server] prt"),
        ("ETAPALVELU_SERVERS__PORT", "1", "there is no key [servers] port"),
        ("ETAPALVELU_SERVER__PORT", "many", "Expected `int`, got `str`"),
        ("ETAPALVELU_CALL__RELAY_ONLY", "perhaps", "Expected `bool`, got `str`"),
    ],
)
def test_a_mistake_in_the_environment_is_named_with_its_variable(variable: str, text: str, words: str) -> None:
    assert refused(**{variable: text}) == f"{variable}: {words}"


def test_the_environment_does_not_hide_a_section_that_is_none() -> None:
    assert refused({"server": 5}, ETAPALVELU_SERVER__PORT="1") == "config.toml: [server]: Expected `object`, got `int`"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.1.2.3", "etapalvelu.example.fi"])  # noqa: S104 - what must be refused
def test_outside_loopback_there_must_be_tls_or_a_proxy(host: str) -> None:
    words = refused({"server": {"host": host}})

    assert words.startswith(f"config.toml: [server] host: {host} is not loopback, so browsers need TLS")
    assert parsed({"server": {"host": host, "tls_cert": "c", "tls_key": "k"}}).server.host == host
    assert parsed({"server": {"host": host, "trusted_proxies": ["10.0.0.5"]}}).server.host == host


def test_loopback_is_known_by_its_names() -> None:
    assert [host for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1", "10.0.0.1", "::") if is_loopback(host)] == [
        "localhost",
        "127.0.0.1",
        "127.1.2.3",
        "::1",
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "no such file; copy config.example.toml and edit it"),
        (b"[server\n", "not valid TOML: "),
        (b"\xff\xfe", "not valid TOML: "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ConfigError) as error:
        load(path, {})

    assert str(error.value).startswith(f"{path}: {words}")


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, {})

    assert str(error.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_a_secret_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    path, secret = tmp_path / "config.toml", tmp_path / "turn.secret"
    path.write_text('[turn]\nurls = ["turn:a"]\nsecret_file = "turn.secret"\n')

    with pytest.raises(ConfigError, match="secret_file: cannot be read"):
        load(path, {})
    secret.write_text(" \n")
    with pytest.raises(ConfigError, match=r"secret_file: .* is empty"):
        load(path, {})
    secret.write_text("s3cret\n")

    assert load(path, {}).turn.secret == "s3cret"
