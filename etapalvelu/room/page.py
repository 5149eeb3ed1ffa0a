"""The paper under the document camera: pure functions on arrays, no weights, no state, no I/O.

Pictures are uint8, height x width x 3, blue green red (`pixels.Bgr`). Corners are float32, 4 x 2, x and y in pixels of the
picture handed over, clockwise as one sees them and beginning at the picture's upper left: TL TR BR BL.
"""

from etapalvelu.room.vision.corners import find_page
from etapalvelu.room.vision.flat import make_page, page_size, straightened
from etapalvelu.room.vision.sharpness import sharpest
from etapalvelu.room.vision.upright import Turn, orientation
from etapalvelu.room.vision.verdict import Finding, Verdict, verdict

__all__ = [
    "Finding",
    "Turn",
    "Verdict",
    "find_page",
    "make_page",
    "orientation",
    "page_size",
    "sharpest",
    "straightened",
    "verdict",
]
