"""Where the picture comes from, as the person who installs the room writes it: `v4l2:/dev/video0`, `file:PATH`, `test:` ..."""

import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from msgspec import Meta, Struct


class SourceError(ValueError):
    """The source cannot be what was meant; the text names it and says what to do."""


class Kind(Enum):
    V4L2 = "v4l2"
    FILE = "file"
    IMAGES = "images"
    MJPEG = "mjpeg"
    RTSP = "rtsp"
    TEST = "test"


class Mode(Struct, frozen=True, kw_only=True):
    """A mode of a camera, in its own pixels."""

    width: Annotated[int, Meta(ge=160, le=10_000)]
    height: Annotated[int, Meta(ge=120, le=10_000)]
    frames_per_second: Annotated[int, Meta(ge=1, le=120)]


@dataclass(frozen=True)
class Source:
    """A camera source. `place` may hold a password: log the kind, never the place. `mode` None is the best a device has; other
    kinds of source have none.
    """

    kind: Kind
    place: str = ""
    mode: Mode | None = None


_FORMS: Final = "v4l2:/dev/video0, file:PATH, images:PATTERN, mjpeg:URL, rtsp:URL or test:"
_SCHEMES: Final = {Kind.MJPEG: ("http", "https"), Kind.RTSP: ("rtsp", "rtsps")}
_NUMBER_IN_PATTERN: Final = re.compile(r"%0?\d*d")
_SNIFFED_BYTES: Final = 4096
_LONGEST_NAME: Final = 120


def parse_source(text: str) -> Source:
    """Read a source as written; raise SourceError where it could never work."""
    word, colon, place = text.partition(":")
    try:
        kind = Kind(word)
    except ValueError:
        raise SourceError(f"camera source {text!r} is not known: write {_FORMS}") from None
    if not colon:
        raise SourceError(f"camera source {text!r} lacks its colon: write {_FORMS}")
    match kind:
        case Kind.TEST:
            if place:
                raise SourceError(f"camera source {text!r}: nothing may stand after test:")
        case Kind.V4L2:
            if not place.startswith("/dev/"):
                raise SourceError(f"camera source {text!r} must name a device, such as v4l2:/dev/video0")
        case Kind.MJPEG | Kind.RTSP:
            place = _url(kind, place)
        case Kind.FILE:
            _check_file(place)
        case Kind.IMAGES:
            _check_pattern(place)
    return Source(kind, place)


def device_name(source: Source, devices: Path = Path("/sys/class/video4linux")) -> str:
    """The name the kernel, and so the browser, gives a V4L2 device; empty for other sources, and while it is away."""
    if source.kind is not Kind.V4L2:
        return ""
    try:
        return (devices / Path(source.place).resolve().name / "name").read_text(encoding="utf-8").strip()[:_LONGEST_NAME]
    except (OSError, UnicodeDecodeError):
        return ""


def _url(kind: Kind, place: str) -> str:
    # Both `rtsp:rtsp://host/` and the short `rtsp://host/` are understood.
    url = f"{kind.value}:{place}" if place.startswith("//") else place
    schemes = _SCHEMES[kind]
    try:
        parts = urlsplit(url)
        is_whole = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        raise SourceError(f"camera source of kind {kind.value} needs an address that begins with {schemes[0]}://HOST")
    return url


def _check_file(place: str) -> None:
    path = Path(place)
    if path.is_dir():
        raise SourceError(f"camera source file:{place} is a folder: give a picture or a video")
    if not path.is_file():
        raise SourceError(f"camera source file:{place}: there is no such file")
    try:
        with path.open("rb") as file:
            start = file.read(_SNIFFED_BYTES)
    except OSError as error:
        raise SourceError(f"camera source file:{place} cannot be read: {error.strerror}") from error
    if not start:
        raise SourceError(f"camera source file:{place} is empty: give a picture or a video")
    if start.startswith(b"%PDF"):
        raise SourceError(f"camera source file:{place} is a PDF: give a picture or a video")
    if _is_text(start):
        raise SourceError(f"camera source file:{place} is a text file: give a picture or a video")


def _check_pattern(place: str) -> None:
    path = Path(place)
    if len(_NUMBER_IN_PATTERN.findall(path.name)) != 1 or place.count("%") != 1:
        raise SourceError(f"camera source images:{place} needs one number in its file name, such as page-%03d.png")
    if not path.parent.is_dir():
        raise SourceError(f"camera source images:{place}: there is no folder {path.parent}")
    form = _NUMBER_IN_PATTERN.sub("\0", path.name)
    names = re.compile(re.escape(form).replace(re.escape("\0"), r"\d+"))
    if not any(names.fullmatch(entry.name) for entry in path.parent.iterdir()):
        raise SourceError(f"camera source images:{place}: no picture has such a name")


def _is_text(start: bytes) -> bool:
    """Text has no zero bytes; every picture and video format has some near its start."""
    return b"\0" not in start
