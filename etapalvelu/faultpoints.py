"""Points where a test may have the server die as if its power were cut: before and after each commit, reply and broadcast.

`ETAPALVELU_DIE_AT=POINT`, `POINT:KIND` or `POINT:KIND:NUMBER` kills the process (SIGKILL) when it reaches that point for the
NUMBERth time (the first by default) with that kind: the last event's type, or for replies the last word of the address. A kind
left empty is any. Without the variable a point is a call of a function that does nothing.
"""

import os
import signal
from collections.abc import Callable, Mapping

VARIABLE = "ETAPALVELU_DIE_AT"

POINTS = ("commit.before", "commit.after", "broadcast.before", "broadcast.after", "reply.before", "reply.after")

Reach = Callable[[str, str], None]


class Fuse:
    """Counts how often its point is reached, and ends the process at the last."""

    def __init__(self, text: str, die: Callable[[], None]) -> None:
        self._point, _, rest = text.partition(":")
        self._kind, _, number = rest.partition(":")
        if self._point not in POINTS or not (number or "1").isdecimal():
            raise ValueError(f"{VARIABLE}: write one of {', '.join(POINTS)}, then :KIND and :NUMBER if you like; not {text}")
        self._left = int(number or "1")
        self._die = die

    def reach(self, point: str, kind: str) -> None:
        if point != self._point or self._kind not in ("", kind):
            return
        self._left -= 1
        if self._left == 0:
            self._die()


def lit(environ: Mapping[str, str]) -> Reach:
    """What to call at each point."""
    text = environ.get(VARIABLE)
    return Fuse(text, _die).reach if text else _nothing


def _nothing(_point: str, _kind: str) -> None:
    """The usual case."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


reach = lit(os.environ)
is_lit = reach is not _nothing
