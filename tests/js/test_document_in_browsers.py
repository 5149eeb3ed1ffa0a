"""The paper under the camera on both people's pages, in real Chromium, with a pretended agent that says what a test wants."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import numpy as np
import pytest
from aiohttp import web
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.e2e.browsers import Watch, Words, chromium, has_frames, person, state_is, until
from tests.e2e.drawn import DRAWN, mapped, seen
from tests.e2e.processes import free_port
from tests.js.camera import add_camera, desk, fractions
from tests.js.harness import Service, application

pytestmark = pytest.mark.e2e

TOLERANCE_PX = 2.0
# Two voices: one of this machine that speaks Finnish, one from the network that speaks Swedish.
VOICES = """
window.spoken = [];
window.SpeechSynthesisUtterance = class { constructor(words) { this.words = words; } };
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => [{ lang: "fi-FI", localService: true }, { lang: "sv-SE", localService: false, default: true }],
  speak: (one) => window.spoken.push([one.words, one.lang, one.volume < 0.7]),
  cancel: () => undefined, addEventListener: () => undefined, removeEventListener: () => undefined,
} });
"""


class Stand(NamedTuple):
    """A session that is connected, with the words of each page and what must stay empty."""

    address: str
    agent: Page
    room: Page
    expert: Page
    watch: Watch

    async def lies(self, **page: object) -> None:
        await self.agent.evaluate("page => agent.page(page)", page)

    async def heard(self, kind: str) -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = await self.agent.evaluate("kind => agent.heard.filter(({ type }) => type === kind)", kind)
        return said


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    service = Service()
    app = application(service)
    add_camera(app)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    watch = Watch(address)
    async with AsyncExitStack() as stack:
        browser = await stack.enter_async_context(chromium())
        agent, room, expert = [await stack.enter_async_context(person(browser, watch)) for _ in range(3)]
        await room.add_init_script(VOICES)
        await agent.goto(f"{address}/agent")
        await room.goto(f"{address}/room?lang=fi")
        await expert.goto(f"{address}/expert?lang=sv")
        yield await _connected(Stand(address, agent, room, expert, watch))
    await runner.cleanup()


async def _connected(stand: Stand) -> Stand:
    await stand.expert.locator("#available").click()
    await stand.expert.request.get(f"{stand.address}/open")
    await stand.agent.evaluate("agent.show('/desk/plain.jpg').then(() => agent.sit())")
    await state_is(stand.room, "waiting")
    await stand.expert.locator("#take-next").click()
    for page in (stand.room, stand.expert):
        await state_is(page, "connected")
        await has_frames(page, "document")
    return stand


async def _standing(page: Page, area: str, name: str, wanted: Sequence[tuple[float, float]]) -> None:
    """The line stands there at last: a sheet glides for a moment."""
    await until(
        page,
        f"([area, name, wanted]) => {{ const now = ({DRAWN})([area, name]); return now.length === wanted.length"
        f" && now.every((one, index) => Math.abs(one - wanted[index]) < {TOLERANCE_PX}) }}",
        [area, name, [one for place in wanted for one in place]],
        seconds=5,
    )


@pytest.mark.timeout(90)
async def test_the_sheet_is_outlined_and_marks_stay_on_it_when_it_moves(stand: Stand) -> None:
    corners = fractions(desk("plain"))
    turned = [[y * 0.6 + 0.2, 0.9 - x * 0.8] for x, y in corners]
    screens = ((stand.room, "#document"), (stand.expert, "#paper"))

    await stand.lies(page=1, corners=corners, ppi=148)
    for page, area in screens:
        await _standing(page, area, "outline", await seen(page, area, corners))
    await stand.expert.keyboard.press("p")
    (where,) = await seen(stand.expert, "#paper", [mapped(corners, (0.25, 0.75))])
    await stand.expert.mouse.click(*where)
    await until(stand.agent, "() => agent.heard.some(({ type }) => type === 'mark')")
    (mark,) = await stand.heard("mark")
    (point, *_) = await stand.heard("point")

    assert np.allclose([mark["points"][0], point["point"]], [[0.25, 0.75]] * 2, atol=0.01)
    for lies in (corners, turned):
        await stand.lies(page=1, corners=lies, ppi=148)
        for page, area in screens:
            await _standing(page, area, "dots", await seen(page, area, [mapped(lies, mark["points"][0])]))

    # the sheet alone has no outline; another sheet has no marks
    await stand.lies(page=1, view="page", corners=[[0, 0], [1, 0], [1, 1], [0, 1]], ppi=148)
    for page, area in screens:
        await _standing(page, area, "outline", [])
    await stand.lies(page=2, corners=corners, ppi=148)
    for page, area in screens:
        await _standing(page, area, "dots", [])
    assert await stand.room.locator("#pointed").inner_text() == Words("fi")["js.pointed.bottom"]
    assert stand.watch.faults == []


@pytest.mark.timeout(90)
async def test_keys_point_mark_undo_and_switch_the_view_and_a_refusal_is_told(stand: Stand) -> None:
    words, expert = Words("sv"), stand.expert
    corners = fractions(desk("plain"))
    await stand.lies(page=1, corners=corners, ppi=148)
    await _standing(expert, "#paper", "outline", await seen(expert, "#paper", corners))

    for key in ("p", "ArrowDown", "ArrowDown", "Enter"):
        await expert.keyboard.press(key)
    await until(stand.agent, "() => agent.heard.some(({ type }) => type === 'mark')")
    await expert.keyboard.down("Shift")
    for _ in range(3):
        await expert.keyboard.press("ArrowRight")
    await expert.keyboard.up("Shift")
    await until(stand.agent, "() => new Set(agent.heard.map(({ type, id }) => type === 'mark' && id)).size === 3")
    for key in ("u", "x"):
        await expert.keyboard.press(key)
    await until(stand.agent, "() => agent.heard.some(({ type }) => type === 'mark_clear')")
    mark, *_, stroke = await stand.heard("mark")
    assert np.hypot(*(np.array(mark["points"][0]) - 0.5)) < 0.2
    assert (len(mark["points"]), stroke["points"][0], len(stroke["points"])) == (1, mark["points"][0], 4)
    assert await expert.locator("#point").get_attribute("aria-pressed") == "true"
    await expert.keyboard.press("Escape")
    await until(stand.agent, "() => agent.heard.some(({ type }) => type === 'point_end')")
    assert await expert.locator("#point").get_attribute("aria-pressed") == "false"

    await expert.keyboard.press("w")
    await until(stand.agent, "() => agent.heard.some(({ type, view }) => type === 'view' && view === 'page')")
    await stand.lies(page=0, view="table")
    await expert.get_by_text(words["js.paper.view_waits"]).wait_for()
    assert await expert.locator("#view").get_attribute("aria-pressed") == "true"

    await stand.agent.evaluate("agent.tell({ type: 'refused', what: 'mark', code: 'page_gone' })")
    await expert.get_by_text(words["js.refused.page_gone"]).wait_for()
    await stand.agent.evaluate("agent.tell({ type: 'refused', what: 'view', code: 'not_allowed' })")
    await expert.get_by_text(words["js.refused.not_allowed"]).wait_for()
    assert await expert.locator("#view").get_attribute("aria-pressed") == "false"
    assert stand.watch.faults == []


@pytest.mark.timeout(90)
async def test_the_customer_is_advised_in_their_language_by_picture_words_and_voice(stand: Stand) -> None:
    room, fi, sv = stand.room, Words("fi"), Words("sv")
    corners = fractions(desk("plain"))

    await stand.lies(page=1, corners=corners, hint="glare", ppi=148)
    await room.get_by_text(fi["js.hint.glare"]).wait_for()
    assert await room.locator("#guide-use").get_attribute("href") == "#hint-glare"
    await room.get_by_role("button", name=fi["room.aloud"]).click()
    assert await room.locator("#aloud").get_attribute("aria-pressed") == "true"
    for hint in ("hand", "cut", None):
        await stand.lies(page=1, corners=corners, hint=hint, ppi=148)
    await room.get_by_text(fi["js.hint.good"]).wait_for()
    assert await room.evaluate("spoken") == [[fi[f"js.hint.{one}"], "fi-FI", True] for one in ("glare", "good")]
    await stand.expert.get_by_text(sv["js.paper.good"]).wait_for()

    await room.get_by_role("link", name="Svenska").click()
    await room.get_by_text(sv["js.hint.good"]).wait_for()
    await room.get_by_text(sv["js.room.no_voice"]).wait_for()
    assert await room.evaluate("spoken.length") == 2
    assert stand.watch.faults == []


@pytest.mark.timeout(90)
async def test_a_camera_in_trouble_and_a_thin_line_are_told_on_both_screens(stand: Stand) -> None:
    room, expert, fi, sv = stand.room, stand.expert, Words("fi"), Words("sv")
    await stand.lies(page=1, corners=fractions(desk("plain")), ppi=148)

    await stand.agent.evaluate("agent.tell({ type: 'line', step: 'fewer_frames', frames_per_second: 8 })")
    await room.get_by_text(fi["js.room.thin_fewer_frames"]).wait_for()
    await expert.get_by_text(sv["js.thin.fewer_frames"].format(frames=8)).wait_for()
    for state in ("frozen", "black", "lost"):
        await stand.agent.evaluate("state => agent.camera(state)", state)
        await room.get_by_text(fi[f"js.room.camera_{state}"]).wait_for()
        await expert.get_by_text(sv[f"js.expert.document_{'away' if state == 'lost' else state}"]).wait_for()
        await _standing(room, "#document", "outline", [])
        # Without a picture nothing is said of how fast it moves.
        assert [await page.locator(place).inner_text() for page, place in ((room, "#guide-line"), (expert, "#paper-line"))] == [
            "",
            "",
        ]
    assert await expert.locator("#paper-state").inner_text() == ""

    await stand.agent.evaluate("agent.camera('ok')")
    await stand.lies(page=1, corners=fractions(desk("plain")), ppi=148)
    await room.get_by_text(fi["js.hint.good"]).wait_for()
    await room.get_by_text(fi["js.room.thin_fewer_frames"]).wait_for()
    await expert.get_by_text(sv["js.thin.fewer_frames"].format(frames=8)).wait_for()
    assert not await room.locator("#document-away").is_visible()
    assert stand.watch.faults == []


@pytest.mark.timeout(120)
async def test_the_pages_keep_the_rules_of_access(stand: Stand) -> None:
    await stand.lies(page=1, corners=fractions(desk("plain")), hint="too_far", ppi=148)
    await stand.expert.keyboard.press("p")
    await stand.room.get_by_text(Words("fi")["js.hint.too_far"]).wait_for()

    small = await stand.room.evaluate(
        """() => [...document.querySelectorAll(".room-paper *")].filter((one) => one.checkVisibility() && one.clientWidth > 1
            && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "")
            && parseFloat(getComputedStyle(one).fontSize) < 22).map((one) => one.outerHTML)"""
    )
    low = await stand.expert.evaluate(
        "() => [...document.querySelectorAll('.pane-tools button:not([hidden])')].filter((one) => one.offsetHeight < 44).length"
    )
    found = [(await Axe().run(page)).response["violations"] for page in (stand.room, stand.expert)]

    assert (small, low) == ([], 0)
    assert [one["id"] for page in found for one in page] == []


BOXES = """() => [".paper", ".pane-tools", ".pane-room", ".tray", ".picture-self"].map(name => {
    const { left, top, right, bottom } = document.querySelector(name).getBoundingClientRect();
    return { name, left, top, right, bottom };
})"""


@pytest.mark.timeout(90)
async def test_in_a_low_window_or_zoomed_in_the_paper_stays_large_and_nothing_lies_over_it(stand: Stand) -> None:
    for width, height in ((1440, 900), (1440, 450), (1366, 650), (1024, 768), (900, 450), (720, 450), (390, 844)):
        await stand.expert.set_viewport_size({"width": width, "height": height})
        boxes: list[dict[str, Any]] = await stand.expert.evaluate(BOXES)

        paper = boxes[0]
        assert min(200, width / 2) <= paper["bottom"] - paper["top"] <= height * 1.1, (width, height, boxes)
        over = [
            (one["name"], other["name"])
            for index, one in enumerate(boxes)
            for other in boxes[index + 1 :]
            if max(one["left"], other["left"]) < min(one["right"], other["right"]) - 1
            and max(one["top"], other["top"]) < min(one["bottom"], other["bottom"]) - 1
        ]
        assert over == [], (width, height)
