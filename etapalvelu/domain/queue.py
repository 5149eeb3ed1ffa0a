"""The order of waiting. A session keeps its place by its opening time, through every release."""

from collections.abc import Iterable
from datetime import datetime
from itertools import count
from typing import Protocol, TypeVar

import msgspec

from etapalvelu.domain.codes import State
from etapalvelu.domain.people import Staff, is_its_expert, serves
from etapalvelu.domain.session import Session


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Of a waiting session, what its place goes by and in which room it is shown."""

    id: str
    room: str
    theme: str
    opened_at: datetime


class _Opened(Protocol):
    """A session, or as much of one as the order goes by."""

    @property
    def id(self) -> str: ...

    @property
    def theme(self) -> str: ...

    @property
    def opened_at(self) -> datetime: ...


_S = TypeVar("_S", bound=_Opened)


def in_order(sessions: Iterable[_S]) -> list[_S]:
    """Oldest opening first; the id settles a tie the same way everywhere."""
    return sorted(sessions, key=lambda session: (session.opened_at, session.id))


def queue_for(expert: Staff, sessions: Iterable[Session]) -> list[Session]:
    """What this expert may take now, open transfer requests included, in the order of service."""
    return in_order(
        session
        for session in sessions
        if session.wants_expert and serves(expert, session) and not is_its_expert(expert, session)
    )


def places(waiting: Iterable[_Opened]) -> dict[str, int]:
    """By id the place of each among those waiting for the same theme, 1 for the next."""
    numbers: dict[str, count[int]] = {}
    return {one.id: next(numbers.setdefault(one.theme, count(1))) for one in in_order(waiting)}


def places_among(sessions: Iterable[Session]) -> dict[str, int]:
    """The same of those among `sessions` that wait."""
    return places(session for session in sessions if session.state is State.WAITING)
