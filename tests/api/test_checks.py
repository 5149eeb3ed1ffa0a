"""A room's check over the API: asked by people, answered by devices, and the bytes that measure the line."""

import asyncio
from typing import Any

import pytest

from etapalvelu.api import checks as module
from etapalvelu.domain.readiness import CheckCode
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR
from tests.doorstep import FAR_ADVISOR, Doorstep

ROOM = "/rooms/rantala-1"
AT = "2026-08-17T07:00:00.000Z"


def reported(**changed: Any) -> dict[str, Any]:
    check = {"code": "disk", "result": "ok", "figure": 1234.5, "note": None}
    return {"version": "1.0", "checks": [{"code": "server_http", "result": "ok"}, check | changed]}


async def test_a_check_is_asked_for_and_answered(doorstep: Doorstep) -> None:
    nothing = await (await doorstep.get("/devices/check", AGENT)).json()
    asked = await doorstep.post(f"{ROOM}/check", ADVISOR)
    sheet = await (await doorstep.get("/devices/check", AGENT)).json()
    told = await doorstep.post("/devices/check", AGENT, reported(result="warn"))
    answered = await (await doorstep.get("/devices/check", AGENT)).json()
    listed = await (await doorstep.get(f"{ROOM}/checks", SUPERVISOR)).json()

    assert (asked.status, await asked.json()) == (200, {"run": AT})
    assert sheet == {"run": AT, "now": AT, "ice_servers": [], "ice_transport_policy": "all"}
    assert (nothing["run"], answered["run"], told.status) == (None, None, 204)
    assert (listed["room"], listed["readiness"], listed["asked_at"]) == ("rantala-1", "unknown", AT)
    codes = {check["code"]: check for check in listed["checks"]}
    assert codes["disk"] == {"code": "disk", "result": "warn", "at": AT, "figure": 1234.5, "note": None}
    assert set(codes) == {"server_http", "disk", "agent_version", "screen", "credential"}


async def test_the_page_tells_what_it_saw_and_heard(doorstep: Doorstep) -> None:
    checks = [{"code": "speaker", "result": "failed", "figure": 3, "note": "not_heard"}, {"code": "codecs", "result": "ok"}]

    told = await doorstep.post("/devices/check", SCREEN, {"version": "abc", "checks": checks})

    listed = await (await doorstep.get(f"{ROOM}/checks", ADVISOR)).json()
    results = {check["code"]: check["result"] for check in listed["checks"]}
    assert (told.status, results) == (204, {"speaker": "failed", "screen": "ok", "codecs": "ok", "page_version": "ok"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (reported(code="smell"), "checks"),
        (reported(result="fine"), "checks"),
        (reported(note="because"), "checks"),
        (reported(figure="12"), "checks"),
        (reported(more=1), "checks"),
        ({"version": "1.0", "checks": [{"code": "disk", "result": "ok"}] * 41}, "checks"),
        ({"checks": []}, "version"),
    ],
)
async def test_a_report_that_cannot_be_understood_is_refused(doorstep: Doorstep, body: object, field: str) -> None:
    answer = await doorstep.post("/devices/check", AGENT, body)

    problem = await answer.json()
    assert (answer.status, problem["code"], problem["field"]) == (422, "invalid_field", field)


@pytest.mark.parametrize(("who", "code"), [(AGENT, "speaker"), (SCREEN, "disk"), (AGENT, "screen"), (SCREEN, "page_version")])
async def test_a_device_tells_only_what_is_its_own(doorstep: Doorstep, who: Any, code: str) -> None:
    answer = await doorstep.post("/devices/check", who, {"version": "1.0", "checks": [{"code": code, "result": "ok"}]})

    assert (answer.status, (await answer.json())["code"]) == (403, "forbidden")


async def test_a_room_of_another_point_is_not_found(doorstep: Doorstep) -> None:
    asked = await doorstep.post(f"{ROOM}/check", FAR_ADVISOR)
    read = await doorstep.get(f"{ROOM}/checks", FAR_ADVISOR)

    assert (asked.status, read.status) == (404, 404)


async def test_a_room_in_use_is_not_asked(doorstep: Doorstep) -> None:
    await doorstep.service.opened()

    answer = await doorstep.post(f"{ROOM}/check", ADVISOR)

    assert (answer.status, (await answer.json())["code"]) == (409, "room_in_use")


@pytest.mark.parametrize("who", [EXPERT, ADVISOR], ids=lambda who: str(who.role))
async def test_bytes_are_for_devices(doorstep: Doorstep, who: Any) -> None:
    got = await doorstep.get("/devices/speed", who)
    sent = await doorstep.post("/devices/speed", who)

    assert (got.status, sent.status) == (403, 403)


async def test_as_many_bytes_come_as_are_wanted(doorstep: Doorstep) -> None:
    answers = [await doorstep.get(f"/devices/speed?bytes={count}", AGENT) for count in (0, 1, 70_000)]

    assert [len(await answer.read()) for answer in answers] == [0, 1, 70_000]
    assert answers[0].headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("count", ["4000001", "-1", "many", "12345678"])
async def test_no_more_bytes_come_than_the_limit(doorstep: Doorstep, count: str) -> None:
    answer = await doorstep.get(f"/devices/speed?bytes={count}", AGENT)

    assert (answer.status, (await answer.json())["field"]) == (422, "bytes")


async def test_bytes_that_come_are_counted_beyond_the_size_of_other_bodies(doorstep: Doorstep) -> None:
    answer = await doorstep.client.post("/api/v1/devices/speed", data=b"x" * 200_000, headers=await doorstep.bearer(AGENT))

    said = await answer.json()
    assert (answer.status, said["bytes"]) == (200, 200_000)
    assert said["milliseconds"] >= 0


async def test_too_many_bytes_are_refused(doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 100_000)

    answer = await doorstep.client.post("/api/v1/devices/speed", data=b"x" * 100_001, headers=await doorstep.bearer(AGENT))

    assert (answer.status, (await answer.json())["code"]) == (413, "too_large")


async def test_an_upload_that_never_ends_is_ended(doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST_SECONDS", 0.05)

    async def slow() -> Any:
        yield b"x"
        await asyncio.sleep(5)

    answer = await doorstep.client.post("/api/v1/devices/speed", data=slow(), headers=await doorstep.bearer(AGENT))

    assert (answer.status, (await answer.json())["code"]) == (408, "request_timeout")


async def test_a_device_measures_no_more_often_than_the_limit(doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = [(await doorstep.get("/devices/speed?bytes=1", AGENT)).status for _ in range(module.MEASUREMENTS + 1)]
    other = await doorstep.get("/devices/speed?bytes=1", SCREEN)

    assert statuses == [200] * module.MEASUREMENTS + [429]
    assert other.status == 200


async def test_the_description_tells_bytes_and_codes(doorstep: Doorstep) -> None:
    described = await (await doorstep.client.get("/api/v1/openapi.json")).json()

    speed = described["paths"]["/api/v1/devices/speed"]
    schemas = described["components"]["schemas"]
    assert list(speed["get"]["responses"]["200"]["content"]) == ["application/octet-stream"]
    assert list(speed["post"]["requestBody"]["content"]) == ["application/octet-stream"]
    assert set(schemas["CheckCode"]["enum"]) == set(CheckCode)
