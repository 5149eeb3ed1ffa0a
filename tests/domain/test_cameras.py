"""What a camera may be set to from afar."""

import pytest

from etapalvelu.domain.cameras import CameraSettings, Crop, Mode, check_camera
from etapalvelu.domain.errors import InvalidFieldError


@pytest.mark.parametrize(
    "source",
    [
        "",
        "test:",
        "v4l2:/dev/video0",
        "v4l2:/dev/v4l/by-id/usb-DocCam-video-index0",
        "rtsp:rtsp://camera/page",
        "rtsp://camera:8554/page",
        "mjpeg:http://192.0.2.7/video",
        "mjpeg:https://[2001:db8::7]/video",
    ],
)
def test_cameras_and_addresses_may_be_named(source: str) -> None:
    check_camera(CameraSettings(source=source, mode=Mode(width=1920, height=1080, frames_per_second=15), turn=90))


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("file:/etc/passwd", "unknown_value"),
        ("images:/tmp/%d.png", "unknown_value"),
        ("webcam", "unknown_value"),
        ("test:more", "unknown_value"),
        ("v4l2:video0", "unknown_value"),
        ("v4l2:/dev/../etc/passwd", "unknown_value"),
        ("v4l2:/dev/video0\n", "unknown_value"),
        ("mjpeg:rtsp://camera/", "malformed"),
        ("mjpeg:file:///etc/passwd", "malformed"),
        ("rtsp:", "malformed"),
        ("rtsp://camera:0/", "malformed"),
        ("rtsp://camera:99999/", "malformed"),
        ("rtsp://[camera/", "malformed"),
        ("rtsp://anni:hemmelig@camera/", "has_password"),
        ("mjpeg:http://anni@camera/", "has_password"),
    ],
)
def test_files_passwords_and_nonsense_may_not(source: str, problem: str) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        check_camera(CameraSettings(source=source))

    assert (refused.value.field, refused.value.problem) == ("source", problem)


@pytest.mark.parametrize(
    "crop",
    [
        Crop(left=0.5, top=0, right=0.52, bottom=1),
        Crop(left=0, top=0.9, right=1, bottom=0.1),
        Crop(left=1, top=0, right=0, bottom=1),
    ],
)
def test_a_crop_has_to_leave_something(crop: Crop) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        check_camera(CameraSettings(crop=crop))

    assert (refused.value.field, refused.value.problem) == ("crop", "too_small")


def test_a_crop_that_leaves_something_is_fine() -> None:
    check_camera(CameraSettings(crop=Crop(left=0.1, top=0.2, right=0.9, bottom=0.8)))
