"""How often a seat is heard about a peer: line statistics and interruptions are written down, one row each. No I/O."""

from typing import Final, Literal

from signaling.messages import (
    Bye,
    Candidate,
    Decoded,
    Description,
    FromPeer,
    Hello,
    LineSecured,
    MediaInterrupted,
    MediaResumed,
    Note,
    Noted,
    Quality,
    Restart,
    Seat,
    StillTaken,
)

PACE_SECONDS: Final = 5.0

_Kind = Literal["quality", "interrupted", "resumed", "secured", "identity"]


class Pace:
    """One for a call; knows when each seat was last heard about each peer."""

    def __init__(self) -> None:
        self._heard_at: dict[tuple[Seat, Seat, _Kind], float] = {}
        self._interrupted: set[tuple[Seat, Seat]] = set()

    def admits(self, seat: Seat, message: FromPeer, now: float) -> bool:
        """Truth that the message is to be carried on; what comes too fast is dropped."""
        match message:
            case Quality(peer=peer):
                return self._is_due(seat, peer, "quality", now)
            case Noted(note=note):
                return self._admits_note(seat, note, now)
            case Hello() | Description() | Candidate() | Restart() | Bye():  # pragma: no branch
                return True

    def _admits_note(self, seat: Seat, note: Note, now: float) -> bool:
        match note:
            case LineSecured(peer=peer):
                return self._is_due(seat, peer, "secured", now)
            case MediaInterrupted(peer=peer, cause="identity"):
                # However soon it comes after another loss, a stranger at the other end is heard of.
                self._interrupted.add((seat, peer))
                return self._is_due(seat, peer, "identity", now)
            case MediaInterrupted(peer=peer):
                if not self._is_due(seat, peer, "interrupted", now):
                    return False
                self._interrupted.add((seat, peer))
                return True
            case MediaResumed(peer=peer):
                # The end of an interruption that was heard is heard too, however soon it comes.
                is_awaited = (seat, peer) in self._interrupted
                self._interrupted.discard((seat, peer))
                return self._is_due(seat, peer, "resumed", now) or is_awaited
            case Decoded() | StillTaken():  # pragma: no branch
                return True

    def _is_due(self, seat: Seat, peer: Seat, kind: _Kind, now: float) -> bool:
        last = self._heard_at.get((seat, peer, kind))
        if last is not None and now - last < PACE_SECONDS:
            return False
        self._heard_at[seat, peer, kind] = now
        return True
