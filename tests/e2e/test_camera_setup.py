"""Whoever installs a room sets its camera up in a browser: live picture, test sheet, crop by mouse and by keys, turn, save."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from bench.desks import desk_with
from bench.sheets import make_sheet
from etapalvelu.room.settings import CameraSettings, Crop, load
from tests.e2e.browsers import Watch, Words, person, sign_in
from tests.e2e.room_camera import service_over
from tests.room.printed import paper

pytestmark = pytest.mark.e2e


async def test_a_camera_is_set_up_by_mouse_and_keys_until_a_customer_comes(browser: Browser, tmp_path: Path) -> None:
    words = Words("en")
    with service_over(tmp_path, desk_with(paper(), 1).image_bgr) as service:
        watch = Watch(service.address)
        async with person(browser, watch) as page, person(browser, watch) as advisor:
            await sign_in(page, f"{service.address}/admin", "admin", words)
            await page.get_by_role("link", name=words["admin.camera_of"].format(room="Huone 1")).click()
            await expect(page.locator("#picture")).to_be_visible(timeout=20_000)
            await expect(page.locator("#picture-size")).to_have_text("1920 × 1080 pixels")

            # The printed sheet is read, and a table as white as paper is told.
            await expect(page.locator("#grade")).to_have_text(words["js.camera.grade_enough"], timeout=10_000)
            await expect(page.locator("#mat")).to_be_hidden()
            service.table.show(desk_with(make_sheet(3, "letter"), 4, ground="white").image_bgr)
            await expect(page.locator("#mat")).to_be_visible(timeout=10_000)
            await expect(page.locator("#target-none")).to_have_text(words["js.camera.target_none"])

            await _crop_and_turn(page, words)
            wanted = CameraSettings(crop=Crop(left=0.1, top=0.25, right=0.9, bottom=0.75), turn=90)
            async with asyncio.timeout(15):
                while load(tmp_path / "data" / "agent") != wanted:  # noqa: ASYNC110 - what is waited for is another process's file
                    await asyncio.sleep(0.1)

            # A customer comes: the picture goes, and nothing of it stays on the page.
            await sign_in(advisor, service.places["Advisor"], "advisor", words)
            await advisor.get_by_label(words["field.theme"], exact=True).select_option("pensions")
            await advisor.get_by_label(words["field.reason"], exact=True).select_option("application")
            await advisor.get_by_role("button", name=words["advisor.open"], exact=True).click()
            await expect(page.locator("#state-words")).to_have_text(words["js.camera.in_use"], timeout=10_000)
            await expect(page.locator("#picture")).to_be_hidden()
            assert await page.locator("#picture").evaluate("canvas => [canvas.width, canvas.height]") == [1, 1]
            await page.get_by_role("button", name=words["camera.save"], exact=True).click()
            await expect(page.locator("#notices")).to_have_text(words["js.camera.in_use"])

        # Browsers write each refusal on the console themselves.
        assert [fault for fault in watch.faults if "409 (Conflict)" not in fault] == []


async def _crop_and_turn(page: Page, words: Words) -> None:
    """The middle by mouse, then a quarter to the right, a field and an undo by keys alone, and the save."""
    box = await page.locator("#picture").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + box["height"] * 0.1)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.9)
    await page.mouse.up()
    assert await _fields(page) == ["25", "10", "50", "80"]
    await page.get_by_role("button", name=words["camera.turn_right"]).press("Enter")
    assert await _fields(page) == ["10", "25", "80", "50"]
    await page.get_by_label(words["camera.crop_left"]).fill("20")
    await page.get_by_label(words["camera.crop_left"]).press("Tab")
    assert await _fields(page) == ["20", "25", "80", "50"]
    await page.get_by_role("button", name=words["camera.undo"]).press("Enter")
    assert await _fields(page) == ["10", "25", "80", "50"]
    await expect(page.locator("#saved")).to_have_text(words["js.camera.is_not_saved"])
    await page.get_by_role("button", name=words["camera.save"], exact=True).press("Enter")
    await expect(page.locator("#saved")).to_have_text(words["js.camera.is_saved"])


async def _fields(page: Page) -> list[str]:
    """The crop as the page's fields have it: left, top, width, height."""
    return [await page.locator(f"#crop-{name}").input_value() for name in ("left", "top", "width", "height")]
