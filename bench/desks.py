"""Made-up tables seen from above, with the exact place of the paper on them.

The same seed, kind and size give the same picture. Where several sheets lie, the answer is the one on top of all others,
which is also the largest. Corners are where the sides of the sheet meet, also when a hand lies over them, when they are round,
or when the paper curls a little; TL TR BR BL as on the printed page, in pixels whose middles have whole numbers.
"""

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.grounds import CLOTHS, GROUNDS, Field, Random
from bench.lens import bent, glaring, lit, photographed, shadowed
from bench.sheets import Sheet, make_sheet
from bench.things import add_clutter, add_hand
from etapalvelu.room.pixels import Bgr

FULL_HD: Final = (1920, 1080)
SHEETS: Final = ("letter", "decision", "dense", "form", "brochure", "slip", "small_form", "receipt", "card", "photo", "blank")
WITH_PAPER: Final = (
    "plain",
    "hand",
    "shadow",
    "glare",
    "dark",
    "white",
    "cloth",
    "several",
    "printed",
    "curl",
    "clutter",
    "card",
    "receipt",
)
EMPTY: Final = "empty"
KINDS: Final = (*WITH_PAPER, EMPTY)
_PRINTED: Final = ("brochure", "form", "decision", "photo", "small_form")
_MARGIN: Final = 0.015


@dataclass(frozen=True, kw_only=True)
class Desk:
    """`corners` and `page_bgr` (the flat original) are None on an empty table; `size_mm` is the sheet's width and height."""

    seed: int
    kind: str
    ground: str
    image_bgr: Bgr
    corners: NDArray[np.float32] | None = None
    page_bgr: Bgr | None = None
    sheet: Sheet | None = None

    @property
    def text(self) -> str:
        return self.sheet.text if self.sheet else ""

    @property
    def size_mm(self) -> tuple[float, float] | None:
        return self.sheet.size_mm if self.sheet else None


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """A table before light: `tilt` brings the flat table's pixels to the picture, `scale` is pixels per millimetre."""

    field: Field
    tilt: NDArray[np.float64]
    scale: float


def make_desk(
    seed: int, kind: str = "plain", size: tuple[int, int] = FULL_HD, *, sheet: str | None = None, ground: str | None = None
) -> Desk:
    """A table of `kind` (one of KINDS) as a picture of `size` (width, height); `sheet` and `ground` may be wished for."""
    random = np.random.default_rng([seed, KINDS.index(kind)])
    table = ground or _ground(random, kind)
    if kind == EMPTY:
        return _empty(random, seed, table, size)
    paper = _paper(random, kind, sheet, size)
    return _laid(random, paper, seed, kind, table, size)


def desk_with(paper: Sheet, seed: int, kind: str = "plain", size: tuple[int, int] = FULL_HD, *, ground: str = "wood") -> Desk:
    """The same with this very sheet on it."""
    return _laid(np.random.default_rng([seed, KINDS.index(kind)]), paper, seed, kind, ground, size)


def overlap(desk: Desk, corners: NDArray[np.float32] | None) -> float:
    """How well found corners cover the sheet (IoU in the page's own frame), whichever corner they begin with."""
    if corners is None or desk.corners is None:
        return 0.0
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    if desk.sheet is not None:
        unit = unit * np.array(desk.sheet.size_mm, np.float32)
    home = cv2.getPerspectiveTransform(desk.corners.astype(np.float32), unit)
    there = cv2.perspectiveTransform(np.asarray(corners, np.float32).reshape(1, 4, 2), home)[0]
    if not np.isfinite(there).all() or not cv2.isContourConvex(there.reshape(4, 1, 2).astype(np.float32)):
        return 0.0
    shared = _area_within(there, unit[2])
    return shared / max(1e-6, float(cv2.contourArea(unit)) + float(cv2.contourArea(there)) - shared)


def _area_within(shape: NDArray[np.float32], far: NDArray[np.float32]) -> float:
    """The area of a convex shape within the upright rectangle from 0, 0 to `far`; OpenCV's own goes wrong on shared sides."""
    points = [np.asarray(point, np.float64) for point in shape]
    for axis, limit, sign in ((0, 0.0, 1), (1, 0.0, 1), (0, float(far[0]), -1), (1, float(far[1]), -1)):
        cut: list[NDArray[np.float64]] = []
        for start, end in zip(points, points[1:] + points[:1], strict=True):
            inside, following = (sign * (point[axis] - limit) >= 0 for point in (start, end))
            if inside:
                cut.append(start)
            if inside != following:
                cut.append(start + (end - start) * (limit - start[axis]) / (end[axis] - start[axis]))
        points = cut
    return float(cv2.contourArea(np.array(points, np.float32))) if len(points) > 2 else 0.0


