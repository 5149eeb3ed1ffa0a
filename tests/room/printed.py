"""The test sheet as a printer puts it on paper, for cameras that are made up."""

import subprocess
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from bench.sheets import A4_MM, Sheet
from etapalvelu.room.pixels import Bgr
from etapalvelu.target_sheet import sheet_pdf


@cache
def printed(pixels_per_inch: int) -> Bgr:
    """The sheet as poppler prints it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sheet.pdf").write_bytes(sheet_pdf("Koearkki", ["Tulosta ilman skaalausta."]))
        command = ["pdftoppm", "-r", str(pixels_per_inch), "-png", "-singlefile", "sheet.pdf", "sheet"]
        subprocess.run(command, cwd=folder, check=True)
        picture = cv2.imread(str(Path(folder, "sheet.png")), cv2.IMREAD_COLOR)
    assert picture is not None
    picture.flags.writeable = False
    return np.asarray(picture, np.uint8)


@cache
def paper(pixels_per_inch: int = 130) -> Sheet:
    """The same as a sheet to lay on the tables of `bench.desks`."""
    image = printed(pixels_per_inch)
    return Sheet(
        kind="target",
        language="fi",
        tesseract="fin",
        image=image,
        alpha=np.full(image.shape[:2], 255, np.uint8),
        lines=(),
        size_mm=A4_MM,
        pixels_per_inch=pixels_per_inch,
    )
