"""Every deed by the API: what it answers and whom it refuses."""

import asyncio
from datetime import timedelta
from typing import Any

from etapalvelu.domain.codes import CloseCause, Language, Outcome, State
from etapalvelu.domain.moments import timestamp
from etapalvelu.domain.themes import THEMES
from signaling import ticket
from tests.conftest import ADVISOR, AGENT, EXPERT, EXPERT2, SCREEN, SUPERVISOR
from tests.doorstep import FAR_ADVISOR, Doorstep
from tests.samples import OPEN


async def test_opening_answers_the_session_with_exactly_the_promised_fields(doorstep: Doorstep) -> None:
    answer = await doorstep.post("/sessions", ADVISOR, OPEN)

    assert (answer.status, answer.content_type) == (201, "application/json")
    session = await answer.json()
    assert session == {
        "id": session["id"],
        "point": "rantala",
        "room": "rantala-1",
        "theme": "pensions",
        "language": "fi",
        "state": "waiting",
        "opened_at": "2026-08-17T07:00:00.000Z",
        "claimed_at": None,
        "connected_at": None,
        "closed_at": None,
        "waiting_seconds": None,
        "service_seconds": None,
        "advisor": "aino",
        "expert": None,
        "close_cause": None,
        "outcomes": [],
    }


async def test_opening_outside_hours_says_when_it_can_be_opened(doorstep: Doorstep) -> None:
    doorstep.service.clock.advance(hours=10)

    answer = await doorstep.post("/sessions", ADVISOR, OPEN)

    assert (answer.status, answer.content_type) == (409, "application/problem+json")
    assert await answer.json() == {
        "type": "urn:etapalvelu:problem:outside_hours",
        "title": "Remote service is closed now.",
        "status": 409,
        "code": "outside_hours",
        "opens_at": "2026-08-18T06:00:00.000Z",
    }


async def test_a_room_in_use_and_a_theme_without_a_line_are_conflicts(doorstep: Doorstep) -> None:
    await doorstep.post("/sessions", ADVISOR, OPEN)

    in_use = await doorstep.post("/sessions", ADVISOR, OPEN)
    not_offered = await doorstep.post("/sessions", ADVISOR, OPEN | {"theme": "restricted", "room": "rantala-2"})

    assert (in_use.status, (await in_use.json())["code"]) == (409, "room_in_use")
    assert (not_offered.status, (await not_offered.json())["code"]) == (409, "not_offered")


async def test_bad_bodies_are_refused_naming_the_field(doorstep: Doorstep) -> None:
    cases: list[tuple[object, str]] = [
        (OPEN | {"theme": "gardening"}, "theme"),
        (OPEN | {"room": "nowhere"}, "room"),
        (OPEN | {"room": "kaukola-1"}, "room"),
        (OPEN | {"language": "klingon"}, "language"),
        (OPEN | {"needs": ["a chair"]}, "needs"),
        (OPEN | {"advisor_stays": "yes"}, "advisor_stays"),
        (OPEN | {"room": 1}, "room"),
        (OPEN | {"customer": "Maija"}, "customer"),
        ({"room": "rantala-1"}, "theme"),
        ([], "body"),
    ]

    refused = []
    for body, _ in cases:
        answer = await doorstep.post("/sessions", ADVISOR, body)
        problem = await answer.json()
        refused.append((answer.status, problem["code"], problem["field"]))

    assert refused == [(422, "invalid_field", field) for _, field in cases]


