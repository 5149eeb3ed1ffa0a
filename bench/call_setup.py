"""How long from the click on "Take next" to the first decoded frame on both sides, against a bare websocket relay.

    python bench/call_setup.py [--server http://127.0.0.1:8080] [--rounds 20]

Needs a running `etapalvelu demo`. The same two browsers do both, in turn, the order changing from round to round: the relay is
two pages that offer on click with cameras already open and the browser's defaults. Prints each round, the medians and the
median of the rounds' ratios; ends with 1 when that is over 1.0.
"""

import argparse
import asyncio
import statistics
import sys
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from playwright.async_api import Browser, Page, async_playwright

HERE = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
RELAY_PORT = 8099
PASSWORD = "etapalvelu-demo"  # noqa: S105 - the demo's, known to everybody
FIRST_FRAME_SECONDS = 10
# A hand lies on the mouse, and the mouse on the button, before it clicks.
HOVER_SECONDS = 0.3
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=30",
]  # fmt: skip

# Notes when the stream's video shows its first frame, by the same call as the relay's page, and tells whoever waits for it.
WATCH = """(name) => {
  const waiting = [];
  window.firstFrame = 0;
  window.framed = () => new Promise((resolve) => (window.firstFrame ? resolve(window.firstFrame) : waiting.push(resolve)));
  for (const video of document.querySelectorAll(`video[data-stream=${name}]`)) video.requestVideoFrameCallback(() => {
    window.firstFrame ||= performance.timeOrigin + performance.now();
    for (const resolve of waiting.splice(0)) resolve(window.firstFrame);
  });
}"""
WATCH_CLICK = """() => document.getElementById('take-next').addEventListener(
  'click', () => (window.clicked = performance.timeOrigin + performance.now()), { once: true, capture: true })"""
OPEN = """async () => {
  const token = document.querySelector('meta[name=csrf-token]').content;
  const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': token };
  const { rooms } = await (await fetch('/api/v1/rooms', { headers })).json();
  const room = rooms.find((one) => one.readiness === 'ready') ?? rooms[0];
  const body = { room: room.id, theme: 'social-assistance', language: 'fi', reason: 'advice' };
  const answer = await fetch('/api/v1/sessions', { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).id;
}"""
CLOSE = """async (id) => {
  const token = document.querySelector('meta[name=csrf-token]').content;
  const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': token };
  const body = JSON.stringify({ cause: 'customer_left' });
  const answer = await fetch(`/api/v1/sessions/${id}/close`, { method: 'POST', headers, body });
  if (!answer.ok) throw new Error(await answer.text());
}"""


