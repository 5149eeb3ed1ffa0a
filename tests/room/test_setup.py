"""What whoever installs a room is shown of its table."""

import base64
from collections.abc import AsyncIterator

import aiohttp
import cv2
import numpy as np
import pytest

from bench.desks import make_desk
from etapalvelu.room import setup as room_setup
from etapalvelu.room.camera import Camera
from etapalvelu.room.framing import Framing
from etapalvelu.room.pixels import Bgr, PictureError, Pixels
from etapalvelu.room.server import Server, client_session
from etapalvelu.room.setup import MOST_BYTES, SetUp, figures, needs_mat, small_jpeg
from etapalvelu.room.source import Kind, Source
from etapalvelu.tasks import spawn, stop
from tests.room.cameras import Script, pixels, until
from tests.room.service import Service


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with client_session(None) as session:
        yield session


def table(shade: int, *, paper: bool = True) -> tuple[Bgr, "np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None"]:
    picture = np.full((540, 960, 3), shade, np.uint8)
    corners = np.array([[300, 60], [620, 60], [620, 480], [300, 480]], np.float32)
    if paper:
        cv2.fillConvexPoly(picture, corners.astype(np.int32), (245, 245, 245))
    return picture, corners if paper else None


@pytest.mark.parametrize(("shade", "expected"), [(30, False), (120, False), (180, False), (225, True), (244, True)])
def test_a_table_as_light_as_paper_needs_a_mat(shade: int, expected: bool) -> None:
    assert needs_mat(*table(shade)) is expected


@pytest.mark.parametrize(("shade", "expected"), [(40, False), (120, False), (210, True)])
def test_without_a_sheet_a_light_table_needs_one_too(shade: int, expected: bool) -> None:
    assert needs_mat(*table(shade, paper=False)) is expected


def test_a_table_of_a_strong_colour_needs_none() -> None:
    picture = np.full((540, 960, 3), (90, 230, 250), np.uint8)

    assert not needs_mat(picture, None)


def test_a_sheet_that_fills_the_picture_says_nothing_of_the_table() -> None:
    whole = np.array([[0, 0], [959, 0], [959, 539], [0, 539]], np.float32)

    assert not needs_mat(np.full((540, 960, 3), 240, np.uint8), whole)


def test_white_tables_are_told_from_dark_ones_under_a_camera() -> None:
    told = {
        ground: sum(figures(make_desk(seed, "plain", sheet="letter", ground=ground).image_bgr).needs_mat for seed in range(4))
        for ground in ("white", "dark", "wood")
    }

    assert told["white"] >= 3
    assert (told["dark"], told["wood"]) == (0, 0)


def test_figures_follow_light_and_focus() -> None:
    letter = make_desk(5, "plain", sheet="letter", ground="dark").image_bgr
    dim = np.asarray(letter * 0.4, np.uint8)
    soft = np.asarray(cv2.GaussianBlur(letter, (0, 0), 3), np.uint8)

    assert figures(dim).light < 0.5 * figures(letter).light + 0.01
    assert figures(soft).sharpness < 0.8 * figures(letter).sharpness


@pytest.mark.parametrize("size", [(3840, 2160), (1920, 1080), (320, 240)])
def test_any_picture_fits_into_one_request(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8)

    data = small_jpeg(noise)

    assert len(data) <= MOST_BYTES
    seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert seen is not None
    assert seen.shape[1] / seen.shape[0] == pytest.approx(size[0] / size[1], rel=0.01)


def test_a_picture_that_does_not_fit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_setup, "MOST_BYTES", 10)

    with pytest.raises(PictureError):
        small_jpeg(np.zeros((100, 100, 3), np.uint8))


async def test_the_table_is_shown_whole_until_nobody_looks(service: Service, http: aiohttp.ClientSession) -> None:
    camera = Camera(Source(Kind.TEST), framing=Framing(turn=90, crop=(0.2, 0.2, 0.5, 0.5)))
    await camera.start()
    service.setup = "s-1"
    showing = spawn(SetUp("s-1", server=Server(http, service.address), camera=camera, is_given=True).run(), name="set-up")

    await until(lambda: len(service.looks) >= 2)
    service.setup = ""
    await until(showing.done)
    await camera.stop()

    look = service.looks[-1]
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(look["picture"]), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (540, 960, 3)
    assert (look["camera"], look["width"], look["height"], look["source"], look["is_given"]) == (
        "ok",
        3840,
        2160,
        "test:",
        True,
    )
    assert 0.5 < look["light"] <= 1
    assert (look["needs_mat"], look["target"]) == (False, None)


async def test_a_camera_without_pictures_is_told_as_such(service: Service, http: aiohttp.ClientSession) -> None:
    script = Script()
    camera = Camera(Source(Kind.RTSP, "rtsp://anni:hemmelig@camera/"), open_source=script.open)
    await camera.start()
    service.setup = "s-1"
    showing = spawn(SetUp("s-1", server=Server(http, service.address), camera=camera, is_given=False).run(), name="set-up")

    await until(lambda: len(service.looks) >= 1)
    await stop(showing)
    await camera.stop()

    look = service.looks[-1]
    assert (look["camera"], look["picture"], look["source"], look["is_given"]) == ("lost", "", "rtsp:", False)


async def test_a_picture_that_cannot_be_shown_ends_nothing(
    service: Service, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_setup, "MOST_BYTES", 10)
    camera = Camera(Source(Kind.TEST), open_source=Script(then=pixels(640, 480)).open)
    await camera.start()
    service.setup = "s-1"
    showing = spawn(SetUp("s-1", server=Server(http, service.address), camera=camera, is_given=False).run(), name="set-up")

    await until(lambda: len(service.looks) >= 1)
    await stop(showing)
    await camera.stop()

    assert (service.looks[0]["camera"], service.looks[0]["picture"]) == ("ok", "")


@pytest.mark.parametrize(("status", "tries"), [(503, 3), (409, 1)])
async def test_a_server_that_is_away_or_refuses_ends_it(
    service: Service, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch, status: int, tries: int
) -> None:
    monkeypatch.setattr(room_setup, "MOST_FAILURES", 3)
    monkeypatch.setattr(room_setup, "INTERVAL_SECONDS", 0.01)
    camera = Camera(Source(Kind.TEST), open_source=Script(then=Pixels(np.zeros((480, 640, 3), np.uint8))).open)
    await camera.start()
    refusals: list[tuple[int, object]] = [(status, {"code": "room_in_use"})] * 5
    service.trouble["/api/v1/devices/camera"] = refusals

    await SetUp("s-1", server=Server(http, service.address), camera=camera, is_given=False).run()
    await camera.stop()

    assert len(refusals) == 5 - tries