def _ground(random: Random, kind: str) -> str:
    match kind:
        case "white":
            return "white"
        case "cloth":
            return str(random.choice(CLOTHS))
        case "empty":
            return str(random.choice(list(GROUNDS)))
        case _:
            return str(
                random.choice(["plain", "plain", "dark", "wood", "wood", "speckled", "checks", "stripes", "flowers", "mat"])
            )


def _paper(random: Random, kind: str, wish: str | None, size: tuple[int, int]) -> Sheet:
    if wish is None:
        match kind:
            case "card" | "receipt":
                wish = kind
            case "printed":
                wish = str(random.choice(_PRINTED))
            # A hand over a card leaves nothing of it.
            case "several" | "curl" | "hand":
                wish = str(random.choice(["letter", "decision", "dense", "form", "slip"]))
            case _:
                wish = str(random.choice(SHEETS[:-2]))
    return make_sheet(int(random.integers(2**31)), wish, 90 * max(size[0] / 1920, 0.5))


def _empty(random: Random, seed: int, table: str, size: tuple[int, int]) -> Desk:
    scale = random.uniform(2.2, 4.5) * size[0] / 1920
    scene = _table(random, table, size, scale)
    field = scene.field
    middle = np.array(size) / 2
    if random.random() < 0.6:
        add_clutter(random, field, int(random.integers(1, 6)), scale)
    if random.random() < 0.25:
        at = middle + random.uniform(-0.3, 0.3, 2) * np.array(size)
        add_hand(random, field, at, middle + random.uniform(-0.4, 0.4, 2) * np.array(size), scale)
    whole = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float64)
    field = lit(random, field)
    if random.random() < 0.3:
        field = shadowed(random, field, whole)
    if random.random() < 0.2:
        field = glaring(random, field, whole)
    image = photographed(random, field, dark=bool(random.random() < 0.15))
    return Desk(seed=seed, kind=EMPTY, ground=table, image_bgr=image)


def _laid(random: Random, paper: Sheet, seed: int, kind: str, table: str, size: tuple[int, int]) -> Desk:
    corners, scale = _place(random, paper, size)
    scene = _table(random, table, size, scale)
    field = scene.field
    middle = corners.mean(axis=0)
    if kind in ("clutter", "several"):
        add_clutter(random, field, int(random.integers(1, 6)), scale)
    if kind == "several":
        _lay_others(random, field, corners, scale, size)
    if kind == "white":
        bare = np.median(paper.image.reshape(-1, 3), axis=0)
        field *= (bare / field.mean(axis=(0, 1)) * (1 - random.uniform(0.015, 0.07) * random.choice([1, 1, 1, -1]))).astype(
            np.float32
        )
    curl = random.uniform(0.005, 0.016) * random.choice([-1, 1]) if kind == "curl" else random.uniform(-0.002, 0.002)
    _lay(random, field, paper, corners, scale, curl)
    if kind == "hand":
        add_hand(random, field, corners[int(random.integers(4))], middle, scale)
    field = lit(random, field)
    if kind == "shadow":
        field = shadowed(random, field, corners)
    if kind == "glare":
        field = glaring(random, field, corners)
    field, corners = bent(field, random.uniform(-0.012, 0.012), corners)
    image = photographed(random, field, dark=kind == "dark")
    return Desk(
        seed=seed,
        kind=kind,
        ground=table,
        image_bgr=image,
        corners=corners.astype(np.float32),
        page_bgr=paper.image,
        sheet=paper,
    )


def _tilt(random: Random, size: tuple[int, int]) -> NDArray[np.float64]:
    """The homography of a camera that looks down a little askew; keeps the picture's middle."""
    wide, high = size
    first, second = random.normal(0, 0.07, 2).clip(-0.18, 0.18)
    focal = 1.3 * wide
    about_x = np.array([[1, 0, 0], [0, np.cos(first), -np.sin(first)], [0, np.sin(first), np.cos(first)]])
    about_y = np.array([[np.cos(second), 0, np.sin(second)], [0, 1, 0], [-np.sin(second), 0, np.cos(second)]])
    turn = about_x @ about_y
    plane = np.stack([turn[:, 0], turn[:, 1], np.array([0, 0, focal])], axis=1)
    camera = np.array([[focal, 0, wide / 2], [0, focal, high / 2], [0, 0, 1]])
    centred = np.array([[1, 0, -wide / 2], [0, 1, -high / 2], [0, 0, 1]])
    whole = camera @ plane @ centred
    return np.asarray(whole / whole[2, 2], np.float64)


