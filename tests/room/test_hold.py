"""Focus and exposure stay as they are during a burst, and go on by themselves afterwards, whatever happens.

The driver is a stand-in: how a real camera takes it is untried.
"""

import asyncio
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from etapalvelu.room.camera import Camera, CameraLostError
from etapalvelu.room.capture import Capture, CaptureError, Device
from etapalvelu.room.pixels import Picture, Pixels
from etapalvelu.room.source import Kind, Source
from tests.room.cameras import until

BY_ITSELF = {
    cv2.CAP_PROP_AUTOFOCUS: 1.0,
    cv2.CAP_PROP_FOCUS: 40.0,
    cv2.CAP_PROP_AUTO_EXPOSURE: 3.0,
    cv2.CAP_PROP_EXPOSURE: 156.0,
}


class Driver:
    """OpenCV's capture on a camera with these controls; -1 for what it does not have."""

    def __init__(self, controls: dict[int, float], *, refuses: frozenset[int] = frozenset()) -> None:
        self.controls = dict(controls)
        self.set_so_far: list[tuple[int, float]] = []
        self.refuses = refuses
        self.breaks = False

    def __call__(self, path: str, backend: int) -> "Driver":
        return self

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def set(self, control: int, value: float) -> bool:
        if self.breaks:
            raise cv2.error("no such control")
        if control in self.refuses or control not in self.controls:
            return False
        self.set_so_far.append((control, value))
        self.controls[control] = value
        return True

    def get(self, control: int) -> float:
        return self.controls.get(control, -1.0)

    def read(self) -> tuple[bool, NDArray[np.uint8]]:
        return True, np.full((48, 64, 3), 120, np.uint8)

    def release(self) -> None:
        """There is nothing to give back."""


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[[Driver], Device]:
    def device(driver: Driver) -> Device:
        monkeypatch.setattr(cv2, "VideoCapture", driver)
        return Device("/dev/null")

    return device


def test_focus_and_exposure_are_held_where_they_are_and_let_go_again(opened: Callable[[Driver], Device]) -> None:
    driver = Driver(BY_ITSELF)
    device = opened(driver)

    device.hold(True)
    held = list(driver.set_so_far)
    device.hold(False)

    assert held == [
        (cv2.CAP_PROP_AUTOFOCUS, 0.0),
        (cv2.CAP_PROP_FOCUS, 40.0),
        (cv2.CAP_PROP_AUTO_EXPOSURE, 1.0),
        (cv2.CAP_PROP_EXPOSURE, 156.0),
    ]
    assert driver.controls == BY_ITSELF


def test_what_a_camera_lacks_or_somebody_set_by_hand_is_left_alone(opened: Callable[[Driver], Device]) -> None:
    by_hand = {cv2.CAP_PROP_AUTO_EXPOSURE: 1.0, cv2.CAP_PROP_EXPOSURE: 80.0}
    driver = Driver(by_hand)
    device = opened(driver)

    device.hold(True)
    device.hold(False)

    assert driver.set_so_far == []


def test_a_camera_that_refuses_is_asked_for_nothing_more(opened: Callable[[Driver], Device]) -> None:
    driver = Driver(BY_ITSELF, refuses=frozenset({cv2.CAP_PROP_AUTOFOCUS}))
    device = opened(driver)

    device.hold(True)
    device.hold(False)

    assert [control for control, _ in driver.set_so_far] == [
        cv2.CAP_PROP_AUTO_EXPOSURE,
        cv2.CAP_PROP_EXPOSURE,
        cv2.CAP_PROP_AUTO_EXPOSURE,
    ]


def test_a_driver_that_breaks_does_no_harm_and_closing_lets_go(opened: Callable[[Driver], Device]) -> None:
    driver = Driver(BY_ITSELF)
    device = opened(driver)
    device.hold(True)

    driver.breaks = True
    device.hold(False)
    driver.breaks = False
    device.release()

    assert driver.controls[cv2.CAP_PROP_AUTOFOCUS] == 1.0


class Noisy:
    """A camera with a new picture each time, which keeps how it was held; it breaks when it is told to."""

    def __init__(self) -> None:
        self.said: list[bool] = []
        self.pictures = 0
        self.is_broken = False

    def open(self, source: Source) -> Capture:
        return self

    def hold(self, still: bool) -> None:
        self.said.append(still)

    def read(self) -> Picture:
        if self.is_broken:
            raise CaptureError("the camera gives no pictures")
        self.pictures += 1
        return Pixels(np.random.default_rng(self.pictures).integers(0, 255, (48, 64, 3), np.uint8))

    def release(self) -> None:
        """There is nothing to give back."""


async def test_a_burst_is_taken_while_the_camera_is_held() -> None:
    noisy = Noisy()
    camera = Camera(Source(Kind.TEST), open_source=noisy.open)
    await camera.start()
    await camera.next_frame(0)

    await camera.burst()
    await until(lambda: len(noisy.said) == 2)
    await camera.stop()

    assert noisy.said[:2] == [True, False]
    assert set(noisy.said[2:]) <= {False}


async def test_a_burst_that_is_given_up_lets_the_camera_go() -> None:
    noisy = Noisy()
    camera = Camera(Source(Kind.TEST), open_source=noisy.open)
    await camera.start()
    await camera.next_frame(0)
    burst = asyncio.create_task(_taken(camera))  # noqa: TID251 - a test's own
    await until(lambda: noisy.said == [True])

    burst.cancel()
    await until(lambda: noisy.said[:2] == [True, False])
    await camera.stop()


async def _taken(camera: Camera) -> None:
    """Bursts without an end, so that one is always under way."""
    while True:
        await camera.burst()


async def test_a_camera_that_breaks_in_a_burst_is_let_go() -> None:
    noisy = Noisy()
    camera = Camera(Source(Kind.TEST), open_source=noisy.open)
    await camera.start()
    await camera.next_frame(0)
    bursts = asyncio.create_task(_taken(camera))  # noqa: TID251 - a test's own
    await until(lambda: noisy.said[-1:] == [True])

    noisy.is_broken = True
    await until(lambda: noisy.said[-1:] == [False])
    bursts.cancel()
    await camera.stop()

    with pytest.raises(CameraLostError):
        await camera.burst()
