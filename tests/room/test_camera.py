import asyncio
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from etapalvelu.room import camera as camera_module
from etapalvelu.room import pulse
from etapalvelu.room.camera import Camera, CameraLostError, CameraStatus
from etapalvelu.room.capture import Capture, CaptureError
from etapalvelu.room.clock import read_clock
from etapalvelu.room.pixels import Picture
from etapalvelu.room.source import Kind, Source
from tests.room.cameras import NetworkCamera, Script, pixels, until

LETTER = Source(Kind.TEST)
# Two cores may be busy with other things.
BUSY_LIMIT = 25.0


def states(camera: Camera) -> list[str]:
    told: list[str] = []
    camera.listen(lambda status: told.append(status.camera))
    return told


async def test_the_letter_is_ok_at_once_and_its_burst_is_larger_than_its_video() -> None:
    camera = Camera(LETTER)
    told = states(camera)
    assert camera.status == CameraStatus(camera="opening", width=0, height=0)
    await camera.start()

    frame = await camera.next_frame(0)
    burst = await camera.burst()
    status = camera.status
    await camera.stop()

    assert told == ["ok"]
    assert status == CameraStatus(camera="ok", width=3840, height=2160)
    assert frame.picture.live().shape == (1080, 1920, 3)
    assert 1 < len(burst) <= camera_module.BURST_PICTURES
    assert {picture.size for picture in burst} == {(3840, 2160)}
    seen = [read_clock(picture.full()) for picture in (burst[0], burst[-1])]
    first, last = (clock for clock in seen if clock is not None)
    assert 0 < (last - first) % 2**32 < 1000
    assert (time.time_ns() // 1_000_000 - last) % 2**32 < 5000


async def test_only_the_newest_frame_is_kept_while_nobody_looks() -> None:
    camera = Camera(LETTER)
    await camera.start()
    first = await camera.next_frame(0)
    await until(lambda: camera._newest is not None and camera._newest.number > first.number + 3)

    frame = await camera.next_frame(first.number)
    await camera.stop()

    assert frame.number > first.number + 3
    assert time.monotonic() - frame.at < 1


async def test_a_camera_that_stops_giving_frames_is_lost_after_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "LOST_AFTER_SECONDS", 0.3)
    monkeypatch.setattr(camera_module, "FIRST_RETRY_SECONDS", 60)
    script = Script(pixels(64, 48))
    camera = Camera(LETTER, open_source=script.open)
    told = states(camera)
    await camera.start()
    await camera.next_frame(0)

    await until(lambda: camera.status.camera == "lost")

    assert told == ["ok", "lost"]
    assert camera.status == CameraStatus(camera="lost", width=64, height=48)
    with pytest.raises(CameraLostError, match="gives no picture"):
        await camera.burst()
    await camera.stop()
    assert (script.opened, script.released) == (1, 1)


async def test_a_short_failure_is_repaired_and_told_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "FIRST_RETRY_SECONDS", 0.05)
    script = Script(pixels(64, 48), cv2.error("usb"), then=pixels(64, 48))
    camera = Camera(LETTER, open_source=script.open)
    told = states(camera)
    await camera.start()

    await camera.next_frame(3)
    await camera.stop()

    assert told == ["ok"]
    assert (script.opened, script.released) == (2, 2)


async def test_a_camera_away_at_start_is_reported_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "FIRST_RETRY_SECONDS", 0.02)
    attempts = 0

    def open_at_the_third(source: Source) -> Capture:
        nonlocal attempts
        attempts += 1
        if attempts < 3:
            raise CaptureError("the camera is not plugged in")
        return Script(then=pixels(64, 48))

    camera = Camera(LETTER, open_source=open_at_the_third)
    told = states(camera)
    await camera.start()

    await camera.next_frame(0)
    await camera.stop()

    assert told == ["lost", "ok"]


