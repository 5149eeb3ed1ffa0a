"""The table as whoever installs the room sees it: small pictures and figures, sent while a set-up is open and no longer.

Never while a session is on: the agent ends it by itself then, and the server takes nothing more.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from etapalvelu.room import devices
from etapalvelu.room.camera import Camera, Frame
from etapalvelu.room.framing import unframed
from etapalvelu.room.page import find_page
from etapalvelu.room.pixels import Bgr, PictureError
from etapalvelu.room.server import Server, ServerAwayError, ServerRefusedError
from etapalvelu.room.source import Kind, Mode
from etapalvelu.room.target import Reading, read_target
from etapalvelu.room.vision.sharpness import sharpness

log = logging.getLogger(__name__)

# Pictures a second, at most, and no more than half of a core for them.
INTERVAL_SECONDS: Final = 0.3
# What is sent fits into one request of 64 KiB, written in letters.
MOST_BYTES: Final = 44_000
_WIDTHS: Final = (960, 720, 480)
_QUALITIES: Final = (70, 50, 35)
# Without the server for so long, nobody looks any more.
MOST_FAILURES: Final = 10
# Modes are asked of the driver, which may be slow at it.
_MODES_SECONDS: Final = 5.0
_LOOK_WIDTH: Final = 960
# A table so light, and so much as light as the paper on it, that white paper is hardly told from it.
_LIGHT_TABLE: Final = 0.55
_LIKE_PAPER: Final = 0.82
# Beside the sheet: far enough to be past its shadow.
_BESIDE: Final = 0.03
_COLOURLESS: Final = 0.28


class Target(Struct, frozen=True, kw_only=True):
    """The printed test sheet, read."""

    ppi: int
    mtf50: float
    line_pairs: float
    smallest_text_mm: float
    grade: str


class Look(Struct, frozen=True, kw_only=True):
    """One look at the table. `picture` is a JPEG of all the camera sees, neither turned nor cropped; `width` and `height` are
    the camera's own. `light` is the brightest tenth's (1 the sensor's most); `sharpness` compares looks at the same table only.
    `is_given`: the command line names the source, so nobody can change it from afar.
    """

    setup: str
    camera: str
    picture: bytes = b""
    width: int = 0
    height: int = 0
    light: float = 0.0
    sharpness: float = 0.0
    needs_mat: bool = False
    target: Target | None = None
    source: str = ""
    is_given: bool = False
    sources: tuple[devices.Found, ...] = ()
    modes: tuple[Mode, ...] = ()


@dataclass(frozen=True)
class Figures:
    """What is measured of one picture."""

    light: float
    sharpness: float
    needs_mat: bool
    target: Reading | None


class SetUp:
    """Shows the table to one set-up, from `run` on until nobody looks any more."""

    def __init__(self, id: str, *, server: Server, camera: Camera, is_given: bool) -> None:
        self._id = id
        self._server = server
        self._camera = camera
        self._is_given = is_given
        self._sources: tuple[devices.Found, ...] = ()
        self._modes: tuple[Mode, ...] = ()
        self._modes_due = 0.0

    async def run(self) -> None:
        """Look and show, again and again; returns when nobody looks any more or the server stays away."""
        number = failures = 0
        log.info("the camera's set-up begins")
        while failures < MOST_FAILURES:
            began = time.monotonic()
            frame = await self._frame(number)
            number = number if frame is None else frame.number
            try:
                if not await self._server.show(await asyncio.to_thread(self._look, frame)):
                    break
                failures = 0
            except ServerAwayError:
                failures += 1
            except ServerRefusedError:
                break
            took = time.monotonic() - began
            await asyncio.sleep(max(INTERVAL_SECONDS - took, took))
        log.info("the camera's set-up ends")

    async def _frame(self, after: int) -> Frame | None:
        """The next picture; None where the camera gives none for a second."""
        try:
            async with asyncio.timeout(1.0):
                return await self._camera.next_frame(after)
        except TimeoutError:
            return None

    def _look(self, frame: Frame | None) -> Look:
        """In a thread of its own: decoding and measuring a 4K picture takes a while."""
        self._refresh_lists()
        bare = Look(
            setup=self._id,
            camera=self._camera.status.camera,
            source=_shown(self._camera),
            is_given=self._is_given,
            sources=self._sources,
            modes=self._modes,
        )
        if frame is None:
            return bare
        try:
            full = unframed(frame.picture).full()
            seen = figures(full)
            picture = small_jpeg(full)
        except (PictureError, cv2.error):
            return bare
        return replace(
            bare,
            picture=picture,
            width=full.shape[1],
            height=full.shape[0],
            light=round(seen.light, 3),
            sharpness=round(seen.sharpness, 4),
            needs_mat=seen.needs_mat,
            target=None if seen.target is None else _told(seen.target),
        )

    def _refresh_lists(self) -> None:
        now = time.monotonic()
        if now >= self._modes_due:
            self._modes_due = now + _MODES_SECONDS
            self._sources = tuple(devices.cameras())
            self._modes = tuple(devices.modes(self._camera.source))


def figures(full: Bgr) -> Figures:
    """Measure what lies under the camera."""
    small = _small(full)
    target = read_target(full)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    corners = find_page(small) if target is None else target.corners * np.float32(small.shape[1] / full.shape[1])
    return Figures(
        light=float(np.percentile(grey, 90)) / 255,
        sharpness=sharpness(full),
        needs_mat=needs_mat(small, corners),
        target=target,
    )


def needs_mat(small: Bgr, corners: NDArray[np.float32] | None) -> bool:
    """Whether the table is so light that white paper is hardly told from it; `corners` are those of a sheet on it, if any."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.float32) / 255
    saturation = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2HSV)[..., 1], np.float32) / 255
    table = np.ones(grey.shape, bool)
    paper = 1.0
    if corners is not None:
        middle = corners.mean(axis=0)
        around = middle + (corners - middle) * (1 + 2 * _BESIDE)
        sheet = cv2.fillConvexPoly(np.zeros(grey.shape, np.uint8), np.rint(corners).astype(np.int32), 1) > 0
        table = cv2.fillConvexPoly(np.zeros(grey.shape, np.uint8), np.rint(around).astype(np.int32), 1) == 0
        if not (sheet.any() and table.any()):
            return False
        paper = float(np.percentile(grey[sheet], 90))
    light = float(np.median(grey[table]))
    has_no_colour = float(np.median(saturation[table])) < _COLOURLESS
    return has_no_colour and light > _LIGHT_TABLE and (corners is None or light > _LIKE_PAPER * paper)


def small_jpeg(picture: Bgr) -> bytes:
    """The picture as a JPEG that one request carries."""
    for width in _WIDTHS:
        scale = min(1.0, width / picture.shape[1])
        size = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        for quality in _QUALITIES:
            _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
            data = encoded.tobytes()
            if len(data) <= MOST_BYTES:
                return data
    raise PictureError("the picture has too much in it for a small one")


def _small(full: Bgr) -> Bgr:
    if full.shape[1] <= _LOOK_WIDTH:
        return full
    size = _LOOK_WIDTH, max(1, round(full.shape[0] * _LOOK_WIDTH / full.shape[1]))
    return np.asarray(cv2.resize(full, size, interpolation=cv2.INTER_AREA), np.uint8)


def _shown(camera: Camera) -> str:
    """The source as people may read it: of an address only what kind it is, for it may hold a password."""
    source = camera.source
    return f"{source.kind.value}:{source.place}" if source.kind is Kind.V4L2 else f"{source.kind.value}:"


def _told(reading: Reading) -> Target:
    return Target(
        ppi=reading.ppi,
        mtf50=reading.mtf50,
        line_pairs=reading.line_pairs,
        smallest_text_mm=reading.smallest_text_mm,
        grade=reading.grade,
    )
