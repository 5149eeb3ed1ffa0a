"""The document camera goes wrong in a call: the real agent looks through a network camera, two browsers look on."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page

from etapalvelu.room import credential
from tests.e2e.browsers import frames, has_frames, until
from tests.faults.desks import ROOM, WORDS, Desks, desks
from tests.faults.net import end
from tests.faults.people import People
from tests.faults.people import until as logged
from tests.faults.rig import ONE_THREAD, Rig
from tests.room.cameras import NetworkCamera

pytestmark = [pytest.mark.alone, pytest.mark.slow, pytest.mark.timeout(120)]

TOLD_SECONDS = 2.0
BACK_SECONDS = 5.0
# Longer than either end needs to take it for a hiccup.
LASTING_SECONDS = 3.0
SAYS = "([id, words]) => document.getElementById(id).textContent.includes(words)"
IS_SILENT = "id => document.getElementById(id).textContent === ''"
# Where the words lie over the picture, by page.
PLACES = {"expert": "document-words", "room": "document-away"}

Change = Callable[[NetworkCamera], Awaitable[None]]


async def freeze(camera: NetworkCamera) -> None:
    camera.is_frozen = not camera.is_frozen


async def cover(camera: NetworkCamera) -> None:
    camera.is_covered = not camera.is_covered


# What goes wrong, what mends it, and what each page says of it.
FAULTS: list[tuple[Change, Change, dict[str, str]]] = [
    (
        NetworkCamera.switch_off,
        NetworkCamera.switch_on,
        {"expert": "js.expert.document_away", "room": "js.room.camera_lost"},
    ),
    (freeze, freeze, {"expert": "js.expert.document_frozen", "room": "js.room.camera_frozen"}),
    (cover, cover, {"expert": "js.expert.document_black", "room": "js.room.camera_black"}),
]


@asynccontextmanager
async def agent_with_camera(rig: Rig) -> AsyncIterator[NetworkCamera]:
    """A room agent as the room's machine runs it, looking through a camera of the test's own."""
    camera, state = NetworkCamera(), rig.folder / "agent"
    await camera.switch_on()
    state.mkdir()
    credential.save(state, rig.address, rig.tokens[f"{ROOM}:agent"])
    command = [sys.executable, "-m", "etapalvelu", "room", "--server", rig.address, "--state", str(state)]
    with (rig.folder / "agent.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
            [*command, "--camera", f"mjpeg:http://127.0.0.1:{camera.port}/video"],
            stdout=log,
            stderr=log,
            env={**os.environ, **ONE_THREAD},
        )
    try:
        yield camera
    finally:
        await asyncio.to_thread(end, process)
        await camera.switch_off()


def pages(at: Desks) -> dict[str, Page]:
    return {"expert": at.expert, "room": at.room}


async def test_a_document_camera_that_is_unplugged_freezes_or_goes_black_is_told_at_both_ends_and_logged(
    rig: Rig, people: People
) -> None:
    rig.start()
    async with agent_with_camera(rig) as camera, desks(rig, people) as at:
        await at.call()
        for who, page in pages(at).items():
            await has_frames(page, "document")
            await until(page, IS_SILENT, PLACES[who])
        for goes_wrong, is_mended, words in FAULTS:
            await goes_wrong(camera)
            await asyncio.gather(
                *(until(page, SAYS, [PLACES[who], WORDS[words[who]]], TOLD_SECONDS) for who, page in pages(at).items())
            )
            await asyncio.sleep(LASTING_SECONDS)
            await is_mended(camera)
            async with asyncio.timeout(BACK_SECONDS):
                await asyncio.gather(*(is_live(page, PLACES[who]) for who, page in pages(at).items()))

        await at.goes_on()
        # The service hears of it a little after the pages.
        await logged(lambda: at.count("resumed") == len(FAULTS))
        gaps = [one for one in at.log() if one["type"] in ("interrupted", "resumed")]
        assert [one["type"] for one in gaps] == ["interrupted", "resumed"] * len(FAULTS)
        assert {one["data"]["seat"] for one in gaps} == {"camera"}
        assert {one["data"]["cause_class"] for one in gaps[::2]} == {"document_camera"}
        await at.close()
        await until(at.room, "() => document.body.dataset.state === ''")
        rig.agrees(all_ended=True)


async def is_live(page: Page, place: str) -> None:
    """Nothing is said over the picture any more, and it moves."""
    before = await frames(page, "document")
    await until(page, IS_SILENT, place)
    while await frames(page, "document") <= before:  # noqa: ASYNC110 - they are counted in the page
        await asyncio.sleep(0.05)
