"""What may be asked: scope, paging, one session with its log, queue and rooms; and that each look is written down."""

from typing import Any

import pytest
from sqlalchemy import select

from etapalvelu.api.questions import read_cursor
from etapalvelu.desk import OpenRequest
from etapalvelu.domain.codes import DocumentCamera, Language, Reason
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.people import Role
from etapalvelu.domain.session import Session
from etapalvelu.store import tables
from etapalvelu.store.engine import reading
from tests.conftest import ADVISOR, AGENT, EXPERT, EXPERT2, SCREEN, SUPERVISOR
from tests.doorstep import ADMIN, FAR_ADVISOR, FAR_SUPERVISOR, Doorstep
from tests.signaling.samples import SDP, offer_from


async def test_a_supervisor_sees_sessions_newest_first_page_by_page(doorstep: Doorstep) -> None:
    opened = await _three(doorstep)

    first = await (await doorstep.get("/sessions?limit=2", SUPERVISOR)).json()
    second = await (await doorstep.get(f"/sessions?limit=2&cursor={first['next']}", SUPERVISOR)).json()

    newest_first = [session.id for session in reversed(opened)]
    assert [row["id"] for row in first["sessions"]] == newest_first[:2]
    assert ([row["id"] for row in second["sessions"]], second["next"]) == (newest_first[2:], None)


async def test_times_are_half_open_and_filters_join(doorstep: Doorstep) -> None:
    opened = await _three(doorstep)
    await doorstep.service.desk.claim(EXPERT, opened[1].id)

    async def ids(query: str) -> list[str]:
        return [row["id"] for row in (await (await doorstep.get(f"/sessions?{query}", ADMIN)).json())["sessions"]]

    assert await ids("from=2026-08-17T07:00:01Z&to=2026-08-17T07:00:02Z") == [opened[1].id]
    assert await ids("state=claimed") == [opened[1].id]
    assert await ids("point=kaukola") == [opened[2].id]
    assert await ids("theme=families&point=kaukola") == []
    assert await ids("theme=pensions&state=waiting") == [opened[2].id, opened[0].id]


async def test_a_supervisor_of_a_point_sees_that_point_only(doorstep: Doorstep) -> None:
    opened = await _three(doorstep)

    own = await (await doorstep.get("/sessions", FAR_SUPERVISOR)).json()
    other = await doorstep.get("/sessions?point=rantala", FAR_SUPERVISOR)
    one = await doorstep.get(f"/sessions/{opened[0].id}", FAR_SUPERVISOR)

    assert [row["id"] for row in own["sessions"]] == [opened[2].id]
    assert (other.status, (await other.json())["code"]) == (403, "forbidden")
    assert (one.status, (await one.json())["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=yesterday", "from"),
        ("from=2026-08-17T07:00:00", "from"),
        ("to=12", "to"),
        ("theme=gardening", "theme"),
        ("state=asleep", "state"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("cursor=%21", "cursor"),
        ("cursor=", "cursor"),
        ("cursor=bm90aGluZw", "cursor"),
        ("customer=1", "customer"),
    ],
)
async def test_bad_filters_are_refused_by_name(doorstep: Doorstep, query: str, field: str) -> None:
    answer = await doorstep.get(f"/sessions?{query}", SUPERVISOR)

    assert (answer.status, (await answer.json())["field"]) == (422, field)


@pytest.mark.parametrize("text", ["MTIz", "OTk5OTk5OTk5OTk5OTk5OTk5OSB4", "ä", "A"])
def test_what_is_no_cursor_of_ours_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        read_cursor(text)

    assert refused.value.field == "cursor"


