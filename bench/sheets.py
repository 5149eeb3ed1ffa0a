"""Made-up papers with their exact text, as flat pictures before any camera saw them: letters, forms, receipts, cards and more.

The same seed gives the same paper. Fonts are OpenCV's own, and Debian's DejaVu and Liberation where they are installed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.phrases import LANGUAGES
from bench.press import BLACK, BLUE, GREEN, MM_PER_POINT, PEN, RED, WHITE, Line, Press
from etapalvelu.room.pixels import Bgr

A4_MM: Final = (210.0, 297.0)
A5_MM: Final = (148.0, 210.0)
CARD_MM: Final = (85.6, 53.98)
_CARD_CORNER_MM: Final = 3.18
_PAPERS: Final = ((255, 255, 255), (252, 252, 252), (246, 250, 252), (228, 242, 248), (240, 243, 243))


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """`alpha` is 255 on the paper and 0 beside it (the round corners of a card); `tesseract` is its name of the language."""

    kind: str
    language: str
    tesseract: str
    image: Bgr
    alpha: NDArray[np.uint8]
    lines: tuple[Line, ...]
    size_mm: tuple[float, float]
    pixels_per_inch: float

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def make_sheet(seed: int, kind: str = "letter", pixels_per_inch: float = 200.0) -> Sheet:
    """Print a paper of `kind` (one of KINDS); everything that varies comes from `seed`."""
    dice = np.random.default_rng([seed, list(KINDS).index(kind)])
    phrases = LANGUAGES[int(dice.integers(len(LANGUAGES)))]
    size_of, draw = KINDS[kind]
    size_mm = size_of(dice)
    press = Press(dice, phrases, size_mm, pixels_per_inch)
    draw(press)
    press.tint(press.choice(_PAPERS))
    return Sheet(
        kind=kind,
        language=phrases.language,
        tesseract=phrases.tesseract,
        image=press.image,
        alpha=_outline(press, _CARD_CORNER_MM if kind == "card" else 0.0),
        lines=tuple(press.lines),
        size_mm=size_mm,
        pixels_per_inch=pixels_per_inch,
    )


def _letter(press: Press) -> None:
    """Plain text from the head to the signature."""
    _head(press)
    points = press.between(9.0, 12.0)
    _fill(press, points, press.height * press.between(0.72, 0.85))
    press.line(press.phrases.closing, points, gap=4)
    press.signature(press.margin, press.down + 8, press.width * 0.2)
    _foot(press)


def _text(press: Press) -> None:
    """Nothing but text."""
    press.line(press.choice(press.phrases.titles), 14, bold=True)
    _fill(press, press.between(9.0, 12.0), press.height - 1.5 * press.margin)


def _decision(press: Press) -> None:
    """A letter with a table of amounts and a stamp."""
    _head(press)
    points = press.between(9.5, 11.5)
    _paragraphs(press, points, 1)
    _table(press, points)
    _fill(press, points, press.height * 0.82)
    ink = press.choice((RED, BLUE, GREEN))
    press.stamp(press.width * 0.6, press.height * 0.84, press.width * 0.25, (press.phrases.stamp, press.date()), ink=ink)
    press.signature(press.margin, press.height * 0.89, press.width * 0.2)
    _foot(press)


def _dense(press: Press) -> None:
    """Small print from edge to edge."""
    press.line(press.choice(press.phrases.titles), 12, bold=True)
    points = press.between(7.0, 8.5)
    _fill(press, points, press.height - press.margin - 8)


def _form(press: Press) -> None:
    """A dark bar, framed fields filled in with a pen, boxes to tick."""
    high = press.between(9, 14)
    press.block(press.margin, press.margin, press.width - 2 * press.margin, high, press.choice((BLACK, BLUE, GREEN)))
    press.print(press.phrases.office, press.margin + 3, press.margin + high * 0.68, 12, ink=WHITE, bold=True)
    press.down = press.margin + high + 2
    press.line(press.choice(press.phrases.titles), 14, bold=True, gap=2)
    press.paragraph(press.choice(press.phrases.sentences).split(), 9.5, gap=2)
    field = press.between(11, 14)
    press.down += 4
    for label in press.phrases.labels:
        if press.down + field > press.height - 1.6 * press.margin:
            break
        press.frame(press.margin, press.down, press.width - 2 * press.margin, field)
        press.print(label, press.margin + 1.5, press.down + 3.6, 7.5)
        if press.dice.random() < 0.7:
            press.signature(press.margin + 6, press.down + field * 0.62, press.between(0.15, 0.4) * press.width)
        press.down += field + 1.2
    for label in press.some(press.phrases.rows, 3):
        if press.down + 7 > press.height - press.margin:
            break
        press.frame(press.margin, press.down + 1.4, 3.6, 3.6)
        if press.dice.random() < 0.5:
            press.rule((press.margin + 0.5, press.down + 2), (press.margin + 3.2, press.down + 4.6), ink=PEN, thick=0.5)
        press.print(label, press.margin + 6, press.down + 4.8, 9.5)
        press.down += 6.5


def _brochure(press: Press) -> None:
    """A large photo, a heading, a few paragraphs."""
    press.line(press.choice(press.phrases.titles), 18, ink=BLUE, bold=True)
    high = press.between(0.25, 0.42) * press.height
    press.photo(press.margin, press.down + 5, press.width - 2 * press.margin, high)
    press.down += 5 + high
    _fill(press, press.between(10.0, 11.5), press.height * 0.88)


def _receipt(press: Press) -> None:
    """A narrow strip of goods and prices."""
    points = press.between(8.0, 9.5)
    press.margin = 5.0
    press.down = 6.0
    press.line(press.phrases.office, points + 3, bold=True)
    press.line(press.date(), points, gap=1)
    while press.down < press.height - 26:
        _row(press, press.choice(press.phrases.goods), press.amount(), points)
    press.rule((press.margin, press.down + 2.5), (press.width - press.margin, press.down + 2.5))
    press.down += 3
    _row(press, press.phrases.total, press.amount(), points + 1, bold=True)


def _card(press: Press) -> None:
    """An invented card: a coloured ground, a drawn face that is nobody's, a few fields."""
    wide, high = press.image.shape[1], press.image.shape[0]
    shade = np.linspace(0, 1, wide, dtype=np.float32)[None, :, None]
    ends = [np.array([press.between(185, 250) for _ in range(3)], np.float32) for _ in range(2)]
    press.image[:] = np.broadcast_to(ends[0] * (1 - shade) + ends[1] * shade, (high, wide, 3)).astype(np.uint8)
    press.block(5, 15, 22, 28, (190, 178, 165))
    cv2.circle(press.image, press.place(16, 26), round(6 * press.scale), (120, 130, 150), cv2.FILLED, cv2.LINE_AA)
    cv2.ellipse(press.image, press.place(16, 43), press.place(9, 9), 0, 180, 360, (110, 90, 70), cv2.FILLED, cv2.LINE_AA)
    press.print(press.phrases.card, 5, 10, 11, ink=BLUE, bold=True)
    for number, (label, value) in enumerate(
        zip(press.phrases.labels[:3], (*press.phrases.receiver[:1], press.date(), "X00000"), strict=False)
    ):
        press.print(label, 32, 18 + 9 * number, 5.5)
        press.print(value, 32, 22 + 9 * number, 8.5, bold=True)
    press.signature(34, 47, 25, ink=BLACK)


