"""How well sheets are found on made-up tables, beside the usual recipe and jscanify. Exit 1 when a bound is missed.

`python -m bench.find_page [--seed N] [--frames N]`. Frames are made up anew each time, the same for all; the seed is printed.
jscanify is the npm package of that name, fetched when it is not there yet; where it cannot be had its column stays away.
"""

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.desks import EMPTY, KINDS, Desk, make_desk, overlap
from etapalvelu.room.page import find_page, make_page
from etapalvelu.room.pixels import Bgr

HERE: Final = Path(__file__).parent
JSCANIFY: Final = "jscanify@1.4.3"
CACHE: Final = HERE.parent / "node_modules" / ".bench"
HARD: Final = ("hand", "glare", "dark", "white")
GOOD: Final = 0.95
WRONG: Final = 0.75

LEAST_MEAN: Final = 0.985
LEAST_GOOD: Final = 0.97
LEAST_HARD: Final = 0.93
MOST_EMPTY: Final = 1 / 11
MOST_WRONG: Final = 1 / 130
MOST_P95_MS: Final = 150.0
MOST_FOLLOW_MS: Final = 25.0

Corners: TypeAlias = NDArray[np.float32]
Finder: TypeAlias = Callable[[Bgr], Corners | None]


@dataclass
class Score:
    """What one way of finding did: overlaps by kind (0 for no answer), answers on empty tables, milliseconds for each frame."""

    overlaps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: int = 0
    empty: list[bool] = field(default_factory=list)
    ms: list[float] = field(default_factory=list)

    def add(self, desk: Desk, corners: Corners | None) -> None:
        if desk.kind == EMPTY:
            self.empty.append(corners is not None)
            return
        share = overlap(desk, corners)
        self.overlaps[desk.kind].append(share)
        self.wrong += corners is not None and share < WRONG

    @property
    def all(self) -> list[float]:
        return [share for shares in self.overlaps.values() for share in shares]

    @property
    def good(self) -> float:
        return mean(share > GOOD for share in self.all)


class Jscanify:
    """jscanify in a process of its own; None where it cannot be had."""

    def __init__(self, package: Path) -> None:
        command = ["node", str(HERE / "jscanify.cjs"), str(package)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script
        self.ms = 0.0

    def __call__(self, picture: Bgr) -> Corners | None:
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        assert self._process.stdout is not None  # noqa: S101
        with tempfile.NamedTemporaryFile(suffix=".raw") as file:
            cv2.cvtColor(picture, cv2.COLOR_BGR2RGBA).tofile(file.name)
            self._process.stdin.write(f"{file.name} {picture.shape[1]} {picture.shape[0]}\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        self.ms = answer["ms"]
        return None if answer["corners"] is None else np.array(answer["corners"], np.float32)

    def close(self) -> None:
        self._process.communicate(timeout=10)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--frames", type=int, default=10, help="frames of each kind; three times as many empty tables")
    wishes = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"seed {wishes.seed}, {wishes.frames} frames of each kind, {cv2.getNumThreads()} thread")  # noqa: T201 - the output
    ours, usual, theirs = Score(), Score(), Score()
    both: list[float] = []
    follow: list[float] = []
    jscanify = _jscanify()
    for kind in KINDS:
        for number in range(wishes.frames * (3 if kind == EMPTY else 1)):
            desk = make_desk(wishes.seed + number, kind)
            corners = _timed(ours, desk, find_page)
            if corners is not None:
                start = time.perf_counter()
                make_page(desk.image_bgr, corners)
                both.append(ours.ms[-1] + 1000 * (time.perf_counter() - start))
                follow.append(_followed(desk.image_bgr, corners))
            _timed(usual, desk, usual_recipe)
            if jscanify is not None:
                _timed(theirs, desk, jscanify)
                theirs.ms[-1] = jscanify.ms
    if jscanify is not None:
        jscanify.close()
    return _report(ours, usual, theirs if jscanify is not None else None, both, follow)


def usual_recipe(picture: Bgr) -> Corners | None:
    """What tutorials do: blur, Canny, of the five largest outlines the first that four corners describe."""
    scale = 500 / picture.shape[0]
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    edges = cv2.Canny(cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (5, 5), 0), 75, 200)
    outlines, _ = cv2.findContours(edges, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:5]:
        corners = cv2.approxPolyDP(outline, 0.02 * cv2.arcLength(outline, True), True)
        if len(corners) == 4:
            return corners.reshape(4, 2).astype(np.float32) / np.float32(scale)
    return None


