"""Relays for real: by UDP, TCP and TLS, credentials that end during a call, a server killed in its middle, a wrong secret."""

import asyncio
import time
from pathlib import Path

import pytest

from etapalvelu.room.relay import WORDS
from tests.e2e.browsers import until
from tests.faults.conftest import REPEATED
from tests.faults.net import end
from tests.faults.scene import CONNECT_SECONDS, Plan, Scene, scene

pytestmark = [
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]
seldom = pytest.mark.skipif(not REPEATED, reason="`make faults` runs it")

CREDENTIAL_SECONDS = 16
# coturn gives no allocation for less than this, so a credential that ends is met within the test.
SHORT_ALLOCATIONS = ("--max-allocate-lifetime=10", "--stale-nonce=10")


@pytest.mark.parametrize(
    ("kind", "by"),
    [
        pytest.param("udp", "udp", marks=seldom),
        pytest.param("tcp", "tcp", marks=seldom),
        pytest.param("tls", "tls", marks=seldom),
    ],
)
async def test_a_call_by_relay_only(tmp_path: Path, prepared: Path, kind: str, by: str, again: int) -> None:
    async with scene(tmp_path / "scene", prepared, Plan(urls=(kind,), relay_only=True)) as call:
        await call.call()
        paths = await call.paths(call.expert)

        assert [(path["ours"], path["by"]) for path in paths] == [("relay", by)] * 2
        assert f"way={by}" in call.agent_log()


@seldom
async def test_where_udp_is_blocked_from_the_start_the_next_way_is_taken(tmp_path: Path, prepared: Path, again: int) -> None:
    async with scene(tmp_path / "scene", prepared) as call:
        call.net.fault("room", udp=False)
        began = time.time()
        await call.call()
        print(f"\nall pictures {time.time() - began:.1f} s after opening, without UDP at the room")  # noqa: T201

        assert {path["by"] for path in await call.paths(call.room) if path["to"] == "person"} <= {"tcp", "tls"}
        assert "way=tcp" in call.agent_log()


@seldom
async def test_credentials_end_during_a_relayed_call(tmp_path: Path, prepared: Path, again: int) -> None:
    plan = Plan(urls=("udp",), relay_only=True, credential_seconds=CREDENTIAL_SECONDS, turn_options=SHORT_ALLOCATIONS)
    async with scene(tmp_path / "scene", prepared, plan) as call:
        await call.call()
        began = time.time()
        await asyncio.sleep(CREDENTIAL_SECONDS * 3)
        ended = time.time()

        for page, stream in ((call.expert, "room"), (call.expert, "document"), (call.room, "expert")):
            frames = await call.frames(page, stream, began, ended)
            longest = max(later - earlier for earlier, later in zip([began, *frames], [*frames, ended], strict=True))
            print(f"\nlongest gap of {stream} over three lives of the credentials: {longest:.2f} s")  # noqa: T201
            assert longest < 2.0, stream
        assert "interrupted" not in [entry["type"] for entry in call.log()]


@seldom
async def test_the_relay_dies_and_another_way_is_there(tmp_path: Path, prepared: Path, again: int) -> None:
    async with scene(tmp_path / "scene", prepared, Plan(urls=("udp",))) as call:
        await call.call()
        assert call.turn is not None
        end(call.turn)
        began = time.time()
        await asyncio.sleep(5)

        for page, stream in ((call.expert, "room"), (call.expert, "document"), (call.room, "expert")):
            assert len(await call.frames(page, stream, began)) > 5


@seldom
async def test_the_only_relay_dies_and_comes_back(tmp_path: Path, prepared: Path, again: int) -> None:
    async with scene(tmp_path / "scene", prepared, Plan(urls=("udp", "tcp"), relay_only=True)) as call:
        await call.call()
        assert call.turn is not None
        call.turn.kill()
        killed = time.time()
        call.turn.wait()
        await said_broken(call, killed)
        await asyncio.sleep(3)
        call.start_turn()
        back = time.time()
        for page, stream in ((call.expert, "room"), (call.expert, "document"), (call.room, "expert")):
            await call.flows(page, stream, 60)
        print(f"\nall pictures {time.time() - back:.1f} s after the relay came back")  # noqa: T201

        types = [entry["type"] for entry in call.log()]
        assert types.count("interrupted") >= 1
        assert types.count("interrupted") == types.count("resumed")


async def said_broken(call: Scene, since: float) -> None:
    words = call.words["js.line.restoring"]
    for page in (call.expert, call.room):
        await until(
            page,
            "([words, since]) => window.witness.said.some(([at, said]) => at > since && said.includes(words))",
            [words, since],
            10,
        )


@seldom
async def test_a_wrong_secret_is_told_to_everybody(tmp_path: Path, prepared: Path, again: int) -> None:
    plan = Plan(urls=("udp", "tcp"), relay_only=True, other_secret="another-secret-than-the-servers")
    async with scene(tmp_path / "scene", prepared, plan) as call:
        await call.take()
        for page, key in ((call.expert, "js.line.relay_refused"), (call.room, "js.room.relay_refused")):
            words = call.words[key]
            await until(page, "words => document.body.innerText.includes(words)", words, CONNECT_SECONDS)

        assert WORDS["refused"] in call.agent_log()