async def test_one_session_comes_with_its_log(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()

    answer = await doorstep.get(f"/sessions/{session.id}", SUPERVISOR)

    row = await answer.json()
    events = row.pop("events")
    assert (row["id"], row["state"]) == (session.id, "waiting")
    assert events == [
        {
            "seq": 1,
            "at": "2026-08-17T07:00:00.000Z",
            "type": "opened",
            "actor": "staff:aino",
            "data": {
                "point": "rantala",
                "room": "rantala-1",
                "theme": "pensions",
                "language": "fi",
                "reason": "advice",
                "needs": [],
                "advisor_stays": False,
            },
            "hash": session.head,
        }
    ]


async def test_who_may_read_one_session(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened(language=Language.SV)
    await doorstep.service.desk.claim(EXPERT, session.id)
    finnish = await doorstep.service.opened("rantala-2")
    await doorstep.service.desk.claim(EXPERT, finnish.id)

    async def status(who: Any, session_id: str) -> int:
        return (await doorstep.get(f"/sessions/{session_id}", who)).status

    assert await status(ADVISOR, session.id) == 200
    assert await status(EXPERT, session.id) == 200
    assert await status(ADMIN, session.id) == 200
    assert await status(FAR_ADVISOR, session.id) == 404
    assert await status(EXPERT2, session.id) == 404
    assert await status(EXPERT2, finnish.id) == 403
    assert await status(SCREEN, session.id) == 403
    assert await status(SUPERVISOR, "nothing") == 404


async def test_every_look_at_others_sessions_is_written_down(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()

    await doorstep.get(f"/sessions/{session.id}", ADVISOR)
    await doorstep.get("/sessions?theme=pensions", SUPERVISOR)
    await doorstep.get(f"/sessions/{session.id}", ADMIN)

    async with reading(doorstep.service.engine) as connection:
        c = tables.access.c
        rows = (await connection.execute(select(c.account, c.what, c.detail).order_by(c.id))).all()
    assert [tuple(row) for row in rows] == [("sirpa", "sessions", "theme=pensions"), ("anni", "session", session.id)]


async def test_the_queue_holds_what_this_expert_may_take_oldest_first(doorstep: Doorstep) -> None:
    first, second, _ = await _three(doorstep)
    swedish = await doorstep.service.opened("rantala-3", language=Language.SV)
    await doorstep.service.desk.claim(EXPERT, second.id)

    mine = await (await doorstep.get("/queue", EXPERT)).json()
    others = await (await doorstep.get("/queue", EXPERT2)).json()

    assert swedish.id in [row["id"] for row in mine["sessions"]]
    assert swedish.id not in [row["id"] for row in others["sessions"]]
    assert mine["sessions"][0]["id"] == first.id


async def test_an_expert_is_told_what_to_prepare(doorstep: Doorstep) -> None:
    nothing = await (await doorstep.get("/queue/next", EXPERT)).json()
    first, *_ = await _three(doorstep)

    something = await (await doorstep.get("/queue/next", EXPERT)).json()

    assert nothing == {"call": None, "ice_servers": [], "ice_seconds": None, "ice_transport_policy": "all", "offers": []}
    assert something == nothing | {"call": first.id}


async def test_an_expert_answers_an_offer_that_waits_before_the_claim(doorstep: Doorstep) -> None:
    first, second, *_ = await _three(doorstep)

    async def awaited(call: str, sdp: str = SDP) -> object:
        body = {"call": call, "to": "room", "generation": 1, "description": {"type": "answer", "sdp": sdp}}
        told = await (await doorstep.post("/queue/next/answer", EXPERT, body)).json()
        return told.get("awaited", told.get("field"))

    nobody_waits = await awaited(first.id)
    doorstep.service.calls.offers.append(offer_from("room"))

    assert nobody_waits is False
    assert [await awaited(first.id), await awaited(second.id), await awaited(first.id, "x")] == [True, False, "description"]
    assert doorstep.service.calls.asked == [("answer", first.id, "expert", EXPERT.actor, "answer")] * 2


async def test_rooms_tell_their_readiness_and_session(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    for device in (SCREEN, AGENT):
        await doorstep.login(device)
        await doorstep.service.places.device_online(device.room, device.role, "node")
    await doorstep.service.places.document_camera("rantala-1", DocumentCamera.OK)

    rooms = await (await doorstep.get("/rooms", ADVISOR)).json()
    all_rooms = await (await doorstep.get("/rooms", SUPERVISOR)).json()

    def unknown(number: int) -> dict[str, object]:
        room = f"rantala-{number}"
        return {"id": room, "name": f"Huone {number}", "point": "rantala", "readiness": "unknown", "session": None}

    ready = unknown(1) | {"readiness": "ready", "session": session.id}
    assert rooms == {"rooms": [ready, unknown(2), unknown(3)]}
    assert {room["point"] for room in all_rooms["rooms"]} == {"rantala", "kaukola"}
    assert EXPERT.role is Role.EXPERT


async def _three(doorstep: Doorstep) -> list[Session]:
    """Two sessions in Rantala and one in Kaukola, a second apart."""
    opened = [await doorstep.service.opened("rantala-1")]
    doorstep.service.clock.advance(seconds=1)
    opened.append(await doorstep.service.opened("rantala-2"))
    doorstep.service.clock.advance(seconds=1)
    request = OpenRequest(room="kaukola-1", theme="pensions", language=Language.FI, reason=Reason.ADVICE)
    opened.append(await doorstep.service.desk.open(FAR_ADVISOR, request))
    return opened
