"""What the customer is told about the paper: one thing at a time, calmly. Pure; the clock is the caller's."""

from collections.abc import Collection
from typing import Final

APPEARS_AFTER_SECONDS: Final = 0.7
STAYS_SECONDS: Final = 2.0
# A trouble not seen for a moment, because a hand passed or the finding wavered, is still the same trouble.
FORGIVEN_SECONDS: Final = 0.5
# The first in this order is told: what would hide the others stands before them.
ORDER: Final = ("no_page", "cut", "hand", "mat", "turn", "too_far", "glare", "dark", "tilted", "blurred")


class Hints:
    """Looks at the troubles of each moment and says which hint stands on the screen."""

    def __init__(self) -> None:
        self._first: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._hint: str | None = None
        self._since = 0.0

    @property
    def hint(self) -> str | None:
        """The hint that stands now."""
        return self._hint

    def see(self, troubles: Collection[str], now: float, *, is_moving: bool = False) -> str | None:
        """Take what is wrong at `now`; return the hint. While the sheet is moving none appears that was not there."""
        self._note(troubles, now)
        wanted = self._wanted(now)
        if wanted == self._hint or (self._hint is not None and now - self._since < STAYS_SECONDS):
            return self._hint
        if wanted is None and self._first:
            # The next one is on its way, or it was nothing: in between the screen does not go empty.
            return self._hint
        if wanted is not None and is_moving:
            # Whoever is moving the sheet is at it already; only what is over is taken away.
            wanted = self._hint if self._hint in self._first else None
        if wanted != self._hint:
            self._hint, self._since = wanted, now
        return self._hint

    def _note(self, troubles: Collection[str], now: float) -> None:
        for trouble in troubles:
            self._first.setdefault(trouble, now)
            self._last[trouble] = now
        for trouble in [known for known, last in self._last.items() if now - last > FORGIVEN_SECONDS]:
            del self._first[trouble], self._last[trouble]

    def _wanted(self, now: float) -> str | None:
        """The most important trouble that has lasted; the one that stands already needs no more proof."""
        lasting = [
            trouble for trouble, first in self._first.items() if now - first >= APPEARS_AFTER_SECONDS or trouble == self._hint
        ]
        return min(lasting, key=_rank, default=None)


def _rank(trouble: str) -> tuple[int, str]:
    return (ORDER.index(trouble) if trouble in ORDER else len(ORDER), trouble)
