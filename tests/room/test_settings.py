"""The camera's settings on the room PC: what goes before what, and what is kept."""

import logging
import stat
from pathlib import Path

import pytest

from etapalvelu.room.framing import WHOLE, Framing
from etapalvelu.room.settings import CameraSettings, Crop, load, save, source_of
from etapalvelu.room.source import Kind, Mode, Source

MODE = Mode(width=1280, height=720, frames_per_second=30)
SETTINGS = CameraSettings(source="v4l2:/dev/video2", mode=MODE, crop=Crop(left=0.1, top=0, right=1, bottom=0.9), turn=180)


def test_the_servers_source_is_taken_and_without_one_the_usual() -> None:
    assert source_of(SETTINGS, None) == Source(Kind.V4L2, "/dev/video2", MODE)
    assert source_of(CameraSettings(), None) == Source(Kind.V4L2, "/dev/video0")


def test_the_command_line_goes_before_the_server_in_the_servers_mode() -> None:
    assert source_of(SETTINGS, Source(Kind.TEST)) == Source(Kind.TEST, "", MODE)


@pytest.mark.parametrize("source", ["file:/etc/hostname", "webcam", "mjpeg:ftp://camera/", "images:/tmp/page-%d.png"])
def test_a_source_that_cannot_be_used_is_passed_over_and_logged(source: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert source_of(CameraSettings(source=source), None) == Source(Kind.V4L2, "/dev/video0")

    assert ["usual" in record.message for record in caplog.records] == [True]


def test_a_picture_file_of_this_machine_is_none_of_the_servers_business(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    picture = tmp_path / "page.jpg"
    picture.write_bytes(b"\xff\xd8\x00 a picture")

    with caplog.at_level(logging.WARNING):
        assert source_of(CameraSettings(source=f"file:{picture}"), None) == Source(Kind.V4L2, "/dev/video0")

    assert [record.message for record in caplog.records] == ["the server names a file as the camera; the usual source is taken"]


def test_turn_and_crop_make_the_frame() -> None:
    assert SETTINGS.framing == Framing(turn=180, crop=(0.1, 0.0, 1.0, 0.9))
    assert CameraSettings(turn=90).framing == Framing(turn=90)
    upside_down = Crop(left=0.9, top=0, right=0.1, bottom=1)
    assert CameraSettings(crop=upside_down).framing == Framing(crop=WHOLE)


def test_settings_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    save(tmp_path / "state", SETTINGS)

    assert load(tmp_path / "state") == SETTINGS
    assert stat.S_IMODE((tmp_path / "state" / "camera.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", [b"{", b'{"turn": 45}', b'{"source": 7}', b""])
def test_kept_settings_that_cannot_be_read_are_none(tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "camera.json").write_bytes(text)

    with caplog.at_level(logging.WARNING):
        assert load(tmp_path) == CameraSettings()

    assert [record.message for record in caplog.records] == ["the kept camera settings cannot be read"]


def test_without_any_kept_nothing_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load(tmp_path) == CameraSettings()
    assert caplog.records == []


def test_settings_that_cannot_be_kept_end_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("in the way")

    with caplog.at_level(logging.WARNING):
        save(tmp_path / "state", SETTINGS)

    assert ["cannot be kept" in record.message for record in caplog.records] == [True]
