import asyncio
import time
from fractions import Fraction

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError
from av import Packet, VideoFrame

from etapalvelu.room.camera import Camera
from etapalvelu.room.clock import read_clock
from etapalvelu.room.line import Line
from etapalvelu.room.pixels import Bgr, Jpeg, Picture, Pixels
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import DocumentTrack, LiveView
from tests.room.cameras import Script, pixels

LETTER = Source(Kind.TEST)


def picture_track(view: LiveView) -> DocumentTrack:
    """The track of a viewer that knows no H264."""
    track = DocumentTrack(DocumentStream(view), Line())
    track.agree("VP8")
    return track


async def next_frame(track: DocumentTrack) -> VideoFrame:
    frame = await track.recv()
    assert isinstance(frame, VideoFrame)
    return frame


def clock_of(frame: VideoFrame) -> int:
    unix_ms = read_clock(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
    assert unix_ms is not None
    return unix_ms


@pytest.mark.alone
async def test_the_track_brings_fifteen_new_pictures_a_second_in_order() -> None:
    camera = Camera(LETTER)
    track = picture_track(LiveView(camera))
    await camera.start()
    await next_frame(track)

    before = time.monotonic()
    frames = [await next_frame(track) for _ in range(15)]
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
    track = picture_track(LiveView(camera))
    await camera.start()
    await next_frame(track)
    await asyncio.sleep(1)

    before = time.monotonic()
    frames = [await next_frame(track) for _ in range(6)]
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
    one, two = await asyncio.gather(next_frame(picture_track(view)), next_frame(picture_track(view)))
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
    track = picture_track(LiveView(camera))
    await camera.start()
    await next_frame(track)

    before = time.monotonic()
    await next_frame(track)
    await next_frame(track)
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
    track = picture_track(LiveView(camera))
    await camera.start()

    async with asyncio.timeout(5):
        frame = await next_frame(track)
    track.stop()
    await camera.stop()

    assert (frame.width, frame.height) == (64, 48)


async def test_an_odd_size_is_made_even_for_video() -> None:
    camera = Camera(LETTER, open_source=Script(then=pixels(641, 361)).open)
    track = picture_track(LiveView(camera))
    await camera.start()

    frame = await next_frame(track)
    track.stop()
    await camera.stop()

    assert (frame.width, frame.height) == (640, 360)


async def test_a_track_stopped_while_the_camera_is_away_ends() -> None:
    class Late(Script):
        def read(self) -> Picture:
            time.sleep(0.3)
            return pixels(64, 48)

    camera = Camera(LETTER, open_source=Late().open)
    track = picture_track(LiveView(camera))
    await camera.start()
    waiting = asyncio.ensure_future(track.recv())
    await asyncio.sleep(0.05)
    track.stop()

    with pytest.raises(MediaStreamError):
        await waiting
    await camera.stop()


async def test_stamps_rise_even_when_two_pictures_were_read_in_one_tick() -> None:
    frame: Bgr = np.zeros((48, 64, 3), np.uint8)
    track = picture_track(LiveView(Camera(LETTER, open_source=Script(then=Pixels(frame)).open)))

    assert [track._next_pts(at) for at in (5.0, 5.0, 6.0, 5.5)] == [0, 1, 90_000, 90_001]


async def test_nothing_is_sent_before_both_sides_agree_and_the_end_is_heard() -> None:
    track = DocumentTrack(DocumentStream(LiveView(Camera(LETTER))), Line())
    waiting = asyncio.ensure_future(track.recv())
    await asyncio.sleep(0)

    track.stop()

    with pytest.raises(MediaStreamError):
        await waiting


async def test_who_knows_h264_gets_packets_of_the_shared_stream_and_leaves_it_with_the_track() -> None:
    camera = Camera(LETTER)
    await camera.start()
    stream = DocumentStream(LiveView(camera))
    tracks = [DocumentTrack(stream, Line()), DocumentTrack(stream, Line())]
    for track in tracks:
        track.agree("H264")

    one, two = await asyncio.gather(*(track.recv() for track in tracks))
    waiting = [asyncio.ensure_future(track.recv()) for track in tracks]
    await asyncio.sleep(0)
    for track in tracks:
        track.stop()
    ends = await asyncio.gather(*waiting, return_exceptions=True)
    is_idle = stream.is_idle
    stream.close()
    await camera.stop()

    assert one is two
    assert isinstance(one, Packet)
    assert one.is_keyframe
    assert [type(end) for end in ends] == [MediaStreamError, MediaStreamError]
    assert is_idle
