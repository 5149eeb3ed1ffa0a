"""The order of waiting. A session keeps its place by its opening time, through every release."""

from collections.abc import Iterable

from etapalvelu.domain.codes import State
from etapalvelu.domain.people import Staff, is_its_expert, serves
from etapalvelu.domain.session import Session


def in_order(sessions: Iterable[Session]) -> list[Session]:
    """Oldest opening first; the id settles a tie the same way everywhere."""
    return sorted(sessions, key=lambda session: (session.opened_at, session.id))


def queue_for(expert: Staff, sessions: Iterable[Session]) -> list[Session]:
    """What this expert may take now, open transfer requests included, in the order of service."""
    return in_order(
        session
        for session in sessions
        if session.wants_expert and serves(expert, session) and not is_its_expert(expert, session)
    )


def place_of(session: Session, sessions: Iterable[Session]) -> int | None:
    """The session's place among those waiting for the same theme, 1 for the next; None when it does not wait."""
    if session.state is not State.WAITING:
        return None
    same = in_order(other for other in sessions if other.state is State.WAITING and other.theme == session.theme)
    return next((place for place, other in enumerate(same, start=1) if other.id == session.id), None)
