"""Light and camera: from a picture of what lies there to a picture as a camera gives it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.grounds import Field, Random, smooth_noise
from etapalvelu.room.pixels import Bgr


def lit(random: Random, field: Field) -> Field:
    """Uneven light from a side, lamps of a colour, a lens that is darker at its edges."""
    high, wide = field.shape[:2]
    down, across = np.mgrid[-0.5 : 0.5 : high * 1j, -0.5 : 0.5 : wide * 1j].astype(np.float32)
    angle = random.uniform(0, 2 * np.pi)
    light = 1 + random.uniform(0, 0.3) * (across * np.cos(angle) + down * np.sin(angle))
    light -= random.uniform(0, 0.35) * (across**2 + down**2)
    cast = random.uniform(0.86, 1.08, 3).astype(np.float32)
    return np.asarray(field * light[..., None] * cast * np.float32(random.uniform(0.72, 1.02)), np.float32)


def shadowed(random: Random, field: Field, corners: NDArray[np.float64]) -> Field:
    """A shadow with a soft edge across the sheet: an arm, a head, the edge of a shelf."""
    high, wide = field.shape[:2]
    mask = np.zeros((high, wide), np.uint8)
    weights = random.dirichlet(np.ones(4))
    start, angle = weights @ corners, random.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)])
    if random.random() < 0.5:
        across = np.array([-along[1], along[0]]) * 4000
        points = np.stack(
            [start + along * 4000, start - along * 4000, start - along * 4000 + across, start + along * 4000 + across]
        )
        cv2.fillPoly(mask, [points.astype(np.int32)], 255)
    else:
        tip = (start + along * 4000).astype(int)
        cv2.line(mask, tuple(start.astype(int).tolist()), tuple(tip.tolist()), 255, int(random.uniform(0.08, 0.3) * wide))
    soft = cv2.GaussianBlur(mask, (0, 0), random.uniform(1.5, 25) * wide / 1920 + 0.5).astype(np.float32)[..., None] / 255
    return np.asarray(field * (1 - soft * np.float32(random.uniform(0.25, 0.65))), np.float32)


def glaring(random: Random, field: Field, corners: NDArray[np.float64]) -> Field:
    """A lamp's reflection somewhere on the sheet."""
    high, wide = field.shape[:2]
    middle = random.dirichlet(np.ones(4)) @ corners
    # Not so large that nothing is left of the sheet.
    size = random.uniform(0.1, 0.33) * float(np.linalg.norm(np.diff(corners[:3], axis=0), axis=1).min())
    down, across = np.mgrid[0:high, 0:wide].astype(np.float32)
    angle, long = random.uniform(0, 3.14), random.uniform(1, 2)
    first = ((across - middle[0]) * np.cos(angle) + (down - middle[1]) * np.sin(angle)) / (size * long)
    second = ((down - middle[1]) * np.cos(angle) - (across - middle[0]) * np.sin(angle)) / size
    blob = np.exp(-((first**2 + second**2) ** random.uniform(0.7, 2.0)))
    return np.asarray(field + np.float32(random.uniform(120, 320)) * blob[..., None], np.float32)


def bent(field: Field, strength: float, points: NDArray[np.float64]) -> tuple[Field, NDArray[np.float64]]:
    """A lens that bends straight lines a little; `points` move along."""
    high, wide = field.shape[:2]
    middle, reach = np.array([wide / 2, high / 2]), wide / 2
    down, across = np.mgrid[0:high, 0:wide].astype(np.float32)
    x, y = (across - middle[0]) / reach, (down - middle[1]) / reach
    bow = (1 + strength * (x * x + y * y)).astype(np.float32)
    picture = cv2.remap(
        field,
        (middle[0] + x * bow * reach).astype(np.float32),
        (middle[1] + y * bow * reach).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    target = (points - middle) / reach
    moved = target.copy()
    for _ in range(20):
        moved = target / (1 + strength * (moved**2).sum(axis=1, keepdims=True))
    return np.asarray(picture, np.float32), moved * reach + middle


def photographed(random: Random, field: Field, *, dark: bool) -> Bgr:
    """What the sensor makes of it: blur, noise that grows in the dark, sharpening, eight bits, JPEG."""
    high, wide = field.shape[:2]
    picture = cv2.GaussianBlur(field, (0, 0), random.uniform(0.4, 1.3) * max(1.0, wide / 1920))
    gain = random.uniform(0.12, 0.38) if dark else 1.0
    picture = np.clip(picture, 0, 400) * np.float32(gain)
    read, shot = (
        (random.uniform(2, 7), random.uniform(0.3, 0.8)) if dark else (random.uniform(0.3, 2.5), random.uniform(0, 0.25))
    )
    noise = random.standard_normal((high, wide, 3), dtype=np.float32)
    if random.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), random.uniform(0.5, 1.2)) * np.float32(1.8)
    picture = picture + noise * (np.float32(read) + np.float32(shot) * np.sqrt(np.maximum(picture, 0)))
    if dark:
        picture = picture * np.float32(random.uniform(1.0, 1.6)) + smooth_noise(random, high, wide, 30)[..., None]
    if random.random() < 0.3:
        picture = picture + np.float32(random.uniform(0.3, 1.0)) * (picture - cv2.GaussianBlur(picture, (0, 0), 1.5))
    eight = np.clip(picture, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(60, 97))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