class Relay:
    """Whatever one socket says, the others hear."""

    def __init__(self) -> None:
        self.sockets: set[web.WebSocketResponse] = set()

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.add(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                for other in self.sockets - {socket}:
                    await other.send_str(message.data)
        self.sockets.discard(socket)
        return socket

    async def file(self, request: web.Request) -> web.FileResponse:
        return web.FileResponse(HERE / request.match_info["name"])

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/relay", self.handle)
        app.router.add_get("/{name:bare[.](?:html|js)}", self.file)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", RELAY_PORT).start()
        return runner


async def first_frames(clicking: Page, other: Page) -> float:
    """Milliseconds from the click to the later one of both first frames."""
    async with asyncio.timeout(FIRST_FRAME_SECONDS):
        frames = await asyncio.gather(*(page.evaluate("framed()") for page in (clicking, other)))
    clicked: float = await clicking.evaluate("window.clicked")
    return float(max(frames)) - clicked


class Bare:
    """The yardstick's two pages."""

    def __init__(self, clicking: Page, other: Page) -> None:
        self._clicking, self._other = clicking, other

    async def open(self) -> None:
        for page in (self._clicking, self._other):
            await page.goto(f"http://127.0.0.1:{RELAY_PORT}/bare.html")
            await page.wait_for_function("window.ready")

    async def round(self) -> float:
        await self._clicking.bring_to_front()
        await self._other.bring_to_front()
        await self._clicking.hover("#call")
        await asyncio.sleep(HOVER_SECONDS)
        await self._clicking.click("#call")
        taken = await first_frames(self._clicking, self._other)
        for page in (self._clicking, self._other):
            await page.evaluate("hangUp()")
        return taken


class Service:
    """The demo's expert, room screen and advisor."""

    def __init__(self, server: str, expert: Page, room: Page, advisor: Page) -> None:
        self._server, self._expert, self._room, self._advisor = server, expert, room, advisor

    async def open(self, pair: str) -> None:
        for page, account in ((self._expert, "expert"), (self._advisor, "advisor")):
            await page.goto(f"{self._server}/login?lang=en")
            await page.get_by_label("User name").fill(account)
            await page.get_by_label("Password").fill(PASSWORD)
            await page.get_by_role("button", name="Sign in").click()
            await page.wait_for_url(f"**/{account}")
        await self._room.goto(pair)
        await self._expert.get_by_role("button", name="Available").click()
        await self._expert.wait_for_function("document.querySelector('video[data-stream=self]').srcObject")

    async def round(self) -> float:
        await self._expert.bring_to_front()
        await self._room.bring_to_front()
        session = await self._advisor.evaluate(OPEN)
        await self._expert.wait_for_function("document.querySelector('[data-waiting]')")
        await self._room.wait_for_function("document.body.dataset.state === 'waiting'")
        # people wait longer than this; the screen's camera is open and its offer made
        await asyncio.sleep(2)
        await self._expert.evaluate(WATCH, "room")
        await self._room.evaluate(WATCH, "expert")
        await self._expert.evaluate(WATCH_CLICK)
        await self._expert.hover("#take-next")
        await asyncio.sleep(HOVER_SECONDS)
        await self._expert.click("#take-next")
        taken = await first_frames(self._expert, self._room)
        await self._expert.wait_for_function("document.body.dataset.state === 'connected'")
        await self._expert.evaluate(CLOSE, session)
        for page in (self._expert, self._room):
            await page.wait_for_function("document.body.dataset.state === '' && document.body.dataset.view !== 'session'")
        if await self._expert.locator("#done").is_visible():
            await self._expert.locator("#done").click()
        return taken


async def compare(arguments: argparse.Namespace) -> int:
    relay = await Relay().start()
    async with async_playwright() as playwright:
        launch: dict[str, Any] = {"executable_path": CHROMIUM, "args": FLAGS}
        desk: Browser = await playwright.chromium.launch(**launch)
        screen: Browser = await playwright.chromium.launch(**launch)
        at_desk, at_screen = await desk.new_context(bypass_csp=True), await screen.new_context(bypass_csp=True)
        bare = Bare(await at_desk.new_page(), await at_screen.new_page())
        # its pages forbid the evaluating that waiting for a condition needs
        counter = await desk.new_context(bypass_csp=True)
        service = Service(arguments.server, await at_desk.new_page(), await at_screen.new_page(), await counter.new_page())
        await bare.open()
        await service.open(arguments.pair)
        rounds = [await one_round(bare, service, number) for number in range(arguments.rounds + 1)][1:]
        await desk.close()
        await screen.close()
    await relay.cleanup()
    ratios = [ours / theirs for theirs, ours in rounds]
    sys.stdout.write(
        f"bare relay  median {statistics.median(theirs for theirs, _ in rounds):.0f} ms\n"
        f"etapalvelu  median {statistics.median(ours for _, ours in rounds):.0f} ms\n"
        f"ratio       median {statistics.median(ratios):.2f} over {len(rounds)} rounds (at most 1.0; the goal is 0.75)\n"
    )
    return 0 if statistics.median(ratios) <= 1.0 else 1


async def one_round(bare: Bare, service: Service, number: int) -> tuple[float, float]:
    """Round 0 warms both up and is not counted."""
    if number % 2:
        ours, theirs = await service.round(), await bare.round()
    else:
        theirs, ours = await bare.round(), await service.round()
    sys.stdout.write(f"{number:>3}  bare {theirs:>6.0f} ms   etapalvelu {ours:>6.0f} ms   {ours / theirs:.2f}\n")
    sys.stdout.flush()
    return theirs, ours


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="http://127.0.0.1:8080")
    parser.add_argument("--pair", required=True, help="the address behind `Room screen:` that the demo prints")
    parser.add_argument("--rounds", type=int, default=20)
    return asyncio.run(compare(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
