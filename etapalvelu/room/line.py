"""One viewer's line: what its receiver reports, how much is sent over it therefore, and who wants to hear of that."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from etapalvelu.room.ladder import STEPS, Ladder
from etapalvelu.room.rate import START_BITS_PER_SECOND, RateControl, Reading
from signaling.document import LineStep

# After a still the queue it made on the line takes a moment to empty.
AFTER_YIELDING_SECONDS: Final = 2.0


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What a viewer gets: its own line's step, or that of the slowest viewer it shares the stream with."""

    step: LineStep
    frames_per_second: int


class Line:
    """`bits_per_second` and `frames_per_second` are what this line carries; `carried` is what is sent over it."""

    def __init__(self, start: float = START_BITS_PER_SECOND, *, is_in_room: bool = False) -> None:
        # The room's own screen, which stands beside the camera.
        self.is_in_room = is_in_room
        self._rate = RateControl(start)
        self._ladder = Ladder()
        self._listeners: list[Callable[[Carried], None]] = []
        self._yielding = 0
        self._yielded_at = float("-inf")
        # What the frames of the last second took on average; told by whoever sends them.
        self.frame_bits = 0.0
        # Seconds, as last reported.
        self.round_trip = 0.0
        # Whoever shares a stream among several lines has this decided there.
        self.changed: Callable[[], None] = self.say_own
        self.carried = Carried(step=STEPS[0].name, frames_per_second=STEPS[0].frames_per_second)

    @property
    def bits_per_second(self) -> float:
        return self._rate.bits_per_second

    @property
    def frames_per_second(self) -> int:
        return self._ladder.step.frames_per_second

    @property
    def step(self) -> LineStep:
        return self._ladder.step.name

    def listen(self, listener: Callable[[Carried], None]) -> None:
        """Call `listener` whenever `carried` changes."""
        self._listeners.append(listener)

    def say(self, carried: Carried) -> None:
        """Tell what is sent over this line from now on."""
        if carried != self.carried:
            self.carried = carried
            for listener in self._listeners:
                listener(carried)

    def say_own(self) -> None:
        """What this line carries is what is sent over it."""
        self.say(Carried(step=self.step, frames_per_second=self.frames_per_second))

    def take(self, reading: Reading) -> None:
        """Judge the line by a reading, unless a still makes it look worse than it is."""
        if reading.round_trip is not None:
            self.round_trip = reading.round_trip
        if self._yielding or reading.at - self._yielded_at < AFTER_YIELDING_SECONDS:
            return
        before = self._ladder.step
        if before.frames_per_second:
            self._rate.feed(reading)
        self._ladder.feed(
            self._rate.bits_per_second, frame_bits=self.frame_bits, is_choked=self._rate.is_choked, now=reading.at
        )
        if not before.frames_per_second and self.frames_per_second:
            self._rate.begin_again()
        self.changed()

    def begin_yielding(self) -> None:
        """A still is on its way: what is read meanwhile says nothing of the video."""
        self._yielding += 1

    def end_yielding(self, now: float) -> None:
        self._yielding -= 1
        self._yielded_at = now
