"""Looks at the document camera: does it open, are its pictures new, light and sharp, and does it give a full still."""

import asyncio
import time
from typing import Final

import cv2
import numpy as np

from etapalvelu.room.camera import Camera, CameraLostError, Frame
from etapalvelu.room.finding import Finding, at_least, at_most
from etapalvelu.room.page import find_page
from etapalvelu.room.pixels import Bgr, Picture, PictureError, jpeg
from etapalvelu.room.pulse import is_dark
from etapalvelu.room.vision.sharpness import blur

# A camera that is away is opened anew every two seconds.
OPENING_SECONDS: Final = 4.0
WATCH_SECONDS: Final = 1.5
GOOD_RATE: Final = 8.0
ENOUGH_RATE: Final = 2.0
# Percent of white, as the mean of the whole picture.
GOOD_LIGHT: Final = 15.0
ENOUGH_LIGHT: Final = 7.0
# How far a point spreads, in pixels of the live picture; a page's verdict calls more than 2.2 blurred.
GOOD_BLUR: Final = 2.2
ENOUGH_BLUR: Final = 4.0
# Megapixels: an A4 page in a 1920x1080 picture is just readable.
GOOD_STILL: Final = 2.0
ENOUGH_STILL: Final = 0.9
_LATER: Final = ("document_camera_fresh", "document_camera_light", "document_camera_sharp", "document_camera_still")
_DECIMALS: Final = 2


async def camera_findings(camera: Camera) -> list[Finding]:
    """Five findings; what cannot be looked at without a picture is skipped."""
    try:
        async with asyncio.timeout(OPENING_SECONDS):
            first = await camera.next_frame(0)
    except TimeoutError:
        gone = Finding(code="document_camera_opens", result="failed", note="no_picture")
        return [gone, *(Finding(code=code, result="skipped", note="no_picture") for code in _LATER)]
    last, rate = await _watched(camera, first)
    return [
        Finding(code="document_camera_opens", result="ok"),
        _freshness(last, rate),
        *await asyncio.to_thread(_looks, last.picture),
        await _still(camera),
    ]


async def _watched(camera: Camera, first: Frame) -> tuple[Frame, float]:
    """The last frame of a moment, and how many came a second."""
    last, began = first, time.monotonic()
    try:
        async with asyncio.timeout(WATCH_SECONDS):
            while True:
                last = await camera.next_frame(last.number)
    except TimeoutError:
        return last, (last.number - first.number) / (time.monotonic() - began)


def _freshness(last: Frame, rate: float) -> Finding:
    if last.health == "frozen":
        return Finding(code="document_camera_fresh", result="failed", figure=0.0, note="frozen")
    return at_least("document_camera_fresh", round(rate, 1), good=GOOD_RATE, enough=ENOUGH_RATE)


def _looks(picture: Picture) -> list[Finding]:
    """How light and how sharp one picture is; runs in a thread."""
    try:
        seen = picture.live()
    except (PictureError, cv2.error):
        codes = ("document_camera_light", "document_camera_sharp")
        return [Finding(code=code, result="failed", note="no_picture") for code in codes]
    light = round(float(seen.mean()) / 255 * 100, 1)
    if is_dark(picture):
        return [
            Finding(code="document_camera_light", result="failed", figure=light, note="black"),
            Finding(code="document_camera_sharp", result="skipped", note="black"),
        ]
    return [at_least("document_camera_light", light, good=GOOD_LIGHT, enough=ENOUGH_LIGHT), _sharpness(seen)]


def _sharpness(seen: Bgr) -> Finding:
    """By the sheet where one lies there, else by whatever has edges: an empty table may have none to judge by."""
    height, width = seen.shape[:2]
    whole = np.array([(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)], np.float32)
    sheet = find_page(seen, None)
    spread = None if sheet is None else blur(seen, sheet)
    if spread is None:
        spread = blur(seen, whole)
    if spread is None:
        return Finding(code="document_camera_sharp", result="skipped", note="no_print")
    return at_most("document_camera_sharp", round(spread, _DECIMALS), good=GOOD_BLUR, enough=ENOUGH_BLUR)


async def _still(camera: Camera) -> Finding:
    """The newest picture in full, made into a JPEG as it would be sent."""
    try:
        pictures = await camera.burst()
        size = await asyncio.to_thread(_developed, pictures[-1])
    except (CameraLostError, PictureError, cv2.error):
        return Finding(code="document_camera_still", result="failed", note="no_picture")
    return at_least("document_camera_still", round(size / 1e6, 1), good=GOOD_STILL, enough=ENOUGH_STILL)


def _developed(picture: Picture) -> int:
    """How many pixels the still has."""
    full = picture.full()
    jpeg(full)
    return int(full.shape[0] * full.shape[1])
