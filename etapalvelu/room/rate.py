"""How much one viewer's line carries, judged by what its receiver reports: loss and round trip. No clock, no I/O.

Following the receiver's own estimate (REMB) spirals downwards on thin lines, so it is not looked at.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from etapalvelu.room.h264 import CEILING_BITS_PER_SECOND

START_BITS_PER_SECOND: Final = 600_000
# A line that was good a while ago may have become thin, and the other way round.
HIGHEST_START_BITS_PER_SECOND: Final = 1_500_000
LOWEST_START_BITS_PER_SECOND: Final = 200_000
# Below this not even two frames of text a second pass.
FLOOR_BITS_PER_SECOND: Final = 60_000

_QUICKEST_OF_SECONDS: Final = 60.0
# What a busy receiver takes to answer is no queue on the line.
_LEAST_ROUND_TRIP: Final = 0.04
_USUAL_ROUND_TRIP: Final = 0.1
_LATE: Final = 2.0
# A queue that empties needs no further step down.
_EMPTIES: Final = 0.8
# So many late answers without a loss, however little is sent: the way has become longer, and not by us.
_LONGER_AFTER: Final = 5
_STAYS: Final = 0.95
_LOSS: Final = 0.05
_NO_LOSS: Final = 0.01
# aiortc knows a round trip only when its newest report was answered, which fails when answers take over a second.
_SILENT_REPORTS: Final = 5
# What is left of the rate after a step down: as the line's width seems to be, less a little, within these bounds.
_BELOW_WIDTH: Final = 0.9
_LEAST_LEFT: Final = 0.5
_MOST_LEFT: Final = 0.85
_CHOKED_AFTER: Final = 3
# Growth a second: into the unknown, where it was fine before, near where it was too much, and while little is sent.
_GROWTH_UNKNOWN: Final = 1.25
_GROWTH: Final = 1.08
_GROWTH_NEAR: Final = 1.02
_GROWTH_UNUSED: Final = 1.05
_NEAR: Final = 0.9
_USED: Final = 0.5
_LIMIT_HOLDS_SECONDS: Final = 60.0
# Reports come every second. The first one after such a silence tells what was lost in it, and nothing of the line's width.
_SILENCE_SECONDS: Final = 3.0


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a receiver reported, about a second after the report before."""

    at: float
    # Seconds; None when this report told of none.
    round_trip: float | None
    # Share of the packets since the report before.
    loss: float
    # What was really sent in that time.
    bits_per_second: float


