"""The main job from beginning to end, with real browsers, a real server and a real room agent, once in each language."""

import asyncio
import csv
import hashlib
import io
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Any

import pytest
from playwright.async_api import Browser, Locator, Page

from tests.e2e.browsers import (
    Watch,
    Words,
    api,
    document_clock,
    frames,
    has_frames,
    loudness,
    person,
    sign_in,
    state_is,
    until,
)
from tests.e2e.processes import Demo

# How long the document is watched.
WATCH_SECONDS = 30

LEGAL_ORDER = ["opened", "joined", "joined", "claimed", "joined", "connected", "still_taken", "noted", "closed"]


@pytest.mark.alone
@pytest.mark.timeout(180)
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
async def test_a_customer_is_served_from_opening_to_log(demo: Demo, browser: Browser, lang: str) -> None:
    words, watch = Words(lang), Watch(demo.address)
    async with AsyncExitStack() as stack:
        room, advisor, supervisor = [await stack.enter_async_context(person(browser, watch)) for _ in range(3)]
        # To hash a still the test must read the page's own blob, which the page's policy forbids to scripts.
        expert = await stack.enter_async_context(person(browser, watch, bypass_csp=True))

        await room.goto(f"{demo.place('Room screen')}&lang={lang}")
        await state_is(room, "")
        session_id = await _open(advisor, demo, words)
        await state_is(room, "waiting")
        await _make_available(expert, demo, words)
        await expert.get_by_role("button", name=words["expert.take_next"], exact=True).click()
        for page in (expert, room, advisor):
            await state_is(page, "connected")

        await asyncio.gather(_people_see_and_hear(room, expert), _document_lives(room, expert))
        digests = await _still(expert, words)

        await _close(expert, words)
        for page in (room, advisor, expert):
            await until(page, "() => document.body.dataset.state !== 'connected'", seconds=2)
        await _nothing_is_left(room)
        await _log_says_so(supervisor, demo, words, session_id, digests)
        await expert.get_by_role("button", name=words["expert.done"]).click()
        await state_is(expert, "")
        assert await expert.locator("img[data-still]").count() == 0

    assert watch.faults == []


async def _open(advisor: Page, demo: Demo, words: Words) -> str:
    await sign_in(advisor, demo.place("Advisor"), "advisor", words)
    await advisor.get_by_label(words["field.theme"], exact=True).select_option("pensions")
    await advisor.get_by_label(words["field.reason"], exact=True).select_option("application")
    await advisor.get_by_role("button", name=words["advisor.open"]).click()
    await advisor.wait_for_url("**/advisor/sessions/*")
    await state_is(advisor, "waiting")
    return advisor.url.rpartition("/")[2].partition("?")[0]


async def _make_available(expert: Page, demo: Demo, words: Words) -> None:
    await sign_in(expert, demo.place("Expert"), "expert", words)
    available = expert.get_by_role("button", name=words["expert.available"])
    await available.click()
    await has_frames(expert, "self")
    assert await available.get_attribute("aria-pressed") == "true"


async def _people_see_and_hear(room: Page, expert: Page) -> None:
    await has_frames(room, "expert")
    await has_frames(expert, "room")
    before = await frames(room, "expert"), await frames(expert, "room")
    heard = await asyncio.gather(loudness(room, "expert"), loudness(expert, "room"), asyncio.sleep(5))
    after = await frames(room, "expert"), await frames(expert, "room")

    rates = [(last - first) / 5 for first, last in zip(before, after, strict=True)]
    assert min(rates) >= 15, rates
    assert min(heard[:2]) > 0.01, heard
    for page, stream in ((room, "expert"), (expert, "room")):
        size = await page.evaluate(
            "s => { const v = [...document.querySelectorAll(`video[data-stream=${s}]`)].find(v => v.srcObject);"
            " return [v.videoWidth, v.videoHeight] }",
            stream,
        )
        assert size == [640, 480]


async def _document_lives(room: Page, expert: Page) -> None:
    for page in (room, expert):
        await has_frames(page, "document")
    before = [await frames(page, "document") for page in (room, expert)]
    clocks: dict[str, list[int]] = {"room": [], "expert": []}
    for _ in range(WATCH_SECONDS):
        await asyncio.sleep(1)
        for name, page in (("room", room), ("expert", expert)):
            clock = await document_clock(page)
            if clock is not None:
                clocks[name].append(clock)
    after = [await frames(page, "document") for page in (room, expert)]

    rates = [(last - first) / WATCH_SECONDS for first, last in zip(before, after, strict=True)]
    assert min(rates) >= 8, rates
    for name, seen in clocks.items():
        assert len(seen) >= WATCH_SECONDS // 2, (name, len(seen))
        assert seen == sorted(set(seen)), name
        advanced = (seen[-1] - seen[0]) / 1000
        assert WATCH_SECONDS * 0.5 < advanced < WATCH_SECONDS * 2, (name, advanced)


