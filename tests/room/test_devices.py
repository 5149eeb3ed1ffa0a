"""Which cameras there are and what they can do, as a driver tells it. The driver is a stand-in: no camera is plugged in."""

import struct
from pathlib import Path

from etapalvelu.room.devices import Found, cameras, modes
from etapalvelu.room.source import Kind, Mode, Source

SIZES = [(640, 480), (3840, 2160), (1920, 1080), (320, 240)]
INTERVALS = {(640, 480): [(1, 30)], (3840, 2160): [(1, 10), (1, 15)], (1920, 1080): [(1, 60), (0, 0), (1001, 30000)]}
MJPG = int.from_bytes(b"MJPG", "little")


def driver(handle: int, request: int, asked: bytes) -> bytes:
    """Answers as linux/videodev2.h lays it out: v4l2_frmsizeenum of 44 bytes, v4l2_frmivalenum of 52."""
    words = list(struct.unpack(f"={len(asked) // 4}I", asked))
    index, form = words[:2]
    assert form == MJPG
    if request == 0xC02C564A and len(asked) == 44 and index < len(SIZES):
        words[2:5] = [1, *SIZES[index]]
    elif request == 0xC034564B and len(asked) == 52 and index < len(INTERVALS.get((words[2], words[3]), [])):
        words[4:7] = [1, *INTERVALS[words[2], words[3]][index]]
    else:
        raise OSError(22, "Invalid argument")
    return struct.pack(f"={len(words)}I", *words)


def test_modes_are_told_largest_first_at_their_highest_rate_and_too_small_ones_are_not(tmp_path: Path) -> None:
    camera = tmp_path / "video0"
    camera.write_bytes(b"")

    assert modes(Source(Kind.V4L2, str(camera)), driver) == [
        Mode(width=3840, height=2160, frames_per_second=15),
        Mode(width=1920, height=1080, frames_per_second=60),
        Mode(width=640, height=480, frames_per_second=30),
    ]


def test_sizes_in_steps_are_passed_over(tmp_path: Path) -> None:
    def stepwise(handle: int, request: int, asked: bytes) -> bytes:
        words = list(struct.unpack(f"={len(asked) // 4}I", asked))
        if request != 0xC02C564A or words[0] > 0:
            raise OSError(22, "Invalid argument")
        words[2:9] = [3, 16, 1920, 8, 16, 1080, 8]
        return struct.pack(f"={len(words)}I", *words)

    camera = tmp_path / "video0"
    camera.write_bytes(b"")

    assert modes(Source(Kind.V4L2, str(camera)), stepwise) == []


def test_what_is_no_camera_has_no_modes(tmp_path: Path) -> None:
    assert modes(Source(Kind.V4L2, "/dev/null")) == []
    assert modes(Source(Kind.V4L2, str(tmp_path / "away"))) == []
    assert modes(Source(Kind.TEST)) == []


def test_cameras_are_named_so_that_the_name_lasts(tmp_path: Path) -> None:
    by_id, classes = tmp_path / "by-id", tmp_path / "classes"
    (classes / "video4").mkdir(parents=True)
    (classes / "video4" / "name").write_text("DocCam 4K\n", encoding="utf-8")
    by_id.mkdir()
    (tmp_path / "video4").touch()
    (by_id / "usb-DocCam-video-index0").symlink_to(tmp_path / "video4")
    (by_id / "usb-DocCam-video-index1").symlink_to(tmp_path / "video5")
    (by_id / "usb-Other-video-index0").symlink_to(tmp_path / "video6")

    assert cameras(by_id, classes) == [
        Found(source=f"v4l2:{by_id}/usb-DocCam-video-index0", name="DocCam 4K"),
        Found(source=f"v4l2:{by_id}/usb-Other-video-index0", name="usb-Other-video-index0"),
    ]


def test_without_lasting_names_the_devices_themselves_are_named(tmp_path: Path) -> None:
    (tmp_path / "video0").mkdir()
    (tmp_path / "video0" / "name").write_text("DocCam", encoding="utf-8")

    assert cameras(tmp_path / "away", tmp_path) == [Found(source="v4l2:/dev/video0", name="DocCam")]
    assert cameras(tmp_path / "away", tmp_path / "away") == []
