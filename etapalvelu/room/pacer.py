"""What leaves for one line, and when: a large picture not at one stroke, what was lost not again and again. No I/O.

A receiver asks for everything it misses every tenth of a second. On a line that is full, answering that alone keeps it full:
measured at 300 kbit/s, 800 packets a second were repeated and dropped, and neither people nor paper came through.
"""

import time
from collections.abc import Callable
from typing import Final

from etapalvelu.room.line import Line

# Share of what the line carries that may go to repeating, and for how long that may be saved up.
REPEATED_SHARE: Final = 0.5
SAVED_SECONDS: Final = 0.5
# Nobody waits for what is older: the picture has moved on.
WORTH_SECONDS: Final = 1.0
# A repeated packet is given the time to arrive, as the round trip seems to be, within these bounds.
LEAST_SECONDS: Final = 0.08
MOST_SECONDS: Final = 0.5
# On a thin line a picture leaves so many times as fast as the line seems to be: sound is to find room between its packets.
HASTE: Final = 2.5
# Shorter waits are not kept exactly, and not worth it.
_SHORTEST_WAIT: Final = 0.005
_BITS: Final = 8
_REMEMBERED: Final = 1024


class Pacer:
    """Of one viewer's picture. Packets are known by the sequence numbers of RFC 3550."""

    def __init__(self, line: Line, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._line = line
        self._clock = clock
        self._free_at = 0.0
        # By number: its size in bytes, when it was sent, and when it may be repeated.
        self._sent: dict[int, tuple[int, float, float]] = {}
        # Bits that may be repeated.
        self._saved, self._saved_at = SAVED_SECONDS * REPEATED_SHARE * line.bits_per_second, clock()

    def schedule(self, number: int, size: int) -> float:
        """Take note of a packet of `size` bytes: the seconds to wait before it is sent, none for one that is repeated."""
        if number in self._sent:
            return 0.0
        now, wait = self._clock(), 0.0
        if self._line.step != "full":
            wait = max(0.0, self._free_at - now)
            self._free_at = max(self._free_at, now) + size * _BITS / (HASTE * self._line.bits_per_second)
        self._sent[number] = size, now + wait, now + wait
        if len(self._sent) > _REMEMBERED:
            del self._sent[next(iter(self._sent))]
        return wait if wait >= _SHORTEST_WAIT else 0.0

    def allow_repeat(self, number: int) -> bool:
        """Whether a packet that was reported lost is to be sent again now; what is allowed counts as sent."""
        now = self._clock()
        if number not in self._sent:
            return False
        size, sent_at, again_at = self._sent[number]
        rate = REPEATED_SHARE * self._line.bits_per_second
        self._saved = min(self._saved + (now - self._saved_at) * rate, SAVED_SECONDS * rate)
        self._saved_at = now
        if now - sent_at > WORTH_SECONDS or now < again_at or self._saved < size * _BITS:
            return False
        self._saved -= size * _BITS
        self._sent[number] = size, sent_at, now + self._patience()
        return True

    def _patience(self) -> float:
        return min(max(self._line.round_trip, LEAST_SECONDS), MOST_SECONDS)
