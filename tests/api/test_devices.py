"""A room agent pairs once by its code, and tells how its document camera is."""

from etapalvelu.domain.codes import DocumentCamera
from etapalvelu.domain.people import Role
from etapalvelu.ports import room_topic
from tests.conftest import AGENT, SCREEN
from tests.doorstep import Doorstep


async def test_a_code_pairs_an_agent_once(doorstep: Doorstep) -> None:
    code = await doorstep.access.add_pairing_code("rantala-1", Role.AGENT)

    paired = await doorstep.client.post("/api/v1/devices/pair", json={"code": code})
    again = await doorstep.client.post("/api/v1/devices/pair", json={"code": code})

    answer = await paired.json()
    credential = answer.pop("credential")
    status = await doorstep.client.post(
        "/api/v1/devices/status",
        json={"document_camera": "ok", "width": 1920, "height": 1080},
        headers={"Authorization": f"Bearer {credential}"},
    )
    assert (paired.status, answer) == (200, {"room": "rantala-1", "kind": "agent"})
    assert (again.status, (await again.json())["code"]) == (401, "wrong_credentials")
    assert (status.status, await status.read()) == (204, b"")


async def test_a_screens_code_is_no_code_at_the_agents_door(doorstep: Doorstep) -> None:
    code = await doorstep.access.add_pairing_code("rantala-1", Role.ROOM)

    refused = await doorstep.client.post("/api/v1/devices/pair", json={"code": code})
    by_screen = await doorstep.access.pair(code, Role.ROOM, None)

    assert (refused.status, by_screen.visitor.login.room) == (401, "rantala-1")


async def test_five_wrong_codes_a_minute_are_enough(doorstep: Doorstep) -> None:
    answers = [await doorstep.client.post("/api/v1/devices/pair", json={"code": f"WRONG{n}"}) for n in range(6)]

    problem = await answers[-1].json()
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert problem["retry_after"] == int(answers[-1].headers["Retry-After"])


async def test_the_cameras_state_is_kept_and_announced(doorstep: Doorstep) -> None:
    async with doorstep.service.board.listen([room_topic("rantala-1")]) as notices:
        answer = await doorstep.post("/devices/status", AGENT, {"document_camera": "lost", "name": "DocCam 4K"})
        await notices.wait()

    devices = await doorstep.service.places.devices(["rantala-1"])
    said = devices["rantala-1"]
    assert (answer.status, said.document_camera, said.document_camera_name) == (204, DocumentCamera.LOST, "DocCam 4K")


async def test_a_camera_that_is_lost_in_a_session_is_logged_with_its_gap(doorstep: Doorstep) -> None:
    session = await doorstep.service.opened()
    await doorstep.service.attendance.joined(session.id, "camera", AGENT.actor)

    for state in ("lost", "lost", "opening", "ok", "ok"):
        await doorstep.post("/devices/status", AGENT, {"document_camera": state})
        doorstep.service.clock.advance(seconds=2)

    entries = (await doorstep.service.sessions.entries(session.id))[2:]
    assert [(entry.type, entry.actor, entry.data) for entry in entries] == [
        ("interrupted", "system", {"seat": "camera", "cause_class": "document_camera", "since": "2026-08-17T07:00:00.000Z"}),
        ("resumed", "system", {"seat": "camera", "gap_ms": 6000}),
    ]


async def test_a_screen_speaks_for_no_camera(doorstep: Doorstep) -> None:
    answer = await doorstep.post("/devices/status", SCREEN, {"document_camera": "ok"})
    nonsense = await doorstep.post("/devices/status", AGENT, {"document_camera": "fine"})

    assert (answer.status, (await answer.json())["code"]) == (403, "forbidden")
    assert (nonsense.status, (await nonsense.json())["field"]) == (422, "document_camera")
