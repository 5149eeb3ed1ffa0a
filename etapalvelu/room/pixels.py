"""Pictures as the room program takes them: 8 bits, blue green red. Whatever a camera gives is brought to that form here."""

from typing import Any, Final, Protocol, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Bgr: TypeAlias = NDArray[np.uint8]

# What is sent live is at most this large; a whole A4 is not read any better above it.
LIVE_WIDTH: Final = 1920
LIVE_HEIGHT: Final = 1080
JPEG_QUALITY: Final = 92


class PictureError(Exception):
    """The camera handed over something that is no picture."""


class Picture(Protocol):
    """One picture of the camera; made into pixels only when somebody wants to see it."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the full picture."""
        ...

    def full(self) -> Bgr: ...

    def live(self) -> Bgr:
        """The picture no larger than live video is sent."""
        ...


class Pixels:
    """A picture that came as an array."""

    def __init__(self, array: NDArray[Any]) -> None:
        self._array = bgr(array)

    @property
    def size(self) -> tuple[int, int]:
        return self._array.shape[1], self._array.shape[0]

    def full(self) -> Bgr:
        return self._array

    def live(self) -> Bgr:
        return fitted(self._array)


class Jpeg:
    """A picture that came as JPEG from the device: decoded at half size for live, in full for a still."""

    def __init__(self, data: Bgr, size: tuple[int, int]) -> None:
        self.data = data
        self.size = size

    def full(self) -> Bgr:
        return self._decoded(cv2.IMREAD_COLOR)

    def live(self) -> Bgr:
        width, height = self.size
        halved = width >= 2 * LIVE_WIDTH or height >= 2 * LIVE_HEIGHT
        return fitted(self._decoded(cv2.IMREAD_REDUCED_COLOR_2 if halved else cv2.IMREAD_COLOR))

    def eighth(self) -> Bgr:
        """An eighth of its width and height, to see how light it is."""
        return self._decoded(cv2.IMREAD_REDUCED_COLOR_8)

    def _decoded(self, how: int) -> Bgr:
        array = cv2.imdecode(self.data, how)
        if array is None:
            raise PictureError("the camera sent a damaged picture")
        return bgr(array)


def bgr(array: NDArray[Any]) -> Bgr:
    """Bring grey, 16-bit and transparent pictures to three channels of 8 bits; raise PictureError for anything else."""
    if array.size == 0 or array.ndim not in (2, 3):
        raise PictureError("the camera sent an empty picture")
    if array.dtype == np.uint16:
        array = (array >> 8).astype(np.uint8)
    if array.dtype != np.uint8:
        raise PictureError(f"pictures of type {array.dtype} are not supported")
    channels = 1 if array.ndim == 2 else array.shape[2]
    match channels:
        case 1:
            return np.asarray(cv2.cvtColor(array, cv2.COLOR_GRAY2BGR), np.uint8)
        case 3:
            return array
        case 4:
            return np.asarray(cv2.cvtColor(array, cv2.COLOR_BGRA2BGR), np.uint8)
        case _:
            raise PictureError(f"pictures with {channels} channels are not supported")


def fitted(picture: Bgr) -> Bgr:
    """The picture within LIVE_WIDTH x LIVE_HEIGHT, both sides even as video wants them."""
    height, width = picture.shape[:2]
    size = live_size((width, height))
    return picture if size == (width, height) else np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def live_size(size: tuple[int, int]) -> tuple[int, int]:
    """Width and height in which a picture of that size is sent."""
    scale = min(1.0, LIVE_WIDTH / size[0], LIVE_HEIGHT / size[1])
    return max(2, round(size[0] * scale) // 2 * 2), max(2, round(size[1] * scale) // 2 * 2)


def jpeg(picture: Bgr) -> bytes:
    """The picture as JPEG, good enough to read small print."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return data.tobytes()
