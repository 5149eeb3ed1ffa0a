"""How the page under the camera looks: whole, bright, free of glare, sharp and near enough to be read; and if not, why."""

from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.proportions import A_SERIES, ID_CARD, Proportions, proportions
from etapalvelu.room.vision.sharpness import blur

Corners = NDArray[np.float32]

READABLE: Final = "readable"
# Capitals of 9 points; a page on which those are lost is not called readable.
READABLE_MM: Final = 2.3
MOST_GLARE: Final = 0.01
LEAST_LIGHT: Final = 0.24
MOST_TILT_DEGREES: Final = 25.0
# Where nothing says how large the sheet is: least share of the picture's longer side, and most blur in pixels.
LEAST_SHARE: Final = 0.3
MOST_BLUR: Final = 2.2

_MM_PER_INCH: Final = 25.4
_LONG_SIDE_MM: Final = {A_SERIES: 297.0, ID_CARD: 85.6}
_TAKEN_FOR: Final = {A_SERIES: "a4", ID_CARD: "id_card"}
# A corner nearer to the picture's edge than this share of its width may as well lie beyond it.
_EDGE: Final = 0.003
# An upright sheet that fills this share of the picture's height has more room when it lies across.
_FILLS: Final = 0.8
# Capitals can be read from so many pixels where the picture is sharp, and from so many sigmas of its blur.
_CAPITAL_PIXELS: Final = 5.5
_CAPITAL_BLURS: Final = 4.5
_SHARP: Final = 0.7
_SMALL_SIDE: Final = 240
# The sensor's most, nearly; and how bright paper gets that is not burnt all over.
_BURNT: Final = 248
_NOT_BURNT: Final = 243


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong: the measured `value` went beyond its `limit`."""

    code: str
    value: float
    limit: float


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`code` is `readable`, `no_page` or that of the worst finding; `hint` says what the customer can do, None for nothing.

    Codes of findings: `cut`, `dark`, `glare`, `blurred`, `too_far`, `tilted`. Hints are these, `no_page`, and `turn`: lay the
    sheet across, since upright it does not fit or gets too small. `light` is the paper's brightness (1 the sensor's most) and
    `blur` a sigma in pixels. `ppi` is the sheet's mean sampling and `smallest_text_mm` the height of the smallest capitals that
    can be read, both None where nothing says how large the sheet is. `taken_for` is the format that says it: `a4` (whichever of
    the A series it is), `id_card`, or `unknown`.
    """

    code: str
    hint: str | None
    findings: tuple[Finding, ...] = ()
    whole: bool = False
    tilt_degrees: float | None = None
    turn_degrees: float | None = None
    glare_share: float | None = None
    light: float | None = None
    blur: float | None = None
    ppi: int | None = None
    taken_for: str | None = None
    smallest_text_mm: float | None = None


def verdict(image_bgr: Bgr, corners: Corners | None, *, detail: float = 1.0) -> Verdict:
    """Judge the page inside `corners`; without any there is no page.

    `detail` is how many of the camera's own pixels stand side by side in one of this picture: `ppi`, and what can be read,
    are the camera's own.
    """
    if corners is None:
        return Verdict(code="no_page", hint="no_page")
    height, width = image_bgr.shape[:2]
    sheet = proportions(corners, (width, height))
    light, glare = _light(image_bgr, corners, sheet)
    spread = blur(image_bgr, corners)
    ppi = _ppi(corners, sheet)
    measured = Verdict(
        code=READABLE,
        hint=None,
        whole=_is_whole(corners, (width, height)),
        tilt_degrees=round(sheet.tilt, 1),
        turn_degrees=round(_turn(corners), 1),
        glare_share=round(glare, 4),
        light=round(light, 3),
        blur=None if spread is None else round(spread, 2),
        ppi=None if ppi is None else max(1, round(ppi * detail)),
        taken_for="unknown" if sheet.format is None else _TAKEN_FOR[sheet.format],
        smallest_text_mm=None if ppi is None else round(smallest_mm(ppi * detail, (spread or _SHARP) * detail), 2),
    )
    findings = _findings(measured, corners, width, detail)
    if not findings:
        return measured
    code = findings[0].code
    turn = code in ("cut", "too_far") and _is_tall(corners, sheet, (width, height))
    return replace(measured, code=code, hint="turn" if turn else code, findings=findings)


