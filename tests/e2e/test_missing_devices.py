"""A machine without a microphone or a camera: the other device is sent all the same, and what is missing is told."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser

from tests.e2e.browsers import Watch, Words, has_frames, loudness, person, sign_in, state_is, until
from tests.e2e.processes import Demo

WORDS = Words("en")

WITHOUT = """(kind) => {
    const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = (asked) => asked[kind]
        ? Promise.reject(new DOMException("there is none", "NotFoundError"))
        : open(asked);
}"""

READS = """([id, words]) => {
    const place = document.getElementById(id);
    return place.textContent === words && place.checkVisibility();
}"""


@pytest.mark.timeout(90)
@pytest.mark.parametrize("missing", ["audio", "video"])
async def test_an_expert_without_one_device_serves_with_the_other(demo: Demo, browser: Browser, missing: str) -> None:
    watch = Watch(demo.address)
    async with AsyncExitStack() as stack:
        room, advisor, expert = [await stack.enter_async_context(person(browser, watch)) for _ in range(3)]
        await expert.add_init_script(f"({WITHOUT})('{missing}')")
        await asyncio.gather(
            room.goto(f"{demo.place('Room screen')}&lang=en"),
            sign_in(advisor, demo.place("Advisor"), "advisor", WORDS),
            sign_in(expert, demo.place("Expert"), "expert", WORDS),
        )
        await expert.get_by_role("button", name=WORDS["expert.available"]).click()
        await advisor.get_by_label(WORDS["field.theme"], exact=True).select_option("families")
        await advisor.get_by_label(WORDS["field.reason"], exact=True).select_option("advice")
        await advisor.get_by_role("button", name=WORDS["advisor.open"]).click()
        await expert.locator("[data-take]").wait_for()
        # the offer of the room is read by now
        await asyncio.sleep(1)

        await expert.get_by_role("button", name=WORDS["expert.take_next"], exact=True).click()

        await state_is(expert, "connected")
        await has_frames(expert, "room")
        if missing == "audio":
            await has_frames(room, "expert")
            await until(expert, READS, ["session-self-remark", WORDS["js.device.microphone_missing"]])
            await until(room, READS, ["expert-remark", WORDS["js.room.expert_microphone_broken"]])
            # Neither seen nor heard, and yet not on hold.
            await expert.get_by_role("button", name=WORDS["expert.camera_off"], exact=True).click()
            await until(room, READS, ["expert-words", WORDS["js.room.expert_camera_off"]])
        else:
            assert WORDS["js.device.camera_missing"] in await expert.locator("#session-self-words").inner_text()
            assert await loudness(room, "expert") > 0.01
        await expert.get_by_role("button", name=WORDS["expert.close"], exact=True).click()
        await expert.get_by_label(WORDS["expert.outcome"], exact=True).select_option("advised")
        await expert.get_by_role("button", name=WORDS["expert.save_and_close"]).click()
        await state_is(room, "")
    assert watch.faults == []
