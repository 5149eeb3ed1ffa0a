"""How well pages made flat can be read: character error, the sharpest of a burst, which way up. Exit 1 when a bound is missed.

`python -m bench.read_page [--seed N] [--sheets N]`. Papers, light and camera are made up anew each time; the seed is printed.
"""

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import mean
from typing import Final

import cv2
import numpy as np

from bench.closeup import Closeup, make_closeup
from bench.grounds import Random
from bench.sheets import Sheet, make_sheet
from etapalvelu.room.page import make_page, orientation, sharpest, straightened
from etapalvelu.room.pixels import Bgr

FULL_HD: Final = (1920, 1080)
FOUR_K: Final = (3840, 2160)
# Nothing but text: machines read letters into photos and signatures, and that would be measured instead.
READ: Final = ("text", "note")
TEXTS: Final = ("letter", "decision", "dense", "brochure", "slip", "form")
FLAT_PPI: Final = 300.0

MOST_ERROR: Final = 0.010
MOST_TIMES_FLAT: Final = 6.0
MOST_ERROR_4K: Final = 0.005
LEAST_SHARPEST: Final = 17 / 18
LEAST_UPRIGHT: Final = 15 / 16
MOST_MAKE_MS: Final = 150.0


class Rows:
    """What is measured, printed line by line against its bound."""

    def __init__(self) -> None:
        self.missed = 0

    def add(self, name: str, value: float, bound: float | None = None, *, at_least: bool = False) -> None:
        if bound is None:
            print(f"{name:58} {value:8.4f}")  # noqa: T201 - the measurement's output
            return
        held = value >= bound if at_least else value <= bound
        self.missed += not held
        word = "at least" if at_least else "at most"
        print(f"{name:58} {value:8.4f}  {word} {bound:.4f}  {'' if held else 'MISSED'}", flush=True)  # noqa: T201


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--sheets", type=int, default=6, help="sheets that are read at 1080p; half as many at 4K")
    wishes = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"read_page: seed {wishes.seed}, {wishes.sheets} sheets")  # noqa: T201
    random = np.random.default_rng(wishes.seed)
    rows = Rows()
    _read_full_hd(rows, random, wishes.sheets)
    _read_four_k(rows, random, max(1, wishes.sheets // 2))
    _choose_sharpest(rows, random, 18)
    _turn_upright(rows, random, 3 * len(TEXTS))
    return int(rows.missed > 0)


def _read_full_hd(rows: Rows, random: Random, number: int) -> None:
    flat, even, shadow, plain, times = [], [], [], [], []
    for sheet, closeup in _papers(random, number, FULL_HD):
        flat.append(character_error(sheet.image, sheet))
        frame = closeup.taken(random)
        began = time.thread_time()
        page = make_page(frame, closeup.corners)
        times.append((time.thread_time() - began) * 1000)
        even.append(character_error(page, sheet))
        frame = closeup.in_shadow(random).taken(random)
        shadow.append(character_error(make_page(frame, closeup.corners), sheet))
        plain.append(character_error(straightened(frame, closeup.corners), sheet))
    bound = min(MOST_ERROR, MOST_TIMES_FLAT * max(mean(flat), 0.001))
    rows.add("character error of the flat originals", mean(flat))
    rows.add("character error, 1080p", mean(even), bound)
    rows.add("character error, 1080p in shadow", mean(shadow), bound)
    rows.add("the same without correction of light", mean(plain))
    rows.add("make_page at 1080p, worst, ms of one core", max(times), MOST_MAKE_MS)


def _read_four_k(rows: Rows, random: Random, number: int) -> None:
    errors = [
        character_error(make_page(closeup.in_shadow(random).taken(random), closeup.corners), sheet)
        for sheet, closeup in _papers(random, number, FOUR_K)
    ]
    rows.add("character error, 4K in shadow", mean(errors), MOST_ERROR_4K)


def _choose_sharpest(rows: Rows, random: Random, number: int) -> None:
    right, right_alone, laplacian = 0, 0, 0
    for _, closeup in _papers(random, number, (1280, 720), kinds=(*TEXTS, "receipt", "card")):
        frames, best = burst(random, closeup)
        right += sharpest(frames, closeup.corners) == best
        right_alone += sharpest(frames) == best
        laplacian += int(np.argmax([_laplacian_variance(frame) for frame in frames])) == best
    rows.add(f"sharpest of a burst of 10, page known, of {number}", right / number, LEAST_SHARPEST, at_least=True)
    rows.add("the same, page not known", right_alone / number, LEAST_SHARPEST, at_least=True)
    rows.add("the same by the variance of the Laplacian", laplacian / number)


def _turn_upright(rows: Rows, random: Random, number: int) -> None:
    right = 0
    for index, (_, closeup) in enumerate(_papers(random, number, FULL_HD, kinds=TEXTS)):
        turns = index % 4
        # Corners named from another side turn the page: one step on is a quarter against the clock.
        page = make_page(closeup.taken(random), np.roll(closeup.corners, -turns, axis=0))
        right += orientation(page) == 90 * turns
    rows.add(f"right way up, of {number} pages of text", right / number, LEAST_UPRIGHT, at_least=True)


def burst(random: Random, closeup: Closeup) -> tuple[list[Bgr], int]:
    """Ten frames of one scene in varying exposure, and the index of the only one that is neither out of focus nor moved."""
    best, least = int(random.integers(10)), random.uniform(0.3, 0.8)
    frames = []
    for index in range(10):
        exposure = random.uniform(0.55, 1.2)
        blur, drag = least, 0.0
        if index != best:
            blur, drag = (least + random.uniform(0.5, 2.5), 0.0) if random.random() < 0.5 else (least, random.uniform(2.5, 9))
        frames.append(closeup.taken(random, exposure=exposure, blur=blur, drag=drag))
    return frames, best


def character_error(page: Bgr, sheet: Sheet) -> float:
    """The share of the sheet's characters that have to be changed in what tesseract reads."""
    truth = _plain(sheet.text)
    return distance(truth, _plain(read(page, sheet.tesseract))) / len(truth)


def read(page: Bgr, language: str) -> str:
    _, data = cv2.imencode(".png", page)
    command = ["tesseract", "-", "-", "-l", language, "--psm", "6"]
    environment = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    return subprocess.run(command, input=data.tobytes(), capture_output=True, check=True, env=environment).stdout.decode()  # noqa: S603


def distance(one: str, other: str) -> int:
    """How many characters must be put in, taken out or changed to make the one the other."""
    letters = np.array([ord(letter) for letter in other], np.int64)
    steps = np.arange(len(letters) + 1)
    row = steps.copy()
    for letter in one:
        changed = np.minimum(row[:-1] + (letters != ord(letter)), row[1:] + 1)
        # What is left are insertions: each costs one more than its left neighbour.
        row = np.minimum.accumulate(np.concatenate([[row[0] + 1], changed]) - steps) + steps
    return int(row[-1])


def _plain(text: str) -> str:
    return " ".join(text.replace("–", "-").replace("—", "-").split())


def _papers(
    random: Random, number: int, size: tuple[int, int], *, kinds: tuple[str, ...] = READ
) -> Iterator[tuple[Sheet, Closeup]]:
    for index in range(number):
        sheet = make_sheet(int(random.integers(10**9)), kinds[index % len(kinds)], FLAT_PPI)
        yield sheet, make_closeup(random, sheet, size)


def _laplacian_variance(frame: Bgr) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


if __name__ == "__main__":
    sys.exit(main())
