"""People at their browsers, on a rig's server: each Chromium is a process group of its own, to be stopped, killed or put on
another clock, and `called` brings a room's screen and an expert together.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Page, Playwright, async_playwright

from etapalvelu.config import load
from etapalvelu.domain.people import Role
from etapalvelu.maintenance import access_to, database
from tests.e2e.browsers import CHROMIUM, FLAGS, Watch, Words, has_frames, sign_in, state_is
from tests.faults.people import People
from tests.faults.rig import PASSWORD, Rig

ROOM = "rantala-1"
WORDS = Words("en")
START_SECONDS = 30.0
# A page's clock that is wrong by OFF milliseconds. (libfaketime stops Chromium as a whole.)
CLOCK_OFF = """(() => {
    const Right = Date;
    globalThis.Date = class extends Right {
        constructor(...parts) { parts.length ? super(...parts) : super(Right.now() + OFF); }
        static now() { return Right.now() + OFF; }
    };
})()"""
# Chromium as a machine's only program, with a port to steer it by.
ALONE = ("--headless", "--remote-debugging-port=0", "--use-mock-keychain", "--password-store=basic")


class Machine:
    """One computer with one browser."""

    def __init__(self, process: subprocess.Popen[bytes], context: BrowserContext) -> None:
        self._process = process
        self.context = context

    def sleep(self) -> None:
        """Everything on it stands still, its sockets too."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def wake(self) -> None:
        os.killpg(self._process.pid, signal.SIGCONT)

    def die(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


@asynccontextmanager
async def machine(driver: Playwright, folder: Path) -> AsyncIterator[Machine]:
    """A browser with an empty profile in `folder`; nothing of it outlives the block."""
    folder.mkdir(parents=True)  # noqa: ASYNC240 - a test's own small files
    command = [CHROMIUM, *FLAGS, *ALONE, f"--user-data-dir={folder}", "about:blank"]
    with (folder / "browser.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)  # noqa: ASYNC220 - returns at once
    try:
        browser = await driver.chromium.connect_over_cdp(await _address(folder / "DevToolsActivePort", process))
        context = await browser.new_context(viewport={"width": 1440, "height": 900}, permissions=["camera", "microphone"])
        yield Machine(process, context)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


async def _address(written: Path, process: subprocess.Popen[bytes]) -> str:
    async with asyncio.timeout(START_SECONDS):
        while True:
            if process.poll() is not None:
                raise AssertionError(f"Chromium ended with {process.returncode}")
            lines = _lines(written)
            if len(lines) > 1:
                return f"http://127.0.0.1:{lines[0]}"
            await asyncio.sleep(0.05)


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@dataclass(kw_only=True)
class Desks:
    """A room's screen and an expert's page, each on a machine of its own, and the session they are in."""

    rig: Rig
    people: People
    watch: Watch
    driver: Playwright
    room_machine: Machine
    expert_machine: Machine
    room: Page
    expert: Page
    session: str = ""

    async def call(self) -> None:
        """A session is opened, taken, and both see each other."""
        self.session = str((await self.people.advisor.open(ROOM))["id"])
        await state_is(self.room, "waiting")
        await self.expert.get_by_role("button", name=WORDS["expert.take_next"], exact=True).click()
        await self.goes_on()

    async def goes_on(self, seconds: float = 20) -> None:
        """Both pages say that they are connected, and both show the other."""
        for page, stream in ((self.room, "expert"), (self.expert, "room")):
            await state_is(page, "connected", seconds)
            await has_frames(page, stream, seconds)

    async def close(self) -> None:
        """The expert writes down what came of it and ends the session."""
        await self.expert.get_by_role("button", name=WORDS["expert.close"], exact=True).click()
        await self.expert.get_by_label(WORDS["expert.outcome"], exact=True).select_option("advised")
        await self.expert.get_by_role("button", name=WORDS["expert.save_and_close"]).click()

    def count(self, type_: str, seat: str | None = None) -> int:
        """How often the log says this (of this seat)."""
        return sum(one["type"] == type_ and seat in (None, one["data"].get("seat")) for one in self.log())

    def log(self) -> list[dict[str, Any]]:
        """The session's events, straight from the file."""
        query = "SELECT at, type, data FROM event WHERE session = ? ORDER BY seq"
        with self.rig.sqlite() as connection:
            found = connection.execute(query, (self.session,)).fetchall()
        return [{"at": at, "type": type_, "data": json.loads(data)} for at, type_, data in found]


@asynccontextmanager
async def desks(rig: Rig, people: People, *, clock_off_seconds: int = 0) -> AsyncIterator[Desks]:
    """A server that runs, a paired screen and an available expert, both of whose clocks may be off."""
    async with AsyncExitStack() as stack:
        driver = await stack.enter_async_context(async_playwright())
        folder, watch = rig.folder / "machines", Watch(rig.address)
        machines = await asyncio.gather(
            *(stack.enter_async_context(machine(driver, folder / name)) for name in ("room", "expert"))
        )
        for one in machines if clock_off_seconds else ():
            await one.context.add_init_script(CLOCK_OFF.replace("OFF", str(clock_off_seconds * 1000)))
        room, expert = [watch.over(await one.context.new_page()) for one in machines]
        await asyncio.gather(
            room.goto(f"{rig.address}/room?pair={await pairing_code(rig)}&lang=en"),
            sign_in(expert, f"{rig.address}/expert", "expert", WORDS, PASSWORD),
        )
        await expert.get_by_role("button", name=WORDS["expert.available"]).click()
        await has_frames(expert, "self")
        yield Desks(
            rig=rig,
            people=people,
            watch=watch,
            driver=driver,
            room_machine=machines[0],
            expert_machine=machines[1],
            room=room,
            expert=expert,
        )


async def pairing_code(rig: Rig) -> str:
    config = load(rig.folder / "config.toml", {})
    async with database(config) as engine:
        return await access_to(config, engine).add_pairing_code(ROOM, Role.ROOM)