def _photo(press: Press) -> None:
    """A picture without a word."""
    press.photo(press.margin / 3, press.margin / 3, press.width - press.margin / 1.5, press.height - press.margin / 1.5)


def _blank(press: Press) -> None:
    """Nothing is printed on it."""


def _head(press: Press) -> None:
    press.logo(press.margin, press.margin, 11)
    press.print(press.phrases.office, press.margin + 14, press.margin + 7, 13, ink=BLUE, bold=True)
    press.print(press.date(), press.width - press.margin, press.margin + 7, 9.5, right=True)
    press.down = press.margin + 16
    for text in press.phrases.receiver:
        press.line(text, 10)
    press.line(press.choice(press.phrases.titles), 14, bold=True, gap=8)


def _foot(press: Press) -> None:
    base = press.height - press.margin * 0.7
    press.rule((press.margin, base - 4.5), (press.width - press.margin, base - 4.5), ink=BLUE)
    words = press.choice(press.phrases.small).split()
    while press.length(" ".join(words), 7.0) > press.width - 2 * press.margin:
        words.pop()
    press.print(" ".join(words), press.margin, base, 7.0)


def _fill(press: Press, points: float, until: float) -> None:
    """Headings and paragraphs until the sheet is full down to `until`."""
    headings = press.some(press.phrases.headings, len(press.phrases.headings))
    limit = until - points * MM_PER_POINT * 1.3 * 5
    while press.down < limit:
        if headings and press.dice.random() < 0.6:
            press.line(headings.pop(), points + 1.5, bold=True, gap=3)
        _paragraphs(press, points, int(press.dice.integers(1, 3)), limit=limit)


