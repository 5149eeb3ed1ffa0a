"""How likely a shape is the sheet, as the logarithm of its odds.

What tells is added up, first in the small copy and then in the full picture. How much each counts was fitted to the tables that
`bench.desks` makes up; `python -m bench.find_page` measures on others of them what that is worth.
"""

from typing import Final

import numpy as np

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.contrast import contrast_of
from etapalvelu.room.vision.edges import Edges, Plane
from etapalvelu.room.vision.likeness import Likeness, likeness_of
from etapalvelu.room.vision.quads import Quads

# No sheet that can be read takes a smaller share of the picture.
LEAST_SIZE: Final = 0.007
# The odds of a shape of which nothing tells.
_START: Final = -33.2
# How much edges run along the sides: on the whole, and along the faintest.
_SUPPORT: Final = 10.5
_LEAST_SUPPORT: Final = 5.2
# One or two sides may go on in a stripe of the table; of a pattern's cell all do.
_TWO_GO_ON: Final = -1.2
_MORE_GO_ON: Final = -3.6
# Paper is brighter than the table, or darker, along all its sides.
_BRIGHTER: Final = 1.3
_DIFFERENT: Final = 1.8
_QUIET: Final = 4.4
_ALIKE: Final = 2.2
_BRIGHT: Final = 5.4
_FORM: Final = 9.6
_CONTRAST: Final = 3.0
_TWICE_AS_LARGE: Final = 0.68
# Grey levels by which paper is brighter than a table, beyond any doubt.
_CLEARLY_BRIGHTER: Final = 8.0
# The share of the picture that counts for nothing, and how many times it may be halved and doubled.
_USUAL_SIZE: Final = 0.02
_HALVED: Final = -3
_DOUBLED: Final = 4

# In the full picture: what the small copy said, how much an edge is seen on the sides but the faintest, how much goes on.
_SAID: Final = 0.67
_SEEN: Final = 6.7
_GOES_ON: Final = -5.6
_START_SEEN: Final = -3.8


def rated(small: Bgr, edges: Edges, quads: Quads) -> tuple[Plane, Likeness]:
    """What the small copy tells of each of n shapes: its logarithm of odds, and from what; -inf for what is too small."""
    likeness = likeness_of(edges, quads)
    beyond = np.sort(quads.beyond, axis=1)
    brighter = np.clip(likeness.brighter / _CLEARLY_BRIGHTER, -1, 1).mean(axis=1)
    largeness = np.clip(np.log2(np.maximum(likeness.size, 1e-3) / _USUAL_SIZE), _HALVED, _DOUBLED)
    rating = (
        _START
        + _SUPPORT * quads.support.mean(axis=1)
        + _LEAST_SUPPORT * quads.support.min(axis=1)
        + _TWO_GO_ON * beyond[:, 1]
        + _MORE_GO_ON * (beyond[:, 2] + beyond[:, 3])
        + _BRIGHTER * brighter
        + _DIFFERENT * np.abs(brighter)
        + _QUIET * likeness.quiet.mean(axis=1)
        + _ALIKE * likeness.alike
        + _BRIGHT * likeness.bright
        + _FORM * likeness.form
        + _CONTRAST * contrast_of(small, quads.corners)
        + _TWICE_AS_LARGE * largeness
    )
    return np.where(likeness.size > LEAST_SIZE, rating, -np.inf).astype(np.float32), likeness


def rated_again(rating: float, seen: Plane, going_on: float) -> float:
    """The odds with what the full picture tells: on which share of each side an edge is `seen`, how much is `going_on`.

    A sheet may have one side that is hardly seen.
    """
    return _START_SEEN + _SAID * rating + _SEEN * float(np.sort(seen)[1:].mean()) + _GOES_ON * going_on
