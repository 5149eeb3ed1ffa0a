"""The real room agent in a process of its own, a small service around it, and Chromium pages that look at the document."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from playwright.async_api import Browser, Page, async_playwright

from etapalvelu.tasks import spawn
from signaling.messages import Description, DescriptionFrom, Seat, SessionDescription
from tests.room.service import CODE, Service

SCRIPT = Path(__file__).parent / "viewer.js"
CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
)  # fmt: skip
TICKS = os.sysconf("SC_CLK_TCK")
SEATS: Sequence[Seat] = ("expert", "room", "expert2")


class Looker:
    """One seat: a page of Chromium and the seat's place in the call."""

    def __init__(self, page: Page, service: Service, seat: Seat, call: str, http: aiohttp.ClientSession) -> None:
        self.page = page
        self.seat = seat
        self._client = service.client(http, seat, f"login-{seat}-{call}", call)
        self._sitting = spawn(self._sit(), name=f"seat {seat}")

    async def connected(self) -> None:
        await self.page.wait_for_function("window.looking.firstFrameAt > 0", timeout=15_000)

    async def figures(self) -> dict[str, Any]:
        figures: dict[str, Any] = await self.page.evaluate("window.looking")
        return figures

    async def inbound(self) -> dict[str, Any]:
        stats: dict[str, Any] = await self.page.evaluate("inbound()")
        return stats

    async def leave(self) -> None:
        await self._client.close()
        self._sitting.cancel()
        await asyncio.wait([self._sitting])
        await self.page.close()

    async def _sit(self) -> None:
        async for message in self._client:
            match message:
                case DescriptionFrom():
                    sdp = await self.page.evaluate("(sdp) => answer(sdp)", message.description.sdp)
                    description = SessionDescription(type="answer", sdp=sdp)
                    await self._client.send(Description(to="camera", generation=message.generation, description=description))
                case _:
                    pass


class Rig:
    """An agent with a camera, sitting in a call; lookers come and go."""

    def __init__(self, service: Service, browser: Browser, http: aiohttp.ClientSession, pid: int) -> None:
        self._service = service
        self._browser = browser
        self._http = http
        self.pid = pid
        self._calls = 0

    async def turn_to_a_call(self) -> str:
        """Begin a new session; returns when the agent sits in it."""
        self._calls += 1
        call = f"s{self._calls}"
        seated = len(self._service.tickets)
        self._service.turn_to(call)
        async with asyncio.timeout(15):
            while len(self._service.tickets) == seated:  # noqa: ASYNC110 - the service is a plain record
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        return call

    async def end_the_call(self) -> None:
        self._service.turn_to(None)
        await asyncio.sleep(0.3)

    async def look(self, call: str, seats: Sequence[Seat]) -> list[Looker]:
        """Sit in these seats; returns when each has seen a first frame."""
        lookers = []
        for seat in seats:
            page = await self._browser.new_page()
            await page.add_script_tag(path=SCRIPT)
            lookers.append(Looker(page, self._service, seat, call, self._http))
        for looker in lookers:
            await looker.connected()
        return lookers

    def cpu_seconds(self) -> float:
        """What the agent has used so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def rig(
    camera: str = "test:",
    *,
    program: str = "etapalvelu",
    chromium: str = CHROMIUM,
    environment: Mapping[str, str] | None = None,
) -> AsyncIterator[Rig]:
    """Everything started, and everything ended afterwards."""
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        service = Service()
        await service.start()
        stack.push_async_callback(service.stop)
        agent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", program, "room", "--server", service.address, "--pair", CODE),
            *("--camera", camera, "--state", folder),
            env={**os.environ, "OMP_NUM_THREADS": "1", **(environment or {})},
            stderr=None if os.environ.get("BENCH_LOUD") else asyncio.subprocess.DEVNULL,
        )

        async def end() -> None:
            agent.terminate()
            await agent.wait()

        stack.push_async_callback(end)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        stack.push_async_callback(browser.close)
        yield Rig(service, browser, http, agent.pid)
