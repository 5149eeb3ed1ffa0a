"""A whole service on a network of its own: server and coturn in one place, screen and agent in a room, an expert at a desk.

The real programs over TLS: `etapalvelu serve`, `etapalvelu room`, Chromium, and coturn with the configuration that
`etapalvelu turn config` writes. What people saw is written down in the pages themselves, by the machine's one clock.
"""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from etapalvelu.config import load
from etapalvelu.domain.people import Role
from etapalvelu.maintenance import access_to, database
from etapalvelu.room import credential
from tests.certificates import certify
from tests.e2e.browsers import CHROMIUM, FLAGS, WIDE, Words, document_clock, has_frames, sign_in, state_is
from tests.faults.checker import Json, lines
from tests.faults.net import Net, end, impossible, wait_for_text
from tests.faults.rig import ONE_THREAD
from tests.turn import turn_config

ROOM = "rantala-1"
PORT = 8443
READY_SECONDS = 20.0
# How long a call may take from "take" to all pictures on a busy machine, relays tried one after the other included.
CONNECT_SECONDS = 45.0
# What the people see of each other and of the paper: where, and the picture's name.
PICTURES = (("expert", "room"), ("expert", "document"), ("room", "expert"))
SECRET = "a-secret-of-coturn-that-nobody-knows"

CONFIG = """\
[server]
host = "{server}"
port = {port}
tls_cert = "server.pem"
tls_key = "server.key"
[store]
url = "sqlite+aiosqlite:///etapalvelu.sqlite"
[secrets]
file = "keys"
[hours]
always_open = true
[call]
heartbeat_seconds = 1.0
seat_limit_seconds = {seat_limit}
relay_only = {relay_only}
[turn]
urls = {urls}
secret_file = "turn.secret"
credential_seconds = {credential_seconds}
address = "{server}"
allowed_peers = ["{network}"]
tls_cert = "server.pem"
tls_key = "server.key"
[log]
level = "info"
format = "json"
"""

# Each page keeps when frames came, what it said, and its connections.
WITNESS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.connections.push(this); }
};
window.witness = { frames: {}, said: [] };
const last = {};
setInterval(() => {
  for (const video of document.querySelectorAll("video[data-stream]")) {
    const { stream } = video.dataset;
    const count = video.srcObject ? video.getVideoPlaybackQuality().totalVideoFrames : 0;
    if (count > 0 && count !== last[stream]) (window.witness.frames[stream] ??= []).push(Date.now() / 1000);
    last[stream] = count;
  }
  const words = [...document.querySelectorAll("[id$=words], #notices, #line")].filter((one) => one.checkVisibility())
    .map((one) => one.textContent.trim()).filter(Boolean).join(" | ");
  if (words !== last.words) window.witness.said.push([Date.now() / 1000, words]);
  last.words = words;
}, 25);
"""

PATHS = """async () => {
  const found = [];
  for (const connection of window.connections) {
    if (connection.connectionState !== "connected") continue;
    const report = await connection.getStats();
    const entries = [...report.values()];
    const transport = entries.find((entry) => entry.type === "transport");
    const pair = transport && report.get(transport.selectedCandidatePairId);
    const [ours, theirs] = [report.get(pair?.localCandidateId), report.get(pair?.remoteCandidateId)];
    if (ours && theirs) found.push({
      to: entries.some((entry) => entry.type === "outbound-rtp") ? "person" : "document",
      ours: ours.candidateType, by: ours.relayProtocol ?? "", theirs: theirs.candidateType });
  }
  return found;
}"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a scene is built. `urls`: the kinds of TURN addresses that are named, of udp, tcp and tls."""

    urls: Sequence[str] = ("udp", "tcp", "tls")
    relay_only: bool = False
    credential_seconds: int = 7200
    seat_limit: float = 60.0
    lag: Mapping[str, float] = field(default_factory=dict)
    turn_options: Sequence[str] = ()
    # coturn's own secret, where it is not the server's.
    other_secret: str = ""


