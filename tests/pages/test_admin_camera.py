"""The page of a room's camera and the sheet to print, as the admin gets them; and what the agent hears of the camera."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from aiohttp import ClientResponse

from etapalvelu.domain.cameras import CameraSettings, Crop, Mode
from etapalvelu.ports import Change
from tests.conftest import AGENT, SUPERVISOR
from tests.doorstep import ADMIN, Doorstep
from tests.pages.conftest import Browser

SETTINGS = CameraSettings(
    source="v4l2:/dev/video2",
    mode=Mode(width=1920, height=1080, frames_per_second=15),
    crop=Crop(left=0.1, top=0.2, right=0.9, bottom=1),
    turn=90,
)
PAGE = "/admin/rooms/rantala-1/camera"


def admin(whole: Doorstep, language: str = "en") -> Browser:
    return Browser(doorstep=whole, people=(ADMIN,), language=language)


async def test_the_page_stands_with_the_settings_that_are_kept(whole: Doorstep) -> None:
    await whole.service.places.set_camera("rantala-1", SETTINGS)

    seen = await admin(whole).get(PAGE)

    camera = seen.page.by_id("camera")
    fields = {
        f"crop-{name}": seen.page.by_id(f"crop-{name}").attributes["value"] for name in ("left", "top", "width", "height")
    }
    chosen = [option.attributes["value"] for option in seen.page.all("option") if "selected" in option.attributes]
    assert (seen.status, seen.body["data-page"], camera.attributes["data-room"]) == (200, "admin-camera", "rantala-1")
    assert json.loads(camera.attributes["data-settings"]) == {
        "source": "v4l2:/dev/video2",
        "mode": {"width": 1920, "height": 1080, "frames_per_second": 15},
        "crop": {"left": 0.1, "top": 0.2, "right": 0.9, "bottom": 1.0},
        "turn": 90,
    }
    assert fields == {"crop-left": "10", "crop-top": "20", "crop-width": "80", "crop-height": "80"}
    assert chosen == ["v4l2:/dev/video2", "1920x1080@15"]
    assert "data-in-use" not in camera.attributes


async def test_a_room_with_a_session_is_said_to_be_in_use(whole: Doorstep) -> None:
    await whole.service.opened()

    seen = await admin(whole).get(PAGE)

    assert "data-in-use" in seen.page.by_id("camera").attributes


async def test_a_room_that_is_not_there_is_not_found(whole: Doorstep) -> None:
    assert (await admin(whole).get("/admin/rooms/nowhere/camera")).status == 404


@pytest.mark.parametrize(("language", "word"), [("fi", "skaalausta"), ("sv", "skalning"), ("en", "scaling")])
async def test_the_sheet_to_print_speaks_the_readers_language(whole: Doorstep, language: str, word: str) -> None:
    browser = admin(whole, language)

    answer = await whole.client.get("/admin/camera-sheet.pdf", headers=await browser.headers())

    body = await answer.read()
    assert (answer.status, answer.content_type, body[:5]) == (200, "application/pdf", b"%PDF-")
    assert word.encode() in body


async def test_the_rooms_list_leads_to_the_camera_and_tells_what_was_changed(whole: Doorstep) -> None:
    fields = {
        "mode": (None, {"width": 1920, "height": 1080, "frames_per_second": 15}),
        "crop": (None, {"left": 0.1, "top": 0.2, "right": 0.9, "bottom": 1}),
        "turn": (0, 90),
    }
    change = Change(at=whole.service.clock(), account=ADMIN.account, kind="camera", id="rantala-1", fields=fields)
    await whole.service.places.add_change(change)

    seen = await admin(whole).get("/admin")

    text = seen.page.by_id("main").text
    assert PAGE in [link.attributes.get("href") for link in seen.page.all("a")]
    assert all(words in text for words in ("Document camera", "1920 × 1080, 15/s", "10–90 %, 20–100 %"))


@dataclass(frozen=True)
class Said:
    """What a device's stream says of the camera."""

    setup: str
    turn: int


async def camera_news(stream: ClientResponse) -> Said:
    """The next thing that is said of the camera."""
    async with asyncio.timeout(10):
        async for line in stream.content:
            if line == b"event: camera\n":
                data = json.loads((await stream.content.readline()).removeprefix(b"data: "))
                return Said(data["setup"], data["settings"]["turn"])
    raise AssertionError("the stream ended")


async def test_the_agent_hears_settings_and_set_ups_and_no_set_up_while_a_session_is_open(whole: Doorstep) -> None:
    async with whole.client.get("/live?page=agent", headers=await whole.bearer(AGENT)) as stream:
        first = await camera_news(stream)
        await whole.post("/rooms/rantala-1/camera", ADMIN, {"turn": 180})
        turned = await camera_news(stream)
        id = whole.setups.watch("rantala-1")
        open_now = await camera_news(stream)
        await whole.service.opened()
        await whole.post("/rooms/rantala-1/camera/look", ADMIN)
        closed = await camera_news(stream)

    assert (first, turned, open_now, closed) == (Said("", 0), Said("", 180), Said(id, 180), Said("", 180))


async def test_nobody_but_the_admin_gets_the_page(whole: Doorstep) -> None:
    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get(PAGE)

    assert seen.status == 403
