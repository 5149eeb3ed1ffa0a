"""A sheet of paper being printed: type, rules, stamps, pens and photos in millimetres, and the exact text with its boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.phrases import Phrases
from etapalvelu.room.pixels import Bgr

Ink: TypeAlias = tuple[int, int, int]
Thing = TypeVar("Thing")

MM_PER_INCH: Final = 25.4
MM_PER_POINT: Final = MM_PER_INCH / 72
BLACK: Final = (40, 36, 34)
BLUE: Final = (150, 66, 20)
PEN: Final = (168, 60, 28)
RED: Final = (48, 40, 190)
GREEN: Final = (70, 120, 40)
WHITE: Final = (255, 255, 255)
# OpenCV's size of a font is larger than the typographer's: its capitals are 0.75 of it, those of a common font 0.7.
_SIZE: Final = 0.94
_FOLDER: Final = Path("/usr/share/fonts/truetype")
_FILES: Final = (
    "dejavu/DejaVuSans.ttf",
    "dejavu/DejaVuSerif.ttf",
    "liberation/LiberationSans-Regular.ttf",
    "liberation/LiberationSerif-Regular.ttf",
)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One run of printed text; `box` is left, top, width, height in pixels of the sheet."""

    text: str
    box: tuple[int, int, int, int]
    points: float


