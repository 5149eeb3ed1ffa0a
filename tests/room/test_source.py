from pathlib import Path

import pytest

from etapalvelu.room.source import Kind, Source, SourceError, device_name, parse_source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("test:", Source(Kind.TEST)),
        ("v4l2:/dev/video0", Source(Kind.V4L2, "/dev/video0")),
        ("v4l2:/dev/v4l/by-id/usb-x-video-index0", Source(Kind.V4L2, "/dev/v4l/by-id/usb-x-video-index0")),
        ("mjpeg:http://camera/video", Source(Kind.MJPEG, "http://camera/video")),
        ("mjpeg:https://camera:8443/video", Source(Kind.MJPEG, "https://camera:8443/video")),
        ("rtsp:rtsp://camera/1", Source(Kind.RTSP, "rtsp://camera/1")),
        ("rtsp://camera:554/1", Source(Kind.RTSP, "rtsp://camera:554/1")),
    ],
)
def test_a_source_is_read_as_written(text: str, source: Source) -> None:
    assert parse_source(text) == source


FORMS = "write v4l2:/dev/video0, file:PATH, images:PATTERN, mjpeg:URL, rtsp:URL or test:"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", f"camera source '' is not known: {FORMS}"),
        ("webcam:0", f"camera source 'webcam:0' is not known: {FORMS}"),
        ("/dev/video0", f"camera source '/dev/video0' is not known: {FORMS}"),
        ("test", f"camera source 'test' lacks its colon: {FORMS}"),
        ("test:letter", "camera source 'test:letter': nothing may stand after test:"),
        ("v4l2:0", "camera source 'v4l2:0' must name a device, such as v4l2:/dev/video0"),
        ("mjpeg:file:///etc/hosts", "camera source of kind mjpeg needs an address that begins with http://HOST"),
        ("mjpeg:http://", "camera source of kind mjpeg needs an address that begins with http://HOST"),
        ("mjpeg:http://camera:99999/", "camera source of kind mjpeg needs an address that begins with http://HOST"),
        ("rtsp:http://camera/", "camera source of kind rtsp needs an address that begins with rtsp://HOST"),
        ("file:/nowhere/letter.png", "camera source file:/nowhere/letter.png: there is no such file"),
        ("images:/nowhere/%03d.png", "camera source images:/nowhere/%03d.png: there is no folder /nowhere"),
        ("images:page.png", "camera source images:page.png needs one number in its file name, such as page-%03d.png"),
        ("images:%s-%d.png", "camera source images:%s-%d.png needs one number in its file name, such as page-%03d.png"),
    ],
)
def test_a_source_that_can_never_work_is_refused_in_one_line(text: str, words: str) -> None:
    with pytest.raises(SourceError) as refusal:
        parse_source(text)

    assert str(refusal.value) == words


def test_a_password_in_an_address_is_not_repeated() -> None:
    with pytest.raises(SourceError) as refusal:
        parse_source("mjpeg:ftp://user:hemmelig@camera/")

    assert "hemmelig" not in str(refusal.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty: give a picture or a video"),
        (b"%PDF-1.7\n\0\1", "is a PDF: give a picture or a video"),
        (b"Hyv\xc3\xa4\xc3\xa4 p\xc3\xa4iv\xc3\xa4\xc3\xa4\n", "is a text file: give a picture or a video"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "letter.png"
    path.write_bytes(content)

    with pytest.raises(SourceError) as refusal:
        parse_source(f"file:{path}")

    assert str(refusal.value) == f"camera source file:{path} {words}"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as refusal:
        parse_source(f"file:{tmp_path}")

    assert str(refusal.value) == f"camera source file:{tmp_path} is a folder: give a picture or a video"


def test_a_file_with_zero_bytes_is_left_for_opencv_to_judge(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x18ftyp")

    assert parse_source(f"file:{path}") == Source(Kind.FILE, str(path))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "letter.png"
    path.write_bytes(b"\0")

    def locked(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", locked)

    with pytest.raises(SourceError) as refusal:
        parse_source(f"file:{path}")

    assert str(refusal.value) == f"camera source file:{path} cannot be read: Permission denied"


def test_a_pattern_needs_a_picture_that_fits_it(tmp_path: Path) -> None:
    (tmp_path / "page-1.txt").write_text("no picture")

    with pytest.raises(SourceError, match="no picture has such a name"):
        parse_source(f"images:{tmp_path}/page-%d.png")
    (tmp_path / "page-001.png").write_bytes(b"\0")
    assert parse_source(f"images:{tmp_path}/page-%03d.png") == Source(Kind.IMAGES, f"{tmp_path}/page-%03d.png")


def test_a_device_has_the_name_the_kernel_gives_it_also_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "video3").mkdir()
    (tmp_path / "video3" / "name").write_text("DocCam 4K: DocCam\n")
    device, link = tmp_path / "dev" / "video3", tmp_path / "by-id"
    device.parent.mkdir()
    device.touch()
    link.symlink_to(device)

    assert device_name(Source(Kind.V4L2, str(link)), tmp_path) == "DocCam 4K: DocCam"


@pytest.mark.parametrize("source", [Source(Kind.V4L2, "/dev/video9"), Source(Kind.TEST), Source(Kind.FILE, "/video3")])
def test_a_device_that_is_away_and_what_is_no_device_have_no_name(source: Source, tmp_path: Path) -> None:
    assert device_name(source, tmp_path) == ""
