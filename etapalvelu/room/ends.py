"""Between which certificates a line is encrypted, as the service's log keeps it."""

from signaling.messages import LineSecured, Seat
from signaling.sdp import fingerprints


def line_ends(peer: Seat, generation: int, own_sdp: str, their_sdp: str) -> LineSecured | None:
    """What to say of a connected line; None unless each description names one certificate by its SHA-256.

    aiortc connects only when the certificate it met is the one of every fingerprint in the other's description.
    """
    own, met = fingerprints(own_sdp), fingerprints(their_sdp)
    if len(own) != 1 or len(met) != 1:
        return None
    return LineSecured(peer=peer, generation=generation, own=min(own), met=min(met))
