"""Deeds at the same moment, and people who are suddenly gone: one winner, one end, a cause for each."""

import asyncio
from collections import Counter

import pytest

from tests.faults.checker import Json
from tests.faults.people import People, Person, RefusedDeedError, in_service, until
from tests.faults.rig import EXPERTS, Rig

# Limits that run out while a test looks on.
SHORT = {
    "ETAPALVELU_CALL__LEASE_SECONDS": "1",
    "ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "2",
    "ETAPALVELU_CALL__LOST_SECONDS": "1",
}


async def outcome(deed: "asyncio.Future[Json] | asyncio.Task[Json]") -> str:
    """`done`, or the code of the refusal."""
    try:
        await deed
    except RefusedDeedError as refusal:
        return str(refusal.code)
    return "done"


@pytest.mark.parametrize("number", [2, EXPERTS])
async def test_of_experts_who_claim_in_the_same_millisecond_one_wins(rig: Rig, people: People, number: int) -> None:
    rig.start()
    experts = [people.staff("expert" if one == 1 else f"expert{one}") for one in range(1, number + 1)]
    for _ in range(5):
        session = (await people.advisor.open())["id"]

        heard = await asyncio.gather(*(outcome(asyncio.ensure_future(expert.claim(session))) for expert in experts))
        await people.advisor.close(session, "cancelled")

        assert Counter(heard) == {"done": 1, "already_taken": number - 1}
        assert rig.types(session) == ["opened", "claimed", "closed"]
    rig.agrees(all_ended=True)


async def test_a_claim_against_a_cancelling_ends_cancelled_and_both_hear_the_truth(rig: Rig, people: People) -> None:
    rig.start()
    for _ in range(10):
        session = (await people.advisor.open())["id"]

        claimed, cancelled = await asyncio.gather(
            outcome(asyncio.ensure_future(people.expert.claim(session))),
            outcome(asyncio.ensure_future(people.advisor.close(session, "cancelled"))),
        )

        assert cancelled == "done"
        assert (claimed, rig.types(session)) in (
            ("done", ["opened", "claimed", "closed"]),
            ("wrong_state", ["opened", "closed"]),
        )
    rig.agrees(all_ended=True)


async def test_of_two_who_close_one_closes(rig: Rig, people: People) -> None:
    rig.start()
    for _ in range(5):
        session = (await people.advisor.open())["id"]
        await people.expert.claim(session)

        heard = await asyncio.gather(
            outcome(asyncio.ensure_future(people.expert.close(session, "completed"))),
            outcome(asyncio.ensure_future(people.advisor.close(session, "customer_left"))),
        )

        assert sorted(heard) == ["done", "wrong_state"]
        assert rig.types(session).count("closed") == 1
    rig.agrees(all_ended=True)


async def test_an_expert_who_dies_before_joining_holds_nobody_up(rig: Rig, people: People) -> None:
    rig.start(SHORT)
    session = (await people.advisor.open())["id"]
    async with people.screen().sit(session, "room"):
        await people.expert.claim(session)
        await until(lambda: "released" in rig.types(session), 5)
        released = (await people.advisor.read(session))["events"][-1]["data"]["reason"]
        taken = await people.expert2.take()
        await people.advisor.close(session, "cancelled")

    assert released == "lease"
    assert taken is not None
    assert taken["id"] == session
    rig.agrees(all_ended=True)


async def test_a_session_that_everybody_left_ends_as_lost(rig: Rig, people: People) -> None:
    rig.start(SHORT)
    async with in_service(rig, people) as (session, _screen, _expert):
        pass
    await until(lambda: "closed" in rig.types(session), 15)
    events = (await people.advisor.read(session))["events"]

    assert [(event["actor"], event["data"]["cause"]) for event in events if event["type"] == "closed"] == [("system", "lost")]
    assert [event["data"]["reason"] for event in events if event["type"] == "released"] == ["expert_lost"]
    rig.agrees(all_ended=True)


async def test_many_people_at_once_get_their_own_sessions(rig: Rig, people: People) -> None:
    """Four rooms and twenty experts who take what comes: nobody gets another's, nothing is taken twice."""
    rig.start()
    sessions = [(await people.advisor.open(f"rantala-{room}"))["id"] for room in range(1, 5)]
    experts = [people.staff("expert" if one == 1 else f"expert{one}") for one in range(1, EXPERTS + 1)]

    taken = await asyncio.gather(*(_take(expert) for expert in experts))

    assert sorted(session for session in taken if session) == sorted(sessions)
    for expert, session in zip(experts, taken, strict=True):
        if session:
            await expert.close(session, "completed", outcomes=["advised"])
    rig.agrees(all_ended=True)


async def _take(expert: Person) -> str | None:
    taken = await expert.take()
    return None if taken is None else str(taken["id"])
