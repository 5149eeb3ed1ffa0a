"""The room agent with its made-up letter moved about the desk, under a camera that sees grain. Its clock stays in place.

python -m bench.moving_agent room --server ... --camera test: ...
"""

from functools import cache
from typing import Final

import cv2
import numpy as np

from etapalvelu.cli import main
from etapalvelu.room.letter import Letter, live_desk
from etapalvelu.room.pixels import Bgr

GRAIN: Final = 2.0
_FIELDS: Final = 8
# The letter is swept to and fro for this long, then lies still for as long.
_PHASE_MS: Final = 4000
_REACH: Final = 300


@cache
def _grain(number: int) -> Bgr:
    noise = np.random.default_rng(number).normal(128, GRAIN, live_desk().shape)
    return np.asarray(np.clip(noise, 0, 255), np.uint8)


def _live(self: Letter) -> Bgr:
    moment = self._unix_ms % (2 * _PHASE_MS)
    swing = np.sin(moment / _PHASE_MS * 4 * np.pi) if moment < _PHASE_MS else 0.0
    across, down = round(_REACH * swing), round(_REACH / 4 * swing)
    desk = cv2.warpAffine(
        live_desk(), np.array([[1, 0, across], [0, 1, down]], np.float32), (1920, 1080), borderMode=cv2.BORDER_REPLICATE
    )
    grainy = cv2.addWeighted(desk, 1.0, _grain(self._unix_ms // 66 % _FIELDS), 1.0, -128)
    return Letter._with_clock(self, np.asarray(grainy, np.uint8))


if __name__ == "__main__":
    Letter.live = _live  # type: ignore[method-assign]
    main()
