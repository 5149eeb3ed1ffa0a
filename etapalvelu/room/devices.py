"""The cameras of this machine and their modes, as the kernel tells them (V4L2). Nothing here opens a camera for pictures."""

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

from etapalvelu.room.source import Kind, Mode, Source, device_name

# linux/videodev2.h: _IOWR('V', 74, struct v4l2_frmsizeenum), _IOWR('V', 75, struct v4l2_frmivalenum).
_ENUM_FRAMESIZES: Final = 0xC02C564A
_ENUM_FRAMEINTERVALS: Final = 0xC034564B
_SIZE: Final = struct.Struct("=3I8I")
_INTERVAL: Final = struct.Struct("=5I8I")
_DISCRETE: Final = 1
# Cameras give their large pictures as JPEG; it is also what the agent asks for.
_MJPG: Final = int.from_bytes(b"MJPG", "little")
_MOST_SIZES: Final = 64
_MOST_MODES: Final = 24
_MOST_SOURCES: Final = 16
# Below this no page is read.
_LEAST_HEIGHT: Final = 480

Ask = Callable[[int, int, bytes], bytes]


class Found(Struct, frozen=True, kw_only=True):
    """A camera that could be chosen: `source` as settings write it, and its name as the kernel tells it."""

    source: str
    name: str


def cameras(by_id: Path = Path("/dev/v4l/by-id"), classes: Path = Path("/sys/class/video4linux")) -> list[Found]:
    """The cameras plugged in, by names that stay the same when they are plugged in anew."""
    found: list[Found] = []
    try:
        # Index 0 is the picture; others of the same device are data about it.
        paths = sorted(path for path in by_id.iterdir() if path.name.endswith("-video-index0"))
    except OSError:
        paths = sorted(Path("/dev", path.name) for path in classes.glob("video*"))
    for path in paths[:_MOST_SOURCES]:
        name = device_name(Source(Kind.V4L2, str(path)), classes)
        found.append(Found(source=f"v4l2:{path}", name=name or path.name))
    return found


def modes(source: Source, ask: Ask | None = None) -> list[Mode]:
    """What the camera offers as JPEG, the largest first, each size at its highest rate; empty where it cannot be told."""
    if source.kind is not Kind.V4L2:
        return []
    try:
        handle = os.open(source.place, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return []
    try:
        found = {mode.width * mode.height: mode for mode in _modes(ask or fcntl.ioctl, handle) if mode.height >= _LEAST_HEIGHT}
    finally:
        os.close(handle)
    return [found[area] for area in sorted(found, reverse=True)][:_MOST_MODES]


def _modes(ask: Ask, handle: int) -> Iterator[Mode]:
    for index in range(_MOST_SIZES):
        answer = _answer(ask, handle, _ENUM_FRAMESIZES, _SIZE, (index, _MJPG))
        if answer is None:
            return
        kind, width, height = answer[2:5]
        if kind == _DISCRETE:
            yield Mode(width=width, height=height, frames_per_second=_fastest(ask, handle, width, height))


def _fastest(ask: Ask, handle: int, width: int, height: int) -> int:
    best = 1.0
    for index in range(_MOST_SIZES):
        answer = _answer(ask, handle, _ENUM_FRAMEINTERVALS, _INTERVAL, (index, _MJPG, width, height))
        if answer is None:
            break
        kind, numerator, denominator = answer[4:7]
        if kind == _DISCRETE and numerator:
            best = max(best, denominator / numerator)
    return min(120, round(best))


def _answer(ask: Ask, handle: int, request: int, form: struct.Struct, asked: tuple[int, ...]) -> tuple[int, ...] | None:
    """What the driver says; None past the last, or where it knows no such thing."""
    empty = (0,) * (len(form.unpack(bytes(form.size))) - len(asked))
    try:
        return form.unpack(ask(handle, request, form.pack(*asked, *empty)))
    except OSError:
        return None
