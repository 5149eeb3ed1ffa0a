"""Between which certificates a line is encrypted, as the service's log keeps it."""

import re
from typing import Final

from signaling.messages import LineSecured, Seat

_FINGERPRINT: Final = re.compile(r"^a=fingerprint:sha-256 ([0-9A-F:]{95})\s*$", re.MULTILINE | re.IGNORECASE)


def line_ends(peer: Seat, generation: int, own_sdp: str, their_sdp: str) -> LineSecured | None:
    """What to say of a connected line; None when a description names no SHA-256.

    aiortc connects only when the certificate it met is the one of every fingerprint in the other's description.
    """
    own, met = _fingerprint(own_sdp), _fingerprint(their_sdp)
    return None if own is None or met is None else LineSecured(peer=peer, generation=generation, own=own, met=met)


def _fingerprint(sdp: str) -> str | None:
    found = _FINGERPRINT.search(sdp)
    return None if found is None else found[1].replace(":", "").lower()
