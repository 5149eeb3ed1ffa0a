"""A room looks at itself: real agent, real browser, and a sound card whose speaker is heard by its microphone."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.e2e.browsers import CHROMIUM, FLAGS, Watch, Words, api, person, sign_in, until
from tests.e2e.processes import Demo, running_demo
from tests.e2e.sound import SoundLoop, sound_loop

# It listens to what comes out of a speaker.
pytestmark = pytest.mark.alone

WORDS = Words("en")
# A picture that moves, where the machine has no camera: only sound is real here.
DRAWN_CAMERA = """() => {
    const devices = navigator.mediaDevices, open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (asked) => {
        if (!asked.video) return open(asked);
        const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
        let count = 0;
        setInterval(() => { pen.fillStyle = `rgb(${count % 255} 180 90)`; pen.fillRect(0, 0, 300, 150); count += 7; }, 33);
        const stream = canvas.captureStream(30);
        if (asked.audio) for (const track of (await open({ audio: asked.audio })).getAudioTracks()) stream.addTrack(track);
        return stream;
    };
}"""
DONE = """() => document.querySelector("#rooms details") && !document.querySelector("#rooms [role=status]")"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One of its own: its room is found to be broken, which no other test expects."""
    with running_demo(tmp_path_factory.mktemp("checked")) as running:
        yield running


@asynccontextmanager
async def with_sound(loop: SoundLoop) -> AsyncIterator[Browser]:
    """Chromium that plays and hears through the loop; its camera alone is made up."""
    flags = [flag for flag in FLAGS if not flag.startswith("--use-fake-device")]
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=flags, ignore_default_args=["--mute-audio"], env=dict(loop.environ)
        )
        try:
            yield browser
        finally:
            await browser.close()


async def checked(advisor: Page) -> dict[str, Any]:
    """Press the button and wait for both devices; what the room then says of itself, by code."""
    await advisor.get_by_role("button", name=WORDS["room_check.ask"]).click()
    await until(advisor, """() => document.querySelector("#rooms [role=status]")""", seconds=15)
    await until(advisor, DONE, seconds=40)
    listed = await api(advisor, "/api/v1/rooms/rantala-1/checks")
    return {check["code"]: check for check in listed["checks"]} | {"readiness": listed["readiness"]}


@pytest.mark.timeout(180)
async def test_a_room_whose_speaker_is_heard_is_ready_and_one_that_is_silent_is_broken(demo: Demo) -> None:
    with sound_loop() as loop:
        async with with_sound(loop) as browser:
            watch = Watch(demo.address)
            async with person(browser, watch) as room, person(browser, watch) as advisor:
                await room.add_init_script(f"({DRAWN_CAMERA})()")
                await room.goto(f"{demo.place('Room screen')}&lang=en")
                await sign_in(advisor, demo.place("Advisor"), "advisor", WORDS)

                began = time.monotonic()
                heard = await checked(advisor)
                took = time.monotonic() - began
                loop.mute_speaker(True)
                silent = await checked(advisor)
                words = await advisor.locator("#rooms").inner_text()
                loop.mute_speaker(False)
                again = await checked(advisor)

            assert {code: heard[code]["result"] for code in ("camera", "microphone", "speaker", "codecs")} == {
                "camera": "ok",
                "microphone": "ok",
                "speaker": "ok",
                "codecs": "ok",
            }, heard
            assert len(heard) - 1 >= 16
            assert took < 30
            assert heard["readiness"] == "ready", heard
            assert silent["readiness"] == "broken"
            assert silent["microphone"]["note"] == "silent" or silent["speaker"]["note"] == "not_heard"
            assert WORDS["readiness.broken"] in words
            assert again["speaker"]["result"] == "ok"
            assert watch.faults == []


@pytest.mark.timeout(120)
async def test_a_session_goes_before_a_check_and_the_expert_looks_at_the_own_machine(demo: Demo, browser: Browser) -> None:
    watch = Watch(demo.address)
    async with person(browser, watch) as room, person(browser, watch) as advisor, person(browser, watch) as expert:
        await asyncio.gather(
            room.goto(f"{demo.place('Room screen')}&lang=en"),
            sign_in(advisor, demo.place("Advisor"), "advisor", WORDS),
            sign_in(expert, demo.place("Expert"), "expert", WORDS),
        )
        await expert.get_by_role("button", name=WORDS["expert.check"]).click()
        await until(expert, """() => !document.getElementById("check-again").disabled""", seconds=40)
        rows = await expert.locator("#check-list li").all_inner_texts()
        await expert.get_by_role("button", name=WORDS["expert.check_close"], exact=True).click()
        tracks = await expert.evaluate("() => document.querySelector('video[data-stream=self]').srcObject")

        # The fake microphone beeps by itself and hears no speaker: the room is found to be broken, and the form says so.
        result = await checked(advisor)
        words = WORDS["advisor.room_state"].format(room="Huone 1", state=WORDS["readiness.broken"])
        await until(advisor, "words => document.querySelector('#room option:checked').textContent === words", words)
        await advisor.get_by_label(WORDS["field.theme"], exact=True).select_option("families")
        await advisor.get_by_label(WORDS["field.reason"], exact=True).select_option("advice")
        await advisor.get_by_role("button", name=WORDS["advisor.open"]).click()
        refused = await advisor.get_by_role("alert").inner_text()
        await advisor.get_by_label(WORDS["advisor.room_anyway"]).check()
        await advisor.get_by_role("button", name=WORDS["advisor.open"]).click()
        await advisor.wait_for_url("**/advisor/sessions/*")
        await until(room, "() => document.body.dataset.state === 'waiting'")
        await advisor.get_by_role("button", name=WORDS["session.cancel"], exact=True).click()
        await advisor.get_by_role("button", name=WORDS["session.cancel_confirm"], exact=True).click()
        await until(room, "() => document.body.dataset.state === ''")

        assert len(rows) == 9
        assert [row.split("\n")[0] for row in rows if "Speaker" not in row and "Spare route" not in row] == ["In order"] * 7
        assert tracks is None
        assert (result["readiness"], result["speaker"]["note"]) == ("broken", "not_heard")
        assert "is not in order" in refused
    assert watch.faults == []
