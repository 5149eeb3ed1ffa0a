"""What a room found when it looked at itself, on the desks; and the warning before a room that does not work is used."""

from datetime import timedelta

import pytest

from etapalvelu.dawn import Finding, Report
from etapalvelu.domain.codes import DocumentCamera
from etapalvelu.domain.people import Role
from etapalvelu.domain.readiness import CheckCode, CheckNote, CheckResult
from tests.conftest import ADVISOR, AGENT, SCREEN, SUPERVISOR, Service
from tests.doorstep import ADMIN, Doorstep
from tests.pages.conftest import Browser, Seen
from tests.pages.reading import Node

OK, WARN, FAILED, SKIPPED = CheckResult.OK, CheckResult.WARN, CheckResult.FAILED, CheckResult.SKIPPED
WANTED = {"room": "rantala-1", "theme": "pensions", "language": "fi", "reason": "advice", "key": "a key"}


@pytest.fixture
async def room(whole: Doorstep, service: Service) -> Doorstep:
    """The first room with both devices there and a camera that gives pictures."""
    for device in (AGENT, SCREEN):
        await whole.bearer(device)
        await service.places.device_online("rantala-1", device.role, "a node")
    await service.places.document_camera("rantala-1", DocumentCamera.OK)
    return whole


async def found(service: Service, *findings: Finding) -> None:
    agents = [Finding(code=CheckCode.SERVER_HTTP, result=OK, figure=12.0), *findings]
    await service.dawn.report(AGENT, Report(version="1.0", findings=agents), None)


async def screen_answered(service: Service) -> None:
    await service.dawn.report(SCREEN, Report(version="abc", findings=[Finding(code=CheckCode.CODECS, result=OK)]), None)


def tile(seen: Seen) -> Node:
    return next(one for one in seen.page.by_id("rooms").all("li") if "Kaukola" not in one.text)


async def test_a_room_that_never_looked_offers_to(room: Doorstep) -> None:
    seen = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")

    assert tile(seen).text == "Huone 1 Ready Free The room has not been checked yet. Check the room"
    (button,) = tile(seen).all("button")
    assert (button.attributes["form"], button.attributes["name"], button.attributes["value"]) == (
        "check-form",
        "room",
        "rantala-1",
    )


async def test_a_room_without_its_devices_offers_nothing(whole: Doorstep) -> None:
    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get("/advisor")

    assert seen.page.by_id("rooms").all("button") == []


@pytest.mark.parametrize(("who", "path"), [(ADVISOR, "/advisor"), (SUPERVISOR, "/supervisor")], ids=["advisor", "supervisor"])
async def test_the_button_asks_the_room_and_the_page_says_so(room: Doorstep, service: Service, who: object, path: str) -> None:
    browser = Browser(doorstep=room, people=(who,))  # type: ignore[arg-type]

    answer = await browser.post(f"{path}/check", {"room": "rantala-1"})
    seen = await browser.get(path)

    assert (answer.status, answer.location) == (303, path)
    assert await service.dawn.asked(AGENT) == service.clock()
    assert "The room is being checked. This takes less than half a minute." in tile(seen).text
    assert tile(seen).all("button") == []


async def test_a_check_that_nobody_answers_is_not_said_to_run_for_ever(room: Doorstep, service: Service) -> None:
    await service.dawn.ask(ADVISOR, "rantala-1")
    service.clock.advance(seconds=61)

    seen = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")

    assert "being checked" not in tile(seen).text


async def test_what_was_found_stands_behind_one_line(room: Doorstep, service: Service) -> None:
    relay = Finding(code=CheckCode.RELAY_UDP, result=SKIPPED, note=CheckNote.NO_TURN)
    await found(service, relay, Finding(code=CheckCode.DISK, result=OK, figure=12345.0))

    seen = await Browser(doorstep=room, people=(SUPERVISOR,)).get("/supervisor")

    (summary,) = tile(seen).all("summary")
    assert summary.text == "Checked 17 Aug 2026, 10:00: everything works"
    (details,) = tile(seen).all("details")
    lines = [line.text for line in details.all("li")]
    assert lines[:3] == [
        "In order: Room screen is open",
        "In order: Service answers 12 ms",
        "Not checked: Spare route (UDP): no spare route is in use",
    ]
    assert "In order: Free disk space 12 GB" in lines


async def test_what_to_do_is_said_in_words_on_both_desks(room: Doorstep, service: Service) -> None:
    frozen = Finding(code=CheckCode.DOCUMENT_CAMERA_FRESH, result=FAILED, figure=0.0, note=CheckNote.FROZEN)
    await found(service, frozen, Finding(code=CheckCode.DISK, result=WARN, figure=300.0))
    words = "The document camera's picture stands still. Unplug the camera and plug it in again."

    advisor = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")
    board = await Browser(doorstep=room, people=(SUPERVISOR,)).get("/supervisor")

    for seen in (advisor, board):
        assert "Not working" in tile(seen).text
        assert words in tile(seen).text
        assert "The room device's disk is filling up." in tile(seen).text
        assert "to mend 1" in tile(seen).text
    (alarm,) = board.page.by_id("alarms").all("li")
    assert words in alarm.text