def _timed(score: Score, desk: Desk, finder: Finder) -> Corners | None:
    start = time.perf_counter()
    corners = finder(desk.image_bgr)
    score.ms.append(1000 * (time.perf_counter() - start))
    score.add(desk, corners)
    return corners


def _followed(picture: Bgr, corners: Corners) -> float:
    """Milliseconds for following the sheet in the live picture after it moved a little."""
    live = np.asarray(cv2.resize(picture, (960, 540), interpolation=cv2.INTER_AREA), np.uint8)
    start = time.perf_counter()
    find_page(live, near=corners / np.float32(2) + np.float32(3))
    return 1000 * (time.perf_counter() - start)


def _jscanify() -> Jscanify | None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        print("jscanify is left out: there is no node here")  # noqa: T201
        return None
    if not (CACHE / "package").is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        taken = subprocess.run([npm, "pack", "--silent", JSCANIFY], cwd=CACHE, capture_output=True, text=True, check=False)  # noqa: S603
        if taken.returncode != 0:
            print("jscanify is left out: the registry does not hand it over")  # noqa: T201
            return None
        with tarfile.open(CACHE / taken.stdout.strip().splitlines()[-1]) as archive:
            archive.extractall(CACHE, filter="data")
    return Jscanify(CACHE / "package")


def _report(ours: Score, usual: Score, theirs: Score | None, both: list[float], follow: list[float]) -> int:
    columns = {"ours": ours, "usual recipe": usual} | ({"jscanify": theirs} if theirs is not None else {})
    print(f"{'':34}" + "".join(f"{name:>14}" for name in columns))  # noqa: T201
    rows = _Rows(list(columns.values()))
    rows.add("overlap, mean", lambda score: mean(score.all), LEAST_MEAN)
    rows.add(f"share over {GOOD}", lambda score: score.good, LEAST_GOOD)
    for kind in ours.overlaps:
        rows.add(f"overlap, {kind}", partial(_mean_of, kind), LEAST_HARD if kind in HARD else None)
    rows.add(f"answers below {WRONG}, share", lambda score: score.wrong / len(score.all), MOST_WRONG, at_most=True)
    rows.add("answers on empty tables, share", lambda score: mean(score.empty), MOST_EMPTY, at_most=True)
    rows.add("ms to find, median", lambda score: float(np.median(score.ms)))
    rows.add("ms to find, p95", lambda score: float(np.percentile(score.ms, 95)))
    missed = rows.missed
    for name, value, bound in (
        ("ms to find and make the page, p95", float(np.percentile(both, 95)), MOST_P95_MS),
        ("ms to follow at 960, median", float(np.median(follow)), MOST_FOLLOW_MS),
    ):
        print(f"{name:34}{value:14.3f}   at most {bound:.3f}  {'' if value <= bound else 'MISSED'}")  # noqa: T201
        missed += value > bound
    return int(missed > 0)


def _mean_of(kind: str, score: Score) -> float:
    return mean(score.overlaps[kind])


class _Rows:
    """Prints each row for all, ours against its bound and, where there is one, against the others."""

    def __init__(self, scores: list[Score]) -> None:
        self._scores = scores
        self.missed = 0

    def add(self, name: str, value: Callable[[Score], float], bound: float | None = None, *, at_most: bool = False) -> None:
        values = [value(score) for score in self._scores]
        words = ""
        if bound is not None:
            sign = -1 if at_most else 1
            held = sign * values[0] >= sign * bound
            ahead = all(sign * values[0] >= sign * other for other in values[1:])
            self.missed += not (held and ahead)
            words = f"   at {'most' if at_most else 'least'} {bound:.3f}  {'' if held else 'MISSED'}{'' if ahead else 'BEHIND'}"
        print(f"{name:34}" + "".join(f"{number:14.3f}" for number in values) + words, flush=True)  # noqa: T201


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
