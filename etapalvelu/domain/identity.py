"""Who is at the ends of an encrypted line, by what both say of it. One word that does not fit another is a stranger between.

Words are compared within one connection only: every new one has new certificates.
"""

from collections.abc import Sequence
from datetime import datetime

from etapalvelu.domain.codes import CauseClass, Seat
from etapalvelu.domain.events import Event, Interrupted, Secured
from etapalvelu.domain.session import EXPERT_SEATS, Session


def secure(session: Session, word: Secured, now: datetime) -> Sequence[Event]:
    """What one end's word adds to the log: itself, and, when it cannot be true of the same line, that the line is lost.

    Said again it adds nothing.
    """
    if word in session.secured:
        return []
    return [word, *(stranger(session, word.seat, word.peer, now) if contradicts(session, word) else ())]


def stranger(session: Session, seat: Seat, peer: Seat, since: datetime) -> Sequence[Event]:
    """That the line of these two is not to be trusted is logged once, whichever ends find out, and however often."""
    is_people = Seat.CAMERA not in (seat, peer)
    # Of the document's line it is the camera that is lost: the people go on.
    lost = peer if is_people else Seat.CAMERA
    is_known = not {lost, *((seat,) if is_people else ())}.isdisjoint(session.distrusted)
    if is_known or lost not in session.seats:
        return []
    return [Interrupted(seat=lost, cause_class=CauseClass.IDENTITY, since=max(session.opened_at, since))]


def apart(session: Session) -> frozenset[Seat]:
    """The seats that nobody may send anything to, nor take anything from, until the distrusted one is taken anew.

    Whoever stands between the people may stand between the expert and the document's camera as well.
    """
    strangers = set(session.distrusted) - {Seat.ROOM}
    if Seat.ROOM in session.distrusted:
        strangers |= EXPERT_SEATS
    return frozenset(strangers.intersection(session.seats))


def contradicts(session: Session, word: Secured) -> bool:
    """Truth that this end, or the other one, said something else of the same connection."""
    return any(_differ(said, word) for said in session.secured if said.generation == word.generation)


def _differ(said: Secured, word: Secured) -> bool:
    if (said.seat, said.peer) == (word.seat, word.peer):
        return (said.own, said.met) != (word.own, word.met)
    if (said.seat, said.peer) == (word.peer, word.seat):
        return (said.own, said.met) != (word.met, word.own)
    return False
