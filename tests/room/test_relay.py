"""Which way to a relay is used, and what is said of one that gives nothing: with the real coturn, and by the rules alone."""

import asyncio
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from aioice.stun import TransactionFailed

from etapalvelu.room import relay as relay_module
from etapalvelu.room.relay import WORDS, Fault, RelayError, Relays, Way, try_relay, way
from etapalvelu.room.server import IceServer
from signaling.turn import credential
from tests.e2e.processes import free_port
from tests.room.cameras import until
from tests.turn import SECRET, Turn, running_turn

UDP, TCP, TLS = "turn:t", "turn:t?transport=tcp", "turns:t"
SERVERS = [IceServer(urls="stun:s"), IceServer(urls=[TLS, TCP, UDP], username="u", credential="c")]


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with running_turn(tmp_path_factory.mktemp("coturn")) as running:
        yield running


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", relay_module.__name__)


class Attempts:
    """Stands for the network: what each way does."""

    def __init__(self, **faults: Fault) -> None:
        self.faults: dict[str, Fault] = {{"udp": UDP, "tcp": TCP, "tls": TLS}[kind]: fault for kind, fault in faults.items()}
        self.slow: set[str] = set()
        self.asked: list[str] = []

    async def __call__(self, url: str, username: str, password: str) -> float:
        self.asked.append(url)
        assert (username, password) == ("u", "c")
        if url in self.slow:
            await asyncio.sleep(60)
        if url in self.faults:
            raise RelayError(url, self.faults[url])
        return 1.0


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("turn:t.example", Way(kind="udp", host="t.example", port=3478)),
        ("turn:10.0.0.1:3479?transport=udp", Way(kind="udp", host="10.0.0.1", port=3479)),
        ("turn:t?transport=tcp", Way(kind="tcp", host="t", port=3478)),
        ("turns:t:443?transport=tcp", Way(kind="tls", host="t", port=443)),
        ("turns:[2001:db8::1]", Way(kind="tls", host="2001:db8::1", port=5349)),
    ],
)
def test_a_url_names_a_way(url: str, named: Way) -> None:
    assert way(url) == named


@pytest.mark.parametrize("url", ["turn:t?transport=carrier-pigeon", "turns:t?transport=udp", "turn:", "turn:t:port", "stun:t"])
async def test_other_urls_are_said_to_be_malformed(url: str) -> None:
    with pytest.raises(RelayError) as error:
        await try_relay(url, "u", "c")

    assert error.value.fault == "malformed"


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls"])
async def test_the_real_relay_gives_an_address_each_way(turn: Turn, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.authority))
    username, password = credential("room", SECRET, time.time(), 60)

    assert 0 < await try_relay(turn.url(kind), username, password) < 5000


async def fault_of(url: str, secret: str = SECRET, now: float | None = None, seconds: float = 1.0) -> Fault:
    username, password = credential("room", secret, now or time.time(), 60)
    with pytest.raises(RelayError) as error:
        await try_relay(url, username, password, seconds)
    assert str(error.value) == f"the TURN server {url} {WORDS[error.value.fault]}"
    return error.value.fault


async def test_each_fault_of_a_relay_has_its_words(turn: Turn) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as deaf:
        deaf.bind(("127.0.0.1", 0))

        assert await fault_of(turn.url("udp"), secret="another") == "refused"
        assert await fault_of(turn.url("tcp"), now=time.time() - 3600) == "refused"
        assert await fault_of(turn.url("tls")) == "certificate"
        assert await fault_of(f"turn:127.0.0.1:{deaf.getsockname()[1]}") == "silent"
        assert await fault_of(f"turn:127.0.0.1:{free_port()}?transport=tcp") == "unreachable"