async def test_the_camera_outlives_a_fault_of_our_own(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(camera_module, "FIRST_RETRY_SECONDS", 0.02)
    script = Script(ZeroDivisionError("ours"), then=pixels(64, 48))
    camera = Camera(LETTER, open_source=script.open)
    await camera.start()

    await camera.next_frame(0)
    await camera.stop()

    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "document camera failed unexpectedly, source=test"
    ]


async def test_retries_slow_down_to_two_seconds_and_begin_anew_after_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    def failing(source: Source) -> Capture:
        if len(waits) == 6:
            return Script(pixels(64, 48))
        raise CaptureError("away")

    camera = Camera(LETTER, open_source=failing)

    def note(seconds: float) -> bool:
        waits.append(seconds)
        if len(waits) == 8:
            camera._ending.set()
        return True

    monkeypatch.setattr(camera._ending, "wait", note)
    await camera.start()
    await until(lambda: len(waits) == 8)
    await camera.stop()

    assert waits == [0.5, 1.0, 2.0, 2.0, 2.0, 2.0, 0.5, 1.0]


async def test_the_size_may_change_midway(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "page-1.png"), np.full((48, 64), 100, np.uint8))
    cv2.imwrite(str(tmp_path / "page-2.png"), np.full((96, 32, 3), 150 << 8, np.uint16))
    camera = Camera(Source(Kind.IMAGES, f"{tmp_path}/page-%d.png"))
    sizes: set[tuple[int, int]] = set()
    camera.listen(lambda status: sizes.add((status.width, status.height)))
    await camera.start()

    await until(lambda: len(sizes) == 2)
    burst = await camera.burst()
    await camera.stop()

    assert sizes == {(64, 48), (32, 96)}
    assert {picture.size for picture in burst} <= sizes


async def test_a_burst_ends_when_no_more_pictures_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "BURST_SECONDS", 0.05)
    camera = Camera(LETTER, open_source=Script(pixels(64, 48)).open)
    await camera.start()
    await camera.next_frame(0)

    burst = await camera.burst()
    await camera.stop()

    assert [picture.size for picture in burst] == [(64, 48)]


async def test_a_hanging_driver_does_not_keep_the_program_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "_JOIN_SECONDS", 0.1)

    class Hanging(Script):
        def read(self) -> Picture:
            time.sleep(1)
            return super().read()

    camera = Camera(LETTER, open_source=Hanging(then=pixels(64, 48)).open)
    await camera.start()

    before = time.monotonic()
    await camera.stop()

    assert time.monotonic() - before < 0.5
    assert camera._newest is None


async def test_a_camera_never_started_stops() -> None:
    await Camera(LETTER).stop()


def test_the_thread_ends_when_the_loop_has_gone() -> None:
    script = Script(then=pixels(64, 48))

    async def leave_it_running() -> Camera:
        camera = Camera(LETTER, open_source=script.open)
        await camera.start()
        await camera.next_frame(0)
        return camera

    camera = asyncio.run(leave_it_running())
    camera._thread.join(5)

    assert not camera._thread.is_alive()


async def test_a_network_camera_is_lost_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "LOST_AFTER_SECONDS", 0.6)
    network = NetworkCamera()
    await network.switch_on()
    camera = Camera(Source(Kind.MJPEG, f"http://127.0.0.1:{network.port}/video"))
    told = states(camera)
    await camera.start()

    before = await camera.next_frame(0)
    await network.switch_off()
    await until(lambda: camera.status.camera == "lost")
    await network.switch_on()
    after = await camera.next_frame(before.number)
    burst = await camera.burst()
    await camera.stop()
    await network.switch_off()

    assert told == ["ok", "lost", "ok"]
    assert burst[0].size == (960, 540)
    first, second = read_clock(before.picture.full()), read_clock(after.picture.full())
    assert first is not None
    assert second is not None
    assert first < second


async def test_a_camera_that_opens_but_gives_nothing_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "OPENING_SECONDS", 0.2)
    monkeypatch.setattr(camera_module, "_JOIN_SECONDS", 0.1)
    ended = threading.Event()

    class Silent(Script):
        def read(self) -> Picture:
            ended.wait(5)
            raise CaptureError("the camera gives no pictures")

    camera = Camera(LETTER, open_source=Silent().open)
    told = states(camera)
    await camera.start()

    await until(lambda: camera.status.camera == "lost")
    with pytest.raises(CameraLostError, match="gives no picture"):
        await camera.burst()
    ended.set()
    await camera.stop()

    assert told == ["lost"]


