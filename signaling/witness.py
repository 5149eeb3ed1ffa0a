"""What was announced of the certificates in a call, and whether what is announced or met later fits. No I/O.

Certificates are of one connection: they are held against each other within one generation and the same epochs of both seats.
"""

from dataclasses import dataclass

from signaling.messages import Description, LineSecured, Seat
from signaling.sdp import fingerprints

Epochs = tuple[int, int | None]


@dataclass(frozen=True, kw_only=True)
class _Announced:
    """The newest description from one seat to another; the epoch of a vacant seat is None."""

    generation: int
    epochs: Epochs
    fingerprints: frozenset[str]


class Witness:
    """One for a call; knows only what this server carried."""

    def __init__(self) -> None:
        self._announced: dict[tuple[Seat, Seat], _Announced] = {}

    def is_stranger(self, seat: Seat, message: Description, epochs: Epochs) -> bool:
        """Truth that the description speaks for another certificate than the one before it. It is remembered otherwise."""
        said = _Announced(generation=message.generation, epochs=epochs, fingerprints=fingerprints(message.description.sdp))
        before = self._announced.get((seat, message.to))
        # An offer left for whoever comes may be replaced by another connection's, whatever its number.
        is_of_one_connection = (
            before is not None and None not in epochs and (before.generation, before.epochs) == (said.generation, epochs)
        )
        if before is not None and is_of_one_connection and before.fingerprints != said.fingerprints:
            return True
        self._announced[seat, message.to] = said
        return False

    def contradicts(self, seat: Seat, word: LineSecured) -> bool:
        """Truth that one of the two certificates was not announced here for this connection."""
        own, met = self._announced.get((seat, word.peer)), self._announced.get((word.peer, seat))
        return _is_other(own, word.generation, word.own) or _is_other(met, word.generation, word.met)


def _is_other(announced: _Announced | None, generation: int, fingerprint: str) -> bool:
    if announced is None or announced.generation != generation or not announced.fingerprints:
        return False
    return fingerprint not in announced.fingerprints
