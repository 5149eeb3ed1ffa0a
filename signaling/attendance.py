"""The two Protocols between signaling and the service; all traffic between them but the seat tickets."""

from datetime import datetime
from typing import Protocol

from signaling.messages import Description, Note, Quality, Seat, Waiting


class Attendance(Protocol):
    """What happened in calls, for the service. Every word is awaited before any other seat is told.

    Each method returns in bounded time: while one waits, no other seat of the same call changes hands. `joined` is
    cut off after Limits.commit_seconds; the other words are said once, so the service itself tries again.
    """

    async def joined(self, call: str, seat: Seat, who: str) -> None:
        """Somebody sits down for the first time. Raises RefusedError when they may not after all.

        Idempotent: said again for a seat that was taken before the server was started anew.
        """

    async def left(self, call: str, seat: Seat, who: str, reason: str) -> None:
        """The seat was given up for good: `bye`, `lost`, `replaced`, or the reason the service gave."""

    async def interrupted(self, call: str, seat: Seat, who: str, since: datetime) -> None:
        """The seat was away since `since` (aware, UTC); said together with `resumed`, when it comes back anew."""

    async def resumed(self, call: str, seat: Seat, who: str, gap_ms: int) -> None:
        """The seat is back with a new peer after `gap_ms`."""

    async def noted(self, call: str, seat: Seat, who: str, note: Note) -> None:
        """The seat has something for the log."""

    async def sampled(self, call: str, seat: Seat, who: str, quality: Quality) -> None:
        """The seat sent a summary of its line to another."""


class Calls(Protocol):
    """What the service may ask of signaling."""

    async def end(self, call: str, reason: str) -> None:
        """Tell all seats `call_closed` and close their sockets; no Attendance call follows."""

    async def unseat(self, call: str, seat: Seat, reason: str, who: str | None = None) -> None:
        """Take the seat from `who`, or from whoever sits there; they are told `error {code: "unseated"}`, others `seat_left`.

        Named, so that a word that comes late does not hit the one who sits there by then.
        """

    async def keep_apart(self, call: str, seats: frozenset[Seat]) -> None:
        """Keep every line of these seats cut, and of no others: all ends are told `seat_left` with `identity`, and nothing is
        carried between them until the service names the seat no more; then they are told `seat_joined`.
        """

    def waiting(self, call: str, seat: Seat, who: str) -> list[Waiting]:
        """The offers that wait for a vacant seat, for `who` may come to sit there; they are delivered there all the same.

        None of seats that may be reached through relays only, and none that somebody else has answered in advance.
        """

    async def answer(self, call: str, seat: Seat, who: str, answer: Description) -> bool:
        """Before taking the vacant seat `who` answers an offer in advance that waits there. False when none waits any more.

        The first to answer is heard. The two ends may then connect, and send each other nothing before the seat is taken.
        """

    def promise(self, call: str, seat: Seat, who: str) -> None:
        """The seat was given to `who`: whose offer they have answered in advance may begin before they sit down."""