async def _still(expert: Page, words: Words) -> tuple[str, str]:
    """The checksums of the page and of the camera's picture it was made from, as they stand in the tray."""
    await expert.get_by_role("button", name=words["expert.capture"]).click()
    page, raw = expert.locator("img[data-still]").first, expert.locator("img[data-still][data-part=raw]")
    await page.wait_for(timeout=15_000)
    await raw.wait_for(timeout=15_000)
    await until(expert, "() => [...document.querySelectorAll('img[data-still]')].every(image => image.naturalWidth > 0)")
    across, down = await page.evaluate("image => [image.naturalWidth, image.naturalHeight]")

    assert await page.get_attribute("data-part") == "page"
    assert 1.38 < down / across < 1.45
    assert await raw.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [3840, 2160]
    return await _checksum(page), await _checksum(raw)


async def _checksum(picture: Locator) -> str:
    told = await picture.get_attribute("data-still")
    data = await picture.evaluate("async image => [...new Uint8Array(await (await fetch(image.src)).arrayBuffer())]")
    assert hashlib.sha256(bytes(data)).hexdigest() == told
    return str(told)


async def _close(expert: Page, words: Words) -> None:
    await expert.get_by_role("button", name=words["expert.close"], exact=True).click()
    outcome = expert.get_by_label(words["expert.outcome"], exact=True)
    await outcome.select_option("advised")
    await expert.get_by_role("button", name=words["expert.save_and_close"]).click()


async def _nothing_is_left(room: Page) -> None:
    """Within two seconds of the close no stream is attached and no picture of the customer stands."""
    await until(
        room,
        "() => [...document.querySelectorAll('video')].every(v => v.srcObject === null)"
        " && !document.querySelector('[data-still]')",
        seconds=2,
    )


async def _log_says_so(supervisor: Page, demo: Demo, words: Words, session_id: str, digests: tuple[str, str]) -> None:
    await sign_in(supervisor, demo.place("Supervisor"), "supervisor", words)
    await supervisor.goto(f"{demo.address}/supervisor/sessions")
    await supervisor.locator(f"a[href*='/supervisor/sessions/{session_id}']").first.click()
    await supervisor.wait_for_url(f"**/supervisor/sessions/{session_id}*")
    session: dict[str, Any] = await api(supervisor, f"/api/v1/sessions/{session_id}")
    events = session["events"]

    types = [event["type"] for event in events]
    assert sorted(kind for kind in types if kind != "secured") == sorted(LEGAL_ORDER)
    ends = {
        (one["seat"], one["peer"]): (one["own"], one["met"]) for one in (e["data"] for e in events if e["type"] == "secured")
    }
    assert ends["room", "expert"] == ends["expert", "room"][::-1]
    assert (types[0], types[-2:]) == ("opened", ["noted", "closed"])
    assert types.index("claimed") < types.index("connected") < types.index("still_taken")
    seats = {event["data"]["seat"] for event in events if event["type"] == "joined"}
    assert seats == {"room", "camera", "expert"}
    times = [datetime.fromisoformat(event["at"]) for event in events]
    assert times == sorted(times)
    (still,) = [event["data"] for event in events if event["type"] == "still_taken"]
    assert (still["sha256"], still["raw_sha256"], still["verdict"]) == (*digests, "readable")
    assert (session["state"], session["close_cause"], session["outcomes"]) == ("closed", "completed", ["advised"])
    assert session["service_seconds"] >= WATCH_SECONDS
    await _csv_has_the_row(supervisor, demo, words, session)


async def _csv_has_the_row(supervisor: Page, demo: Demo, words: Words, session: dict[str, Any]) -> None:
    await supervisor.goto(f"{demo.address}/supervisor/sessions")
    async with supervisor.expect_download() as downloading:
        await (
            supervisor.get_by_role("link", name=words["log.export"])
            .or_(supervisor.get_by_role("button", name=words["log.export"]))
            .click()
        )
    path = await (await downloading.value).path()
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))

    row = next(row for row in rows if row["id"] == session["id"])
    assert (row["theme"], row["close_cause"], row["outcomes"], row["stills"]) == ("pensions", "completed", "advised", "1")
    assert int(row["service_seconds"]) == session["service_seconds"]
