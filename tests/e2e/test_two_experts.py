"""Two experts at two browsers: a lost race, a hold, a handing over, and back to the queue. Nothing goes silent on the way."""

import asyncio
import re
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser, Page

from tests.e2e.browsers import Watch, Words, api, frames, has_frames, person, sign_in, state_is, until
from tests.e2e.processes import Demo

WORDS = Words("en")
NAMES = {"expert": "Eeva Esimerkki", "expert2": "Eero Mallikas"}

FIRST = ["opened", "joined", "joined", "claimed", "joined", "connected", "held", "continued"]
SECOND = ["transfer_requested", "transferred", "joined", "left", "left", "released"]
THIRD = ["claimed", "joined", "connected", "noted", "closed"]


@pytest.mark.timeout(100)
async def test_a_customer_goes_through_the_hands_of_two_experts(demo: Demo, browser: Browser) -> None:
    watch = Watch(demo.address)
    async with AsyncExitStack() as stack:
        room, advisor, *pages = [await stack.enter_async_context(person(browser, watch)) for _ in range(4)]
        experts = dict(zip(NAMES, pages, strict=True))
        await asyncio.gather(
            room.goto(f"{demo.place('Room screen')}&lang=en"),
            sign_in(advisor, demo.place("Advisor"), "advisor", WORDS),
            *(sign_in(page, demo.place("Expert"), account, WORDS) for account, page in experts.items()),
        )
        session_id = await opened(advisor)

        first = await race(experts)
        second = next(account for account in experts if account != first)
        await sees_and_is_seen(room, experts[first], NAMES[first])
        await holds_and_goes_on(room, experts[first])
        await hands_over(experts[first], experts[second], second)
        await sees_and_is_seen(room, experts[second], NAMES[second])
        await gives_back(room, experts[second])
        await takes(experts[first])
        await sees_and_is_seen(room, experts[first], NAMES[first])
        told = await api(experts[first], f"/api/v1/sessions/{session_id}")
        await finds_nothing_chosen(experts[first])
        await closes(experts[first])
        for page in (room, advisor, *pages):
            await until(page, "() => document.body.dataset.state !== 'connected'", seconds=3)

        events = [event["type"] for event in told["events"] if event["type"] not in ("interrupted", "resumed", "secured")]
        assert events == [*FIRST, *SECOND, *THIRD[:3]]
        assert [event["data"]["seat"] for event in told["events"] if event["type"] == "left"] == ["expert", "expert2"]

    # The race's loser is refused: the browser itself writes that on the console.
    assert [fault for fault in watch.faults if "409 (Conflict)" not in fault] == []


async def opened(advisor: Page) -> str:
    await advisor.get_by_label(WORDS["field.theme"], exact=True).select_option("families")
    await advisor.get_by_label(WORDS["field.reason"], exact=True).select_option("advice")
    await advisor.get_by_role("button", name=WORDS["advisor.open"]).click()
    await advisor.wait_for_url("**/advisor/sessions/*")
    return advisor.url.rpartition("/")[2].partition("?")[0]


async def race(experts: dict[str, Page]) -> str:
    """Both press Take in the same moment; the account of the one who has it. The other is told, and can go on."""
    for page in experts.values():
        await page.locator("[data-take]").wait_for()
    await asyncio.gather(*(page.evaluate("() => document.querySelector('[data-take]').click()") for page in experts.values()))
    # That somebody has come is told there too.
    told = "w => document.body.dataset.state === 'connected' || document.getElementById('notices').innerText.trim() === w"
    await asyncio.gather(*(until(page, told, WORDS["refusal.already_taken"]) for page in experts.values()))
    states = {account: await page.locator("body").get_attribute("data-state") for account, page in experts.items()}
    winner = next(account for account, state in states.items() if state)
    loser = next(page for account, page in experts.items() if account != winner)
    assert await loser.locator("#notices").inner_text() == WORDS["refusal.already_taken"]
    assert await loser.get_by_role("button", name=WORDS["expert.take_next"], exact=True).is_enabled()
    return winner


