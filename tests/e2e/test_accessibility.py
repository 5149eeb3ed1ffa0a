"""Every kind of page is looked at by axe, and the main job is done with the keyboard alone."""

from contextlib import AsyncExitStack

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from tests.e2e.browsers import Watch, Words, person, sign_in, state_is, until
from tests.e2e.processes import Demo

WORDS = Words("fi")

SUPERVISOR_PAGES = ("/supervisor", "/supervisor/sessions", "/supervisor/reports")
ADMIN_PAGES = (
    "/admin",
    "/admin/points/rantala",
    "/admin/rooms/rantala-1",
    "/admin/themes/pensions",
    "/admin/staff/expert",
)


@pytest.mark.timeout(150)
async def test_no_page_has_a_fault_and_all_can_be_used_by_keyboard(demo: Demo, browser: Browser) -> None:
    faults: list[str] = []
    watch = Watch(demo.address)
    async with AsyncExitStack() as stack:
        room, advisor, expert, supervisor, admin = [await stack.enter_async_context(person(browser, watch)) for _ in range(5)]
        await room.goto(f"{demo.address}/room?lang=fi")
        faults += await found(room, "the room's code")
        await room.goto(f"{demo.place('Room screen')}&lang=fi")
        await state_is(room, "")
        faults += await found(room, "the free room")
        await advisor.goto(f"{demo.address}/login?lang=fi")
        faults += await found(advisor, "signing in")

        session = await opens_by_keyboard(advisor, demo)
        await state_is(room, "waiting")
        for page, name in ((advisor, "waiting at the desk"), (room, "waiting in the room")):
            faults += await found(page, name)
        await sign_in(expert, demo.place("Expert"), "expert", WORDS)
        faults += await found(expert, "the queue")
        await takes_by_keyboard(expert)
        await state_is(room, "connected")
        for page, name in ((expert, "serving"), (room, "served"), (advisor, "served at the desk")):
            faults += await found(page, name)
        await closes_by_keyboard(expert)
        await state_is(room, "")

        faults += await looks_by_keyboard(supervisor, demo, session)
        await sign_in(admin, demo.address + "/admin", "admin", WORDS)
        for page, paths in ((supervisor, SUPERVISOR_PAGES), (admin, ADMIN_PAGES)):
            for path in paths:
                await page.goto(demo.address + path)
                faults += await found(page, path)
        faults += await fits(supervisor, demo, SUPERVISOR_PAGES)
        faults += await fits(admin, demo, ADMIN_PAGES)

    assert faults == []
    assert watch.faults == []


async def found(page: Page, name: str) -> list[str]:
    results = await Axe().run(page)
    return [
        f"{name}: {violation['id']}: {node['html'][:160]}"
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


async def fits(page: Page, demo: Demo, paths: tuple[str, ...]) -> list[str]:
    """On a narrow screen, which is also what twice the size leaves of a wide one, nothing is wider than the window."""
    await page.set_viewport_size({"width": 375, "height": 700})
    wide = []
    for path in paths:
        await page.goto(demo.address + path)
        if await page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wide.append(f"{path} is wider than the window")
    return wide


async def tab_to(page: Page, holds: str, presses: int = 60) -> None:
    """Press Tab until the focus is on what the function says."""
    for _ in range(presses):
        await page.keyboard.press("Tab")
        if await page.evaluate(f"() => ({holds})(document.activeElement)"):
            return
    raise AssertionError(f"{page.url}: Tab does not come to {holds}")


async def opens_by_keyboard(advisor: Page, demo: Demo) -> str:
    await tab_to(advisor, "at => at.id === 'account'")
    await advisor.keyboard.type("advisor")
    await advisor.keyboard.press("Tab")
    await advisor.keyboard.type("etapalvelu-demo")
    await advisor.keyboard.press("Enter")
    await advisor.wait_for_url(f"{demo.address}/advisor*")
    await tab_to(advisor, "at => at.id === 'theme'")
    await advisor.keyboard.press("ArrowDown")
    await tab_to(advisor, "at => at.id === 'reason'")
    await advisor.keyboard.press("ArrowDown")
    await tab_to(advisor, "at => at.matches('#open-form button[type=submit]')")
    await advisor.keyboard.press("Enter")
    await advisor.wait_for_url("**/advisor/sessions/*")
    return advisor.url.rpartition("/")[2].partition("?")[0]


async def takes_by_keyboard(expert: Page) -> None:
    await expert.keyboard.press("n")
    await state_is(expert, "connected")
    assert await expert.evaluate("() => document.activeElement.id") == "capture"
    await expert.keyboard.press("?")
    await until(expert, "() => document.getElementById('keys-dialog').open")
    await expert.keyboard.press("Escape")


async def closes_by_keyboard(expert: Page) -> None:
    await expert.keyboard.press("e")
    await until(expert, "() => document.activeElement.id === 'outcome'")
    await expert.keyboard.press("ArrowDown")
    await tab_to(expert, "at => at.matches('#close-form button[type=submit]')")
    await expert.keyboard.press("Enter")
    await state_is(expert, "")


async def looks_by_keyboard(supervisor: Page, demo: Demo, session: str) -> list[str]:
    """From the board by the log to the one session, with a search typed on the way."""
    await sign_in(supervisor, demo.place("Supervisor"), "supervisor", WORDS)
    await tab_to(supervisor, "at => at.getAttribute('href') === '/supervisor/sessions'")
    await supervisor.keyboard.press("Enter")
    await supervisor.wait_for_url("**/supervisor/sessions*")
    await tab_to(supervisor, "at => at.id === 'text'")
    await supervisor.keyboard.type("nobody of this name")
    await until(supervisor, "() => !document.getElementById('rows')")
    await supervisor.keyboard.press("Control+A")
    await supervisor.keyboard.type(session[:12])
    await until(supervisor, "() => document.querySelectorAll('#rows tbody tr').length === 1")
    assert supervisor.url.endswith(f"?text={session[:12]}")
    await tab_to(supervisor, "at => at.matches('#rows a')")
    await supervisor.keyboard.press("Enter")
    await supervisor.wait_for_url(f"**/supervisor/sessions/{session}*")
    return await found(supervisor, "the timeline")
