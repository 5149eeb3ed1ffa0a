"""Who is at the other end, in real Chromium: the same six digits on both screens, and a changed certificate stops both."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urljoin

import pytest
from playwright.async_api import Browser, Page, Route, WebSocketRoute

from signaling.messages import LineSecured, MediaInterrupted
from tests.e2e.browsers import chromium
from tests.e2e.processes import free_port
from tests.js.harness import Service, served

LIMIT_MS = 20_000


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as launched:
        yield launched


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def service(port: int) -> AsyncIterator[Service]:
    async with served(port) as running:
        yield running


@pytest.fixture
async def room(browser: Browser, service: Service, port: int) -> Page:
    return await opened(browser, f"http://127.0.0.1:{port}/room?lang=en")


@pytest.fixture
async def expert(browser: Browser, service: Service, port: int) -> Page:
    return await opened(browser, f"http://127.0.0.1:{port}/expert?lang=en")


async def opened(browser: Browser, address: str) -> Page:
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(LIMIT_MS)
    await page.route("**/api/v1/queue/next", _nothing_in_advance)
    await page.goto(address)
    return page


async def _nothing_in_advance(route: Route) -> None:
    await route.fulfill(json={"call": None, "ice_servers": [], "ice_transport_policy": "all", "offers": []})


async def meet(expert: Page, room: Page) -> None:
    await expert.get_by_role("button", name="Available").click()
    await expert.request.get(urljoin(expert.url, "/open"))
    await room.get_by_text("You are 2nd in the queue").wait_for()
    await expert.get_by_role("button", name="Take next").click()
    for page in (room, expert):
        await page.wait_for_function("document.body.dataset.state === 'connected'")


async def digits(page: Page) -> str:
    await page.wait_for_function("/^[0-9]{3} [0-9]{3}$/.test(document.getElementById('identity-digits').textContent)")
    return str(await page.inner_text("#identity-digits"))


async def said(service: Service, room: Page) -> dict[str, LineSecured]:
    """What each end had written down of the people's line."""
    while True:
        words = {seat: note for seat, note in service.notes if isinstance(note, LineSecured)}
        if set(words) == {"room", "expert"}:
            return words
        await room.wait_for_timeout(100)


def code(one: str, other: str) -> str:
    """The six digits as docs/protocol.md tells to compute them."""
    secret = "".join(sorted((one, other))).encode()
    bits = hashlib.pbkdf2_hmac("sha256", secret, b"etapalvelu.call.v1 identity", 200_000, 8)
    number = f"{int.from_bytes(bits, 'big') % 1_000_000:06d}"
    return f"{number[:3]} {number[3:]}"


@pytest.mark.e2e
async def test_both_screens_show_the_same_six_digits_of_the_certificates_both_have_met(
    service: Service, room: Page, expert: Page
) -> None:
    await meet(expert, room)
    words = await said(service, room)

    await expert.get_by_role("button", name="Compare six digits").click()
    shown = await digits(expert), await digits(room)
    await expert.get_by_role("button", name="They are the same").click()
    await room.locator("#identity-dialog").wait_for(state="hidden")

    assert (words["room"].own, words["room"].met) == (words["expert"].met, words["expert"].own)
    assert shown == (code(words["room"].own, words["room"].met),) * 2


@pytest.mark.e2e
async def test_a_certificate_that_changes_within_a_connection_stops_it_on_both_screens(
    service: Service, room: Page, expert: Page
) -> None:
    offers: list[dict[str, Any]] = []
    pages: list[WebSocketRoute] = []

    async def between(page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        pages.append(page)

        def to_page(text: str | bytes) -> None:
            message = json.loads(text)
            if message["type"] == "description" and message["description"]["type"] == "offer":
                offers.append(message)
            page.send(text)

        server.on_message(to_page)

    await expert.route_web_socket("**/call", between)
    await expert.reload()
    await meet(expert, room)
    await said(service, room)
    offer = offers[-1]

    lines = offer["description"]["sdp"].splitlines(keepends=True)
    swapped = "".join(f"a=fingerprint:sha-256 {':'.join(['AA'] * 32)}\r\n" if "a=fingerprint" in one else one for one in lines)
    pages[-1].send(json.dumps({**offer, "description": {"type": "offer", "sdp": swapped}}))

    await expert.locator("#notices").get_by_text("it is not certain who is at the other end").wait_for()
    await room.locator("#expert-words").get_by_text("Nobody sees or hears you now").wait_for()
    for page, stream in ((expert, "room"), (room, "expert")):
        await page.wait_for_function("(name) => !document.querySelector(`video[data-stream=${name}]`).srcObject", arg=stream)
    assert [note for seat, note in service.notes if seat == "expert" and isinstance(note, MediaInterrupted)] == [
        MediaInterrupted(peer="room", cause="identity", since_ms=0)
    ]
