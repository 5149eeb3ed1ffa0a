"""The test sheet as it is printed: true size, marks that OpenCV knows, bars as fine as they say."""

import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

from etapalvelu.target_sheet import HEIGHT_MM, LINE_PAIRS, MARK_CELLS, MARK_MM, MARKS, WIDTH_MM, bars, sheet_pdf

PDF = sheet_pdf("Koearkki (ä\\ö)", ["Ensimmäinen", "Toinen"])


def test_the_marks_are_those_that_opencv_looks_for() -> None:
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)

    for id, rows in MARK_CELLS.items():
        cells = cv2.aruco.generateImageMarker(dictionary, id, 6)[1:-1, 1:-1] > 0
        assert [int("".join("1" if cell else "0" for cell in row), 2) for row in cells] == list(rows)


def test_every_place_in_the_cross_reference_table_is_that_of_its_object() -> None:
    table = PDF[int(re.findall(rb"startxref\n(\d+)\n", PDF)[0]) :]

    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n", table)]
    assert [PDF[place : place + 7] for place in places] == [b"%d 0 obj" % number for number in range(1, 6)]


def test_the_page_is_a4_and_printers_are_asked_not_to_scale_it() -> None:
    width, height = (float(side) for side in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", PDF)[0])

    assert (round(width / 72 * 25.4, 2), round(height / 72 * 25.4, 2)) == (WIDTH_MM, HEIGHT_MM)
    assert b"/PrintScaling /None" in PDF


def test_words_are_written_so_that_they_end_no_string() -> None:
    assert rb"(Koearkki \(" + "ä".encode("cp1252") + rb"\\" in PDF


def test_bars_are_half_a_line_pair_wide_and_stay_on_the_sheet() -> None:
    rectangles = list(bars())

    assert {round(0.5 / min(width, height), 2) for _, _, width, height in rectangles} == set(LINE_PAIRS)
    assert all(
        left > 0 and left + width < WIDTH_MM and top > 0 and top + height < HEIGHT_MM for left, top, width, height in rectangles
    )


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils is not installed")
def test_a_printer_puts_the_marks_where_they_belong(tmp_path: Path) -> None:
    (tmp_path / "sheet.pdf").write_bytes(PDF)
    subprocess.run(["pdftoppm", "-r", "150", "-png", "-gray", "sheet.pdf", "sheet"], cwd=tmp_path, check=True)
    printed = cv2.imread(str(next(tmp_path.glob("sheet*.png"))), cv2.IMREAD_GRAYSCALE)
    assert printed is not None

    corners, ids, _ = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)).detectMarkers(printed)

    per_mm = 150 / 25.4
    found = {int(id): quad.reshape(4, 2) for id, quad in zip(ids.ravel(), corners, strict=True)}
    for id, (x, y) in MARKS.items():
        half = MARK_MM / 2
        there = np.array([[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]) * per_mm
        assert np.abs(found[id] - there).max() < 2
