"""Cameras for tests: one that follows a script, and a real network camera on loopback."""

import asyncio
import time
from collections.abc import Callable

import cv2
import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestServer

from etapalvelu.room.capture import Capture, CaptureError
from etapalvelu.room.letter import Letter
from etapalvelu.room.pixels import Bgr, Picture, Pixels, jpeg
from etapalvelu.room.source import Source


class Script:
    """A camera that does what the test says: each step is a picture, or an error to raise."""

    def __init__(self, *steps: Picture | Exception, then: Picture | None = None) -> None:
        self._steps = list(steps)
        self._then = then
        self.opened = 0
        self.released = 0

    def open(self, source: Source) -> Capture:
        self.opened += 1
        return self

    def read(self) -> Picture:
        time.sleep(0.005)
        if not self._steps:
            if self._then is None:
                raise CaptureError("the camera gives no pictures")
            return self._then
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def release(self) -> None:
        self.released += 1


def pixels(width: int, height: int) -> Pixels:
    return Pixels(np.full((height, width, 3), 120, np.uint8))


async def until(is_so: Callable[[], bool], limit: float = 10) -> None:
    async with asyncio.timeout(limit):
        while not is_so():  # noqa: ASYNC110 - what is waited for may be a plain attribute
            await asyncio.sleep(0.01)


class NetworkCamera:
    """A real MJPEG camera on loopback that can be switched off and on again on the same port."""

    def __init__(self) -> None:
        self._server: TestServer | None = None
        self.port: int | None = None
        self.moment = 0
        # Whether its clock stands, so that each picture is the one before, and whether something covers its lens.
        self.is_frozen = False
        self.is_covered = False

    async def switch_on(self) -> None:
        app = web.Application()
        app.router.add_get("/video", self._send)
        self._server = TestServer(app, port=self.port)
        await self._server.start_server(shutdown_timeout=0.1)
        self.port = self._server.port

    async def switch_off(self) -> None:
        assert self._server is not None
        await self._server.close()

    async def _send(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        while True:
            self.moment += 0 if self.is_frozen else 1
            part = jpeg(self._picture())
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}\r\n\r\n"
            await response.write(head.encode() + part + b"\r\n")
            await asyncio.sleep(0.03)

    def _picture(self) -> Bgr:
        if self.is_covered:
            return np.random.default_rng(self.moment).integers(0, 12, (540, 960, 3), np.uint8)
        small = cv2.resize(Letter(self.moment).live(), (960, 540), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)