class Press:
    """Places are in millimetres from the sheet's upper left corner; `down` is where the next line begins."""

    def __init__(
        self, dice: np.random.Generator, phrases: Phrases, size_mm: tuple[float, float], pixels_per_inch: float
    ) -> None:
        self.dice = dice
        self.phrases = phrases
        self.scale = pixels_per_inch / MM_PER_INCH
        self.width, self.height = size_mm
        self.margin = self.between(0.085, 0.125) * self.width
        self.down = self.margin
        self.font = self.choice(font_names())
        wide, high = round(self.width * self.scale), round(self.height * self.scale)
        self.image: Bgr = np.full((high, wide, 3), 255, np.uint8)
        self.lines: list[Line] = []

    def between(self, low: float, high: float) -> float:
        return float(self.dice.uniform(low, high))

    def choice(self, things: Sequence[Thing]) -> Thing:
        return things[int(self.dice.integers(len(things)))]

    def some(self, things: Sequence[Thing], number: int) -> list[Thing]:
        """`number` of the things in random order, each at most once."""
        return [things[int(at)] for at in self.dice.permutation(len(things))[:number]]

    def amount(self) -> str:
        return f"{self.dice.integers(1, 1900)},{self.dice.integers(100):02d}"

    def date(self) -> str:
        return f"{self.dice.integers(1, 29)}.{self.dice.integers(1, 13)}.2026"

    def place(self, across: float, down: float) -> tuple[int, int]:
        return round(across * self.scale), round(down * self.scale)

    def print(
        self, text: str, across: float, base: float, points: float, *, ink: Ink = BLACK, bold: bool = False, right: bool = False
    ) -> None:
        """Print on the base line `base`; with `right`, `across` is where the text ends."""
        if right:
            across -= self.length(text, points, bold=bold)
        size, weight = self._type(points, bold)
        at = self.place(across, base)
        cv2.putText(self.image, text, at, ink, _font(self.font, bold), size, weight)
        wide = round(self.length(text, points, bold=bold) * self.scale)
        self.lines.append(Line(text=text, box=(at[0], at[1] - round(size * 0.95), wide, round(size * 1.25)), points=points))

    def length(self, text: str, points: float, *, bold: bool = False) -> float:
        """How long the text gets, in millimetres."""
        size, weight = self._type(points, bold)
        wide: int = cv2.getTextSize((0, 0), text, (0, 0), _font(self.font, bold), size, weight)[2]
        return wide / self.scale

    def line(self, text: str, points: float, *, ink: Ink = BLACK, bold: bool = False, gap: float = 0.0) -> None:
        """Print one line at the left margin after `gap` millimetres, and go on below it."""
        leading = points * MM_PER_POINT * 1.3
        self.down += gap + leading
        self.print(text, self.margin, self.down - leading * 0.25, points, ink=ink, bold=bold)

    def paragraph(self, words: Sequence[str], points: float, *, right: float | None = None, gap: float = 0.0) -> None:
        """Set the words flush left and ragged right between the margins."""
        limit = (self.width - self.margin if right is None else right) - self.margin
        row: list[str] = []
        self.down += gap
        for word in words:
            if row and self.length(" ".join([*row, word]), points) > limit:
                self.line(" ".join(row), points)
                row = []
            row.append(word)
        self.line(" ".join(row), points)

    def rule(self, start: tuple[float, float], end: tuple[float, float], *, ink: Ink = BLACK, thick: float = 0.2) -> None:
        cv2.line(self.image, self.place(*start), self.place(*end), ink, max(1, round(thick * self.scale)), cv2.LINE_AA)

    def block(self, left: float, top: float, wide: float, high: float, ink: Ink) -> None:
        cv2.rectangle(self.image, self.place(left, top), self.place(left + wide, top + high), ink, cv2.FILLED)

    def frame(self, left: float, top: float, wide: float, high: float, *, ink: Ink = BLACK, thick: float = 0.25) -> None:
        corners = [(left, top), (left + wide, top), (left + wide, top + high), (left, top + high)]
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            self.rule(start, end, ink=ink, thick=thick)

    def logo(self, across: float, down: float, size: float) -> None:
        ink = self.choice((BLUE, GREEN, (140, 40, 110), (30, 110, 220)))
        middle = self.place(across + size / 2, down + size / 2)
        cv2.circle(self.image, middle, round(size / 2 * self.scale), ink, cv2.FILLED, cv2.LINE_AA)
        cv2.ellipse(
            self.image,
            middle,
            self.place(size / 3, size / 5),
            35,
            0,
            300,
            WHITE,
            max(1, round(size / 9 * self.scale)),
            cv2.LINE_AA,
        )

    def signature(self, across: float, down: float, wide: float, *, ink: Ink = PEN) -> None:
        """A pen's trace that says nothing."""
        steps = np.linspace(0, 1, 90)
        wave = sum(self.between(0.1, 0.5) * np.sin(steps * self.between(8, 40) + self.between(0, 6)) for _ in range(4))
        trace = np.stack([across + wide * steps + 2 * np.cos(steps * 37), down + 3.2 * np.asarray(wave)], axis=1) * self.scale
        cv2.polylines(
            self.image, [np.round(trace * 8).astype(np.int32)], False, ink, max(1, round(0.45 * self.scale)), cv2.LINE_AA, 3
        )

    def stamp(self, across: float, down: float, wide: float, words: Sequence[str], *, ink: Ink = RED) -> None:
        """An inked frame with words, a little askew, over whatever is printed there; its words are not the sheet's text."""
        high = wide * 0.42
        layer = np.full((round(high * self.scale), round(wide * self.scale), 3), 255, np.uint8)
        tall, broad = layer.shape[:2]
        thick = max(1, round(0.7 * self.scale))
        cv2.rectangle(layer, (thick, thick), (broad - 2 * thick, tall - 2 * thick), ink, thick, cv2.LINE_AA)
        for number, text in enumerate(words):
            size = round(tall * 0.27)
            cv2.putText(layer, text, (broad // 10, round(tall * (0.42 + 0.36 * number))), ink, _font("sans"), size, 700)
        turn = cv2.getRotationMatrix2D((broad / 2, tall / 2), self.between(-12, 12), 0.92)
        layer = np.asarray(cv2.warpAffine(layer, turn, (broad, tall), borderValue=WHITE), np.uint8)
        self._multiply(layer, across, down)

    def photo(self, left: float, top: float, wide: float, high: float) -> None:
        """A made-up landscape: sky, hills, water, grain."""
        broad, tall = self.place(wide, high)
        down, across = np.mgrid[0 : 1 : tall * 1j, 0 : 1 : broad * 1j].astype(np.float32)
        picture = np.stack([200 - 90 * down, 150 - 20 * down, 110 + 60 * down], axis=2)
        for layer in range(5):
            edge = 0.3 + 0.13 * layer + 0.06 * np.sin(across * self.between(4, 14) + self.between(0, 6))
            shade = np.array([self.between(20, 90), self.between(50, 140) - 8 * layer, self.between(20, 110)], np.float32)
            picture = np.where((down > edge)[..., None], shade + 40 * (down - edge)[..., None], picture)
        cv2.circle(
            picture,
            (round(broad * self.between(0.2, 0.8)), round(tall * 0.18)),
            round(tall * 0.08),
            (180, 230, 250),
            cv2.FILLED,
        )
        picture += cv2.resize(self.dice.normal(0, 14, (tall // 3 + 1, broad // 3 + 1, 3)).astype(np.float32), (broad, tall))
        x, y = self.place(left, top)
        spot = self.image[y : y + tall, x : x + broad]
        spot[:] = np.clip(picture, 0, 255).astype(np.uint8)[: spot.shape[0], : spot.shape[1]]

    def tint(self, paper: Ink) -> None:
        """Give the paper its colour; what is printed darkens it."""
        self.image = _product(self.image, np.asarray(paper, np.uint8))

    def _multiply(self, layer: Bgr, across: float, down: float) -> None:
        x, y = self.place(across, down)
        spot = self.image[y : y + layer.shape[0], x : x + layer.shape[1]]
        spot[:] = _product(spot, layer[: spot.shape[0], : spot.shape[1]])

    def _type(self, points: float, bold: bool) -> tuple[int, int]:
        return max(4, round(points * MM_PER_POINT * self.scale * _SIZE)), 700 if bold else 400


@cache
def font_names() -> tuple[str, ...]:
    """What can be printed with here: OpenCV's own, and Debian's where they are installed."""
    return ("sans", "sans", *(name for name in _FILES if (_FOLDER / name).exists()))


@cache
def _font(name: str, bold: bool = False) -> cv2.FontFace:
    if "/" not in name:
        return cv2.FontFace(name)
    return cv2.FontFace(str(_FOLDER / _bold(name)) if bold else str(_FOLDER / name))


def _bold(name: str) -> str:
    """The file of the bold cut; only OpenCV's own fonts come in every weight."""
    return name.replace("-Regular", "").replace(".ttf", "-Bold.ttf")


def _product(picture: Bgr, other: NDArray[np.uint8]) -> Bgr:
    return (picture.astype(np.uint16) * other // 255).astype(np.uint8)
