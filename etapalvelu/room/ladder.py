"""What is given up on a thin line, and in which order: frames, never the size of the page; in the end all that moves.

Down at once, up again slowly. No clock, no I/O.
"""

import math
from dataclasses import dataclass
from typing import Final

from etapalvelu.room.h264 import NOMINAL_FRAMES_PER_SECOND
from etapalvelu.room.rate import FLOOR_BITS_PER_SECOND
from signaling.document import LineStep


@dataclass(frozen=True, kw_only=True)
class Step:
    """A rung: `needs` is the rate that gives each of its frames enough bits for text, about 25 kbit."""

    name: LineStep
    frames_per_second: int
    needs: float


STEPS: Final = (
    Step(name="full", frames_per_second=NOMINAL_FRAMES_PER_SECOND, needs=350_000),
    Step(name="fewer_frames", frames_per_second=8, needs=200_000),
    Step(name="few_frames", frames_per_second=4, needs=110_000),
    Step(name="few_frames", frames_per_second=2, needs=FLOOR_BITS_PER_SECOND),
    Step(name="stills_only", frames_per_second=0, needs=0),
)
_LAST_MOVING: Final = len(STEPS) - 2
_STILL: Final = len(STEPS) - 1
# Before a step up the line must have carried this much more than it takes, for so long.
_TO_SPARE: Final = 1.25
UP_SECONDS: Final = 3.0
# How long stills alone are sent before the moving picture is tried again; doubled each time that fails.
FIRST_REST_SECONDS: Final = 10.0
LAST_REST_SECONDS: Final = 60.0


class Ladder:
    """Where one viewer's line stands."""

    def __init__(self) -> None:
        self._at = 0
        self._good_since: float | None = None
        self._rest = FIRST_REST_SECONDS
        self._rests_until = -math.inf

    @property
    def step(self) -> Step:
        return STEPS[self._at]

    def feed(self, bits_per_second: float, *, frame_bits: float, is_choked: bool, now: float) -> None:
        """Move as the line's rate demands, where the frames of late took `frame_bits` each."""
        if self._at == _STILL:
            if now >= self._rests_until:
                self._move(_LAST_MOVING)
        elif is_choked:
            # A short try that failed makes the next rest longer.
            failed_at_once = now - self._rests_until < self._rest
            self._rest = min(2 * self._rest, LAST_REST_SECONDS) if failed_at_once else FIRST_REST_SECONDS
            self._rests_until = now + self._rest
            self._move(_STILL)
        else:
            self._climb(bits_per_second, frame_bits, now)

    def _climb(self, bits_per_second: float, frame_bits: float, now: float) -> None:
        needs = [max(step.needs, step.frames_per_second * frame_bits) for step in STEPS[:_LAST_MOVING]]
        carried = next((number for number, need in enumerate(needs) if need <= bits_per_second), _LAST_MOVING)
        if carried > self._at:
            self._move(carried)
        elif self._at == 0 or bits_per_second < _TO_SPARE * needs[self._at - 1]:
            self._good_since = None
        elif self._good_since is None:
            self._good_since = now
        elif now - self._good_since >= UP_SECONDS:
            self._move(self._at - 1)

    def _move(self, to: int) -> None:
        self._at, self._good_since = to, None
