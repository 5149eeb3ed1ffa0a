import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from etapalvelu.room import watch
from etapalvelu.room.camera import Camera, Frame
from etapalvelu.room.eye import Sighting, Vision
from etapalvelu.room.pixels import Bgr, Picture, Pixels
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.watch import NOTHING, PageWatch
from tests.room.cameras import Script, until
from tests.room.tables import Quad, bright_rectangle, lying, paper, table
from tests.room.test_eye import Judgement, Sight

HERE = lying(240, 135)
LETTER = Pixels(table((paper(1), HERE)))


class Changing:
    """A camera whose picture the test swaps."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.made = 0

    @property
    def size(self) -> tuple[int, int]:
        return self.picture.size

    def full(self) -> Bgr:
        return self.picture.full()

    def live(self) -> Bgr:
        self.made += 1
        return self.picture.live()


@pytest.fixture
def picture() -> Changing:
    return Changing(LETTER)


@pytest.fixture
async def camera(picture: Changing) -> AsyncIterator[Camera]:
    camera = Camera(Source(Kind.TEST), open_source=Script(then=picture).open)
    await camera.start()
    await until(lambda: camera.status.camera == "ok")
    yield camera
    await camera.stop()


@pytest.fixture
async def page_watch(camera: Camera) -> AsyncIterator[PageWatch]:
    page_watch = PageWatch(camera, Sight().vision)
    yield page_watch
    page_watch.stop()


async def test_whoever_starts_it_hears_of_each_look_until_it_stops(page_watch: PageWatch) -> None:
    heard: list[Sighting] = []
    page_watch.listen(heard.append)
    page_watch.start()
    page_watch.start()

    await until(lambda: bool(heard) and heard[-1].page == 1)
    page_watch.stop()
    page_watch.stop()
    seen = len(heard)
    await asyncio.sleep(0.3)

    assert (len(heard), page_watch.last, page_watch.sighting()) == (seen, NOTHING, (0, None))


@pytest.mark.alone
async def test_it_looks_about_eight_times_a_second(page_watch: PageWatch) -> None:
    heard: list[float] = []
    page_watch.listen(lambda sighting: heard.append(time.monotonic()))
    page_watch.start()

    await until(lambda: len(heard) >= 9)

    assert 0.12 <= (heard[8] - heard[0]) / 8 <= 0.35


async def test_while_somebody_comes_it_looks_at_nothing_unless_somebody_is_there(page_watch: PageWatch) -> None:
    heard: list[float] = []
    page_watch.listen(lambda sighting: heard.append(time.monotonic()))
    page_watch.is_alone = True
    page_watch.hush(0.6)
    began = time.monotonic()
    page_watch.start()
    await until(lambda: bool(heard))
    page_watch.is_alone = False
    page_watch.hush(60)

    await until(lambda: len(heard) >= 3)

    assert heard[0] - began >= 0.6


async def test_a_slow_look_is_followed_by_a_long_pause_and_never_by_a_second_at_once(camera: Camera) -> None:
    under_way, most, began = 0, 0, []

    def slow(picture: Bgr, near: Quad | None) -> Quad | None:
        nonlocal under_way, most
        began.append(time.monotonic())
        under_way += 1
        most = max(most, under_way)
        until_then = time.thread_time() + 0.1
        while time.thread_time() < until_then:
            pass
        under_way -= 1
        return bright_rectangle(picture)

    vision = Vision(find_page=slow, verdict=lambda *_: Judgement(), straightened=lambda page, _: page, orientation=lambda _: 0)
    page_watch = PageWatch(camera, vision)
    page_watch.start()

    await until(lambda: len(began) >= 4)
    page_watch.stop()

    assert most == 1
    assert min(np.diff(began)) >= 0.1 / watch.LARGEST_SHARE - 0.02


async def test_the_sheet_is_told_in_the_cameras_own_pixels_once_it_is_calm(page_watch: PageWatch) -> None:
    page_watch.start()

    is_calm = await page_watch.calm(5)

    page, corners = page_watch.sighting()
    assert (is_calm, page, corners is not None) == (True, 1, True)
    assert np.abs(np.asarray(corners) - HERE).max() < 2


async def test_nothing_calm_is_waited_for_no_longer_than_asked(page_watch: PageWatch, picture: Changing) -> None:
    picture.picture = Pixels(table())
    page_watch.start()
    began = time.monotonic()

    assert await page_watch.calm(0.3) is False
    assert 0.25 <= time.monotonic() - began < 2


async def test_numbers_of_sheets_go_on_after_a_pause(page_watch: PageWatch) -> None:
    page_watch.start()
    await until(lambda: page_watch.last.page == 1)
    page_watch.stop()

    page_watch.start()

    await until(lambda: page_watch.last.page == 2)


async def test_a_picture_made_for_sending_is_not_made_again(camera: Camera, page_watch: PageWatch, picture: Changing) -> None:
    shown = table((paper(1), HERE))
    page_watch.offer(await camera.next_frame(0), shown)
    before = picture.made
    page_watch.start()

    async def send() -> None:
        number = 0
        while page_watch.last.page == 0:
            frame: Frame = await camera.next_frame(number)
            number = frame.number
            page_watch.offer(frame, shown)

    async with asyncio.timeout(5):
        await send()

    # The first look may come before the first picture was handed over; what was offered before the start is not kept.
    assert picture.made - before <= 1


async def test_a_camera_that_is_away_shows_no_sheet(
    camera: Camera, page_watch: PageWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "NO_PICTURE_SECONDS", 0.1)
    page_watch.start()
    await until(lambda: page_watch.last.page == 1)

    await camera.stop()

    await until(lambda: page_watch.last.page == 0)
    assert page_watch.last.corners is None


async def test_a_picture_vision_fails_on_is_passed_over_and_told_once(camera: Camera, caplog: pytest.LogCaptureFixture) -> None:
    failures = iter(range(3))

    def failing(picture: Bgr, near: Any) -> Quad | None:
        for failure in failures:
            raise ZeroDivisionError(failure)
        return bright_rectangle(picture)

    vision = Vision(
        find_page=failing, verdict=lambda *_: Judgement(), straightened=lambda page, _: page, orientation=lambda _: 0
    )
    page_watch = PageWatch(camera, vision)
    page_watch.start()

    await until(lambda: page_watch.last.page == 1)
    page_watch.stop()

    assert caplog.messages.count("a picture of the table could not be understood") == 1
