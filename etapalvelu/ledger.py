"""The only writer of sessions.

A change reads the session, lets the rules decide on events, and saves both in one transaction. When somebody else was faster it
is decided anew on what stands now: a person hears the true reason ("already taken"), and what the system has to append is not
lost. Nobody is told before the commit.
"""

from collections.abc import Callable, Sequence

from etapalvelu import faultpoints
from etapalvelu.domain.errors import ConflictError, NotFoundError, StaleError
from etapalvelu.domain.events import Event
from etapalvelu.domain.log import Entry, append
from etapalvelu.domain.session import Session
from etapalvelu.ports import QUEUE, Board, Clock, DeedKey, SessionStore, point_topic, room_topic, session_topic

# How often a change that lost a race is decided anew before the person is asked to look again.
ATTEMPTS = 20

Decide = Callable[[Session], Sequence[Event]]


class Ledger:
    """Made once by `app`, shared by the desk (people, timers) and by the attendance (what happens in calls)."""

    def __init__(self, *, sessions: SessionStore, board: Board, clock: Clock) -> None:
        self._sessions = sessions
        self._board = board
        self._clock = clock

    async def begin(self, session: Session, entry: Entry, key: DeedKey | None = None) -> None:
        """Write a session's first entry. Raises `RoomInUseError` and `KeyKnownError`."""
        await self._save(None, session, [entry], key)

    async def change(self, session: str | Session, actor: str, decide: Decide, key: DeedKey | None = None) -> Session:
        """Append what `decide` says of the session as it stands; it may say nothing, and is asked again after a lost race.

        A session that was read just now spares reading it once more: if it has moved on since, that is a lost race.
        Raises what `decide` raises, `WrongStateError` when the table does not allow it, `NotFoundError`, `KeyKnownError`.
        """
        before = session if isinstance(session, Session) else await self._read(session)
        for _ in range(ATTEMPTS):
            after, entries = before, list[Entry]()
            for event in decide(before):
                after, entry = append(after, event, actor=actor, now=self._clock())
                entries.append(entry)
            if not entries:
                return before
            try:
                await self._save(before, after, entries, key)
            except StaleError:
                before = await self._read(before.id)
                continue
            return after
        raise StaleError

    async def _read(self, session_id: str) -> Session:
        found = await self._sessions.session(session_id)
        if found is None:
            raise NotFoundError
        return found

    async def change_if_true(self, session_id: str, actor: str, decide: Decide) -> Session | None:
        """Like `change`, but what the session has moved past is dropped, having become untrue. None then."""
        try:
            return await self.change(session_id, actor, decide)
        except (ConflictError, NotFoundError):
            return None

    async def _save(self, before: Session | None, after: Session, entries: Sequence[Entry], key: DeedKey | None) -> None:
        await self._sessions.save(before, after, entries, key)
        faultpoints.reach("broadcast.before", entries[-1].type)
        self.announce(after)
        faultpoints.reach("broadcast.after", entries[-1].type)

    def announce(self, after: Session) -> None:
        """Everybody who shows this session looks anew: it changed, or time has made something else of it."""
        self._board.announce({QUEUE, session_topic(after.id), room_topic(after.room), point_topic(after.point)})
