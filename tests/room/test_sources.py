"""Cameras that behave badly under a real agent: what its viewers are told and shown, and that the call goes on."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from etapalvelu.room.agent import RoomError, RoomSettings, run_agent
from signaling.document import StillFailed
from tests.room.agents import Running
from tests.room.cameras import NetworkCamera, until
from tests.room.conftest import Watch
from tests.room.service import Service
from tests.room.tables import lying, paper, table
from tests.room.watcher import Showing, capture

# Two cores may be busy with other things.
LIMIT = 25.0


def show(path: Path, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    fresh = path.with_name("fresh.png")
    cv2.imwrite(str(fresh), picture)
    fresh.replace(path)


@pytest.mark.timeout(120)
async def test_pictures_of_another_size_depth_and_turn_are_sent_and_the_sheet_in_them_is_found(
    service: Service, watch: Watch, tmp_path: Path
) -> None:
    path = tmp_path / "desk.png"
    wide = table((paper(1), lying(560, 360, high=560)), size=(1280, 720))
    small = cv2.resize(wide, (960, 540), interpolation=cv2.INTER_AREA)
    pictures: dict[tuple[int, int], NDArray[np.uint8] | NDArray[np.uint16]] = {
        (1280, 720): wide,
        (960, 540): np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.uint8),
        (540, 960): cv2.rotate(small, cv2.ROTATE_90_CLOCKWISE).astype(np.uint16) * 257,
        (1024, 576): np.asarray(cv2.cvtColor(cv2.resize(wide, (1024, 576)), cv2.COLOR_BGR2BGRA), np.uint8),
    }
    show(path, wide)
    running = Running(service, tmp_path / "state", camera=f"file:{path}")
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings), LIMIT)

    def is_followed(showing: Showing, size: tuple[int, int]) -> bool:
        return (
            bool(showing.frames and showing.pages and showing.statuses)
            and showing.frames[-1] == size
            and (showing.statuses[-1].width, showing.statuses[-1].height) == size
            and showing.pages[-1].calm
        )

    for size, picture in pictures.items():
        show(path, picture)
        await until(lambda size=size: is_followed(expert.showing, size), LIMIT)  # type: ignore[misc]

    capture(expert.showing, "page")
    await until(lambda: len(expert.showing.stills) == 2, LIMIT)
    assert len(expert.showings) == 1
    assert {status.camera for status in expert.showing.statuses} <= {"ok", "opening"}
    await running.end()


@pytest.mark.timeout(120)
async def test_a_frozen_and_a_black_camera_are_told_everybody_and_give_no_still(
    service: Service, watch: Watch, tmp_path: Path
) -> None:
    network = NetworkCamera()
    await network.switch_on()
    running = Running(service, tmp_path / "state", camera=f"mjpeg:http://127.0.0.1:{network.port}/video")
    service.turn_to("s1")
    expert, screen = watch("expert"), watch("room")
    for viewer in (expert, screen):
        await until(lambda one=viewer: bool(one.showings) and len(one.showing.frames) > 3, LIMIT)  # type: ignore[misc]

    async def both_hear(state: str) -> None:
        for viewer in (expert, screen):
            await until(lambda one=viewer: one.showing.statuses[-1].camera == state, LIMIT)  # type: ignore[misc]

    network.is_frozen = True
    await both_hear("frozen")
    capture(expert.showing, "frozen-one")
    await until(lambda: len(expert.showing.others) == 1, LIMIT)
    network.is_frozen, network.is_covered = False, True
    await both_hear("black")
    capture(expert.showing, "black-one")
    await until(lambda: len(expert.showing.others) == 2, LIMIT)
    network.is_covered = False
    await both_hear("ok")
    await until(lambda: service.statuses[-1]["document_camera"] == "ok", LIMIT)

    assert expert.showing.others == [
        StillFailed(id="frozen-one", code="camera_lost"),
        StillFailed(id="black-one", code="camera_lost"),
    ]
    assert {status["document_camera"] for status in service.statuses} <= {"opening", "ok", "lost"}
    assert [len(viewer.showings) for viewer in (expert, screen)] == [1, 1]
    await running.end()
    await network.switch_off()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("letter.pdf", b"%PDF-1.7\n\0\1", "is a PDF: give a picture or a video"),
        ("letter.txt", b"P\xc3\xa4iv\xc3\xa4\xc3\xa4\n" * 9, "is a text file: give a picture or a video"),
        ("", b"", "is a folder: give a picture or a video"),
        ("film.mp4", b"\0\0\0\x18ftypisom" + b"\0" * 64, "does not open: the file is gone or is neither a picture nor a video"),
    ],
)
async def test_what_is_no_camera_ends_the_agent_in_one_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    path = tmp_path / name
    if name:
        path.write_bytes(content)

    with pytest.raises(RoomError) as refusal:
        await run_agent(RoomSettings(server="http://127.0.0.1:1", camera=f"file:{path}", state_dir=tmp_path / "state"))

    assert str(refusal.value) == f"camera source file:{path} {words}"