def _findings(page: Verdict, corners: Corners, width: int, detail: float) -> tuple[Finding, ...]:
    """What is wrong, worst first."""
    findings = [] if page.whole else [Finding(code="cut", value=0.0, limit=1.0)]
    if page.light is not None and page.light < LEAST_LIGHT:
        findings.append(Finding(code="dark", value=page.light, limit=LEAST_LIGHT))
    if page.glare_share is not None and page.glare_share > MOST_GLARE:
        findings.append(Finding(code="glare", value=page.glare_share, limit=MOST_GLARE))
    findings += _too_small(page, corners, width, detail)
    if page.tilt_degrees is not None and page.tilt_degrees > MOST_TILT_DEGREES:
        findings.append(Finding(code="tilted", value=page.tilt_degrees, limit=MOST_TILT_DEGREES))
    return tuple(findings)


def _too_small(page: Verdict, corners: Corners, width: int, detail: float) -> list[Finding]:
    """Text that cannot be read is too far away when it would not be read were it sharp, and else blurred."""
    if page.smallest_text_mm is None or page.ppi is None:
        share = float(_sides(corners).max()) / width
        spread = page.blur or 0.0
        found = [Finding(code="too_far", value=round(share, 3), limit=LEAST_SHARE)] if share < LEAST_SHARE else []
        return found + ([Finding(code="blurred", value=spread, limit=MOST_BLUR)] if spread > MOST_BLUR else [])
    if page.smallest_text_mm <= READABLE_MM:
        return []
    code = "too_far" if smallest_mm(page.ppi, _SHARP * detail) > READABLE_MM else "blurred"
    return [Finding(code=code, value=page.smallest_text_mm, limit=READABLE_MM)]


def smallest_mm(ppi: float, spread: float) -> float:
    """The height of the smallest capitals that can be read, from pixels for an inch and a blur's sigma in pixels."""
    return float(np.hypot(_CAPITAL_PIXELS, _CAPITAL_BLURS * spread)) / ppi * _MM_PER_INCH


def _ppi(corners: Corners, sheet: Proportions) -> float | None:
    """The mean over the sheet: the square root of its pixels for a square inch."""
    if sheet.format is None:
        return None
    long_inches = _LONG_SIDE_MM[sheet.format] / _MM_PER_INCH
    return float(np.sqrt(float(cv2.contourArea(corners)) * sheet.format)) / long_inches


def _is_whole(corners: Corners, size: tuple[int, int]) -> bool:
    edge = _EDGE * size[0]
    return bool((corners >= edge).all() and (corners <= np.array(size) - 1 - edge).all())


def _is_tall(corners: Corners, sheet: Proportions, size: tuple[int, int]) -> bool:
    """Whether the sheet's long side stands across the picture's, and fills what there is of it."""
    width, height = size
    long_side = corners[3] - corners[0] if sheet.ratio > 1 else corners[1] - corners[0]
    along, short = (1, height) if width > height else (0, width)
    return bool(abs(long_side[along]) > abs(long_side[1 - along]) and np.ptp(corners[:, along]) > _FILLS * short)


def _turn(corners: Corners) -> float:
    """How far the sheet lies from straight, either way, at most 45 degrees."""
    across, down = (corners[1] - corners[0]).tolist()
    angle = abs(float(np.degrees(np.arctan2(down, across)))) % 90
    return min(angle, 90 - angle)


def _sides(corners: Corners) -> Corners:
    return np.asarray(np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1), np.float32)


def _light(image_bgr: Bgr, corners: Corners, sheet: Proportions) -> tuple[float, float]:
    """How bright the paper is (1 the sensor's most), and the share of the page that a lamp burns out."""
    small = _small(image_bgr, corners, sheet.ratio)
    least = small.min(axis=2)
    paper = cv2.dilate(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), np.ones((5, 5), np.uint8))
    light = float(np.percentile(paper, 75)) / 255
    # Paper that is burnt all over has no place where a lamp glares.
    if np.median(least) > _NOT_BURNT:
        return light, 0.0
    burnt = cv2.morphologyEx((least >= _BURNT).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return light, float(np.count_nonzero(burnt)) / burnt.size


def _small(image_bgr: Bgr, corners: Corners, ratio: float) -> Bgr:
    """The page straightened and small: good enough for its light."""
    scale = _SMALL_SIDE / max(1.0, ratio)
    size = max(8, round(scale)), max(8, round(scale * ratio))
    edge = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    view = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), edge)
    return np.asarray(cv2.warpPerspective(image_bgr, view, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)