async def test_a_value_outside_its_code_list_is_told_with_the_list(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    await doorstep.post(f"/sessions/{session.id}/claim", EXPERT)

    answers = [
        await doorstep.post(f"/sessions/{session.id}/close", EXPERT, {"cause": "completed", "outcomes": ["solved"]}),
        await doorstep.post(f"/sessions/{session.id}/close", EXPERT, {"cause": "tired"}),
        await doorstep.post(f"/sessions/{session.id}/release", EXPERT, {"reason": "lease"}),
        await doorstep.post("/sessions", ADVISOR, OPEN | {"theme": "gardening"}),
        await doorstep.get("/sessions?state=asleep", SUPERVISOR),
        await doorstep.get("/sessions?theme=gardening", SUPERVISOR),
    ]

    told = [await answer.json() for answer in answers]
    themes = [theme.key for theme in THEMES]
    assert [(problem["field"], problem["problem"], problem["allowed"]) for problem in told] == [
        ("outcomes", "unknown_value", list(Outcome)),
        ("cause", "unknown_value", list(CloseCause)),
        ("reason", "unknown_value", ["cannot_serve", "wrong_theme"]),
        ("theme", "unknown_value", themes),
        ("state", "unknown_value", list(State)),
        ("theme", "unknown_value", themes),
    ]


async def test_what_is_no_code_at_all_is_malformed_and_has_no_list(doorstep: Doorstep) -> None:
    answer = await doorstep.post("/sessions", ADVISOR, OPEN | {"language": 1})

    problem = await answer.json()
    assert (problem["field"], problem["problem"], "allowed" in problem) == ("language", "malformed", False)


async def test_two_experts_at_once_one_is_told_already_taken(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()

    answers = await asyncio.gather(*(doorstep.post(f"/sessions/{session.id}/claim", who) for who in (EXPERT, EXPERT2)))

    by_status = {answer.status: await answer.json() for answer in answers}
    assert set(by_status) == {200, 409}
    assert by_status[200]["state"] == "claimed"
    assert by_status[409]["code"] == "already_taken"


async def test_the_holders_own_second_claim_is_a_wrong_state(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    await doorstep.post(f"/sessions/{session.id}/claim", EXPERT)

    again = await doorstep.post(f"/sessions/{session.id}/claim", EXPERT)

    problem = await again.json()
    assert (again.status, problem["code"], problem["state"]) == (409, "wrong_state", "claimed")


async def test_take_gives_the_oldest_with_a_ticket_to_the_experts_seat(doorstep: Doorstep) -> None:
    oldest = await doorstep.service.opened("rantala-1")
    doorstep.service.clock.advance(seconds=1)
    await doorstep.service.opened("rantala-2")

    answer = await doorstep.post("/sessions/take", EXPERT)

    taken = await answer.json()
    claims = ticket.check(taken["ticket"], b"k" * 32, int(doorstep.service.clock().timestamp()))
    assert (answer.status, taken["id"], taken["expert"], taken["call"]) == (200, oldest.id, "eero", oldest.id)
    assert (claims.seat, claims.call, claims.who) == ("expert", oldest.id, "staff:eero")
    assert (taken["ice_servers"], taken["ice_seconds"], taken["ice_transport_policy"]) == ([], None, "all")


async def test_take_of_nothing_is_204_and_only_of_the_themes_asked(doorstep: Doorstep) -> None:
    await doorstep.service.opened(theme="families")

    none = await doorstep.post("/sessions/take", EXPERT, {"themes": ["pensions"]})
    unknown = await doorstep.post("/sessions/take", EXPERT, {"themes": ["gardening"]})
    some = await doorstep.post("/sessions/take", EXPERT, {"themes": ["families"]})

    assert (none.status, await none.read()) == (204, b"")
    assert (unknown.status, (await unknown.json())["field"]) == (422, "themes")
    assert (some.status, (await some.json())["theme"]) == (200, "families")


async def test_release_puts_the_session_back_and_takes_only_a_persons_reasons(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    await doorstep.service.desk.claim(EXPERT, session.id)

    system_only = await doorstep.post(f"/sessions/{session.id}/release", EXPERT, {"reason": "lease"})
    by_another = await doorstep.post(f"/sessions/{session.id}/release", EXPERT2)
    released = await doorstep.post(f"/sessions/{session.id}/release", EXPERT, {"reason": "wrong_theme"})

    again = await doorstep.post(f"/sessions/{session.id}/release", EXPERT)

    assert (system_only.status, (await system_only.json())["field"]) == (422, "reason")
    assert (again.status, (await again.json())["code"]) == (409, "wrong_state")
    assert (by_another.status, (await by_another.json())["code"]) == (403, "forbidden")
    after = await released.json()
    assert (released.status, after["state"], after["expert"]) == (200, "waiting", None)


async def test_the_experts_deeds_in_a_connected_session(doorstep: Doorstep) -> None:
    session = await doorstep.connected(await doorstep.service.opened())
    deeds: list[tuple[str, dict[str, Any]]] = [
        ("identify", {"how": "passport", "acting_for": "self"}),
        ("hold", {}),
        ("continue", {}),
        ("note", {"outcomes": ["advised"], "follow_up": "new_session"}),
        ("transfer", {"theme": "families", "code": "wrong_theme"}),
    ]

    answers = [await doorstep.post(f"/sessions/{session.id}/{deed}", EXPERT, body) for deed, body in deeds]

    assert [(answer.status, (await answer.json())["state"]) for answer in answers] == [(200, "connected")] * 5
    types = await doorstep.service.types(session.id)
    assert types[-5:] == ["identified", "held", "continued", "noted", "transfer_requested"]


async def test_a_transfer_names_a_theme_or_an_expert(doorstep: Doorstep) -> None:
    session = await doorstep.connected(await doorstep.service.opened())

    both = await doorstep.post(
        f"/sessions/{session.id}/transfer", EXPERT, {"theme": "families", "expert": "elsa", "code": "wrong_theme"}
    )

    assert (both.status, await both.json()) == (
        422,
        {
            "type": "urn:etapalvelu:problem:invalid_field",
            "title": "A field holds something the service does not know.",
            "status": 422,
            "code": "invalid_field",
            "field": "theme",
            "problem": "theme_or_expert",
        },
    )


async def test_the_advisor_writes_down_whether_to_stay(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()

    stays = await doorstep.post(f"/sessions/{session.id}/advisor", ADVISOR, {"stays": True})

    assert stays.status == 200
    assert (await doorstep.service.session(session.id)).advisor_stays is True


async def test_a_close_that_comes_late_is_marked_and_its_time_is_no_part_of_the_deed(doorstep: Doorstep) -> None:
    session = await doorstep.connected(await doorstep.service.opened())
    close, body = f"/sessions/{session.id}/close", {"cause": "completed", "outcomes": ["advised"]}
    done = doorstep.service.clock.now
    doorstep.service.clock.advance(minutes=1)

    keyless = await doorstep.post(close, EXPERT, body, {"Done-At": timestamp(done)})
    unreadable = await doorstep.post(close, EXPERT, body, {"Done-At": "yesterday", "Idempotency-Key": "c"})
    late = await doorstep.post(close, EXPERT, body, {"Done-At": timestamp(done), "Idempotency-Key": "c"})
    again = await doorstep.post(close, EXPERT, body, {"Idempotency-Key": "c"})

    assert [(answer.status, (await answer.json())["field"]) for answer in (keyless, unreadable)] == [
        (422, "Idempotency-Key"),
        (422, "Done-At"),
    ]
    assert (late.status, again.status, await late.json()) == (200, 200, await again.json())
    last = (await doorstep.service.sessions.entries(session.id))[-1]
    assert (last.data["since"], last.at - done) == (timestamp(done), timedelta(minutes=1))


async def test_a_close_that_comes_too_late_is_refused_in_words(doorstep: Doorstep) -> None:
    session = await doorstep.connected(await doorstep.service.opened())
    tomorrow = timestamp(doorstep.service.clock.now + timedelta(days=1))

    answer = await doorstep.post(
        f"/sessions/{session.id}/close", EXPERT, {"cause": "completed"}, {"Done-At": tomorrow, "Idempotency-Key": "c"}
    )

    problem = await answer.json()
    assert (answer.status, problem["code"], problem["reason"]) == (409, "late_report", "after_now")


async def test_the_expert_closes_with_outcomes(doorstep: Doorstep) -> None:
    session = await doorstep.connected(await doorstep.service.opened())
    doorstep.service.clock.advance(minutes=3)

    answer = await doorstep.post(
        f"/sessions/{session.id}/close", EXPERT, {"cause": "completed", "outcomes": ["advised", "referred"]}
    )

    closed = await answer.json()
    assert answer.status == 200
    assert (closed["state"], closed["close_cause"], closed["outcomes"]) == ("closed", "completed", ["advised", "referred"])
    assert (closed["closed_at"], closed["service_seconds"]) == ("2026-08-17T07:03:00.000Z", 180)


async def test_who_may_close_with_which_cause(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    close = f"/sessions/{session.id}/close"

    room_completes = await doorstep.post(close, SCREEN, {"cause": "completed"})
    advisor_completes = await doorstep.post(close, ADVISOR, {"cause": "completed"})
    far_advisor = await doorstep.post(close, FAR_ADVISOR, {"cause": "cancelled"})
    agent = await doorstep.post(close, AGENT, {"cause": "customer_left"})
    customer_left = await doorstep.post(close, SCREEN, {"cause": "customer_left"})
    again = await doorstep.post(close, ADVISOR, {"cause": "cancelled"})

    answers = (room_completes, advisor_completes, far_advisor, agent, customer_left, again)
    assert [answer.status for answer in answers] == [403, 403, 404, 403, 200, 409]
    assert (await again.json())["code"] == "wrong_state"


async def test_tickets_go_to_whoever_may_sit_there(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    path = f"/sessions/{session.id}/ticket"

    screen = await doorstep.post(path, SCREEN, {"seat": "room"})
    agent = await doorstep.post(path, AGENT, {"seat": "camera"})
    expert = await doorstep.post(path, EXPERT, {"seat": "expert"})
    unknown = await doorstep.post("/sessions/nothing/ticket", SCREEN, {"seat": "room"})

    now = int(doorstep.service.clock().timestamp())
    claims = ticket.check((await agent.json())["ticket"], b"k" * 32, now)
    assert [answer.status for answer in (screen, agent, expert, unknown)] == [200, 200, 403, 404]
    assert set(await screen.json()) == {"ticket", "ice_servers", "ice_seconds", "ice_transport_policy", "call"}
    assert (claims.seat, ticket.holder(claims.login), claims.expires) == ("camera", "room:rantala-1:agent", now + 60)


async def test_a_session_one_may_not_know_of_is_404_and_one_may_know_403(doorstep: Doorstep) -> None:
    swedish = await doorstep.service.opened(language=Language.SV)

    unknown_to = await doorstep.post(f"/sessions/{swedish.id}/claim", EXPERT2)
    by_supervisor = await doorstep.post(f"/sessions/{swedish.id}/claim", SUPERVISOR)

    assert (unknown_to.status, (await unknown_to.json())["code"]) == (404, "not_found")
    assert (by_supervisor.status, (await by_supervisor.json())["code"]) == (403, "forbidden")


async def test_a_page_does_deeds_with_its_cookie_and_token(doorstep: Doorstep) -> None:
    browser = await doorstep.browser(ADVISOR)

    with_token = await doorstep.client.post("/api/v1/sessions", json=OPEN, headers=browser | {"Origin": doorstep.address})
    cookie_only = {"Cookie": browser["Cookie"]}
    without = await doorstep.client.post("/api/v1/sessions", json=OPEN, headers=cookie_only)
    foreign = await doorstep.client.post("/api/v1/sessions", json=OPEN, headers=browser | {"Origin": "https://evil.example"})

    assert with_token.status == 201
    assert (without.status, (await without.json())["code"]) == (403, "csrf")
    assert (foreign.status, (await foreign.json())["code"]) == (403, "origin")


async def test_the_token_tells_which_of_a_browsers_logins_is_meant(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    cookies = await doorstep.cookies(ADVISOR, EXPERT, SCREEN)
    expert = {"X-CSRF-Token": (await doorstep.login(EXPERT)).visitor.csrf_token}
    advisor = {"X-CSRF-Token": (await doorstep.login(ADVISOR)).visitor.csrf_token}

    by_advisor = await doorstep.client.post(f"/api/v1/sessions/{session.id}/claim", headers=cookies | advisor)
    by_expert = await doorstep.client.post(f"/api/v1/sessions/{session.id}/claim", headers=cookies | expert)

    assert (by_advisor.status, by_expert.status, (await by_expert.json())["expert"]) == (403, 200, "eero")


async def test_a_lease_that_ran_out_does_not_keep_the_session(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    await doorstep.post(f"/sessions/{session.id}/claim", EXPERT)
    doorstep.service.clock.now += timedelta(seconds=21)
    await doorstep.service.timers.sweep()

    other = await doorstep.post(f"/sessions/{session.id}/claim", EXPERT2)

    assert (other.status, (await other.json())["expert"]) == (200, "elsa")
