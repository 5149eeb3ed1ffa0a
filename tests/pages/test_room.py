"""The room screen's page: pairing, and what a paired screen is given."""

from etapalvelu.domain.codes import DocumentCamera
from etapalvelu.domain.people import Role
from tests.conftest import AGENT, SCREEN, Service
from tests.doorstep import Doorstep
from tests.pages.conftest import Browser


async def test_a_browser_that_is_no_screen_yet_is_asked_for_a_code(whole: Doorstep) -> None:
    seen = await Browser(doorstep=whole, people=()).get("/room")

    assert (seen.status, seen.body["data-page"]) == (200, "room")
    assert "no longer the room's screen" not in seen.page.text


async def test_a_code_pairs_and_does_not_stay_in_the_address(whole: Doorstep) -> None:
    code = await whole.access.add_pairing_code("rantala-1", Role.ROOM)

    paired = await Browser(doorstep=whole, people=()).get(f"/room?pair={code}")
    again = await Browser(doorstep=whole, people=()).get(f"/room?pair={code}")

    assert (paired.status, paired.location) == (303, "/room")
    assert (again.status, again.title) == (401, "Connect this screen to a room")


async def test_a_screen_that_was_replaced_is_told(whole: Doorstep) -> None:
    screen = Browser(doorstep=whole, people=(SCREEN,))
    assert (await screen.get("/room")).status == 200
    code = await whole.access.add_pairing_code("rantala-1", Role.ROOM)
    await Browser(doorstep=whole, people=()).get(f"/room?pair={code}")

    seen = await screen.get("/room")

    assert "This is no longer the room's screen" in seen.page.text


async def test_the_screen_is_told_which_camera_belongs_to_the_agent(whole: Doorstep, service: Service) -> None:
    screen = Browser(doorstep=whole, people=(SCREEN,))
    before = (await screen.get("/room")).body["data-leave-alone"]

    await service.places.document_camera(AGENT.room, DocumentCamera.OK, "DocCam 4K")

    assert (before, (await screen.get("/room")).body["data-leave-alone"]) == ("", "DocCam 4K")