def _paragraphs(press: Press, points: float, number: int, *, limit: float = float("inf")) -> None:
    for _ in range(number):
        if press.down < limit:
            sentences = press.some(press.phrases.sentences, int(press.dice.integers(2, 5)))
            press.paragraph(" ".join(sentences).split(), points, gap=2.2)


def _table(press: Press, points: float) -> None:
    right = press.width - press.margin
    leading = points * MM_PER_POINT * 1.75
    rows = press.some(press.phrases.rows, int(press.dice.integers(4, 8)))
    press.down += 4
    top = press.down
    if press.dice.random() < 0.5:
        press.block(
            press.margin, top, right - press.margin, leading, press.choice(((222, 222, 222), (240, 225, 205), (205, 235, 215)))
        )
    for text in rows:
        press.print(text, press.margin + 2, press.down + leading * 0.68, points)
        press.print(f"{press.amount()} €", right - 2, press.down + leading * 0.68, points, right=True)
        press.down += leading
        press.rule((press.margin, press.down), (right, press.down))
    press.frame(press.margin, top, right - press.margin, press.down - top)
    press.rule((right - press.width * 0.2, top), (right - press.width * 0.2, press.down))
    press.down += 2


def _row(press: Press, text: str, amount: str, points: float, *, bold: bool = False) -> None:
    press.down += points * MM_PER_POINT * 1.4
    press.print(text, press.margin, press.down, points, bold=bold)
    press.print(amount, press.width - press.margin, press.down, points, bold=bold, right=True)


def _outline(press: Press, corner_mm: float) -> NDArray[np.uint8]:
    high, wide = press.image.shape[:2]
    if corner_mm == 0:
        return np.full((high, wide), 255, np.uint8)
    alpha = np.zeros((high, wide), np.uint8)
    radius = round(corner_mm * press.scale)
    cv2.rectangle(alpha, (radius, 0), (wide - radius, high), 255, cv2.FILLED)
    cv2.rectangle(alpha, (0, radius), (wide, high - radius), 255, cv2.FILLED)
    for across in (radius, wide - 1 - radius):
        for down in (radius, high - 1 - radius):
            cv2.circle(alpha, (across, down), radius, 255, cv2.FILLED, cv2.LINE_AA)
    return alpha


def _a4(_dice: np.random.Generator) -> tuple[float, float]:
    return A4_MM


def _a5(_dice: np.random.Generator) -> tuple[float, float]:
    return A5_MM


def _strip(dice: np.random.Generator) -> tuple[float, float]:
    return float(dice.choice([57.5, 79.5])), float(dice.uniform(110, 210))


def _id1(_dice: np.random.Generator) -> tuple[float, float]:
    return CARD_MM


Size = Callable[[np.random.Generator], tuple[float, float]]
KINDS: Final[dict[str, tuple[Size, Callable[[Press], None]]]] = {
    "letter": (_a4, _letter),
    "decision": (_a4, _decision),
    "dense": (_a4, _dense),
    "form": (_a4, _form),
    "brochure": (_a4, _brochure),
    "slip": (_a5, _letter),
    "small_form": (_a5, _form),
    "receipt": (_strip, _receipt),
    "card": (_id1, _card),
    "photo": (_a5, _photo),
    "blank": (_a4, _blank),
    "text": (_a4, _text),
    "note": (_a5, _text),
}
