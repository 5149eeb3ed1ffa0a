"""Where a page draws the sheet and what is on it, and where that should be."""

from collections.abc import Sequence

import numpy as np
from playwright.async_api import Page

Place = tuple[float, float]

# Where a line of the drawing stands in the window, as numbers in a row.
DRAWN = """([area, name]) => {
  const box = document.querySelector(area).getBoundingClientRect();
  const path = document.querySelector(`${area} .sheet-drawing .${name}.ink`).getAttribute("d") ?? "";
  const numbers = (path.replace(/h0.01/g, "").match(/-?[0-9.]+/g) ?? []).map(Number);
  return numbers.map((one, index) => one + (index % 2 ? box.top : box.left));
}"""
_PICTURE = """area => {
  const { x, y, width, height } = document.querySelector(area).getBoundingClientRect();
  const { videoWidth, videoHeight } = document.querySelector(`${area} video`);
  return [x, y, width, height, videoWidth, videoHeight];
}"""


async def drawn(page: Page, area: str, name: str) -> list[Place]:
    """The points of the line `name` (`outline`, `dots`, `strokes`) in the window."""
    numbers: list[float] = await page.evaluate(DRAWN, [area, name])
    return list(zip(numbers[::2], numbers[1::2], strict=True))


async def seen(page: Page, area: str, places: Sequence[Sequence[float]]) -> list[Place]:
    """Where these places of the document's picture stand in the window, neither enlarged nor turned."""
    x, y, width, height, across, down = await page.evaluate(_PICTURE, area)
    scale = min(width / across, height / down)
    return [(x + width / 2 + (u - 0.5) * across * scale, y + height / 2 + (v - 0.5) * down * scale) for u, v in places]


def mapped(corners: Sequence[Sequence[float]], place: Sequence[float]) -> list[float]:
    """A place of the sheet in the picture, by a perspective map found the long way: eight equations."""
    rows, wanted = [], []
    for (u, v), (x, y) in zip([(0, 0), (1, 0), (1, 1), (0, 1)], corners, strict=True):
        rows += [[u, v, 1, 0, 0, 0, -u * x, -v * x], [0, 0, 0, u, v, 1, -u * y, -v * y]]
        wanted += [x, y]
    a, b, c, d, e, f, g, h = np.linalg.solve(np.array(rows, np.float64), np.array(wanted, np.float64))
    depth = g * place[0] + h * place[1] + 1
    return [float((a * place[0] + b * place[1] + c) / depth), float((d * place[0] + e * place[1] + f) / depth)]


def distance(places: Sequence[Place], others: Sequence[Place], *, any_order: bool = False) -> float:
    """The largest distance of two that belong together; endless when they are not as many."""
    if len(places) != len(others):
        return float("inf")
    if len(places) == 0:
        return 0.0
    first, second = np.array(places, np.float64), np.array(others, np.float64)
    turns = range(len(second)) if any_order else range(1)
    return min(float(np.hypot(*(first - np.roll(second, turn, axis=0)).T).max()) for turn in turns)