async def test_a_frozen_camera_gives_no_still_and_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "FROZEN_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(camera_module, "FROZEN_REOPEN_SECONDS", 0.2)
    monkeypatch.setattr(camera_module, "FIRST_RETRY_SECONDS", 0.02)
    stuck = Script(then=pixels(64, 48))
    camera = Camera(Source(Kind.MJPEG, "http://127.0.0.1/"), open_source=stuck.open)
    told = states(camera)
    await camera.start()

    await until(lambda: stuck.opened >= 3)
    with pytest.raises(CameraLostError, match="picture is frozen"):
        await camera.burst()
    await camera.stop()

    assert told == ["ok", "frozen"]
    assert stuck.released == stuck.opened


async def test_a_burst_that_turns_out_frozen_is_thrown_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "FROZEN_AFTER_SECONDS", 0.1)
    monkeypatch.setattr(camera_module, "BURST_PICTURES", 10_000)
    camera = Camera(Source(Kind.MJPEG, "http://127.0.0.1/"), open_source=Script(then=pixels(64, 48)).open)
    await camera.start()
    await camera.next_frame(0)

    with pytest.raises(CameraLostError, match="picture is frozen"):
        await camera.burst()
    await camera.stop()


async def test_a_lasting_trouble_is_logged_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(camera_module, "FIRST_RETRY_SECONDS", 0.01)
    attempts = 0

    def away(source: Source) -> Capture:
        nonlocal attempts
        attempts += 1
        raise CaptureError("not plugged in" if attempts < 4 else "held by another program")

    monkeypatch.setattr(camera_module, "LAST_RETRY_SECONDS", 0.01)
    camera = Camera(LETTER, open_source=away)
    await camera.start()
    await until(lambda: attempts > 6)
    await camera.stop()

    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == [
        "document camera failed, source=test: not plugged in",
        "document camera failed, source=test: held by another program",
    ]


@pytest.mark.timeout(120)
async def test_a_network_camera_that_freezes_goes_black_and_stops_is_told_and_comes_back() -> None:
    network = NetworkCamera()
    await network.switch_on()
    camera = Camera(Source(Kind.MJPEG, f"http://127.0.0.1:{network.port}/video"))
    told = states(camera)
    await camera.start()

    try:
        await until(lambda: camera.status.camera == "ok", BUSY_LIMIT)
        network.is_frozen = True
        await until(lambda: camera.status.camera == "frozen", BUSY_LIMIT)
        network.is_frozen = False
        await until(lambda: camera.status.camera == "ok", BUSY_LIMIT)
        network.is_covered = True
        await until(lambda: camera.status.camera == "black", BUSY_LIMIT)
        network.is_covered = False
        await until(lambda: camera.status.camera == "ok", BUSY_LIMIT)
        await network.switch_off()
        await until(lambda: camera.status.camera == "lost", BUSY_LIMIT)
        await network.switch_on()
        await until(lambda: camera.status.camera == "ok", BUSY_LIMIT)
    finally:
        await camera.stop()
        await network.switch_off()

    assert list(dict.fromkeys(state for state in told if state in ("frozen", "black"))) == ["frozen", "black"]


def test_troubles_are_told_in_two_seconds_and_a_camera_is_tried_often_enough_to_be_back_in_five() -> None:
    told_after = (
        camera_module.LOST_AFTER_SECONDS + camera_module._LOOK_SECONDS,
        pulse.FROZEN_AFTER_SECONDS,
        pulse.BLACK_AFTER_SECONDS + pulse.LIGHT_SECONDS,
    )

    assert max(told_after) < 2
    assert camera_module.LAST_RETRY_SECONDS < 5
    assert camera_module.FROZEN_REOPEN_SECONDS <= 5