class RateControl:
    """The rate to send at, changed by each reading."""

    def __init__(self, start: float = START_BITS_PER_SECOND) -> None:
        self.bits_per_second = start
        self._answers: deque[tuple[float, float]] = deque()
        self._silent = 0
        self._read_at: float | None = None
        self._late: list[float] = []
        # When and how much was too much.
        self._limit: tuple[float, float] | None = None
        self._at_floor = 0

    @property
    def is_choked(self) -> bool:
        """Even the least is too much for the line."""
        return self._at_floor >= _CHOKED_AFTER

    def feed(self, reading: Reading) -> None:
        """Take a reading into account."""
        since, self._read_at = self._read_at, reading.at
        if since is not None and reading.at - since > _SILENCE_SECONDS:
            return
        before = self._answers[-1] if self._answers else None
        self._note(reading)
        is_late = self._is_late(reading)
        if is_late and reading.loss <= _NO_LOSS and reading.round_trip is not None:
            self._late.append(reading.round_trip)
        else:
            self._late.clear()
        if len(self._late) >= _LONGER_AFTER and self._late[-1] > _STAYS * self._late[0]:
            self._answers = deque([(reading.at, self._late[-1])])
            self._late.clear()
        elif reading.loss > _LOSS or (is_late and not _empties(before, reading)):
            self._back_off(before, reading)
        elif not is_late:
            self._at_floor = 0
            if reading.loss <= _NO_LOSS and reading.round_trip is not None:
                self._grow(reading)

    def begin_again(self) -> None:
        """After a pause: try with the least."""
        self.bits_per_second, self._at_floor, self._silent = FLOOR_BITS_PER_SECOND, 0, 0
        self._read_at = None
        self._answers.clear()
        self._late.clear()

    def _note(self, reading: Reading) -> None:
        if reading.round_trip is None:
            self._silent += 1
            return
        self._silent = 0
        if not self._answers:
            # The first page may fill the line before anything is known of it.
            self._answers.append((reading.at, min(reading.round_trip, _USUAL_ROUND_TRIP)))
        self._answers.append((reading.at, reading.round_trip))
        while reading.at - self._answers[0][0] > _QUICKEST_OF_SECONDS:
            self._answers.popleft()

    def _is_late(self, reading: Reading) -> bool:
        if reading.round_trip is None:
            return bool(self._answers) and self._silent >= _SILENT_REPORTS
        quickest = min(round_trip for _, round_trip in self._answers)
        return reading.round_trip > _LATE * max(quickest, _LEAST_ROUND_TRIP)

    def _back_off(self, before: tuple[float, float] | None, reading: Reading) -> None:
        rate = self.bits_per_second
        if reading.round_trip is None:
            left = _LEAST_LEFT
        elif reading.bits_per_second < _USED * rate:
            # Something else fills the line, and to send less than now would not help.
            left = max(_MOST_LEFT, min(1.0, reading.bits_per_second / _USED / rate))
        else:
            width = _width(before, reading)
            self._limit = (reading.at, min(width, rate))
            left = min(max(_BELOW_WIDTH * width / rate, _LEAST_LEFT), _MOST_LEFT)
        self._at_floor = self._at_floor + 1 if rate <= FLOOR_BITS_PER_SECOND else 0
        self.bits_per_second = max(FLOOR_BITS_PER_SECOND, left * rate)

    def _grow(self, reading: Reading) -> None:
        if self._limit is not None and reading.at - self._limit[0] > _LIMIT_HOLDS_SECONDS:
            self._limit = None
        limit = None if self._limit is None else _NEAR * self._limit[1]
        if reading.bits_per_second >= _USED * self.bits_per_second:
            factor = _GROWTH_UNKNOWN if limit is None else _GROWTH_NEAR if self.bits_per_second >= limit else _GROWTH
            self.bits_per_second = min(CEILING_BITS_PER_SECOND, factor * self.bits_per_second)
        else:
            # Nothing shows that the line carries more than is sent; what it carried at first it may be trusted with again.
            most = min(START_BITS_PER_SECOND, limit or START_BITS_PER_SECOND)
            self.bits_per_second = max(self.bits_per_second, min(most, _GROWTH_UNUSED * self.bits_per_second))


def _empties(before: tuple[float, float] | None, reading: Reading) -> bool:
    return before is not None and reading.round_trip is not None and reading.round_trip < _EMPTIES * before[1]


def _width(before: tuple[float, float] | None, reading: Reading) -> float:
    """What the line seems to carry: less than was sent by what was lost, and by what has queued up since the answer before."""
    arrived = reading.bits_per_second * (1 - reading.loss)
    if before is None or reading.round_trip is None or reading.at <= before[0]:
        return arrived
    queued = max(0.0, reading.round_trip - before[1]) / (reading.at - before[0])
    return arrived / (1 + queued)


class KnownRates:
    """What each seat's line last carried, as long as the program runs: the next call begins with it."""

    def __init__(self) -> None:
        self._rates: dict[Hashable, float] = {}

    def start(self, seat: Hashable) -> float:
        """The rate to begin with."""
        known = self._rates.get(seat, START_BITS_PER_SECOND)
        return min(max(known, LOWEST_START_BITS_PER_SECOND), HIGHEST_START_BITS_PER_SECOND)

    def remember(self, seat: Hashable, bits_per_second: float) -> None:
        """Keep this for the next call."""
        self._rates[seat] = bits_per_second