def _table(random: Random, table: str, size: tuple[int, int], scale: float) -> _Scene:
    """The bare table, drawn at half its resolution and turned any way."""
    wide, high = size
    side = int(np.hypot(wide, high) * 0.62)
    flat = GROUNDS[table](random, side, scale / 2)
    angle = random.uniform(0, 360) if random.random() < 0.6 else random.normal(0, 3)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), angle, 2.0)
    turn[:, 2] += np.array([wide / 2 - side / 2, high / 2 - side / 2])
    tilt = _tilt(random, size)
    placed = tilt @ np.vstack([turn, [0, 0, 1]])
    field = cv2.warpPerspective(flat, placed, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return _Scene(field=np.asarray(field, np.float32), tilt=tilt, scale=scale)


def _place(random: Random, paper: Sheet, size: tuple[int, int]) -> tuple[NDArray[np.float64], float]:
    """Where the sheet's corners come to lie, wholly in the picture, and the pixels per millimetre there."""
    wide, high = size
    across, down = paper.size_mm
    angle = float(
        random.choice([random.uniform(0, 2 * np.pi), random.choice([0, 0.5, 1, 1.5]) * np.pi + random.normal(0, 0.05)])
    )
    flat = np.array([[-across, -down], [across, -down], [across, down], [-across, down]]) / 2
    turned = flat @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    tilt = _tilt(random, size)
    extent = turned.max(axis=0) - turned.min(axis=0)
    largest = float(min(np.array(size) * (1 - 2 * _MARGIN) / extent))
    scale = min(largest * random.uniform(0.5, 0.98), random.uniform(2.6, 5.5) * wide / 1920)
    for _ in range(60):
        room = np.array(size) / 2 - extent * scale / 2
        at = np.array(size) / 2 + random.uniform(-1, 1, 2) * room
        corners = cv2.perspectiveTransform((turned * scale + at)[None], tilt)[0]
        edge = _MARGIN * high
        if (corners > edge).all() and (corners < np.array(size) - edge).all():
            return np.asarray(corners, np.float64), scale
        scale *= 0.98
    raise AssertionError("a sheet that shrinks finds a place")


def _lay(random: Random, field: Field, paper: Sheet, corners: NDArray[np.float64], scale: float, curl: float) -> None:
    """Lay the sheet down, with its thin shadow and the sides bent by `curl` (a share of the sheet's length)."""
    high, wide = field.shape[:2]
    rows, columns = paper.image.shape[:2]
    size = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32) - np.float32(0.5)
    home = cv2.getPerspectiveTransform(corners.astype(np.float32), size)
    down, across = np.mgrid[0:high, 0:wide].astype(np.float64)
    weight = home[2, 0] * across + home[2, 1] * down + home[2, 2]
    u = (home[0, 0] * across + home[0, 1] * down + home[0, 2]) / weight
    v = (home[1, 0] * across + home[1, 1] * down + home[1, 2]) / weight
    bow = curl * rows * np.sin(np.pi * np.clip(u / columns, 0, 1))
    reach = random.uniform(0.4, 1.0)
    v = v - bow * (reach + (1 - reach) * np.clip(v / rows, 0, 1))
    picture = cv2.remap(
        paper.image, u.astype(np.float32), v.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    alpha = cv2.remap(
        cv2.copyMakeBorder(paper.alpha, 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=0),
        (u + 2).astype(np.float32),
        (v + 2).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    away = random.uniform(-1.2, 1.2, 2) * scale
    moved = cv2.warpAffine(alpha, np.array([[1, 0, away[0]], [0, 1, away[1]]], np.float32), (wide, high))
    soft = cv2.GaussianBlur(moved, (0, 0), random.uniform(0.3, 1.5) * scale).astype(np.float32)[..., None] / 255
    field *= 1 - soft * np.float32(random.uniform(0.08, 0.35))
    weight3 = alpha.astype(np.float32)[..., None] / 255
    shade = 1 + 4 * curl * np.sin(2 * np.pi * np.clip(u / columns, 0, 1)) if abs(curl) > 0.003 else np.ones_like(u)
    field[:] = field * (1 - weight3) + picture.astype(np.float32) * shade.astype(np.float32)[..., None] * weight3


def _lay_others(random: Random, field: Field, corners: NDArray[np.float64], scale: float, size: tuple[int, int]) -> None:
    """Smaller sheets beside and partly under the one that counts."""
    middle, reach = corners.mean(axis=0), float(np.linalg.norm(corners[0] - corners[2])) / 2
    large = reach > 170 * scale
    for _ in range(int(random.integers(1, 4))):
        kind = str(random.choice(["receipt", "card", "slip", "letter"][: 4 if large else 2]))
        other = make_sheet(int(random.integers(2**31)), kind, 60 * max(size[0] / 1920, 0.5))
        angle, direction = random.uniform(0, 2 * np.pi), random.uniform(0, 2 * np.pi)
        at = middle + np.array([np.cos(direction), np.sin(direction)]) * reach * random.uniform(0.8, 1.6)
        across, down = (value * scale * (1.0 if kind != "letter" else 0.98) for value in other.size_mm)
        flat = np.array([[-across, -down], [across, -down], [across, down], [-across, down]]) / 2
        turned = flat @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + at
        _lay(random, field, other, turned, scale, 0.0)
