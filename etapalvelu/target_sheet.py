"""The printed test sheet for document cameras: what stands where on it, and the sheet itself as a PDF of true A4 size.

Both sides go by it: the server prints it, the room agent looks for it under the camera. Millimetres from the upper left.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0


class Square(NamedTuple):
    """A black square: its middle, its side, and how it is turned, in degrees clockwise."""

    x: float
    y: float
    side: float
    turn: float = 0.0


# ArUco marks of the dictionary 4x4_50, in the sheet's corners: upper left, upper right, lower right, lower left.
MARK_MM: Final = 24.0
MARKS: Final[Mapping[int, tuple[float, float]]] = {0: (28.0, 28.0), 1: (182.0, 28.0), 2: (182.0, 269.0), 3: (28.0, 269.0)}
# Their inner 4 x 4 cells, white is 1; a black rim of one cell runs around them.
MARK_CELLS: Final[Mapping[int, tuple[int, int, int, int]]] = {
    0: (0b1011, 0b0101, 0b0011, 0b0010),
    1: (0b0000, 0b1111, 0b1001, 0b1010),
    2: (0b0011, 0b0011, 0b0010, 0b1101),
    3: (0b1001, 0b1001, 0b0100, 0b0110),
}
_MARK_CELLS_ACROSS: Final = 6

# Edges a little aslant fall between the camera's pixels at every place: so they are measured finer than the pixels are.
SLANT_DEGREES: Final = 5.0
SQUARES: Final[Sequence[Square]] = (
    Square(105, 110, 44, SLANT_DEGREES),
    Square(60, 76, 26, SLANT_DEGREES),
    Square(150, 76, 26, SLANT_DEGREES),
    Square(60, 228, 26, SLANT_DEGREES),
    Square(150, 228, 26, SLANT_DEGREES),
)

# For the eye: line pairs in a millimetre, coarse to fine, each group lying and standing.
LINE_PAIRS: Final = (0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
_GROUP_MM: Final = 12.0
_GROUPS_LEFT_MM: Final = 34.0
_GROUPS_TOP_MM: Final = 152.0
_GROUPS_STEP_MM: Final = 16.0

_POINTS_PER_MM: Final = 72 / 25.4
Rectangle = tuple[float, float, float, float]


def sheet_pdf(title: str, lines: Sequence[str]) -> bytes:
    """The sheet as a PDF of one page; `title` stands above, `lines` below (what to do with it)."""
    drawing = "\n".join(("0 g", *_shapes(), *_words(title, lines))).encode("cp1252", "replace")
    width, height = WIDTH_MM * _POINTS_PER_MM, HEIGHT_MM * _POINTS_PER_MM
    return _file(
        b"<< /Type /Catalog /Pages 2 0 R /ViewerPreferences << /PrintScaling /None >> >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width:.3f} {height:.3f}] /Contents 4 0 R "
        "/Resources << /Font << /F 5 0 R >> >> >>".encode(),
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawing), drawing),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    )


def bars() -> Iterator[Rectangle]:
    """The line groups' black bars: left, top, width, height."""
    for place, pairs in enumerate(LINE_PAIRS):
        left, thick = _GROUPS_LEFT_MM + place * _GROUPS_STEP_MM, 0.5 / pairs
        for number in range(round(_GROUP_MM * pairs)):
            along = number / pairs
            yield left + along, _GROUPS_TOP_MM, thick, _GROUP_MM
            yield left, _GROUPS_TOP_MM + _GROUP_MM + 4 + along, _GROUP_MM, thick


def mark_cells() -> Iterator[Rectangle]:
    """The black cells of all marks: left, top, width, height."""
    cell = MARK_MM / _MARK_CELLS_ACROSS
    for id, (x, y) in MARKS.items():
        left, top = x - MARK_MM / 2, y - MARK_MM / 2
        for row in range(_MARK_CELLS_ACROSS):
            for column in range(_MARK_CELLS_ACROSS):
                inside = 0 < row < _MARK_CELLS_ACROSS - 1 and 0 < column < _MARK_CELLS_ACROSS - 1
                if not (inside and MARK_CELLS[id][row - 1] >> (4 - column) & 1):
                    yield left + column * cell, top + row * cell, cell, cell


def _shapes() -> Iterator[str]:
    for left, top, width, height in (*mark_cells(), *bars()):
        yield f"{_x(left)} {_y(top + height)} {width * _POINTS_PER_MM:.3f} {height * _POINTS_PER_MM:.3f} re f"
    for square in SQUARES:
        first, *others = corners_of(square)
        yield f"{_x(first[0])} {_y(first[1])} m " + " ".join(f"{_x(x)} {_y(y)} l" for x, y in others) + " f"


def corners_of(square: Square) -> tuple[tuple[float, float], ...]:
    """Its corners, clockwise from the one that would be the upper left."""
    half, turn = square.side / 2, complex(1, 0) * _turned(square.turn)
    flat = (complex(-half, -half), complex(half, -half), complex(half, half), complex(-half, half))
    return tuple((square.x + (corner * turn).real, square.y + (corner * turn).imag) for corner in flat)


def _turned(degrees: float) -> complex:
    # i to the power of a share of the right angle turns by that share.
    return complex(0, 1) ** (degrees / 90)


def _words(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield _line(46, 24, 13, title)
    for place, pairs in enumerate(LINE_PAIRS):
        yield _line(_GROUPS_LEFT_MM + place * _GROUPS_STEP_MM, _GROUPS_TOP_MM - 2, 8, f"{pairs:g}")
    yield _line(_GROUPS_LEFT_MM + len(LINE_PAIRS) * _GROUPS_STEP_MM, _GROUPS_TOP_MM - 2, 8, "lp/mm")
    for number, line in enumerate(lines):
        yield _line(46, 262 + number * 5.5, 10, line)


def _line(x: float, y: float, points: int, words: str) -> str:
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT /F {points} Tf {_x(x)} {_y(y)} Td ({escaped}) Tj ET"


def _x(mm: float) -> str:
    return f"{mm * _POINTS_PER_MM:.3f}"


def _y(mm: float) -> str:
    # PDF counts from below.
    return f"{(HEIGHT_MM - mm) * _POINTS_PER_MM:.3f}"


def _file(*objects: bytes) -> bytes:
    """A PDF of these objects, the first of them its root (ISO 32000-1)."""
    file, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    begin = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for place in places:
        file += b"%010d 00000 n \n" % place
    file += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begin)
    return bytes(file)