class Scene:
    """The processes of one service; `call` brings room and expert together."""

    def __init__(self, net: Net, folder: Path, plan: Plan, tokens: dict[str, str]) -> None:
        self.net = net
        self.folder = folder
        self.plan = plan
        self.tokens = tokens
        self.address = f"https://{net.address('server')}:{PORT}"
        self.words = Words("fi")
        self.session = ""
        self.server: subprocess.Popen[Any] | None = None
        self.turn: subprocess.Popen[Any] | None = None
        self.agent: subprocess.Popen[Any] | None = None
        self.room: Page
        self.expert: Page

    # Processes

    def write_config(self) -> None:
        """What the server is to go by from its next start on."""
        server, plan = self.net.address("server"), self.plan
        named = {"udp": f"turn:{server}:3478", "tcp": f"turn:{server}:3478?transport=tcp", "tls": f"turns:{server}:5349"}
        self.config.write_text(
            CONFIG.format(
                server=server,
                port=PORT,
                network=self.net.network,
                urls=[named[kind] for kind in plan.urls],
                relay_only=str(plan.relay_only).lower(),
                credential_seconds=plan.credential_seconds,
                seat_limit=plan.seat_limit,
            ),
            encoding="utf-8",
        )

    def start(self) -> None:
        self.start_server()
        self.start_turn()
        self.start_agent()

    def start_server(self) -> None:
        log = self.folder / "server.log"
        log.unlink(missing_ok=True)
        self.server = self._popen("server", log, [sys.executable, "-m", "etapalvelu", "serve", "--config", str(self.config)])
        wait_for_text(log, "serving", self.server, READY_SECONDS)

    def start_turn(self) -> None:
        """coturn, with just the configuration that goes with the server's."""
        written = turn_config(self.config)
        if self.plan.other_secret:
            written = written.replace(SECRET, self.plan.other_secret)
        config, log = self.folder / "turnserver.conf", self.folder / "turn.log"
        config.touch(mode=0o600)
        config.write_text(written, encoding="utf-8")
        log.unlink(missing_ok=True)
        files = [f"--pidfile={self.folder / 'turn.pid'}", f"--userdb={self.folder / 'turn.db'}"]
        command = ["turnserver", "-c", str(config), *files, *self.plan.turn_options]
        self.turn = self._popen("server", log, command)
        wait_for_text(log, "initialization done", self.turn, READY_SECONDS)

    def start_agent(self) -> None:
        state, log = self.folder / "agent", self.folder / "agent.log"
        state.mkdir(exist_ok=True)
        credential.save(state, self.address, self.tokens[f"{ROOM}:agent"])
        log.unlink(missing_ok=True)
        command = [sys.executable, "-m", "etapalvelu", "room", "--server", self.address, "--camera", "test:"]
        self.agent = self._popen("room", log, [*command, "--state", str(state), "--ca", str(self.folder / "ca.pem")])

    def agent_log(self) -> str:
        return (self.folder / "agent.log").read_text(errors="replace")

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def _popen(self, place: str, log: Path, command: Sequence[str]) -> subprocess.Popen[Any]:
        # A private authority is trusted by whoever is told its file.
        environ = {**os.environ, **ONE_THREAD, "SSL_CERT_FILE": str(self.folder / "ca.pem")}
        with log.open("ab") as out:
            return self.net.popen(place, command, stdout=out, stderr=out, env=environ, cwd=self.folder)

    # People

    async def enter(self, room: Browser, expert: Browser) -> None:
        """The room's screen is paired, the expert is available."""
        self.room, self.expert = await self._page(room), await self._page(expert)
        config = load(self.config, {})
        async with database(config) as engine:
            code = await access_to(config, engine).add_pairing_code(ROOM, Role.ROOM)
        await self.room.goto(f"{self.address}/room?pair={code}&lang=fi")
        await state_is(self.room, "")
        await sign_in(self.expert, f"{self.address}/expert", "expert", self.words, "a long password")
        await self.expert.get_by_role("button", name=self.words["expert.available"]).click()
        await has_frames(self.expert, "self")

    async def _page(self, browser: Browser) -> Page:
        context = await browser.new_context(
            viewport=WIDE, permissions=["camera", "microphone"], ignore_https_errors=True, locale="fi"
        )
        await context.add_init_script(WITNESS)
        return await context.new_page()

    async def take(self) -> None:
        """A session is opened in the room and taken by the expert."""
        opened: Json = await self._advise(
            "/sessions", {"room": ROOM, "theme": "pensions", "language": "fi", "reason": "advice"}
        )
        self.session = str(opened["id"])
        await state_is(self.room, "waiting", CONNECT_SECONDS)
        await self.expert.get_by_role("button", name=self.words["expert.take_next"], exact=True).click()

    async def call(self) -> None:
        """Room and expert see each other, and both see the document."""
        await self.take()
        for page in (self.expert, self.room):
            await state_is(page, "connected", CONNECT_SECONDS)
        for page, streams in ((self.expert, ("room", "document")), (self.room, ("expert", "document"))):
            for stream in streams:
                await has_frames(page, stream, CONNECT_SECONDS)

    async def begin(self, plan: Plan) -> None:
        """Nobody is in a session, all lines are well, and the programs begin anew by this plan; network and pages stay."""
        self.net.heal()
        if self.session:
            await self.finish()
        for process in (self.agent, self.server, self.turn):
            if process is not None:
                end(process)
        self.plan = plan
        self.write_config()
        self.start()

    async def finish(self) -> None:
        """The session is over for everybody, perhaps since a while."""
        await self._advise(f"/sessions/{self.session}/close", {"cause": "technical", "cause_class": "unknown"}, or_status=409)
        await state_is(self.room, "", CONNECT_SECONDS)
        await self.expert.reload()
        await self.expert.get_by_role("button", name=self.words["expert.available"]).wait_for()
        self.session = ""

    async def _advise(self, path: str, body: Json, or_status: int = 200) -> Any:
        """A deed of the advisor, whose machine stands beside the expert's."""
        status, answer = await self.expert.evaluate(
            """async ([path, token, body]) => {
                const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
                const answer = await fetch(`/api/v1${path}`,
                    { method: "POST", headers, body: JSON.stringify(body), credentials: "omit" });
                return [answer.status, await answer.json()];
            }""",
            [path, self.tokens["advisor"], body],
        )
        assert status in (200, 201, or_status), answer
        return answer

    # What was seen

    def page(self, where: str) -> Page:
        return self.expert if where == "expert" else self.room

    async def paths(self, page: Page) -> list[Json]:
        """How the page's connections go: whose, our candidate's type and its way to the relay, their candidate's type."""
        found: list[Json] = await page.evaluate(PATHS)
        return sorted(found, key=lambda path: str(path["to"]))

    async def frames(self, page: Page, stream: str, since: float, before: float = float("inf")) -> list[float]:
        """When frames came, by the clock."""
        # Sorted out in the page: of a call that lasts, all of them would keep it busy while others are to be measured.
        seen: list[float] = await page.evaluate(
            "([stream, since]) => (window.witness.frames[stream] ?? []).filter((at) => at >= since)", [stream, since]
        )
        return [at for at in seen if at <= before]

    async def said(self, page: Page, since: float) -> list[tuple[float, str]]:
        """What stood on the page, each with when it changed to that."""
        told: list[list[Any]] = await page.evaluate("(since) => window.witness.said.filter(([at]) => at >= since)", since)
        return [(float(at), str(words)) for at, words in told]

    async def flows(self, page: Page, stream: str, seconds: float = CONNECT_SECONDS) -> float:
        """Wait until frames come one after the other; how long that took."""
        began = time.time()
        while time.time() < began + seconds:
            newest = await self.frames(page, stream, max(began, time.time() - 1))
            if len(newest) >= (8 if stream != "document" else 2):
                return newest[0] - began
            await asyncio.sleep(0.05)
        raise TimeoutError(f"no frames of {stream} within {seconds} s: {await self.said(page, began - 5)}")

    async def document_age(self, page: Page) -> float | None:
        """How old the document's picture is, in seconds, by the clock burnt into it."""
        shown = await document_clock(page)
        return None if shown is None else ((time.time_ns() // 1_000_000 - shown) % 2**32) / 1000

    def log(self) -> list[Json]:
        """The session's events as the operator exports them."""
        path = self.folder / "log.jsonl"
        command = [sys.executable, "-m", "etapalvelu", "log", "export", "--format", "jsonl", "--config", str(self.config)]
        with path.open("wb") as out:
            subprocess.run(command, stdout=out, check=True, timeout=60)
        return [entry for entry in lines(path) if entry["session"] == self.session]


def longest_gap(frames: Sequence[float], began: float, ended: float) -> float:
    """The longest time without a frame, in seconds, from `began` to `ended`."""
    return max(later - earlier for earlier, later in zip([began, *frames], [*frames, ended], strict=True))


@asynccontextmanager
async def scene(folder: Path, prepared: Path, plan: Plan | None = None) -> AsyncIterator[Scene]:
    """A service at work, with nobody in a session yet; the test is skipped where no such network can be."""
    if reason := impossible():
        pytest.skip(reason)
    plan = plan or Plan()
    shutil.copytree(prepared, folder, dirs_exist_ok=True)
    with Net(("server", "room", "expert"), lag=plan.lag) as net:
        made = Scene(net, folder, plan, json.loads((folder / "tokens.json").read_text(encoding="utf-8")))
        (folder / "turn.secret").touch(mode=0o600)
        (folder / "turn.secret").write_text(SECRET + "\n", encoding="utf-8")
        certify(folder, net.address("server"))
        made.write_config()
        made.start()
        async with AsyncExitStack() as stack:
            driver = await stack.enter_async_context(async_playwright())
            browsers = []
            for place in ("room", "expert"):
                browser = await driver.chromium.launch(
                    executable_path=_chromium(net, folder, place), args=[*FLAGS, "--ignore-certificate-errors"]
                )
                stack.push_async_callback(browser.close)
                browsers.append(browser)
            await made.enter(*browsers)
            yield made
            net.heal()


def _chromium(net: Net, folder: Path, place: str) -> Path:
    """A program that is Chromium in the place."""
    path = folder / f"chromium-{place}"
    path.write_text(f'#!/bin/sh\nexec {" ".join(net.ahead(place))} {CHROMIUM} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path
