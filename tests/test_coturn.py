"""coturn's configuration is made of ours, and the real coturn relays with it to the networks named, and to nobody else."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aioice.turn
import pytest
from aioice.stun import TransactionFailed

from etapalvelu.cli import run
from etapalvelu.config import ConfigError, parse
from etapalvelu.coturn import coturn_config
from signaling.turn import credential
from tests.turn import Turn, running_turn

SECRET = "s3cret-of-coturn"
# Loopback is refused by coturn itself, so a test has peers on other addresses; nothing is sent to them.
ALLOWED, BESIDE = "10.20.7.1", "10.21.0.1"
BASE = {"urls": ["turn:turn.example.fi"], "secret": SECRET, "allowed_peers": ["10.20.0.0/16"]}


def written(turn: dict[str, Any]) -> list[str]:
    config = parse({"turn": BASE | turn}, {}, name="config.toml", folder=Path("/etc/etapalvelu"))
    return [line for line in coturn_config(config).splitlines() if not line.startswith("#")]


def test_it_has_our_secret_and_relays_to_nobody_but_the_networks_named() -> None:
    assert written({"allowed_peers": ["10.20.0.0/16", "2001:db8::/64", "192.0.2.7"], "address": "10.1.2.3"}) == [
        "realm=etapalvelu",
        "use-auth-secret",
        f"static-auth-secret={SECRET}",
        "fingerprint",
        "log-file=stdout",
        "listening-port=3478",
        "no-tcp",
        "no-dtls",
        "no-tls",
        "listening-ip=10.1.2.3",
        "relay-ip=10.1.2.3",
        "no-cli",
        "no-tcp-relay",
        "no-multicast-peers",
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "denied-peer-ip=::ffff:0:0-::ffff:ffff:ffff",
        "denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "denied-peer-ip=fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "allowed-peer-ip=10.20.0.0-10.20.255.255",
        "allowed-peer-ip=2001:db8::-2001:db8::ffff:ffff:ffff:ffff",
        "allowed-peer-ip=192.0.2.7-192.0.2.7",
        "allowed-peer-ip=10.1.2.3",
    ]


def test_it_listens_where_our_urls_lead() -> None:
    lines = written(
        {
            "urls": ["turn:t:3479?transport=tcp", "turns:t:443", "turns:[2001:db8::1]:443", "stun:t:1"],
            "tls_cert": "turn.pem",
            "tls_key": "turn.key",
            "realm": "kela",
        }
    )

    assert [line for line in lines if "port" in line or line.startswith(("no-", "cert", "pkey", "realm"))] == [
        "realm=kela",
        "listening-port=3479",
        "no-udp",
        "no-dtls",
        "tls-listening-port=443",
        "cert=/etc/etapalvelu/turn.pem",
        "pkey=/etc/etapalvelu/turn.key",
        "no-tlsv1",
        "no-tlsv1_1",
        "no-cli",
        "no-tcp-relay",
        "no-multicast-peers",
    ]


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        ({"urls": ["stun:t"]}, "[turn] urls: name the TURN server"),
        ({"allowed_peers": []}, "[turn] allowed_peers: name the networks"),
        ({"urls": ["turns:t"]}, "[turn] tls_cert and tls_key: needed for turns: urls"),
        ({"urls": ["turn:t:1", "turn:t:2?transport=tcp"]}, "[turn] urls: coturn has one port for turn:, these name 1, 2"),
        ({"urls": ["turn:t:port"]}, "[turn] urls: turn:t:port has no port that can be used"),
        ({"secret": "two words"}, "[turn] secret: coturn reads only"),
        ({"secret": "a\nnew-line"}, "[turn] secret: coturn reads only"),
        ({"realm": ""}, "[turn] realm: coturn reads only"),
    ],
)
def test_what_is_missing_is_said(turn: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        written(turn)

    assert str(error.value).startswith(words)


def test_the_command_writes_it_to_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.toml"
    (tmp_path / "turn.secret").write_text(f"{SECRET}\n")
    config.write_text('[turn]\nurls = ["turn:t"]\nsecret_file = "turn.secret"\nallowed_peers = ["10.0.0.0/8"]\n')

    assert run(["turn", "config", "--config", str(config)]) == 0
    assert f"static-auth-secret={SECRET}\n" in capsys.readouterr().out

    config.write_text("[turn]\n")
    assert run(["turn", "config", "--config", str(config)]) == 1
    assert capsys.readouterr().err == "etapalvelu: [turn] urls: name the TURN server, such as turn:turn.example.fi:3478\n"


# The real coturn with just this configuration


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with running_turn(tmp_path_factory.mktemp("coturn"), allowed_peers=("10.20.0.0/16",)) as running:
        yield running


@pytest.fixture
async def relay(turn: Turn) -> AsyncIterator[Any]:
    made = await allocate(turn)
    yield made
    made.close()


async def allocate(turn: Turn, transport: str = "udp") -> Any:
    username, password = credential("test", turn.secret, time.time(), 60)
    relay, _ = await aioice.turn.create_turn_endpoint(
        asyncio.DatagramProtocol, ("127.0.0.1", turn.port), username, password, transport=transport
    )
    return relay


async def bind(relay: Any, address: str) -> int:
    """Ask for a channel to the peer: 0 when it is had, else the refusal's code."""
    protocol = relay._TurnTransport__inner_protocol
    protocol.channel_number += 1
    try:
        await protocol.channel_bind(protocol.channel_number, (address, 9))
    except TransactionFailed as error:
        return int(error.response.error_code or -1)
    return 0


def test_coturn_understands_every_line(turn: Turn) -> None:
    said = turn.log.read_text(errors="replace")

    assert [line for line in said.splitlines() if "ad configuration" in line or "nknown" in line or "ERROR" in line] == []


async def test_the_networks_named_are_relayed_to_and_no_other(relay: Any) -> None:
    answers = {address: await bind(relay, address) for address in (ALLOWED, BESIDE, "192.168.1.1", "8.8.8.8", "169.254.1.1")}

    assert answers == {ALLOWED: 0, BESIDE: 403, "192.168.1.1": 403, "8.8.8.8": 403, "169.254.1.1": 403}


@pytest.mark.parametrize("peer", ["::ffff:10.21.0.1", "::ffff:192.168.1.1", "fe80::1", "fd00::1", "2001:db8::1"])
async def test_no_address_of_ipv6_is_relayed_to(relay: Any, peer: str) -> None:
    assert await bind(relay, peer) in (403, 443)


async def test_it_serves_tcp_too(turn: Turn) -> None:
    relay = await allocate(turn, "tcp")

    assert await bind(relay, ALLOWED) == 0
    relay.close()
