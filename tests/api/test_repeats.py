"""A deed that comes again with its key: answered as the first time, never done twice."""

import asyncio

from etapalvelu.domain.codes import ReleaseReason
from tests.conftest import ADVISOR, EXPERT, EXPERT2
from tests.doorstep import FAR_ADVISOR, Doorstep
from tests.samples import OPEN


async def test_a_repeated_take_answers_to_the_letter_the_same(doorstep: Doorstep) -> None:
    await doorstep.service.opened("rantala-1")
    await doorstep.service.opened("rantala-2")
    headers = await doorstep.bearer(EXPERT) | {"Idempotency-Key": "k-1"}

    first = await doorstep.client.post("/api/v1/sessions/take", headers=headers)
    doorstep.service.clock.advance(seconds=5)
    second = await doorstep.client.post("/api/v1/sessions/take", headers=headers)

    assert (first.status, second.status, await first.read()) == (200, 200, await second.read())


async def test_a_key_used_again_answers_as_the_first_time_for_a_day(doorstep: Doorstep) -> None:
    key = {"Idempotency-Key": "open-1"}

    first = await doorstep.post("/sessions", ADVISOR, OPEN, key)
    again = await doorstep.post("/sessions", ADVISOR, OPEN, key)
    other = await doorstep.post("/sessions", ADVISOR, OPEN | {"room": "rantala-2"}, key)
    others = await doorstep.post("/sessions", FAR_ADVISOR, OPEN | {"room": "kaukola-1"}, key)
    doorstep.service.clock.advance(hours=24, seconds=1)
    await doorstep.service.timers.forget_keys()
    next_day = await doorstep.post("/sessions", ADVISOR, OPEN | {"room": "rantala-2"}, key)

    assert (first.status, again.status, await first.json()) == (201, 201, await again.json())
    assert (other.status, (await other.json())["code"]) == (422, "key_reused")
    assert (others.status, (await others.json())["room"]) == (201, "kaukola-1")
    assert (next_day.status, (await next_day.json())["room"]) == (201, "rantala-2")


async def test_the_same_deed_sent_twice_at_once_is_done_once(doorstep: Doorstep) -> None:
    headers = await doorstep.bearer(ADVISOR) | {"Idempotency-Key": "twice"}

    answers = await asyncio.gather(*(doorstep.client.post("/api/v1/sessions", json=OPEN, headers=headers) for _ in range(4)))

    assert {answer.status for answer in answers} == {201}
    assert len({(await answer.json())["id"] for answer in answers}) == 1
    assert len(await doorstep.service.sessions.open_sessions()) == 1


async def test_a_conflict_is_kept_under_its_key_and_other_refusals_are_not(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    await doorstep.service.desk.claim(EXPERT2, session.id)
    claim = f"/sessions/{session.id}/claim"

    lost = await doorstep.post(claim, EXPERT, headers={"Idempotency-Key": "c"})
    await doorstep.service.desk.release(EXPERT2, session.id, ReleaseReason.CANNOT_SERVE)
    still_lost = await doorstep.post(claim, EXPERT, headers={"Idempotency-Key": "c"})
    malformed = await doorstep.post(claim, EXPERT, {"haste": 1}, headers={"Idempotency-Key": "d"})
    mended = await doorstep.post(claim, EXPERT, {}, headers={"Idempotency-Key": "d"})

    assert [answer.status for answer in (lost, still_lost, malformed, mended)] == [409, 409, 422, 200]
    assert await lost.json() == await still_lost.json()


async def test_a_key_must_be_visible_ascii_of_a_sane_length(doorstep: Doorstep) -> None:
    refused = []
    for key in ("", "with space", "k" * 201, "ä"):
        answer = await doorstep.post("/sessions", ADVISOR, OPEN, {"Idempotency-Key": key})
        refused.append((answer.status, (await answer.json())["field"]))

    assert refused == [(422, "Idempotency-Key")] * 4
