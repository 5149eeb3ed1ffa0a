"""The supervisor's board: what is usual beside today's figures, and what needs somebody."""

from datetime import UTC, datetime, timedelta

from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CloseCause, DocumentCamera
from etapalvelu.domain.people import Role
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR, Service
from tests.doorstep import FAR_SUPERVISOR, Doorstep
from tests.pages.conftest import Browser
from tests.pages.reading import Node
from tests.pages.test_supervisor import figures


async def board(whole: Doorstep) -> Node:
    return (await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor")).page


def alarms(page: Node) -> list[str]:
    """What each alarm says, its button left out."""
    return [one.all("div")[0].text for one in page.by_id("alarms").all("li")]


async def had_mondays(service: Service, counts: list[int]) -> None:
    """Mondays before this one with so many sessions before ten o'clock, each waiting a minute, and one more at noon."""
    today = datetime(2026, 9, 21, 7, 0, tzinfo=UTC)
    for back, count in enumerate(counts, start=1):
        for number in range(count + 1):
            await had_a_session(service, today - timedelta(weeks=back) + timedelta(hours=-1 if number < count else 2))
    service.clock.now = today


async def had_a_session(service: Service, at: datetime) -> None:
    service.clock.now = at
    session = await service.opened()
    service.clock.advance(minutes=1)
    await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))


async def test_todays_figures_stand_beside_what_is_usual_by_this_time(whole: Doorstep, service: Service) -> None:
    await had_mondays(service, [2, 4, 6, 8])
    await service.opened()

    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor")

    page = seen.page
    assert figures(seen)["Opened today"] == "1"
    assert [value.text for value in page.all("dd") if value.attributes.get("class") == "usual"] == [
        "usually 4–6 (Mon by this time)",
        "usually 0–0 (Mon by this time)",
        "usually 1–1 min (Mon by this time)",
    ]
    assert len(page.by_id("figures").all("svg")) == 3


async def test_too_few_days_make_nothing_usual_and_another_points_days_do_not_count(whole: Doorstep, service: Service) -> None:
    await had_mondays(service, [2, 4, 6, 8])
    elsewhere = await Browser(doorstep=whole, people=(FAR_SUPERVISOR,)).get("/supervisor")
    service.clock.advance(days=1)

    assert figures(elsewhere)["Opened today"] == "0"
    assert (await board(whole)).by_id("figures").all("svg") == []


async def test_who_waits_too_long_is_an_alarm_until_taken(whole: Doorstep, service: Service) -> None:
    await whole.login(EXPERT)
    session = await service.opened()
    await service.attendance.joined(session.id, "room", SCREEN.actor)
    service.clock.advance(minutes=14, seconds=59)
    before = alarms(await board(whole))
    service.clock.advance(seconds=1)
    now = await board(whole)
    await service.desk.claim(EXPERT, session.id)

    assert before == []
    assert alarms(now) == ["A customer has been waiting since 10:00 Pensions · Rantala, Huone 1"]
    assert now.by_id("alarms").all("a")[0].attributes["href"] == f"/supervisor/sessions/{session.id}"
    assert alarms(await board(whole)) == []


async def test_a_theme_that_nobody_at_work_serves_is_an_alarm(whole: Doorstep, service: Service) -> None:
    await service.opened("rantala-1", theme="studies")
    service.clock.advance(seconds=1)
    await service.opened("rantala-2", theme="studies")
    service.clock.advance(seconds=1)
    await service.opened("rantala-3", theme="pensions")
    nobody = alarms(await board(whole))
    await whole.login(EXPERT)
    pensions_served = alarms(await board(whole))
    service.clock.advance(hours=12)

    assert nobody == [
        "Studies and military service: no expert is at work Customers waiting: 2",
        "Pensions: no expert is at work Customers waiting: 1",
    ]
    assert pensions_served == ["Studies and military service: no expert is at work Customers waiting: 2"]


async def test_a_room_that_broke_is_an_alarm_while_its_point_is_open(whole: Doorstep, service: Service) -> None:
    for device in (SCREEN, AGENT):
        await whole.login(device)
        await service.places.device_online("rantala-1", device.role, "a node")
    await service.places.document_camera("rantala-1", DocumentCamera.OK)
    working = alarms(await board(whole))
    await service.places.device_online("rantala-1", Role.AGENT, None)
    broken = alarms(await board(whole))
    service.clock.advance(hours=9)

    assert working == []
    words = "The document camera's device does not answer. Check that it is on and has a network."
    assert broken == [f"The room does not work: Rantala, Huone 1 {words}"]
    assert alarms(await board(whole)) == []
