"""Resume tokens that are no good: refused with a code, throttled, and nobody else in the call hears or feels anything."""

import json
import secrets
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from etapalvelu.keys import load_keys
from signaling.messages import SUBPROTOCOL
from signaling.ticket import ResumeClaims, check_resume, mint_resume
from tests.faults.people import People, in_service
from tests.faults.rig import Rig

# More than one address may have open without having said who they are.
KNOCKS = 80


async def hello(http: aiohttp.ClientSession, token: str) -> tuple[str, str, int | None]:
    """Type and code of the answer to a resume, and the close code (None while the socket is open)."""
    async with http.ws_connect("/call", protocols=[SUBPROTOCOL]) as socket:
        await socket.send_json({"type": "hello", "resume": token})
        answer: dict[str, Any] = json.loads((await socket.receive()).data)
        await socket.receive()
        return answer["type"], answer.get("code", ""), socket.close_code


def key_of(rig: Rig) -> bytes:
    return load_keys(Path(rig.folder, "keys")).resume


@pytest.mark.parametrize("kind", ["old", "foreign", "public id", "nonsense", "another call", "given up"])
async def test_a_token_that_is_no_good_is_refused_and_disturbs_nobody(rig: Rig, people: People, kind: str) -> None:
    rig.start()
    async with in_service(rig, people) as (session, screen, expert):
        token = expert.welcomes[0][1].resume
        key, now = key_of(rig), time.time()
        claims = check_resume(token, key, now)
        tokens: dict[str, tuple[str, str, int]] = {
            "old": (mint_resume(_changed(claims, expires=int(now) - 1), key), "expired", 4401),
            "foreign": (mint_resume(claims, secrets.token_bytes(32)), "forged", 4401),
            "public id": (session, "malformed", 4401),
            "nonsense": ("A" * 3000, "bad_message", 4400),
            "another call": (mint_resume(_changed(claims, call="nobodys"), key), "call_over", 4403),
            "given up": (mint_resume(_changed(claims, id="another", login="another"), key), "seat_taken", 4409),
        }
        bad, code, closed = tokens[kind]

        answer = await hello(people.expert.http, bad)
        await people.expert.note(session, "advised")
        await people.expert.close(session, "completed")

        assert answer == ("error", code, closed)
        assert await screen.over() == "completed"
        assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)
    assert rig.types(session) == ["opened", "joined", "claimed", "joined", "connected", "noted", "closed"]
    rig.agrees(all_ended=True)


async def test_a_token_of_a_session_that_was_closed_opens_nothing(rig: Rig, people: People) -> None:
    rig.start()
    async with in_service(rig, people) as (session, _screen, expert):
        token = expert.welcomes[0][1].resume
        await people.expert.close(session, "completed")
        assert await expert.over() == "completed"

    assert await hello(people.expert.http, token) == ("error", "call_over", 4403)
    assert rig.types(session)[-1] == "closed"
    rig.agrees(all_ended=True)


async def test_a_token_used_twice_has_one_seat_the_newest(rig: Rig, people: People) -> None:
    """A duplicated tab: the older socket is told that it was replaced, and does not come back by itself."""
    # The older socket is read only when the newer one sits: nobody answers its pings until then.
    rig.start({"ETAPALVELU_CALL__HEARTBEAT_SECONDS": "10"})
    async with in_service(rig, people) as (session, screen, expert):
        token, http = expert.welcomes[0][1].resume, people.expert.http
        async with http.ws_connect("/call", protocols=[SUBPROTOCOL]) as first:
            await first.send_json({"type": "hello", "resume": token})
            assert (await first.receive_json())["type"] == "welcome"
            async with http.ws_connect("/call", protocols=[SUBPROTOCOL]) as second:
                await second.send_json({"type": "hello", "resume": token})
                assert (await second.receive_json())["type"] == "welcome"
                told = await first.receive_json()
                await people.expert.close(session, "completed")

        assert (told["type"], told["code"]) == ("error", "replaced")
        assert await screen.over() == "completed"
    assert rig.types(session) == ["opened", "joined", "claimed", "joined", "connected", "closed"]
    rig.agrees(all_ended=True)


async def test_who_knocks_with_bad_tokens_again_and_again_is_held_off(rig: Rig, people: People) -> None:
    """So many sockets at once of one address; those who sit in a call sit on."""
    rig.start()
    async with in_service(rig, people) as (session, screen, expert):
        statuses = []
        sockets = []
        for _ in range(KNOCKS):
            try:
                sockets.append(await people.expert.http.ws_connect("/call", protocols=[SUBPROTOCOL]))
            except aiohttp.WSServerHandshakeError as error:
                statuses.append(error.status)
        await people.expert.note(session, "advised")
        for socket in sockets:
            await socket.close()
        await people.expert.close(session, "completed")

        assert statuses
        assert set(statuses) == {503}
        assert await screen.over() == "completed"
        assert (len(screen.welcomes), len(expert.welcomes)) == (1, 1)
    rig.agrees(all_ended=True)


def _changed(claims: ResumeClaims, **fields: Any) -> ResumeClaims:
    return msgspec.structs.replace(claims, **fields)
