"""Relays for real: by UDP, TCP and TLS, credentials that end during a call, a server killed in its middle, a wrong secret."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from etapalvelu.room.relay import WORDS
from tests.e2e.browsers import until
from tests.faults.conftest import REPEATED
from tests.faults.net import end
from tests.faults.scene import CONNECT_SECONDS, PICTURES, Plan, Scene, longest_gap, scene

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.alone,
    pytest.mark.timeout(240),
]

CREDENTIAL_SECONDS = 10
# With less than this Chromium asks coturn for a longer life all the time; an old credential is met within the test.
SHORT_ALLOCATIONS = ("--max-allocate-lifetime=10", "--stale-nonce=10")


def shown_by(other: str) -> pytest.MarkDecorator:
    """Of what another test shows on its way a single run can do without."""
    return pytest.mark.skipif(not REPEATED, reason=f"`make faults` runs it; in a single run {other} shows as much")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def together(tmp_path_factory: pytest.TempPathFactory, prepared: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path_factory.mktemp("turn") / "scene", prepared) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind",
    [
        "udp",
        pytest.param("tcp", marks=shown_by("test_where_udp_is_blocked_from_the_start_the_next_way_is_taken")),
        "tls",
    ],
)
async def test_a_call_by_relay_only(together: Scene, kind: str, again: int) -> None:
    await together.begin(Plan(urls=(kind,), relay_only=True))
    await together.call()
    paths = await together.paths(together.expert)

    assert [(path["ours"], path["by"]) for path in paths] == [("relay", kind)] * 2
    assert f"way={kind}" in together.agent_log()


@pytest.mark.slow
async def test_where_udp_is_blocked_from_the_start_the_next_way_is_taken(together: Scene, again: int) -> None:
    await together.begin(Plan())
    together.net.fault("room", udp=False)
    began = time.time()
    await together.call()
    print(f"\nall pictures {time.time() - began:.1f} s after opening, without UDP at the room")  # noqa: T201

    assert {path["by"] for path in await together.paths(together.room) if path["to"] == "person"} <= {"tcp", "tls"}
    assert "way=tcp" in together.agent_log()


@pytest.mark.lasting(50)
@pytest.mark.skipif(not REPEATED, reason="`make faults` runs it: three lives of credentials take most of a minute")
async def test_credentials_end_during_a_relayed_call(together: Scene, lasting: int, again: int) -> None:
    plan = Plan(urls=("udp",), relay_only=True, credential_seconds=CREDENTIAL_SECONDS, turn_options=SHORT_ALLOCATIONS)
    await together.begin(plan)
    await together.call()
    began = time.time()
    await asyncio.sleep(lasting)
    ended = time.time()

    for where, stream in PICTURES:
        frames = await together.frames(together.page(where), stream, began, ended)
        longest = longest_gap(frames, began, ended)
        print(f"\nlongest gap of {stream} while credentials ended: {longest:.2f} s")  # noqa: T201
        assert longest < 2.0, stream
    assert [(path["ours"], path["by"]) for path in await together.paths(together.expert)] == [("relay", "udp")] * 2
    assert WORDS["refused"] not in together.agent_log()
    assert "interrupted" not in [entry["type"] for entry in together.log()]


@pytest.mark.slow
@shown_by("test_the_only_relay_dies_and_comes_back")
async def test_the_relay_dies_and_another_way_is_there(together: Scene, again: int) -> None:
    await together.begin(Plan(urls=("udp",)))
    await together.call()
    assert together.turn is not None
    end(together.turn)
    began = time.time()
    await asyncio.sleep(5)

    for where, stream in PICTURES:
        assert len(await together.frames(together.page(where), stream, began)) > 5


@pytest.mark.slow
async def test_the_only_relay_dies_and_comes_back(together: Scene, again: int) -> None:
    await together.begin(Plan(urls=("udp", "tcp"), relay_only=True))
    await together.call()
    assert together.turn is not None
    together.turn.kill()
    killed = time.time()
    together.turn.wait()
    await said_broken(together, killed)
    await asyncio.sleep(3)
    together.start_turn()
    back = time.time()
    for where, stream in PICTURES:
        await together.flows(together.page(where), stream, 60)
    print(f"\nall pictures {time.time() - back:.1f} s after the relay came back")  # noqa: T201

    log = together.log()
    types = [entry["type"] for entry in log]
    assert types.count("interrupted") == types.count("resumed")
    assert {entry["data"]["cause_class"] for entry in log if entry["type"] == "interrupted"} == {"server"}


async def said_broken(call: Scene, since: float) -> None:
    words = call.words["js.line.restoring"]
    for page in (call.expert, call.room):
        await until(
            page,
            "([words, since]) => window.witness.said.some(([at, said]) => at > since && said.includes(words))",
            [words, since],
            10,
        )


@pytest.mark.slow
@pytest.mark.skipif(
    not REPEATED, reason="`make faults` runs it; tests/room/test_relay.py meets coturn's refusal in a single run"
)
async def test_a_wrong_secret_is_told_to_everybody(together: Scene, again: int) -> None:
    await together.begin(Plan(urls=("udp", "tcp"), relay_only=True, other_secret="another-secret-than-the-servers"))
    await together.take()
    for page, key in ((together.expert, "js.line.relay_refused"), (together.room, "js.room.relay_refused")):
        words = together.words[key]
        await until(page, "words => document.body.innerText.includes(words)", words, CONNECT_SECONDS)
    async with asyncio.timeout(CONNECT_SECONDS):
        while WORDS["refused"] not in together.agent_log():  # noqa: ASYNC110 - the agent is another process
            await asyncio.sleep(0.1)
