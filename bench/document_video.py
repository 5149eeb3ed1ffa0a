"""The document's way to real Chromium pages: what it costs, how soon it is there, what a thin line leaves of it.

    python -m bench.document_video [cost] [encode] [first] [thin] [text] [--seconds 8] [--calls 10]

All parts unless some are named. The agent is the real program in a process of its own; `thin` needs root, since it puts agent
and browser into network namespaces with 800 kbit/s between them. Exit 1 when a bound is missed.
"""

import argparse
import asyncio
import base64
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from bench.read_page import Rows, character_error
from bench.rig import CHROMIUM, SEATS, Looker, Rig, rig
from bench.sheets import Sheet, make_sheet
from etapalvelu.room.camera import Camera
from etapalvelu.room.h264 import H264Encoder
from etapalvelu.room.line import Line
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import LiveView

ASKED: Final = 15
THIN: Final = "800kbit"
PARTS: Final = ("cost", "encode", "first", "text", "thin")
MOST_CPU: Final = 1.3
MOST_ENCODE: Final = 1.25
LEAST_DELIVERED: Final = 0.95
MOST_MEDIAN_MS: Final = 150.0
MOST_P95_MS: Final = 300.0
MOST_FIRST_MS: Final = 300.0
LEAST_ON_THIN: Final = 0.8
MOST_THIN_P95_MS: Final = 500.0
MOST_TIMES_SOURCE: Final = 1.5
SETTLE_SECONDS: Final = 3.0
# A sheet of A4 as large as it gets in a picture of 1080p.
SHEET_HEIGHT: Final = 1060
# Small print is near what a sheet of A4 shows at 1080p: enough letters are wrong in the source for a ratio to mean something.
SHEETS: Final = ("text", "dense", "dense", "dense")
NAMESPACES: Final = ("etapalvelu-room", "etapalvelu-desk")


