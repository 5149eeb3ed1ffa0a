import asyncio
import time
from fractions import Fraction

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from etapalvelu.room.camera import Camera
from etapalvelu.room.clock import read_clock
from etapalvelu.room.pixels import Bgr, Jpeg, Picture, Pixels
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.track import DocumentTrack, LiveView
from tests.room.cameras import Script, pixels

LETTER = Source(Kind.TEST)


def clock_of(frame: VideoFrame) -> int:
    unix_ms = read_clock(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    assert unix_ms is not None
    return unix_ms


async def test_the_track_brings_fifteen_new_pictures_a_second_in_order() -> None:
    camera = Camera(LETTER)
    track = DocumentTrack(LiveView(camera))
    await camera.start()
    await track.recv()

    before = time.monotonic()
    frames = [await track.recv() for _ in range(15)]
    took = time.monotonic() - before
    track.stop()
    await camera.stop()

    assert 0.8 < took < 1.3
    assert {(frame.width, frame.height, frame.format.name) for frame in frames} == {(1920, 1080, "yuv420p")}
    assert {frame.time_base for frame in frames} == {Fraction(1, 90_000)}
    stamps = [frame.pts or 0 for frame in frames]
    assert stamps == sorted(set(stamps))
    shown = [clock_of(frame) for frame in frames]
    assert shown == sorted(set(shown))
    assert len({id(frame) for frame in frames}) == 15


async def test_after_a_stall_comes_the_present_and_no_backlog() -> None:
    camera = Camera(LETTER)
    track = DocumentTrack(LiveView(camera))
    await camera.start()
    await track.recv()
    await asyncio.sleep(1)

    before = time.monotonic()
    frames = [await track.recv() for _ in range(6)]
    took = time.monotonic() - before
    track.stop()
    await camera.stop()

    first = frames[0]
    assert first.pts is not None
    assert first.pts > 60_000
    # One frame may come at once and one early; the others keep their pace.
    assert took > 0.2
    assert (time.time_ns() // 1_000_000 - clock_of(frames[-1])) % 2**32 < 500


async def test_two_viewers_share_the_pixels_and_never_the_frame() -> None:
    camera = Camera(LETTER)
    view = LiveView(camera)
    await camera.start()

    (first, planes), (second, others) = await asyncio.gather(view.next_planes(0), view.next_planes(0))
    one, two = await asyncio.gather(DocumentTrack(view).recv(), DocumentTrack(view).recv())
    view.forget()
    await camera.stop()

    assert first is second
    assert planes is others
    assert one is not two


async def test_a_slow_camera_is_not_sent_twice() -> None:
    class Slow(Script):
        def read(self) -> Picture:
            time.sleep(0.2)
            return pixels(64, 48)

    camera = Camera(LETTER, open_source=Slow().open)
    track = DocumentTrack(LiveView(camera))
    await camera.start()
    await track.recv()

    before = time.monotonic()
    await track.recv()
    await track.recv()
    took = time.monotonic() - before
    track.stop()
    await camera.stop()

    assert took > 0.3


async def test_a_damaged_picture_is_passed_over() -> None:
    broken = Jpeg(np.frombuffer(b"\xff\xd8 nothing", np.uint8), (640, 480))

    class Broken(Script):
        def read(self) -> Picture:
            time.sleep(0.05)
            return super().read()

    camera = Camera(LETTER, open_source=Broken(broken, broken, then=pixels(64, 48)).open)
    track = DocumentTrack(LiveView(camera))
    await camera.start()

    async with asyncio.timeout(5):
        frame = await track.recv()
    track.stop()
    await camera.stop()

    assert (frame.width, frame.height) == (64, 48)


async def test_an_odd_size_is_made_even_for_video() -> None:
    camera = Camera(LETTER, open_source=Script(then=pixels(641, 361)).open)
    track = DocumentTrack(LiveView(camera))
    await camera.start()

    frame = await track.recv()
    track.stop()
    await camera.stop()

    assert (frame.width, frame.height) == (640, 360)


async def test_a_track_stopped_while_the_camera_is_away_ends() -> None:
    class Late(Script):
        def read(self) -> Picture:
            time.sleep(0.3)
            return pixels(64, 48)

    camera = Camera(LETTER, open_source=Late().open)
    track = DocumentTrack(LiveView(camera))
    await camera.start()
    waiting = asyncio.ensure_future(track.recv())
    await asyncio.sleep(0.05)
    track.stop()

    with pytest.raises(MediaStreamError):
        await waiting
    await camera.stop()


async def test_stamps_rise_even_when_two_pictures_were_read_in_one_tick() -> None:
    frame: Bgr = np.zeros((48, 64, 3), np.uint8)
    track = DocumentTrack(LiveView(Camera(LETTER, open_source=Script(then=Pixels(frame)).open)))

    assert [track._next_pts(at) for at in (5.0, 5.0, 6.0, 5.5)] == [0, 1, 90_000, 90_001]
