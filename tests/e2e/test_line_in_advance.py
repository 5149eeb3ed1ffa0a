"""The line to the room stands before the click, for one expert who may take the session next; and carries nothing till then."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.browsers import Watch, Words, has_frames, person, sign_in, state_is, until
from tests.e2e.processes import Demo
from tests.e2e.test_two_experts import opened

WORDS = Words("en")

KEEP = """window.lines = []; window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...all) { super(...all); window.lines.push(this); } }"""
STANDS = (
    "() => window.lines.findIndex((line) => line.connectionState === 'connected' && line.getSenders().some((one) => one.track))"
)
# Packets of sound and picture that went out and came in on the lines that show our own camera.
PACKETS = """async () => {
  let count = 0;
  for (const line of window.lines.filter((one) => one.getSenders().some(({ track }) => track))) {
    for (const one of (await line.getStats()).values()) {
      if (one.type === 'outbound-rtp') count += one.packetsSent;
      if (one.type === 'inbound-rtp') count += one.packetsReceived;
    }
  }
  return count;
}"""
MEDIA_SECONDS = 0.5


@pytest.mark.timeout(100)
async def test_a_line_stands_before_the_click_and_carries_nothing_until_the_seat_is_taken(demo: Demo, browser: Browser) -> None:
    watch = Watch(demo.address)
    async with AsyncExitStack() as stack:
        room, advisor, *experts = [await stack.enter_async_context(person(browser, watch)) for _ in range(4)]
        for page in (room, *experts):
            await page.add_init_script(KEEP)
        await asyncio.gather(
            room.goto(f"{demo.place('Room screen')}&lang=en"),
            sign_in(advisor, demo.place("Advisor"), "advisor", WORDS),
            *(
                sign_in(page, demo.place("Expert"), name, WORDS)
                for page, name in zip(experts, ("expert", "expert2"), strict=True)
            ),
        )
        for page in experts:
            await page.get_by_role("button", name=WORDS["expert.available"]).click()

        ahead, behind = await who_is_ahead(advisor, room, experts)
        await nothing_goes(room, ahead)
        await takes(behind)
        await see_each_other(room, behind)
        await until(ahead, f"() => ({STANDS})() === -1")
        await closes(behind, room)

        ahead, behind = await who_is_ahead(advisor, room, experts)
        lines = [await page.evaluate(STANDS) for page in (room, ahead)]
        await nothing_goes(room, ahead)
        await takes(ahead)
        await see_each_other(room, ahead)
        assert [await page.evaluate(STANDS) for page in (room, ahead)] == lines
        await closes(ahead, room)

        ahead, behind = await who_is_ahead(advisor, room, experts)
        await ahead.get_by_role("button", name=WORDS["expert.available"]).click()
        await until(behind, f"() => ({STANDS})() >= 0", seconds=25)
        await nothing_goes(room, behind)
        await takes(behind)
        await see_each_other(room, behind)
        await closes(behind, room)

    assert watch.faults == []


async def who_is_ahead(advisor: Page, room: Page, experts: list[Page]) -> tuple[Page, Page]:
    """Opens a session; the expert whose line to the room stands, and the other one."""
    await advisor.goto(f"{advisor.url.partition('/advisor')[0]}/advisor?lang=en")
    await opened(advisor)
    await until(room, f"() => ({STANDS})() >= 0")
    for page, other in (experts, reversed(experts)):
        if await page.evaluate(STANDS) >= 0:
            return page, other
    raise AssertionError("the room is connected, and no expert")


async def nothing_goes(room: Page, expert: Page) -> None:
    await asyncio.sleep(MEDIA_SECONDS)
    assert [await page.evaluate(PACKETS) for page in (room, expert)] == [0, 0]
    await state_is(room, "waiting", seconds=0)
    shown = "() => ['room', 'expert'].some((name) => document.querySelector(`video[data-stream=${name}]`)?.srcObject)"
    assert [await page.evaluate(shown) for page in (room, expert)] == [False, False]


async def takes(expert: Page) -> None:
    await expert.get_by_role("button", name=WORDS["expert.take_next"], exact=True).click()


async def see_each_other(room: Page, expert: Page) -> None:
    await state_is(expert, "connected")
    await state_is(room, "connected")
    await has_frames(room, "expert")
    await has_frames(expert, "room")


async def closes(expert: Page, room: Page) -> None:
    await expert.evaluate(
        """async () => {
          const token = document.querySelector('meta[name=csrf-token]').content;
          const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': token };
          const { session } = document.getElementById('session-marks').dataset;
          const body = JSON.stringify({ cause: 'customer_left' });
          await fetch(`/api/v1/sessions/${session}/close`, { method: 'POST', headers, body });
        }"""
    )
    await state_is(room, "")
    await until(expert, "() => document.body.dataset.view === 'idle'")
