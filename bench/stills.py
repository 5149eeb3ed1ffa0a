"""How long a still of 2 MB takes to a page of Chromium, at once and over a far line, and what the live picture has meanwhile.

    python -m bench.stills [--stills 8]

The real room agent, the page's own `stills.js`. Compared with the same bytes over a bare data channel of aiortc, in the same
run and over the same line. Exit 1 when a still takes too long or the live picture too few frames.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import numpy as np
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from playwright.async_api import Page, Route, async_playwright

from bench.far import FarLine
from etapalvelu.pages.assets import STATIC
from etapalvelu.room.pixels import jpeg
from etapalvelu.tasks import spawn
from signaling.messages import Description, DescriptionFrom, SessionDescription
from tests.room.service import CODE, Service

BYTES: Final = 2_000_000
SIZE: Final = (3840, 2160)
CHUNK_BYTES: Final = 65_536
BUFFERED_BYTES: Final = 512 * 1024
# Delay in each direction, and the longest a still may take.
LINES: Final = {"loopback": (0.0, 1.0), "30 ms delay": (0.030, 2.0)}
LEAST_FRAMES: Final = 0.6
WATCH_SECONDS: Final = 4.0
PAUSE_SECONDS: Final = 0.5
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS: Final = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
                "--disable-features=WebRtcHideLocalIpsWithMdns")  # fmt: skip
# localhost is a place browsers trust with checksums.
PAGE: Final = "http://localhost:1/"
SCRIPT: Final = """
import { Stills } from "./stills.js";
window.taken = [];
window.stills = new Stills({
  send: (message) => {
    const arrived = message.type === "still_ack";
    if (arrived) Object.assign(window.now, { framesAfter: window.frames(), acknowledged: performance.now() });
    window.channel.send(JSON.stringify(message));
  },
  progress: () => undefined,
  done: (_id, still) => void (window.now.size = still.blob.size),
  failed: (_id, code) => void (window.now.failed = code),
});
window.frames = () => window.video ? window.video.getVideoPlaybackQuality().totalVideoFrames : 0;
window.take = async () => {
  window.now = { asked: performance.now() };
  window.stills.capture();
  while (!window.now.acknowledged && !window.now.failed) await new Promise((resolve) => setTimeout(resolve, 2));
  return window.now;
};
const heard = (data) => {
  if (typeof data !== "string") {
    if (window.bare) window.bare(data.byteLength);
    return window.stills.chunk(data);
  }
  const message = JSON.parse(data);
  if (message.type === "still_begin") Object.assign(window.now, { begun: performance.now(), framesBefore: window.frames() });
  if (message.type.startsWith("still_")) void window.stills.received(message);
};
window.answer = async (sdp) => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  window.connection = connection;
  connection.ontrack = ({ track }) => {
    window.video = document.createElement("video");
    window.video.muted = true;
    window.video.srcObject = new MediaStream([track]);
    document.body.append(window.video);
    void window.video.play();
  };
  connection.ondatachannel = ({ channel }) => {
    window.channel = channel;
    channel.binaryType = "arraybuffer";
    channel.onmessage = ({ data }) => heard(data);
  };
  await connection.setRemoteDescription({ type: "offer", sdp });
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== "complete") await new Promise((resolve) => setTimeout(resolve, 10));
  return connection.localDescription.sdp;
};
window.count = (bytes) => new Promise((resolve) => {
  let got = 0;
  window.bare = (length) => {
    got += length;
    if (got >= bytes) { window.bare = null; window.channel.send("whole"); resolve(got); }
  };
});
window.ready = true;
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of one line: seconds of each still (bytes alone; from the click), of bare transfers, and frames kept."""

    stills: list[float]
    clicks: list[float]
    bare: list[float]
    frames_kept: float
    size: int


async def main(count: int) -> int:
    missed = False
    for name, (delay, limit) in LINES.items():
        figures = await _measured(delay, count)
        still, bare = statistics.median(figures.stills), statistics.median(figures.bare)
        worst = max(figures.stills)
        is_missed = worst > limit or figures.frames_kept < LEAST_FRAMES
        missed |= is_missed
        click = statistics.median(figures.clicks)
        sys.stdout.write(
            f"still of {figures.size / 1e6:.1f} MB, {name}: median {still:.2f} s, worst {worst:.2f} s (at most {limit:.0f} s), "
            f"{still / bare:.1f} x a bare data channel ({bare:.2f} s)\n"
            f"  click to picture {click:.2f} s; frames meanwhile {figures.frames_kept:.2f} of before (least {LEAST_FRAMES}); "
            f"N={count}{'  MISSED' if is_missed else ''}\n"
        )
        sys.stdout.flush()
    return int(missed)


async def _measured(delay: float, count: int) -> Figures:
    async with _page(delay) as page, AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = await _bare_seconds(page, delay, count)
        await page.evaluate("window.connection.close()")
        async with _agent(page, _picture(folder), delay):
            await page.wait_for_function("window.channel?.readyState === 'open' && window.frames() > 20", timeout=30_000)
            frames_each_second = await _frame_rate(page)
            taken: list[dict[str, Any]] = []
            for _ in range(count):
                taken.append(await page.evaluate("window.take()"))
                await asyncio.sleep(PAUSE_SECONDS)
    for still in taken:
        if "failed" in still:
            raise RuntimeError(f"a still failed: {still['failed']}")
    seconds = [(still["acknowledged"] - still["begun"]) / 1000 for still in taken]
    kept = sum(still["framesAfter"] - still["framesBefore"] for still in taken) / (frames_each_second * sum(seconds))
    return Figures(
        stills=seconds,
        clicks=[(still["acknowledged"] - still["asked"]) / 1000 for still in taken],
        bare=bare,
        frames_kept=kept,
        size=taken[0]["size"],
    )


async def _frame_rate(page: Page) -> float:
    before = await page.evaluate("[performance.now(), window.frames()]")
    await asyncio.sleep(WATCH_SECONDS)
    after = await page.evaluate("[performance.now(), window.frames()]")
    return float((after[1] - before[1]) / (after[0] - before[0]) * 1000)


def _picture(folder: Path) -> Path:
    """A camera picture whose still has about BYTES: grain on a grey table, as much of it as that takes."""
    random = np.random.default_rng()
    grain = random.normal(0, 1, (SIZE[1], SIZE[0], 3)).astype(np.float32)
    picture, low, high = np.zeros((1, 1, 3), np.uint8), 0.0, 60.0
    for _ in range(8):
        middle = (low + high) / 2
        picture = np.clip(150 + grain * middle, 0, 255).astype(np.uint8)
        low, high = (middle, high) if len(jpeg(picture)) < BYTES else (low, middle)
    path = folder / "table.jpg"
    path.write_bytes(jpeg(picture))
    return path


async def _bare_seconds(page: Page, delay: float, count: int) -> list[float]:
    """The same bytes from aiortc to the same page: no picture beside them, no checksum, no pauses but for the buffer."""
    seconds = []
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    channel = connection.createDataChannel("bare")
    opened, drained, whole = asyncio.Event(), asyncio.Event(), asyncio.Event()
    channel.bufferedAmountLowThreshold = BUFFERED_BYTES // 2
    channel.on("open", opened.set)
    channel.on("bufferedamountlow", drained.set)
    channel.on("message", lambda _: whole.set())
    async with FarLine(delay) as line, asyncio.timeout(60):
        await connection.setLocalDescription(await connection.createOffer())
        answer = await page.evaluate("(sdp) => answer(sdp)", line.offer(connection.localDescription.sdp))
        await connection.setRemoteDescription(RTCSessionDescription(sdp=line.answer(answer), type="answer"))
        await opened.wait()
        for _ in range(count):
            await page.evaluate("(bytes) => void (window.counted = window.count(bytes))", BYTES)
            whole.clear()
            loop = asyncio.get_running_loop()
            began, left = loop.time(), BYTES
            while left > 0:
                while channel.bufferedAmount > BUFFERED_BYTES:
                    drained.clear()
                    await drained.wait()
                channel.send(bytes(min(CHUNK_BYTES, left)))
                left -= CHUNK_BYTES
            await whole.wait()
            seconds.append(loop.time() - began)
            await asyncio.sleep(PAUSE_SECONDS)
        await connection.close()
    return seconds


@asynccontextmanager
async def _page(delay: float) -> AsyncIterator[Page]:
    async def serve(route: Route) -> None:
        if route.request.url.endswith("stills.js"):
            await route.fulfill(path=STATIC / "js" / "stills.js", content_type="text/javascript")
        elif route.request.url.endswith("bench.js"):
            await route.fulfill(body=SCRIPT, content_type="text/javascript")
        else:
            await route.fulfill(body="<script type=module src=bench.js></script>", content_type="text/html")

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = await browser.new_page()
        await page.route(f"{PAGE}**", serve)
        await page.goto(PAGE)
        await page.wait_for_function("window.ready")
        yield page
        await browser.close()


@asynccontextmanager
async def _agent(page: Page, picture: Path, delay: float) -> AsyncIterator[None]:
    """The room agent in a process of its own, seated in a call whose expert is the page."""
    async with AsyncExitStack() as stack:
        state = stack.enter_context(tempfile.TemporaryDirectory())
        service = Service()
        await service.start()
        stack.push_async_callback(service.stop)
        program = (sys.executable, "-m", "etapalvelu", "room", "--server", service.address, "--pair", CODE)
        agent = await asyncio.create_subprocess_exec(
            *program, "--camera", f"file:{picture}", "--state", state, stderr=asyncio.subprocess.DEVNULL
        )
        stack.push_async_callback(agent.wait)
        stack.callback(agent.terminate)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        line = await stack.enter_async_context(FarLine(delay))
        service.turn_to("s1")
        client = service.client(http, "expert", "someone")

        async def sit() -> None:
            async for message in client:
                if isinstance(message, DescriptionFrom) and message.description.type == "offer":
                    answer = await page.evaluate("(sdp) => answer(sdp)", line.offer(message.description.sdp))
                    description = SessionDescription(type="answer", sdp=line.answer(answer))
                    await client.send(Description(to="camera", generation=message.generation, description=description))

        sitting = spawn(sit(), name="expert of the bench")
        yield
        await client.close()
        sitting.cancel()
        await asyncio.wait([sitting])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stills", type=int, default=8, help="how many of each")
    sys.exit(asyncio.run(main(parser.parse_args().stills)))
