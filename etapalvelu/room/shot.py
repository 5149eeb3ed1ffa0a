"""What is made of one burst of the camera: the sheet, straightened, and the camera's whole picture it was made from.

`develop` is heavy and belongs in a worker thread. The raw picture is always among what it gives: the page is our reading of it.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.page import Turn, find_page, make_page, orientation, sharpest, verdict
from etapalvelu.room.pixels import Bgr, Picture, PictureError, jpeg
from signaling.document import Corners, PageVerdict, Part

log = logging.getLogger(__name__)

# 4 x 2, in pixels: top left, top right, bottom right, bottom left of the sheet.
Quad: TypeAlias = NDArray[np.float32]

NO_PAGE: Final = PageVerdict(code="no_page")


@dataclass(frozen=True, kw_only=True)
class Vision:
    """The functions of `room.page` a shot is developed with."""

    find_page: Callable[[Bgr, Quad | None], Quad | None]
    make_page: Callable[[Bgr, Quad], Bgr]
    sharpest: Callable[[Sequence[Bgr], Quad | None], int]
    verdict: Callable[[Bgr, Quad], PageVerdict]
    turn: Callable[[Bgr], Turn]


@dataclass(frozen=True, kw_only=True)
class Print:
    """One picture as it will be sent. `ppi` is its own pixels for an inch of the sheet."""

    part: Part
    jpeg: bytes
    width: int
    height: int
    ppi: int | None = None
    turn: Turn = 0
    corners: Corners | None = None


@dataclass(frozen=True, kw_only=True)
class Shot:
    """The pictures in the order they are sent, and how the page looks."""

    prints: tuple[Print, ...]
    verdict: PageVerdict


def develop(pictures: Sequence[Picture], vision: Vision, near: Quad | None = None) -> Shot:
    """The best picture of the burst, and the sheet in it. `near` is where the sheet lay a moment ago, in camera pixels.

    Raises PictureError when no picture of the burst can be read.
    """
    raw = _best(pictures, vision, near)
    try:
        found = _page(raw, vision, near)
    # Whatever a table looks like, the expert gets at least the camera's picture.
    except Exception:
        log.exception("the page of a still could not be made")
        found = None
    if found is None:
        return Shot(prints=(_print("raw", raw),), verdict=NO_PAGE)
    quad, page, seen = found
    # Pixels of the page for one of the camera's, along a line: both measure the same sheet.
    finer = float(np.sqrt(page.shape[0] * page.shape[1] / max(1.0, cv2.contourArea(quad))))
    return Shot(
        prints=(
            _print("page", page, ppi=round(seen.ppi * finer) if seen.ppi else None, turn=vision.turn(page)),
            _print("raw", raw, ppi=seen.ppi, corners=_shares(quad, raw)),
        ),
        verdict=seen,
    )


def _best(pictures: Sequence[Picture], vision: Vision, near: Quad | None) -> Bgr:
    """The sharpest of the burst in full; looked for in the smaller pictures, which cost a quarter."""
    readable: list[tuple[Picture, Bgr]] = []
    for picture in pictures:
        try:
            readable.append((picture, picture.live()))
        except (PictureError, cv2.error):
            log.warning("a picture of a burst is damaged")
    # A camera may change its size midway; what it gives now counts.
    readable = [(picture, live) for picture, live in readable if picture.size == readable[-1][0].size]
    if not readable:
        raise PictureError("no picture of the burst can be read")
    lives = [live for _, live in readable]
    scale = lives[0].shape[1] / readable[0][0].size[0]
    chosen = vision.sharpest(lives, None if near is None else near * np.float32(scale)) if len(lives) > 1 else 0
    try:
        return readable[chosen][0].full()
    except cv2.error as error:
        raise PictureError("the camera sent a damaged picture") from error


def _page(raw: Bgr, vision: Vision, near: Quad | None) -> tuple[Quad, Bgr, PageVerdict] | None:
    quad = vision.find_page(raw, near)
    if quad is None and near is not None:
        quad = vision.find_page(raw, None)
    if quad is None:
        return None
    if near is not None:
        quad = named_as(quad, near)
    return quad, vision.make_page(raw, quad), vision.verdict(raw, quad)


def _judged(image_bgr: Bgr, corners: Quad) -> PageVerdict:
    seen = verdict(image_bgr, corners)
    return PageVerdict(
        code=seen.code,
        hint=seen.hint,
        tilt_degrees=seen.tilt_degrees,
        glare_share=seen.glare_share,
        ppi=seen.ppi,
        smallest_text_mm=seen.smallest_text_mm,
    )


VISION: Final = Vision(find_page=find_page, make_page=make_page, sharpest=sharpest, verdict=_judged, turn=orientation)


def named_as(quad: Quad, near: Quad) -> Quad:
    """The same corners, beginning with the one that lies where `near` begins: marks stand on the sheet, not on the table."""
    turns = [np.roll(quad, -first, axis=0) for first in range(4)]
    return min(turns, key=lambda turned: float(np.linalg.norm(turned - near, axis=1).sum()))


def _shares(quad: Quad, raw: Bgr) -> Corners:
    height, width = raw.shape[:2]
    first, second, third, fourth = ((round(float(x) / width, 5), round(float(y) / height, 5)) for x, y in quad)
    return first, second, third, fourth


def _print(part: Part, picture: Bgr, *, ppi: int | None = None, turn: Turn = 0, corners: Corners | None = None) -> Print:
    height, width = picture.shape[:2]
    return Print(part=part, jpeg=jpeg(picture), width=width, height=height, ppi=ppi, turn=turn, corners=corners)
