"""The camera's settings as the server hands them over, kept in the state directory for a start without it.

What the command line says of the source goes before what the server says; mode, crop and turn are the server's all the same.
"""

import logging
import os
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from etapalvelu.room.framing import WHOLE, Framing
from etapalvelu.room.source import Kind, Mode, Source, SourceError, parse_source

log = logging.getLogger(__name__)

FILE_NAME: Final = "camera.json"
# What a room PC has when nobody said anything.
USUAL_SOURCE: Final = "v4l2:/dev/video0"
# The server names no files of this machine.
_FROM_AFAR: Final = frozenset({Kind.V4L2, Kind.MJPEG, Kind.RTSP, Kind.TEST})
Share = Annotated[float, Meta(ge=0, le=1)]


class Crop(Struct, frozen=True, kw_only=True):
    """Shares of the turned picture."""

    left: Share
    top: Share
    right: Share
    bottom: Share


class CameraSettings(Struct, frozen=True, kw_only=True):
    """As `domain.cameras` has them; fields of a later version are passed over."""

    source: str = ""
    mode: Mode | None = None
    crop: Crop | None = None
    turn: Literal[0, 90, 180, 270] = 0

    @property
    def framing(self) -> Framing:
        if self.crop is None:
            return Framing(turn=self.turn)
        crop = self.crop
        is_right = crop.left < crop.right and crop.top < crop.bottom
        return Framing(turn=self.turn, crop=(crop.left, crop.top, crop.right, crop.bottom) if is_right else WHOLE)


class CameraNews(Struct, frozen=True, kw_only=True):
    """What the server says of the camera: its settings, and the set-up that wants to see the table (empty without)."""

    settings: CameraSettings
    setup: str = ""


def source_of(settings: CameraSettings, given: Source | None) -> Source:
    """The source to open: the one `given` on the command line, or else the server's, or the usual one; in the mode that is set.

    A source that cannot be what was meant is passed over and logged.
    """
    source = given
    if source is None and settings.source:
        try:
            source = parse_source(settings.source)
        except SourceError:
            log.warning("the server names a camera source that cannot be used; the usual one is taken")
        if source is not None and source.kind not in _FROM_AFAR:
            log.warning("the server names a file as the camera; the usual source is taken")
            source = None
    chosen = source or parse_source(USUAL_SOURCE)
    return Source(chosen.kind, chosen.place, settings.mode)


def load(directory: Path) -> CameraSettings:
    """The settings last heard, or none at all. A file that cannot be read is as good as none, and is logged."""
    try:
        return msgspec.json.decode((directory / FILE_NAME).read_bytes(), type=CameraSettings)
    except FileNotFoundError:
        return CameraSettings()
    except (OSError, msgspec.DecodeError):
        log.warning("the kept camera settings cannot be read")
        return CameraSettings()


def save(directory: Path, settings: CameraSettings) -> None:
    """Keep them; where that fails, the next start without a server has older ones, which is logged."""
    path, fresh = directory / FILE_NAME, directory / f"{FILE_NAME}.new"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(settings))
        fresh.replace(path)
    except OSError as error:
        log.warning("the camera settings cannot be kept: %s", error.strerror)