async def sees_and_is_seen(room: Page, expert: Page, name: str) -> None:
    """Fresh frames on both sides, and the customer reads who it is."""
    await state_is(expert, "connected")
    await state_is(room, "connected")
    await has_frames(room, "expert")
    await has_frames(expert, "room")
    for page, stream in ((room, "expert"), (expert, "room"), (expert, "document")):
        before = await frames(page, stream)
        await moves_on(page, stream, before)
    await until(room, "name => document.getElementById('expert-name').textContent.includes(name)", name)


async def moves_on(page: Page, stream: str, before: int) -> None:
    end = asyncio.get_running_loop().time() + 15
    while await frames(page, stream) == before:
        assert asyncio.get_running_loop().time() < end, (page.url, stream)
        await asyncio.sleep(0.05)


async def holds_and_goes_on(room: Page, expert: Page) -> None:
    hold = expert.get_by_role("button", name=re.compile(f"^{WORDS['expert.hold']}"))
    await hold.click()
    await says(room, "expert-words", WORDS["js.room.on_hold"])
    await says(expert, "room-words", WORDS["js.expert.on_hold"])
    assert await hold.get_attribute("aria-pressed") == "true"

    await hold.click()
    await says(room, "expert-words", "")
    await moves_on(room, "expert", await frames(room, "expert"))


async def says(page: Page, place: str, words: str) -> None:
    await until(page, "([id, words]) => document.getElementById(id).textContent === words", [place, words])


async def hands_over(old: Page, new: Page, account: str) -> None:
    await old.get_by_role("button", name=WORDS["expert.transfer"], exact=True).click()
    await old.get_by_text(WORDS["expert.release_summary"]).click()
    await old.get_by_label(WORDS["expert.transfer_to"], exact=True).select_option(account)
    await old.get_by_role("button", name=WORDS["expert.transfer_send"]).click()
    await new.locator("#queue .badge").get_by_text(WORDS["expert.transfer_to_you"]).wait_for()
    await takes(new)
    await has_frames(new, "room")
    leave = old.get_by_role("button", name=WORDS["handover.leave"])
    await leave.wait_for()
    assert NAMES[account] in await old.locator("#session-news").inner_text()

    await leave.click()

    await until(old, "() => document.body.dataset.view === 'idle'")
    await state_is(old, "")


async def gives_back(room: Page, expert: Page) -> None:
    await expert.get_by_role("button", name=WORDS["expert.transfer"], exact=True).click()
    await expert.get_by_text(WORDS["expert.release_summary"]).click()
    await expert.get_by_role("button", name=WORDS["expert.release"], exact=True).click()
    await state_is(room, "waiting")
    await until(room, "words => document.getElementById('calm').textContent.includes(words)", WORDS["room.place_first"])
    await state_is(expert, "")


async def finds_nothing_chosen(expert: Page) -> None:
    """The dialog of the transfer is as if it had never been used, though the customer before was handed over with it."""
    await expert.get_by_role("button", name=WORDS["expert.transfer"], exact=True).click()
    dialog = expert.get_by_role("dialog", name=WORDS["expert.transfer_title"])
    release = dialog.get_by_role("button", name=WORDS["expert.release"], exact=True)
    themes = await dialog.get_by_label(WORDS["expert.transfer_to"], exact=True).locator("option[data-to=theme]").all()

    chosen = await dialog.get_by_label(WORDS["expert.transfer_to"], exact=True).input_value()

    assert (chosen, await release.is_visible()) == (await themes[0].get_attribute("value"), False)
    await dialog.get_by_role("button", name=WORDS["expert.go_on"], exact=True).click()


async def takes(expert: Page) -> None:
    await expert.get_by_role("button", name=WORDS["expert.take_next"], exact=True).click()


async def closes(expert: Page) -> None:
    await expert.get_by_role("button", name=WORDS["expert.close"], exact=True).click()
    await expert.get_by_label(WORDS["expert.outcome"], exact=True).select_option("advised")
    await expert.get_by_role("button", name=WORDS["expert.save_and_close"]).click()
