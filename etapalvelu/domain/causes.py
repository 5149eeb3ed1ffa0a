"""Why media were lost: the cause class, named in this one place by what the ends say and by whose sockets fell silent.

A page knows its own devices and whether its own way to the server was lost. Which other end was cut the server knows, for it
hears one and not the other.
"""

from collections.abc import Container

from etapalvelu.domain.codes import CauseClass, Path, Seat
from etapalvelu.domain.session import EXPERT_SEATS

# What a page can only guess: what lies at the other end, and on the way there.
_GUESSES = frozenset({CauseClass.SITE_NETWORK, CauseClass.EXPERT_SIDE, CauseClass.DOCUMENT_CAMERA})


def side(seat: Seat) -> CauseClass:
    """The class of a seat whose socket, and so whose machine or network, was lost."""
    return CauseClass.EXPERT_SIDE if seat in EXPERT_SEATS else CauseClass.SITE_NETWORK


def cause_of(
    said: str,
    *,
    teller: Seat,
    lost: Seat,
    unheard: Container[Seat],
    seats: Container[Seat],
    path: Path | None = None,
    relay_protocol: str | None = None,
) -> CauseClass:
    """Why `teller` gets nothing from `lost`. `unheard` are the taken seats that the server heard nothing of since the loss, or
    for a part of that time; `path` is how the people's media travel; `relay_protocol` is how a relay answered the teller since.
    """
    hint = CauseClass(said) if said in CauseClass.__members__.values() else CauseClass.UNKNOWN
    if hint is not CauseClass.UNKNOWN and hint not in _GUESSES:
        return hint
    if lost in unheard:
        # The screen beside it is still there: it is neither the room's network nor its machine.
        is_alone = lost is Seat.CAMERA and Seat.ROOM in seats and Seat.ROOM not in unheard
        return CauseClass.DOCUMENT_CAMERA if is_alone else side(lost)
    if teller in unheard or hint is side(teller):
        return side(teller)
    # Both ends reach the server and not each other: UDP is dropped at one of them. Who meets the relay by it knows at which;
    # of two in one room it tells nothing.
    is_apart = side(teller) is not side(lost)
    if is_apart and relay_protocol == "tcp":
        return side(teller)
    if is_apart and relay_protocol == "udp":
        return side(lost)
    if hint is CauseClass.DOCUMENT_CAMERA:
        return hint
    # Where a relay of ours stands between them, it is the first to be looked at.
    # Otherwise nobody knows on whose side it is, whatever the page may guess of the other one.
    return CauseClass.SERVER if path is Path.RELAY else CauseClass.UNKNOWN
