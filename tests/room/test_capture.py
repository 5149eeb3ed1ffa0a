import math
import time
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from etapalvelu.room.capture import CaptureError, Device, Pace, open_capture, proven
from etapalvelu.room.letter import Letter
from etapalvelu.room.pixels import Jpeg, Pixels, jpeg
from etapalvelu.room.source import Kind, Source


def plain(shade: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), shade, np.uint8)


def film(path: Path, shades: list[int], per_second: float = 60) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), per_second, (64, 48))
    for shade in shades:
        writer.write(plain(shade))
    writer.release()
    return path


def shade_of(array: NDArray[Any]) -> int:
    return round(float(array.mean()) / 50) * 50


def test_a_film_is_played_again_and_again(tmp_path: Path) -> None:
    capture = open_capture(Source(Kind.FILE, str(film(tmp_path / "film.avi", [0, 100, 200]))))

    shades = [shade_of(capture.read().full()) for _ in range(7)]
    capture.release()

    assert shades == [0, 100, 200, 0, 100, 200, 0]


@pytest.mark.alone
def test_a_film_is_played_at_its_own_rate(tmp_path: Path) -> None:
    capture = open_capture(Source(Kind.FILE, str(film(tmp_path / "film.avi", [0] * 30, per_second=20))))
    capture.read()

    before = time.monotonic()
    for _ in range(6):
        capture.read()
    took = time.monotonic() - before
    capture.release()

    assert 0.25 < took < 0.6


def test_a_film_that_is_taken_away_ends_the_capture(tmp_path: Path) -> None:
    path = film(tmp_path / "film.avi", [0])
    capture = open_capture(Source(Kind.FILE, str(path)))
    capture.read()
    path.unlink()

    with pytest.raises(CaptureError, match="the file is gone"):
        capture.read()
    capture.release()


def test_pictures_of_any_depth_and_size_follow_each_other(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "page-1.png"), np.full((48, 64), 100, np.uint8))
    cv2.imwrite(str(tmp_path / "page-2.png"), np.full((96, 32, 3), 150 << 8, np.uint16))
    cv2.imwrite(str(tmp_path / "page-3.png"), np.full((10, 20, 4), 200, np.uint8))
    capture = open_capture(Source(Kind.IMAGES, f"{tmp_path}/page-%d.png"))

    pictures = [capture.read() for _ in range(4)]
    capture.release()

    assert [picture.size for picture in pictures] == [(64, 48), (32, 96), (20, 10), (64, 48)]
    assert [shade_of(picture.full()) for picture in pictures] == [100, 150, 200, 100]
    assert {picture.full().dtype.name for picture in pictures} == {"uint8"}


def test_a_picture_file_is_read_anew_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), plain(50))
    capture = open_capture(Source(Kind.FILE, str(path)))
    first, second = capture.read(), capture.read()
    path.write_bytes(jpeg(plain(200)))

    third = capture.read()
    capture.release()

    assert first is second
    assert [shade_of(first.full()), shade_of(third.full())] == [50, 200]


