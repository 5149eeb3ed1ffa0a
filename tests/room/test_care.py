"""What the server says of the camera reaches the camera, the disk and the set-up; a session goes before any set-up."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from etapalvelu.room.agent import RoomSettings, run_agent
from etapalvelu.room.camera import Camera
from etapalvelu.room.care import CameraCare
from etapalvelu.room.live import Event
from etapalvelu.room.server import Server, client_session
from etapalvelu.room.settings import CameraSettings, Crop, load, save
from etapalvelu.room.source import Kind, Source
from etapalvelu.tasks import spawn
from tests.room.cameras import until
from tests.room.service import CODE, Service

SETTINGS = {"source": "test:", "mode": None, "crop": {"left": 0.0, "top": 0.0, "right": 0.5, "bottom": 1.0}, "turn": 90}


def said(settings: object = None, setup: str = "") -> Event:
    return Event("camera", json.dumps({"settings": {} if settings is None else settings, "setup": setup}))


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with client_session(None) as session:
        yield session


def care_of(
    camera: Camera, service: Service, http: aiohttp.ClientSession, state_dir: Path, given: Source | None = None
) -> CameraCare:
    server = Server(http, service.address)
    return CameraCare(camera, server=server, state_dir=state_dir, given=given, settings=CameraSettings())


async def test_settings_are_taken_over_at_once_and_kept(service: Service, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    camera = Camera(Source(Kind.V4L2, "/dev/video-that-is-not-there"))
    await camera.start()
    care = care_of(camera, service, http, tmp_path)

    care.hear(said(SETTINGS))
    frame = await camera.next_frame(0)
    await care.close()
    await camera.stop()

    # Half of the turned letter.
    assert frame.picture.size == (1080, 3840)
    assert load(tmp_path) == CameraSettings(source="test:", crop=Crop(left=0, top=0, right=0.5, bottom=1), turn=90)


async def test_a_change_of_the_frame_alone_interrupts_no_picture(
    service: Service, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    care = care_of(camera, service, http, tmp_path, Source(Kind.TEST))
    told: list[str] = []
    first = await camera.next_frame(0)
    camera.listen(lambda status: told.append(f"{status.camera} {status.width}x{status.height}"))

    care.hear(said({**SETTINGS, "crop": None}))
    await until(lambda: bool(told))
    frame = await camera.next_frame(first.number)
    await camera.stop()

    assert (told, frame.picture.size) == (["ok 2160x3840"], (2160, 3840))


async def test_the_command_lines_source_stays_and_that_is_said(
    service: Service, http: aiohttp.ClientSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    camera = Camera(Source(Kind.TEST))
    care = care_of(camera, service, http, tmp_path, Source(Kind.TEST))

    with caplog.at_level(logging.INFO):
        care.hear(said({"source": "v4l2:/dev/video2"}))

    assert camera.source == Source(Kind.TEST)
    assert [record.message for record in caplog.records if "--camera" in record.message] == [
        "--camera names the source; the one set on the server is passed over"
    ]


async def test_events_of_other_things_and_unreadable_ones_change_nothing(
    service: Service, http: aiohttp.ClientSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    camera = Camera(Source(Kind.TEST))
    care = care_of(camera, service, http, tmp_path)

    care.hear(Event("weather", "rain"))
    for text in ("{", '{"settings": {"turn": 45}}', '{"settings": 7}'):
        care.hear(Event("camera", text))

    assert (camera.source, load(tmp_path)) == (Source(Kind.TEST), CameraSettings())
    assert [record.message for record in caplog.records] == ["the server's camera settings cannot be read"] * 3


async def test_a_set_up_is_shown_the_table_until_it_ends(service: Service, http: aiohttp.ClientSession, tmp_path: Path) -> None:
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    care = care_of(camera, service, http, tmp_path)
    service.setup = "s-1"

    care.hear(said(setup="s-1"))
    await until(lambda: len(service.looks) >= 1)
    care.hear(said(setup=""))
    shown = len(service.looks)
    service.setup = "s-2"
    care.hear(said(setup="s-2"))
    await until(lambda: any(look["setup"] == "s-2" for look in service.looks[shown:]))
    await care.close()
    await camera.stop()


async def test_a_session_ends_a_set_up_and_none_begins_while_it_lasts(
    service: Service, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    care = care_of(camera, service, http, tmp_path)
    service.setup = "s-1"
    care.hear(said(setup="s-1"))
    await until(lambda: len(service.looks) >= 1)
    showing = care._showing
    assert showing is not None

    care.attend(True)
    await until(showing.done)
    service.looks.clear()
    service.setup = "s-2"
    care.hear(said(setup="s-2"))

    assert care._showing is None
    care.attend(False)
    await until(lambda: len(service.looks) >= 1)
    await care.close()
    await camera.stop()


async def test_an_agent_without_a_source_starts_with_what_it_kept_and_shows_it_to_a_set_up(
    service: Service, tmp_path: Path
) -> None:
    save(tmp_path, CameraSettings(source="test:"))
    stop_event = asyncio.Event()
    agent = spawn(run_agent(RoomSettings(server=service.address, state_dir=tmp_path, pair=CODE), stop_event), name="agent")
    await until(lambda: any(status["document_camera"] == "ok" for status in service.statuses))

    service.setup = "s-1"
    event = said({**SETTINGS, "crop": None}, "s-1")
    service.say(f"event: {event.name}\ndata: {event.data}\n\n")
    await until(lambda: len(service.looks) >= 1)
    await until(lambda: service.statuses[-1].get("width") == 2160)
    stop_event.set()
    await agent

    assert service.looks[-1]["is_given"] is False
    assert load(tmp_path).turn == 90
