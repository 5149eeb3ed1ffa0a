"""Who is at the ends of an encrypted line, by what both say of it. One word that does not fit another is a stranger between.

Words are compared within one connection only: every new one has new certificates.
"""

from collections.abc import Sequence
from datetime import datetime

from etapalvelu.domain.codes import CauseClass, Seat
from etapalvelu.domain.events import Event, Interrupted, Secured
from etapalvelu.domain.session import Session


def secure(session: Session, word: Secured, now: datetime) -> Sequence[Event]:
    """What one end's word adds to the log: itself, and, when it cannot be true of the same line, that the line is lost.

    Said again it adds nothing.
    """
    if word in session.secured:
        return []
    # Of the document's line it is the camera that is lost, whichever end found out: the people go on.
    lost = Seat.CAMERA if Seat.CAMERA in (word.seat, word.peer) else word.peer
    if not contradicts(session, word) or lost not in session.seats or lost in session.distrusted:
        return [word]
    return [word, Interrupted(seat=lost, cause_class=CauseClass.IDENTITY, since=max(session.opened_at, now))]


def contradicts(session: Session, word: Secured) -> bool:
    """Truth that this end, or the other one, said something else of the same connection."""
    return any(_differ(said, word) for said in session.secured if said.generation == word.generation)


def _differ(said: Secured, word: Secured) -> bool:
    if (said.seat, said.peer) == (word.seat, word.peer):
        return (said.own, said.met) != (word.own, word.met)
    if (said.seat, said.peer) == (word.peer, word.seat):
        return (said.own, said.met) != (word.met, word.own)
    return False