def test_a_picture_whose_file_says_how_it_lies_is_turned(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    picture = plain(50)
    picture[:, :32] = 200
    # EXIF with one entry, orientation: the camera was held a quarter turn to the left.
    tiff = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    exif = b"Exif\0\0" + tiff
    data = jpeg(picture)
    path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
    capture = open_capture(Source(Kind.FILE, str(path)))

    seen = capture.read()
    capture.release()

    assert seen.size == (48, 64)
    assert [shade_of(half) for half in (seen.full()[:28], seen.full()[36:])] == [200, 50]


def test_a_picture_file_that_goes_or_breaks_ends_the_capture(tmp_path: Path) -> None:
    path = tmp_path / "sheet.png"
    cv2.imwrite(str(path), plain(50))
    capture = open_capture(Source(Kind.FILE, str(path)))
    path.write_bytes(b"\x89PNG\0 broken")

    with pytest.raises(CaptureError, match="cannot be read"):
        capture.read()
    path.unlink()
    with pytest.raises(CaptureError, match="is gone"):
        capture.read()


@pytest.mark.alone
def test_the_letter_is_drawn_fifteen_times_a_second() -> None:
    capture = open_capture(Source(Kind.TEST))
    capture.read()

    before = time.monotonic()
    pictures = [capture.read() for _ in range(6)]
    took = time.monotonic() - before
    capture.release()

    assert all(isinstance(picture, Letter) for picture in pictures)
    assert 0.3 < took < 0.7


@pytest.mark.parametrize(("kind", "name"), [(Kind.FILE, "letter-1.docx"), (Kind.IMAGES, "letter-%d.docx")])
def test_files_that_are_neither_picture_nor_film_are_refused_at_start(tmp_path: Path, kind: Kind, name: str) -> None:
    with ZipFile(tmp_path / "letter-1.docx", "w") as file:
        file.writestr("document.xml", "<p>" + "Hyvää päivää. " * 50 + "</p>")

    with pytest.raises(CaptureError, match="neither a picture nor a video"):
        proven(Source(kind, str(tmp_path / name)))


def test_a_good_file_and_an_absent_camera_pass_at_start(tmp_path: Path) -> None:
    good = Source(Kind.FILE, str(film(tmp_path / "film.avi", [0])))
    absent = Source(Kind.V4L2, "/dev/video-that-is-not-there")

    assert [proven(good), proven(absent)] == [good, absent]


def test_a_missing_device_is_told() -> None:
    with pytest.raises(CaptureError, match="not plugged in"):
        open_capture(Source(Kind.V4L2, "/dev/video-that-is-not-there"))


def test_a_device_that_is_no_camera_is_told() -> None:
    with pytest.raises(CaptureError, match="did not open"):
        open_capture(Source(Kind.V4L2, "/dev/null"))


def test_a_network_camera_that_is_away_is_told(unused_tcp_port: int) -> None:
    with pytest.raises(CaptureError, match="did not answer"):
        open_capture(Source(Kind.MJPEG, f"http://127.0.0.1:{unused_tcp_port}/"))


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_none_becomes_fifteen(rate: float) -> None:
    pace = Pace(rate)
    pace.wait()

    before = time.monotonic()
    pace.wait()

    assert 0.03 < time.monotonic() - before < 0.2


class DriverStandIn:
    """What OpenCV's V4L2 capture does with settings: some drivers keep the picture format, some do not."""

    def __init__(self, fourcc: str, picture: NDArray[np.uint8]) -> None:
        self.settings: list[tuple[int, float]] = []
        self._fourcc = cv2.VideoWriter.fourcc(*fourcc)
        self._picture = picture
        self.is_open = True

    def __call__(self, path: str, backend: int) -> "DriverStandIn":
        assert backend == cv2.CAP_V4L2
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return self.is_open

    def set(self, setting: int, value: float) -> bool:
        self.settings.append((setting, value))
        return True

    def get(self, setting: int) -> float:
        height, width = self._picture.shape[:2]
        fixed: dict[int, float] = {
            cv2.CAP_PROP_FOURCC: self._fourcc,
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
        }
        return fixed.get(setting, dict(self.settings).get(setting, 0))

    def read(self) -> tuple[bool, NDArray[np.uint8]]:
        is_raw = dict(self.settings)[cv2.CAP_PROP_CONVERT_RGB] == 0
        return True, np.frombuffer(jpeg(self._picture), np.uint8)[np.newaxis] if is_raw else self._picture

    def release(self) -> None:
        self.is_open = False


@pytest.mark.parametrize(("fourcc", "kind"), [("MJPG", Jpeg), ("YUYV", Pixels)])
def test_a_device_keeps_its_jpeg_only_where_the_driver_gives_it(
    monkeypatch: pytest.MonkeyPatch, fourcc: str, kind: type[object]
) -> None:
    driver = DriverStandIn(fourcc, plain(150))
    monkeypatch.setattr(cv2, "VideoCapture", driver)

    device = Device("/dev/null")
    picture = device.read()
    device.release()

    assert [setting for setting, _ in driver.settings][:4] == [
        cv2.CAP_PROP_FOURCC,
        cv2.CAP_PROP_FRAME_WIDTH,
        cv2.CAP_PROP_FRAME_HEIGHT,
        cv2.CAP_PROP_FPS,
    ]
    assert type(picture) is kind
    assert (picture.size, shade_of(picture.full())) == ((64, 48), 150)
    assert not driver.is_open
