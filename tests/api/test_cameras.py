"""A room's document camera by the API: set by the admin, seen while no session is open, shown by the room's own agent."""

import asyncio
import base64
from collections.abc import Mapping

import pytest
from aiohttp import ClientResponse

from etapalvelu import setups
from etapalvelu.api.problems import CONTENT_TYPE
from etapalvelu.domain.cameras import CameraSettings, Crop, Mode
from etapalvelu.ports import room_topic
from tests.conftest import AGENT
from tests.doorstep import ADMIN, Doorstep

CAMERA = "/rooms/rantala-1/camera"
SETTINGS: Mapping[str, object] = {
    "source": "v4l2:/dev/video2",
    "mode": {"width": 1920, "height": 1080, "frames_per_second": 15},
    "crop": {"left": 0.1, "top": 0, "right": 0.9, "bottom": 1},
    "turn": 180,
}
PICTURE = b"\xff\xd8 a picture of the table"


async def show(doorstep: Doorstep, setup: str, **more: object) -> ClientResponse:
    look = {"setup": setup, "camera": "ok", "picture": base64.b64encode(PICTURE).decode(), **more}
    return await doorstep.post("/devices/camera", AGENT, look)


def told_setup(doorstep: Doorstep) -> str:
    """The set-up as the agent's stream names it."""
    return doorstep.setups.wanted("rantala-1")


async def opened_setup(doorstep: Doorstep) -> None:
    """Wait until somebody looks."""
    async with asyncio.timeout(5), doorstep.service.board.listen([room_topic("rantala-1")]) as notices:
        while not told_setup(doorstep):
            await notices.wait()


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question without an answer is not waited for as long as in a room."""
    monkeypatch.setattr(setups, "PATIENCE_SECONDS", 0.5)


async def test_settings_are_kept_noted_and_announced(doorstep: Doorstep) -> None:
    async with asyncio.timeout(5), doorstep.service.board.listen([room_topic("rantala-1")]) as notices:
        answer = await doorstep.post(CAMERA, ADMIN, SETTINGS)
        await notices.wait()

    kept = await doorstep.service.places.camera("rantala-1")
    (change,) = await doorstep.service.places.changes(5)
    assert (answer.status, await answer.json()) == (200, SETTINGS)
    assert kept == CameraSettings(
        source="v4l2:/dev/video2",
        mode=Mode(width=1920, height=1080, frames_per_second=15),
        crop=Crop(left=0.1, top=0, right=0.9, bottom=1),
        turn=180,
    )
    assert (change.kind, change.id, change.account, set(change.fields)) == (
        "camera",
        "rantala-1",
        ADMIN.account,
        {"source", "mode", "crop", "turn"},
    )


async def test_the_same_settings_again_change_nothing(doorstep: Doorstep) -> None:
    for _ in range(2):
        await doorstep.post(CAMERA, ADMIN, SETTINGS)

    assert len(await doorstep.service.places.changes(5)) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"source": "file:/etc/passwd"}, "source"),
        ({"source": "rtsp://anni:hemmelig@camera/"}, "source"),
        ({"turn": 45}, "turn"),
        ({"crop": {"left": 0.5, "top": 0, "right": 0.51, "bottom": 1}}, "crop"),
        ({"crop": {"left": -1, "top": 0, "right": 0.5, "bottom": 1}}, "crop"),
        ({"mode": {"width": 1, "height": 1, "frames_per_second": 1}}, "mode"),
        ({"focus": 7}, "focus"),
    ],
)
async def test_settings_that_cannot_be_are_refused_by_name(doorstep: Doorstep, body: object, field: str) -> None:
    answer = await doorstep.post(CAMERA, ADMIN, body)

    assert (answer.status, answer.content_type, (await answer.json())["field"]) == (422, CONTENT_TYPE, field)
    assert await doorstep.service.places.camera("rantala-1") == CameraSettings()


async def test_what_the_agent_shows_is_seen_by_the_admin(doorstep: Doorstep) -> None:
    looking = asyncio.create_task(doorstep.post(f"{CAMERA}/look", ADMIN))  # noqa: TID251 - a test's own
    await opened_setup(doorstep)

    shown = await show(doorstep, told_setup(doorstep), width=1920, height=1080, needs_mat=True)
    answer = await looking

    seen = await answer.json()
    assert (shown.status, await shown.json()) == (200, {"wanted": True})
    assert (answer.status, answer.headers["Cache-Control"], seen["number"]) == (200, "no-store", 1)
    assert base64.b64decode(seen["look"]["picture"]) == PICTURE
    assert (seen["look"]["width"], seen["look"]["needs_mat"], seen["look"]["target"]) == (1920, True, None)


async def test_nothing_is_taken_that_nobody_wants(doorstep: Doorstep) -> None:
    unasked = await show(doorstep, "s-1")
    await doorstep.post(f"{CAMERA}/look", ADMIN, {"after": 0})
    foreign = await show(doorstep, "s-1")
    setup = told_setup(doorstep)
    left = await doorstep.post(f"{CAMERA}/leave", ADMIN)
    late = await show(doorstep, setup)

    assert [await answer.json() for answer in (unasked, foreign, late)] == [{"wanted": False}] * 3
    assert left.status == 204


async def test_while_a_session_is_open_nothing_is_seen_shown_or_set(doorstep: Doorstep) -> None:
    await doorstep.post(f"{CAMERA}/look", ADMIN)
    setup = told_setup(doorstep)
    await show(doorstep, setup)
    await doorstep.service.opened()

    answers = [
        await doorstep.post(f"{CAMERA}/look", ADMIN),
        await show(doorstep, setup),
        await doorstep.post(CAMERA, ADMIN, SETTINGS),
    ]

    assert [(answer.status, (await answer.json())["code"]) for answer in answers] == [(409, "room_in_use")] * 3
    assert told_setup(doorstep) == ""
    assert await doorstep.service.places.camera("rantala-1") == CameraSettings()


async def test_a_session_that_opens_while_the_admin_waits_is_not_seen(doorstep: Doorstep) -> None:
    looking = asyncio.create_task(doorstep.post(f"{CAMERA}/look", ADMIN))  # noqa: TID251 - a test's own
    await opened_setup(doorstep)
    setup = told_setup(doorstep)
    await doorstep.service.opened()

    shown = await show(doorstep, setup)
    answer = await looking

    assert (shown.status, answer.status, (await answer.json())["code"]) == (409, 409, "room_in_use")


async def test_a_room_that_is_not_there_has_no_camera(doorstep: Doorstep) -> None:
    answers = [await doorstep.post(f"/rooms/nowhere/camera{path}", ADMIN) for path in ("", "/look", "/leave")]

    assert [answer.status for answer in answers] == [404] * 3


async def test_a_look_is_held_to_its_limits(doorstep: Doorstep) -> None:
    await doorstep.post(f"{CAMERA}/look", ADMIN)
    setup = told_setup(doorstep)

    too_large = await show(doorstep, setup, picture=base64.b64encode(b"\0" * 60_000).decode())
    unknown = await show(doorstep, setup, customer="Matti")
    nonsense = await show(doorstep, setup, light=-1)
    listed = await show(doorstep, setup, modes=[{"width": 640, "height": 480, "frames_per_second": 30}] * 65)

    assert [answer.status for answer in (too_large, unknown, nonsense, listed)] == [413, 422, 422, 422]
