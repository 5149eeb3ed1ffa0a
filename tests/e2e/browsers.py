"""Headless Chromium with a fake camera and microphone, and what a test asks a page about its media."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, ViewportSize, async_playwright
from playwright.async_api import Error as PlaywrightError

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=30",
)

LOCALE = Path(__file__).parents[2] / "web" / "locale"

WIDE: ViewportSize = {"width": 1440, "height": 900}


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield browser
        finally:
            await browser.close()


class Words:
    """The texts of one language, by key."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._texts: dict[str, str] = json.loads((LOCALE / f"{lang}.json").read_text(encoding="utf-8"))

    def __getitem__(self, key: str) -> str:
        return self._texts[key]


class Watch:
    """What must not happen in any page: words on the console, errors, requests to another host."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.faults: list[str] = []

    def over(self, page: Page) -> Page:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("request", self._request)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        self.faults.append(f"console: {message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self._address, "blob:", "data:")):
            self.faults.append(f"request: {request.url}")


@asynccontextmanager
async def person(browser: Browser, watch: Watch, **options: Any) -> AsyncIterator[Page]:
    """One person's own browser profile with one page."""
    context: BrowserContext = await browser.new_context(viewport=WIDE, permissions=["camera", "microphone"], **options)
    try:
        yield watch.over(await context.new_page())
    finally:
        await context.close()


async def sign_in(page: Page, address: str, account: str, words: Words, password: str = "etapalvelu-demo") -> None:
    await page.goto(f"{address}?lang={words.lang}")
    # Who types before the page has set its own focus is told on the console that it did not.
    await page.locator("[autofocus]:focus").wait_for()
    await page.get_by_label(words["login.account"]).fill(account)
    await page.get_by_label(words["login.password"], exact=True).fill(password)
    await page.get_by_role("button", name=words["login.submit"]).click()
    await page.wait_for_url(f"{address}*")


STANDS = """() => ({
    ...document.body.dataset,
    notices: document.getElementById("notices")?.innerText,
    words: [...document.querySelectorAll("[id$=words]")].filter(e => e.innerText).map(e => `${e.id}: ${e.innerText}`),
})"""


async def until(page: Page, holds: str, arg: object = None, seconds: float = 15) -> None:
    """Wait until the function `holds`, asked in the page, says so. (Playwright's own waiting needs `unsafe-eval`.)

    A page that loads itself anew meanwhile has not said so yet.
    """
    end = time.monotonic() + seconds
    while not await answered(page, holds, arg):
        if time.monotonic() > end:
            stands = await answered(page, STANDS)
            raise TimeoutError(f"{page.url}: not within {seconds} s: {holds} {arg}\nThe page stands at {stands}")
        await asyncio.sleep(0.02)


async def answered(page: Page, function: str, arg: object = None) -> object:
    """What the page answers; None from a document that was left while it was asked."""
    try:
        return await page.evaluate(function, arg)
    except PlaywrightError as error:
        if "Execution context was destroyed" not in error.message:
            raise
        return None


async def state_is(page: Page, state: str, seconds: float = 15) -> None:
    await until(page, "state => document.body.dataset.state === state", state, seconds)


async def frames(page: Page, stream: str) -> int:
    """How many frames the page's video has shown since it began."""
    count: int = await page.evaluate(
        "stream => { const v = [...document.querySelectorAll(`video[data-stream=${stream}]`)].find(v => v.srcObject);"
        " return v ? v.getVideoPlaybackQuality().totalVideoFrames : 0 }",
        stream,
    )
    return count


async def has_frames(page: Page, stream: str, seconds: float = 15) -> None:
    await until(
        page,
        "stream => [...document.querySelectorAll(`video[data-stream=${stream}]`)]"
        ".some(v => v.srcObject && v.videoWidth > 0 && v.getVideoPlaybackQuality().totalVideoFrames > 0)",
        stream,
        seconds,
    )


async def loudness(page: Page, stream: str, milliseconds: int = 2500) -> float:
    """The loudest sample (0 to 1) of the stream's sound within the time. The fake microphone beeps every second."""
    value: float = await page.evaluate(
        """async ([stream, ms]) => {
            const video = [...document.querySelectorAll(`video[data-stream=${stream}]`)].find(v => v.srcObject);
            const context = new AudioContext();
            const analyser = context.createAnalyser();
            context.createMediaStreamSource(video.srcObject).connect(analyser);
            const samples = new Float32Array(analyser.fftSize);
            let loudest = 0;
            const end = performance.now() + ms;
            while (performance.now() < end) {
                analyser.getFloatTimeDomainData(samples);
                loudest = Math.max(loudest, ...samples.map(Math.abs));
                await new Promise(done => setTimeout(done, 20));
            }
            await context.close();
            return loudest;
        }""",
        [stream, milliseconds],
    )
    return value


async def document_clock(page: Page) -> int | None:
    """The time burnt into the document picture, in milliseconds modulo 2**32; None when it cannot be read just now."""
    bits: list[int] | None = await page.evaluate(
        """() => {
            const video = [...document.querySelectorAll("video[data-stream=document]")].find(v => v.srcObject && v.videoWidth);
            if (!video) return null;
            const scale = video.videoWidth / 1920, canvas = document.createElement("canvas");
            canvas.width = 440; canvas.height = 160;
            const pen = canvas.getContext("2d", { willReadFrequently: true });
            pen.drawImage(video, 80 * scale, 80 * scale, 440 * scale, 160 * scale, 0, 0, 440, 160);
            const bits = [];
            for (let row = 0; row < 4; row += 1) for (let column = 0; column < 11; column += 1) {
                const [red, green, blue] = pen.getImageData(column * 40 + 20, row * 40 + 20, 1, 1).data;
                bits.push((red + green + blue) / 3 > 128 ? 1 : 0);
            }
            return bits;
        }"""
    )
    if bits is None or bits[:2] != [1, 0] or bits[-2:] != [1, 0]:
        return None
    value, parity = _number(bits[2:34]), _number(bits[34:42])
    folded = 0
    for byte in value.to_bytes(4, "big"):
        folded ^= byte
    return value if folded == parity else None


async def api(page: Page, path: str) -> Any:
    """A question to the API with the page's own login."""
    return await page.evaluate(
        """async path => {
            const token = document.querySelector("meta[name=csrf-token]").content;
            const answer = await fetch(path, { headers: { "X-CSRF-Token": token } });
            return answer.json();
        }""",
        path,
    )


def _number(bits: list[int]) -> int:
    return int("".join(map(str, bits)), 2)
