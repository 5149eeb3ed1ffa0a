"""The paper under the document camera: pure functions on arrays, no weights, no state, no I/O.

Pictures are uint8, height x width x 3, blue green red (`pixels.Bgr`). Corners are float32, 4 x 2, x and y in pixels of the
picture handed over, clockwise as one sees them and beginning at the picture's upper left: TL TR BR BL.

    find_page(image, near=None)      where the sheet lies, or None
    make_page(image, corners)        the sheet as a picture of its own: straight, in true proportions, even light and colours;
                                     its upper left is the first corner, so naming the corners from another side turns it
    straightened(image, corners)     the same in the light it lay in; both fit `within=(width, height)` when asked
    page_size(image, corners)        how large those pictures are: nothing of the camera's is lost, small pages are enlarged
    orientation(page)                the clockwise turn in degrees after which the page can be read; 0 where there is no text
    sharpest(frames, corners=None)   the index of the sharpest frame of a burst in varying light
    verdict(image, corners)          how the page looks and what the customer can do about it; takes None for no page
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
