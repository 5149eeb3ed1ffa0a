"""The two people's pages in real Chromium, on the trial server: they meet, go on through what happens, and leave nothing."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from playwright.async_api import BrowserContext, Page

from tests.e2e.browsers import chromium
from tests.e2e.processes import free_port
from tests.js.harness import Service, served

# Frames are counted.
pytestmark = [pytest.mark.e2e, pytest.mark.alone]

LEAST_FRAMES_A_SECOND = 15

# Frames of a video in the three seconds from now, by its own count.
RATE = """async (name) => {
  const video = document.querySelector(`video[data-stream=${name}]`);
  const before = video.getVideoPlaybackQuality().totalVideoFrames;
  const began = performance.now();
  await new Promise((resolve) => setTimeout(resolve, 3000));
  return 1000 * (video.getVideoPlaybackQuality().totalVideoFrames - before) / (performance.now() - began);
}"""
STREAMS = "[...document.querySelectorAll('video')].filter((one) => one.srcObject).map((one) => one.dataset.stream)"


class People(NamedTuple):
    service: Service
    room: Page
    expert: Page
    complaints: list[str]


async def _page(context: BrowserContext, address: str, complaints: list[str]) -> Page:
    page = await context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto(address)
    return page


@pytest.fixture
async def people() -> AsyncIterator[People]:
    """Room screen and expert in a session that is connected."""
    complaints: list[str] = []
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    async with served(port) as service, chromium() as browser:
        room = await _page(await browser.new_context(), f"{address}/room?lang=en", complaints)
        expert = await _page(await browser.new_context(), f"{address}/expert?lang=en", complaints)
        await expert.get_by_role("button", name="Available").click()
        await expert.request.get(f"{address}/open")
        await room.get_by_text("You are 2nd in the queue").wait_for()
        await expert.get_by_role("button", name="Take next").click()
        for page in (room, expert):
            await page.wait_for_function("document.body.dataset.state === 'connected'")
        yield People(service, room, expert, complaints)


async def test_both_people_see_each_other_move_and_the_console_stays_empty(people: People) -> None:
    of_room, of_expert = await asyncio.gather(people.expert.evaluate(RATE, "room"), people.room.evaluate(RATE, "expert"))

    assert min(of_room, of_expert) >= LEAST_FRAMES_A_SECOND
    assert people.complaints == []


@pytest.mark.parametrize(("who", "stream"), [("room", "expert"), ("expert", "room")])
async def test_a_page_loaded_again_is_back_in_its_session(people: People, who: str, stream: str) -> None:
    page = people.room if who == "room" else people.expert

    await page.reload()
    await page.wait_for_function("(name) => document.querySelector(`video[data-stream=${name}]`).videoWidth > 0", arg=stream)

    assert await page.evaluate(RATE, stream) >= LEAST_FRAMES_A_SECOND


async def test_a_camera_that_is_off_is_said_and_is_no_broken_line(people: People) -> None:
    await people.room.get_by_role("button", name="Picture off").click()
    await people.expert.get_by_text("The customer's picture is off.").wait_for()

    assert await people.expert.inner_text("#line") == "Connection is good"


async def test_another_language_keeps_the_call(people: People) -> None:
    await people.room.get_by_role("link", name="Svenska").click()
    await people.room.get_by_role("button", name="Avsluta").wait_for()

    assert await people.room.evaluate(RATE, "expert") >= LEAST_FRAMES_A_SECOND


async def test_nothing_of_the_customer_stays_on_the_screen_after_the_end(people: People) -> None:
    await people.expert.get_by_role("button", name="Close session").click()
    await people.expert.get_by_label("Outcome").select_option("advised")
    await people.expert.get_by_role("button", name="Save and close").click()
    await people.room.get_by_text("The connection is closed.").wait_for(timeout=2000)

    assert await people.room.evaluate(STREAMS) == []
    assert await people.expert.evaluate(STREAMS) == ["self"]
    assert [await page.get_attribute("body", "data-state") for page in (people.room, people.expert)] == ["", ""]
