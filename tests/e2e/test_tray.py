"""The expert's tray with the real agent: two captures, their order, the PDF as another program reads it, and the end."""

import re
import subprocess
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.e2e.browsers import Watch, Words, person, sign_in, state_is
from tests.e2e.processes import Demo

pytestmark = pytest.mark.e2e


async def test_captured_pages_are_ordered_turned_saved_and_gone(demo: Demo, browser: Browser, tmp_path: Path) -> None:
    words, watch = Words("en"), Watch(demo.address)
    async with AsyncExitStack() as stack:
        room, advisor, expert = [await stack.enter_async_context(person(browser, watch)) for _ in range(3)]
        await _seated(room, advisor, expert, demo, words)
        for number in (1, 2):
            await expert.get_by_role("button", name=words["expert.capture"], exact=True).click()
            await expect(expert.locator("img[data-part=raw]")).to_have_count(number, timeout=20_000)
        await expect(expert.locator(".still-verdict").first).to_have_text(re.compile(r"^Readable, \d+ dots per inch$"))

        # The first page is turned in large and compared, all by keys; then the pages change places.
        await expert.locator("button.still").first.press("Enter")
        await expert.keyboard.press("r")
        await expert.keyboard.press("v")
        beside = expert.locator("#still-second img")
        await expect(beside).to_be_visible()
        assert await beside.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [3840, 2160]
        await expert.keyboard.press("Escape")
        await expert.get_by_role("button", name="Move page 1 later").press("Enter")
        assert await _numbers(expert) == ["Captured page 2", "Captured page 1"]

        async with expert.expect_download() as saving:
            await expert.get_by_role("button", name="Save as PDF, 2 pages").click()
        download = await saving.value
        saved = tmp_path / "pages.pdf"
        await download.save_as(saved)
        assert re.fullmatch(r"papers-\d{4}-\d\d-\d\d\.pdf", download.suggested_filename)
        assert _pages(saved) == [("A4", 0), ("A4", 90)]

        await expert.get_by_role("button", name=words["expert.close"], exact=True).click()
        await expert.get_by_label(words["expert.outcome"], exact=True).select_option("advised")
        await expert.get_by_role("button", name=words["expert.save_and_close"]).click()
        await expect(expert.locator("#tray-ending-words")).to_have_text(re.compile("in 5 minutes at the latest"))
        await expert.get_by_role("button", name=words["expert.done"]).click()
        await expect(expert.locator("img[data-still]")).to_have_count(0)

    assert watch.faults == []


async def _seated(room: Page, advisor: Page, expert: Page, demo: Demo, words: Words) -> None:
    await room.goto(f"{demo.place('Room screen')}&lang=en")
    await sign_in(advisor, demo.place("Advisor"), "advisor", words)
    await advisor.get_by_label(words["field.theme"], exact=True).select_option("pensions")
    await advisor.get_by_label(words["field.reason"], exact=True).select_option("application")
    await advisor.get_by_role("button", name=words["advisor.open"]).click()
    await advisor.wait_for_url("**/advisor/sessions/*")
    await sign_in(expert, demo.place("Expert"), "expert", words)
    await expert.get_by_role("button", name=words["expert.available"]).click()
    await expert.get_by_role("button", name=words["expert.take_next"], exact=True).click()
    await state_is(expert, "connected")
    await expect(expert.locator("#paper-state[data-state=good]")).to_be_visible(timeout=20_000)


async def _numbers(expert: Page) -> list[str | None]:
    return [await picture.get_attribute("alt") for picture in await expert.locator("img[data-part=page]").all()]


def _pages(path: Path) -> list[tuple[str, int]]:
    """Each page's format and turn, as poppler reads them."""
    told = subprocess.run(["pdfinfo", "-l", "9", str(path)], check=True, capture_output=True, text=True).stdout
    sizes = re.findall(r"Page +\d+ size: .*\((\w+)\)", told)
    turns = re.findall(r"Page +\d+ rot: +(\d+)", told)
    return [(size, int(turn)) for size, turn in zip(sizes, turns, strict=True)]