async def cost(rows: Rows, seconds: float) -> None:
    """One viewer and three in turn, so that both meet the same machine."""
    used: dict[int, list[float]] = {1: [], 3: []}
    delivered, late = [], []
    async with rig() as agent:
        for viewers in (1, 3, 1, 3):
            call = await agent.turn_to_a_call()
            lookers = await agent.look(call, SEATS[:viewers])
            await asyncio.sleep(SETTLE_SECONDS)
            seen = await _shown(lookers, agent, seconds)
            used[viewers].append(seen["cpu"])
            if viewers == 1:
                delivered.append(seen["frames"] / seconds / ASKED)
                late += seen["late"]
            await _leave(agent, lookers)
    late.sort()
    rows.add("agent CPU, 3 viewers, of a core", statistics.mean(used[3]))
    rows.add("agent CPU, 3 viewers / 1 viewer", statistics.mean(used[3]) / statistics.mean(used[1]), MOST_CPU)
    rows.add("delivered / asked frames, 1080p15", statistics.mean(delivered), LEAST_DELIVERED, at_least=True)
    rows.add("capture stamp to canvas, median, ms", statistics.median(late), MOST_MEDIAN_MS)
    rows.add("capture stamp to canvas, p95, ms", late[len(late) * 95 // 100], MOST_P95_MS)


async def encode(rows: Rows, seconds: float) -> None:
    """The stream's own thread against PyAV alone with the same pictures at the same rate."""
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    view = LiveView(camera)
    stream = DocumentStream(view)
    pictures: list[Bgr] = []
    feed = stream.join(Line())
    await feed.next()
    loop = asyncio.get_running_loop()
    before = await loop.run_in_executor(stream._worker, time.thread_time)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await feed.next()
        pictures.append((await view.next_planes(0))[1])
    ours = (await loop.run_in_executor(stream._worker, time.thread_time)) - before
    feed.leave()
    stream.close()
    await camera.stop()
    raw = await asyncio.to_thread(_raw_seconds, pictures)
    rows.add("encode CPU per frame, ms", ours / len(pictures) * 1000)
    rows.add("encode CPU per frame / PyAV alone", ours / raw, MOST_ENCODE)


def _raw_seconds(pictures: Sequence[Bgr]) -> float:
    encoder = H264Encoder(pictures[0].shape[1], pictures[0].shape[0] * 2 // 3)
    encoder.encode(pictures[0], 0, is_key=True, bits_per_second=600_000)
    began = time.thread_time()
    for number, planes in enumerate(pictures, 1):
        encoder.encode(planes, number * 6000, is_key=False, bits_per_second=600_000)
    return time.thread_time() - began


async def first(rows: Rows, calls: int) -> None:
    """From Chromium's `connected` to its first frame; the first call warms the browser up."""
    taken, widths = [], set()
    async with rig() as agent:
        for number in range(calls + 1):
            call = await agent.turn_to_a_call()
            lookers = await agent.look(call, SEATS[:1])
            figures = await lookers[0].figures()
            await _leave(agent, lookers)
            if number:
                taken.append(figures["firstFrameAt"] - figures["connectedAt"])
                widths.add(figures["firstWidth"])
    rows.add("first frame after connecting, median, ms", statistics.median(taken))
    rows.add(f"first frame after connecting, slowest of {calls} calls, ms", max(taken), MOST_FIRST_MS)
    rows.add("width of the smallest first frame", min(widths), 1920, at_least=True)


async def thin(rows: Rows, seconds: float) -> None:
    """In the room's namespace already: Chromium is started in the other one."""
    with tempfile.TemporaryDirectory() as folder:
        chromium = Path(folder) / "chromium"
        chromium.write_text(f'#!/bin/sh\nexec ip netns exec {NAMESPACES[1]} {CHROMIUM} "$@"\n', encoding="ascii")
        chromium.chmod(0o755)
        for name, program in (("a page at rest", "etapalvelu"), ("a page moved about", "bench.moving_agent")):
            async with rig(program=program, chromium=str(chromium)) as agent:
                call = await agent.turn_to_a_call()
                lookers = await agent.look(call, SEATS[:1])
                await asyncio.sleep(SETTLE_SECONDS)
                seen = await _shown(lookers, agent, 2 * seconds)
                asked = seen["asked"]
                late = sorted(seen["late"])
                await _leave(agent, lookers)
            rows.add(f"{THIN}, {name}: frames of those asked", seen["frames"] / asked, LEAST_ON_THIN, at_least=True)
            rows.add(f"{THIN}, {name}: p95, ms", late[len(late) * 95 // 100], MOST_THIN_P95_MS)


async def text(rows: Rows, seconds: float) -> None:
    """A whole sheet of A4 read by a machine from the camera's picture and from the page's canvas."""
    letters, source, shown = 0, 0.0, 0.0
    for kind in SHEETS:
        sheet = make_sheet(secrets.randbelow(10**6), kind)
        picture, box = _laid(sheet)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sheet.png"
            cv2.imwrite(str(path), picture)
            async with rig(f"file:{path}") as agent:
                call = await agent.turn_to_a_call()
                lookers = await agent.look(call, SEATS[:1])
                await asyncio.sleep(seconds / 2)
                data: str = await lookers[0].page.evaluate("snapshot()")
                await _leave(agent, lookers)
        seen = cv2.imdecode(np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
        letters += len(sheet.text)
        source += len(sheet.text) * character_error(picture[box], sheet)
        shown += len(sheet.text) * character_error(np.asarray(seen, np.uint8)[box], sheet)
    rows.add(f"character error in the camera's picture, of {letters} letters", source / letters)
    rows.add("character error on the expert's page / in the camera's picture", shown / source, MOST_TIMES_SOURCE)


def _laid(sheet: Sheet) -> tuple[Bgr, tuple[slice, slice]]:
    """A picture of 1080p with the sheet in its middle, and where it lies."""
    high, wide = sheet.image.shape[:2]
    width = round(SHEET_HEIGHT * wide / high)
    left, top = (1920 - width) // 2, (1080 - SHEET_HEIGHT) // 2
    box = (slice(top, top + SHEET_HEIGHT), slice(left, left + width))
    picture = np.full((1080, 1920, 3), (104, 124, 138), np.uint8)
    picture[box] = cv2.resize(sheet.image, (width, SHEET_HEIGHT), interpolation=cv2.INTER_AREA)
    return picture, box


async def _shown(lookers: Sequence[Looker], agent: Rig, seconds: float) -> dict[str, Any]:
    """What the first looker got in that time, and what the agent used for all."""
    before, began, used = await lookers[0].inbound(), time.monotonic(), agent.cpu_seconds()
    start = await lookers[0].page.evaluate("performance.now()")
    await asyncio.sleep(seconds)
    after, passed, cpu = await lookers[0].inbound(), time.monotonic() - began, agent.cpu_seconds() - used
    end = await lookers[0].page.evaluate("performance.now()")
    figures = await lookers[0].figures()
    return {
        "frames": (after["framesDecoded"] - before["framesDecoded"]) * seconds / passed,
        "late": [one["lag"] for one in figures["lags"] if start <= one["at"] <= end],
        "asked": _asked(figures["told"], start, end) * seconds * 1000 / (end - start),
        "cpu": cpu / passed,
    }


def _asked(told: Sequence[dict[str, Any]], start: float, end: float) -> float:
    """How many frames the ladder asked for between two moments of the page's clock (milliseconds)."""
    frames, at, rate = 0.0, start, float(ASKED)
    for line in told:
        frames += max(0.0, min(line["at"], end) - at) / 1000 * rate
        at, rate = max(at, min(line["at"], end)), line["frames_per_second"]
    return frames + (end - at) / 1000 * rate


async def _leave(agent: Rig, lookers: Sequence[Looker]) -> None:
    for looker in lookers:
        await looker.leave()
    await agent.end_the_call()


@contextmanager
def _namespaces() -> Iterator[None]:
    """A room and a desk with a thin line between them."""
    room, desk = NAMESPACES
    _ip(f"netns add {room}", f"netns add {desk}", f"link add line netns {room} type veth peer name line netns {desk}")
    try:
        for name, address in ((room, "10.66.0.1/24"), (desk, "10.66.0.2/24")):
            _ip(f"-n {name} addr add {address} dev line", f"-n {name} link set lo up", f"-n {name} link set line up")
        command = f"ip netns exec {room} tc qdisc add dev line root tbf rate {THIN} burst 8kb latency 400ms"
        subprocess.run(command.split(), check=True)  # noqa: S603 - our own words
        yield
    finally:
        _ip(f"netns del {room}", f"netns del {desk}")


def _ip(*commands: str) -> None:
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True)  # noqa: S603, S607 - our own words; root's path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, "thin-inside", "all"], default="all")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--calls", type=int, default=10)
    wishes = parser.parse_args()
    rows = Rows()
    cv2.setNumThreads(1)
    missed = 0
    for part in PARTS if "all" in wishes.parts else wishes.parts:
        match part:
            case "cost":
                asyncio.run(cost(rows, wishes.seconds))
            case "encode":
                asyncio.run(encode(rows, wishes.seconds))
            case "first":
                asyncio.run(first(rows, wishes.calls))
            case "text":
                asyncio.run(text(rows, wishes.seconds))
            case "thin-inside":
                asyncio.run(thin(rows, wishes.seconds))
            case _:
                missed += _thin_apart(wishes.seconds)
    return int(rows.missed + missed > 0)


def _thin_apart(seconds: float) -> int:
    """Run ourselves again in the room's namespace, since a process has but one network."""
    if os.geteuid() != 0:
        sys.stdout.write("thin: left out, network namespaces need root\n")
        return 0
    with _namespaces():
        again = ["ip", "netns", "exec", NAMESPACES[0], sys.executable, "-m", "bench.document_video", "thin-inside"]
        return subprocess.run([*again, "--seconds", str(seconds)], check=False).returncode  # noqa: S603 - ourselves


if __name__ == "__main__":
    sys.exit(main())