async def test_a_room_without_a_direct_route_is_ready_by_the_spare_one(room: Doorstep, service: Service) -> None:
    direct = Finding(code=CheckCode.DIRECT_PATH, result=FAILED, note=CheckNote.NO_UDP)
    await found(service, direct, Finding(code=CheckCode.RELAY_TLS, result=OK, figure=40.0))

    seen = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")

    assert tile(seen).text.startswith("Huone 1 Ready by the spare route Free There is no direct route")


async def test_what_the_devices_say_themselves_is_not_said_twice(room: Doorstep, service: Service) -> None:
    await found(service, Finding(code=CheckCode.DOCUMENT_CAMERA_OPENS, result=FAILED, note=CheckNote.NO_PICTURE))
    await service.places.document_camera("rantala-1", DocumentCamera.LOST)

    seen = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")

    assert "The document camera gives no picture. Check its cable." in tile(seen).text
    assert "The document camera does not open." not in tile(seen).text


async def test_the_administrator_sees_and_asks_nothing(room: Doorstep, service: Service) -> None:
    await found(service)

    seen = await Browser(doorstep=room, people=(ADMIN,)).get("/supervisor")
    asked = await Browser(doorstep=room, people=(ADMIN,)).post("/supervisor/check", {"room": "rantala-1"})

    assert (tile(seen).all("button"), asked.status) == ([], 403)


async def test_a_room_in_use_is_not_asked(room: Doorstep, service: Service) -> None:
    await service.opened("rantala-1")
    browser = Browser(doorstep=room, people=(ADVISOR,))

    seen = await browser.get("/advisor")
    answer = await browser.post("/advisor/check", {"room": "rantala-1"})

    assert (tile(seen).all("button"), answer.status) == ([], 409)


async def test_a_room_that_does_not_work_is_opened_once_its_warning_is_confirmed(room: Doorstep, service: Service) -> None:
    await found(service, Finding(code=CheckCode.DISK, result=FAILED, figure=10.0))
    browser = Browser(doorstep=room, people=(ADVISOR,))

    warned = await browser.post("/advisor", WANTED)
    form = warned.page.by_id("open-form")
    wrong = await browser.post("/advisor", WANTED | {"room_anyway": "rantala-2"})
    before = await service.sessions.open_sessions()
    opened = await browser.post("/advisor", WANTED | {"room_anyway": "rantala-1"})

    assert (warned.status, wrong.status, before) == (200, 200, [])
    assert "Huone 1 is not in order. Read what needs mending. To open all the same, confirm with a tick." in form.text
    assert "The room device's disk is filling up." in form.text
    (tick,) = [one for one in form.all("input") if one.attributes.get("name") == "room_anyway"]
    assert (tick.attributes["value"], "checked" in tick.attributes) == ("rantala-1", False)
    assert warned.page.focused() == "room_anyway"
    assert opened.status == 303


async def test_the_warning_stands_at_once_where_the_room_is_chosen_already(room: Doorstep, service: Service) -> None:
    await found(service, Finding(code=CheckCode.DISK, result=FAILED, figure=10.0))
    for number in (2, 3):
        await service.opened(f"rantala-{number}", theme="families")

    seen = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")

    assert seen.page.options("room")["rantala-1"] == "Huone 1 – Not working"
    assert seen.page.focused() == ""
    assert "Open in this room all the same" in seen.page.by_id("open-form").text


async def test_a_room_that_works_needs_no_confirming(room: Doorstep, service: Service) -> None:
    await found(service, Finding(code=CheckCode.DISK, result=WARN, figure=300.0))

    opened = await Browser(doorstep=room, people=(ADVISOR,)).post("/advisor", WANTED)

    assert opened.status == 303


async def test_yesterdays_finding_is_forgotten_when_a_new_check_is_well(room: Doorstep, service: Service) -> None:
    await found(service, Finding(code=CheckCode.DISK, result=FAILED, figure=10.0))
    service.clock.advance(seconds=timedelta(minutes=5).total_seconds())
    await found(service, Finding(code=CheckCode.DISK, result=OK, figure=5000.0))
    await screen_answered(service)

    seen = await Browser(doorstep=room, people=(ADVISOR,)).get("/advisor")

    assert "Not working" not in tile(seen).text


async def test_devices_hear_on_their_streams_that_they_are_asked(room: Doorstep, service: Service) -> None:
    await service.dawn.ask(ADVISOR, "rantala-1")
    said = {}
    for device in (AGENT, SCREEN):
        answer = await room.client.get("/live", headers=await room.bearer(device))
        said[device.role] = await answer.content.readuntil(b'"}\n\n')
        rest = b"" if b"event: check" in said[device.role] else await answer.content.readuntil(b"event: check\n")
        said[device.role] += rest
        answer.close()

    assert b'event: check\ndata: {"run":"2026-08-17T07:00:00.000Z"}' in said[Role.AGENT]
    assert b"event: check\n" in said[Role.ROOM]
