"""Stills over real connections, from the asking to the last acknowledgement."""

import asyncio
from pathlib import Path

import cv2
import numpy as np
import pytest

from etapalvelu.room import document
from etapalvelu.room.camera import Camera, CameraLostError
from signaling import stills
from signaling.document import StillBegin, StillFailed
from tests.room.agents import Running
from tests.room.cameras import until
from tests.room.conftest import Watch
from tests.room.service import Service
from tests.room.watcher import capture


async def test_a_second_still_meanwhile_is_told_busy(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and bool(expert.showing.statuses))

    capture(expert.showing, "first")
    capture(expert.showing, "second")
    await until(lambda: len(expert.showing.stills) == 2)
    capture(expert.showing, "third")
    await until(lambda: len(expert.showing.stills) == 4)

    assert [still.begin.capture for still in expert.showing.stills] == ["first", "first", "third", "third"]
    assert [still.begin.number for still in expert.showing.stills] == [1, 2, 3, 4]
    assert StillFailed(id="second", code="busy") in expert.showing.others


async def test_lost_chunks_are_sent_again(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and bool(expert.showing.statuses))
    expert.showing.lose = {0, 3}

    capture(expert.showing, "page")
    await until(lambda: len(expert.showing.stills) == 2)

    again = [type(message).__name__ for message in expert.showing.others].count("StillEnd") - 2
    assert again == 1


def noise(path: Path, width: int = 1600, height: int = 1200) -> Path:
    """A picture that does not compress: its still is some megabytes."""
    pixels = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    cv2.imwrite(str(path), pixels)
    return path


async def test_a_large_still_waits_for_room_on_the_line(service: Service, tmp_path: Path, watch: Watch) -> None:
    running = Running(service, tmp_path / "state", camera=f"file:{noise(tmp_path / 'noise.png')}")
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and bool(expert.showing.statuses))

    capture(expert.showing, "large")
    await until(lambda: len(expert.showing.stills) == 1, 30)

    still = expert.showing.stills[0]
    assert len(still.data) > 3 * document.BUFFERED_BYTES
    assert (still.begin.width, still.begin.height) == (1600, 1200)
    await running.end()


async def test_a_still_goes_on_over_the_next_connection(
    service: Service, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "BUFFERED_BYTES", 1024)
    running = Running(service, tmp_path / "state", camera=f"file:{noise(tmp_path / 'noise.png')}")
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and bool(expert.showing.statuses))
    first = expert.showing

    capture(first, "large")
    await until(lambda: any(isinstance(message, StillBegin) for message in first.told))
    await expert.restart(first.generation)
    await until(lambda: len(expert.showings) == 2 and len(expert.showing.stills) == 1, 30)
    await until(lambda: any(said[0] == "noted" for said in service.record.said))

    (still,) = expert.showing.stills
    # Over the old one, though it stands for a while, nothing more comes.
    assert first.stills == []
    assert (still.begin.id, still.begin.width, still.begin.height) == ("large", 1600, 1200)
    await running.end()


async def test_a_still_too_large_for_the_channel_is_told(
    service: Service, watch: Watch, agent: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stills, "MAX_STILL_BYTES", 1000)
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and bool(expert.showing.statuses))

    capture(expert.showing, "page")
    await until(lambda: bool(expert.showing.others))

    assert expert.showing.others == [StillFailed(id="page", code="too_large")]


async def test_a_camera_lost_at_that_very_moment_is_told(
    service: Service, watch: Watch, agent: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(self: Camera) -> None:
        raise CameraLostError("the document camera gives no picture")

    monkeypatch.setattr(Camera, "burst", lost)
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and bool(expert.showing.statuses))

    capture(expert.showing, "page")
    await until(lambda: bool(expert.showing.others))

    assert expert.showing.others == [StillFailed(id="page", code="camera_lost")]


async def test_a_viewer_that_goes_while_its_still_is_on_the_way_blocks_nobody(
    service: Service, tmp_path: Path, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "BUFFERED_BYTES", 1024)
    running = Running(service, tmp_path / "state", camera=f"file:{noise(tmp_path / 'noise.png')}")
    service.turn_to("s1")
    expert, second = watch("expert"), watch("expert2")
    await until(lambda: all(one.showings and one.showing.statuses for one in (expert, second)))

    capture(expert.showing, "never-arrives")
    await until(lambda: bool(expert.showing.others))
    await expert.leave()
    monkeypatch.setattr(document, "BUFFERED_BYTES", 512 * 1024)

    async def ask_until_given() -> None:
        number = 0
        while not second.showing.stills:
            number += 1
            capture(second.showing, f"try-{number}")
            await asyncio.sleep(0.3)

    async with asyncio.timeout(15):
        await ask_until_given()
    await running.end()
