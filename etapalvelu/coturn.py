"""The configuration of coturn that goes with ours: the same secret and ports, and a relay to nobody but the networks named."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from etapalvelu.config import Config, ConfigError, Turn

# coturn 4.6.1 takes an IPv4 address in IPv6's clothes for IPv6 and then passes it, so these are named beside all of IPv6.
DENIED = (
    "0.0.0.0-255.255.255.255",
    "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "::ffff:0:0-::ffff:ffff:ffff",
    "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
)

PLAIN_PORT, TLS_PORT = 3478, 5349


def coturn_config(config: Config) -> str:
    """The text of turnserver.conf, with the secret in it. Raises `ConfigError` when ours does not say enough."""
    turn = config.turn
    _check(turn)
    plain, secured = _ports(turn.urls, "turn"), _ports(turn.urls, "turns")
    lines = [
        "# Written by `etapalvelu turn config`. It holds the secret: for coturn's eyes only.",
        f"realm={turn.realm}",
        "use-auth-secret",
        f"static-auth-secret={turn.secret}",
        "fingerprint",
        "# To the journal; otherwise coturn writes files of its own too, which nobody clears away.",
        "log-file=stdout",
        *_listening(turn, plain, secured),
        *([f"listening-ip={turn.address}", f"relay-ip={turn.address}"] if turn.address else []),
        "# No administration over the network, no relay to TCP services, to groups, or to this machine's loopback.",
        "no-cli",
        "no-tcp-relay",
        "no-multicast-peers",
        "# Nobody is relayed to but the networks allowed.",
        *(f"denied-peer-ip={peers}" for peers in DENIED),
        *(f"allowed-peer-ip={peers}" for peers in _allowed(turn)),
    ]
    return "\n".join(lines) + "\n"


def _check(turn: Turn) -> None:
    if not any(url.startswith(("turn:", "turns:")) for url in turn.urls):
        raise ConfigError("[turn] urls: name the TURN server, such as turn:turn.example.fi:3478")
    if not turn.allowed_peers:
        raise ConfigError("[turn] allowed_peers: name the networks of rooms and experts; nobody else is relayed to")
    if any(url.startswith("turns:") for url in turn.urls) and not turn.tls_cert:
        raise ConfigError("[turn] tls_cert and tls_key: needed for turns: urls")
    for key, text in (("secret", turn.secret), ("realm", turn.realm)):
        if not text or not text.isascii() or not text.isprintable() or set(text) & set(" \"'#\\"):
            raise ConfigError(f"[turn] {key}: coturn reads only letters, digits and signs other than quotes, spaces and #")


def _listening(turn: Turn, plain: set[int], secured: set[int]) -> Iterable[str]:
    for words, ports in (("turn:", plain), ("turns:", secured)):
        if len(ports) > 1:
            raise ConfigError(f"[turn] urls: coturn has one port for {words}, these name {', '.join(map(str, sorted(ports)))}")
    transports = {_transport(url) for url in turn.urls if url.startswith("turn:")}
    yield f"listening-port={next(iter(plain), PLAIN_PORT)}"
    yield from ("no-udp" for _ in range("udp" not in transports))
    yield from ("no-tcp" for _ in range("tcp" not in transports))
    yield "no-dtls"
    if not secured:
        yield "no-tls"
        return
    yield f"tls-listening-port={next(iter(secured))}"
    yield from (f"cert={turn.tls_cert}", f"pkey={turn.tls_key}", "no-tlsv1", "no-tlsv1_1")


def _ports(urls: Iterable[str], scheme: str) -> set[int]:
    default = TLS_PORT if scheme == "turns" else PLAIN_PORT
    return {_port(url, default) for url in urls if url.startswith(f"{scheme}:")}


def _port(url: str, default: int) -> int:
    try:
        return urlsplit(f"//{url.partition(':')[2]}").port or default
    except ValueError:
        raise ConfigError(f"[turn] urls: {url} has no port that can be used") from None


def _transport(url: str) -> str:
    return "tcp" if url.endswith("transport=tcp") else "udp"


def _allowed(turn: Turn) -> Iterable[str]:
    for text in turn.allowed_peers:
        network: IPv4Network | IPv6Network = ip_network(text)
        yield f"{network[0]}-{network[-1]}"
    # Where both ends come over the relay, each is the other's peer at this address.
    if turn.address:
        yield turn.address