async def test_a_name_nobody_knows_and_a_full_server_have_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror

    class FullError(TransactionFailed):
        def __init__(self) -> None:
            self.response = type("Response", (), {"error_code": 486})()

    async def full(*_: object, **__: object) -> None:
        raise FullError

    monkeypatch.setattr("aioice.turn.create_turn_endpoint", nobody)
    unknown = await fault_of("turn:nowhere.example")
    monkeypatch.setattr("aioice.turn.create_turn_endpoint", full)

    assert (unknown, await fault_of("turn:full.example")) == ("unknown_name", "full")


def chosen(relays: Relays, servers: Sequence[IceServer] = SERVERS) -> list[str]:
    return [str(server.urls) for server in relays.choose(servers) if "turn" in str(server.urls)]


async def test_one_way_is_used_at_a_time_udp_first() -> None:
    relays = Relays(Attempts())

    assert relays.choose(SERVERS) == [IceServer(urls="stun:s"), IceServer(urls=[UDP], username="u", credential="c")]
    assert relays.choose([]) == []
    assert relays.first([]) is None


async def test_what_failed_comes_last_and_what_worked_first() -> None:
    relays = Relays(Attempts())

    order = []
    for _ in range(4):
        order.append(relays.first(SERVERS))
        relays.failed(order[-1] or "")
    relays.worked(TLS)

    assert order == [UDP, TCP, TLS, UDP]
    assert relays.first(SERVERS) == TLS


async def test_all_ways_are_tried_before_the_first_is_used(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(udp="silent")
    relays = Relays(attempts)

    await relays.ready(SERVERS)
    await relays.ready(SERVERS)
    await relays.ready([])

    assert sorted(attempts.asked) == sorted([UDP, TCP, TLS])
    assert chosen(relays) == [f"['{TCP}']"]
    assert relays.fault(SERVERS) is None
    assert caplog.messages == [f"the TURN server {UDP} {WORDS['silent']}"]


async def test_a_way_that_keeps_silent_holds_nothing_up() -> None:
    attempts = Attempts()
    attempts.slow = {UDP}
    relays = Relays(attempts)
    began = time.monotonic()

    await relays.ready(SERVERS)

    assert time.monotonic() - began < relay_module.PATIENCE_SECONDS
    assert relays.first(SERVERS) == TCP


async def test_what_worked_and_is_silent_now_is_found_out_in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "LOOK_SECONDS", 0.0)
    attempts = Attempts()
    relays = Relays(attempts)
    await relays.look_and_wait(SERVERS)
    before = relays.first(SERVERS)
    attempts.slow = {UDP}
    began = time.monotonic()

    await relays.look_and_wait(SERVERS)

    assert time.monotonic() - began < relay_module.PATIENCE_SECONDS
    assert (before, relays.first(SERVERS)) == (UDP, TCP)


async def test_where_no_way_works_the_gravest_is_told_and_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(relay_module, "LOOK_SECONDS", 0.0)
    attempts = Attempts(udp="silent", tcp="refused", tls="unreachable")
    relays = Relays(attempts)

    await relays.ready(SERVERS)
    relays.look(SERVERS)
    await until(lambda: len(attempts.asked) == 6)

    assert relays.fault(SERVERS) == "refused"
    assert len(caplog.messages) == 3
    assert relays.fault([]) is None


async def test_a_relay_that_is_back_is_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = Attempts(udp="silent", tcp="silent", tls="silent")
    relays = Relays(attempts)
    await relays.ready(SERVERS)
    attempts.faults.clear()

    relays.look(SERVERS)
    asked_too_soon = len(attempts.asked)
    monkeypatch.setattr(relay_module, "LOOK_SECONDS", 0.0)
    relays.look(SERVERS)
    await until(lambda: relays.fault(SERVERS) is None)

    assert asked_too_soon == 3
    assert relays.first(SERVERS) == UDP


async def test_a_url_that_cannot_be_used_comes_last() -> None:
    servers = [IceServer(urls=["turn:t?transport=carrier-pigeon", TLS])]

    assert Relays(Attempts()).first(servers) == TLS
