"""How a room's document camera is set: where its picture comes from, in which mode, which part of it, and turned how."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from etapalvelu.domain.errors import InvalidFieldError

Turn = Literal[0, 90, 180, 270]
Share = Annotated[float, Meta(ge=0, le=1)]
Source = Annotated[str, Meta(max_length=300)]

# Less of a picture than this is a slip of the hand.
LEAST_CROP = 0.05
# Kinds of source that the server may name. Files of the room PC are not among them: nobody reads those from afar.
_SCHEMES = {"mjpeg": ("http", "https"), "rtsp": ("rtsp", "rtsps")}


class Mode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mode of the camera, in its own pixels."""

    width: Annotated[int, Meta(ge=160, le=10_000)]
    height: Annotated[int, Meta(ge=120, le=10_000)]
    frames_per_second: Annotated[int, Meta(ge=1, le=120)]


class Crop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part that is used: shares of width and height of the picture once it is turned."""

    left: Share
    top: Share
    right: Share
    bottom: Share


class CameraSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one room. `source` as `etapalvelu room --camera` takes it, empty for the agent's own choice; `mode` None for
    the best there is, `crop` None for the whole picture; `turn` is clockwise, in degrees.
    """

    source: Source = ""
    mode: Mode | None = None
    crop: Crop | None = None
    turn: Turn = 0


def check_camera(settings: CameraSettings) -> None:
    """Raise `InvalidFieldError` where the settings could not work or reach for what they must not."""
    problem = _source_problem(settings.source)
    if problem:
        raise InvalidFieldError("source", problem)
    crop = settings.crop
    if crop is not None and (crop.right - crop.left < LEAST_CROP or crop.bottom - crop.top < LEAST_CROP):
        raise InvalidFieldError("crop", "too_small")


def _source_problem(source: str) -> str:
    """What is wrong, as a code; empty when nothing is."""
    kind, _, place = source.partition(":")
    if source in ("", "test:") or (kind == "v4l2" and place.startswith("/dev/") and ".." not in place and place.isprintable()):
        return ""
    if kind not in _SCHEMES:
        return "unknown_value"
    try:
        parts = urlsplit(source if place.startswith("//") else place)
        is_whole = parts.scheme in _SCHEMES[kind] and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "malformed"
    # A password would stand in the database and on a page: that one belongs on the room PC, behind --camera.
    return ("has_password" if parts.username or parts.password else "") if is_whole else "malformed"
