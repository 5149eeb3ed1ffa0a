"""What time alone demands of sessions. Everything is derived from events, so every server may sweep, as often as it likes."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from etapalvelu.desk import Calls, unseat_expert
from etapalvelu.domain.claims import Patience, due, is_slow
from etapalvelu.domain.codes import CloseCause
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.domain.events import Event, Released
from etapalvelu.domain.identity import apart
from etapalvelu.domain.people import SYSTEM, staff_actor
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import Theme, closing_time
from etapalvelu.hours import themes_today
from etapalvelu.ledger import Ledger
from etapalvelu.ports import Calendar, Clock, PlaceStore, SessionStore
from etapalvelu.seats import seat_name
from etapalvelu.steady import SteadyTime

_log = structlog.get_logger("timers")

# How long a deed's key is kept, so that a repeated request is answered as the first time.
KEY_HOURS = 24


class Timers:
    """Made once by `app`."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        sessions: SessionStore,
        calls: Calls,
        calendar: Calendar,
        places: PlaceStore,
        themes: Sequence[Theme],
        clock: Clock,
        patience: Patience,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._calls = calls
        self._calendar = calendar
        self._places = places
        self._themes = themes
        self._clock = clock
        self._patience = patience
        self._time = SteadyTime(clock, steady)
        # The starts that this server's pages were told are slow.
        self._told: frozenset[tuple[str, datetime | None]] = frozenset()
        # The calls in which lines were kept cut at the last sweep.
        self._cut: frozenset[str] = frozenset()

    async def sweep(self) -> None:
        """End what time ends: unused leases, waiting past the theme's hours, calls without a picture, sessions that everybody
        left; keep lines cut that are not to be trusted; and have pages tell of starts that take long.

        A session that cannot be dealt with is logged and keeps no other waiting; a database that is away ends the round.
        """
        sessions = await self._sessions.open_sessions()
        self._time.follow(sessions)
        themes = {theme.key: theme for theme in await themes_today(self._themes, self._places)} if sessions else {}
        self._tell([session for session in sessions if self.is_slow(session)])
        await self._keep_apart(sessions)
        for session in sessions:
            try:
                await self._elapse(session, self._time.now(session), self._closing(session, themes))
            except TryAgainError:
                raise
            except Exception:  # noqa: BLE001 - every session gets its turn; what happened is logged whole
                _log.exception("session_not_swept", session=session.id)

    async def forget_keys(self) -> None:
        """Idempotency keys are kept for a day."""
        await self._sessions.forget_keys(self._clock() - timedelta(hours=KEY_HOURS))

    async def closing_time(self, session: Session) -> datetime | None:
        """When this session's waiting ends by its theme's hours; None when they have no end."""
        themes = [theme for theme in self._themes if theme.key == session.theme]
        return self._closing(session, {theme.key: theme for theme in await themes_today(themes, self._places)})

    def _closing(self, session: Session, themes: Mapping[str, Theme]) -> datetime | None:
        theme = themes.get(session.theme)
        return None if theme is None else closing_time(session.opened_at, theme.hours, self._calendar.is_holiday)

    def is_slow(self, session: Session) -> bool:
        """Truth that picture and sound of this session take so long that everybody is told."""
        return is_slow(session, self._time.now(session), self._patience)

    async def _keep_apart(self, sessions: Sequence[Session]) -> None:
        """Asked anew at each sweep: a server that was restarted, or another one, carries nothing over these lines either."""
        lines = {session.id: apart(session) for session in sessions}
        for call, seats in lines.items():
            if seats or call in self._cut:
                await self._calls.keep_apart(call, frozenset(seat_name(seat) for seat in seats))
        self._cut = frozenset(call for call, seats in lines.items() if seats)

    def _tell(self, slow: Sequence[Session]) -> None:
        for session in slow:
            if (session.id, session.seated_at) not in self._told:
                self._ledger.announce(session)
        self._told = frozenset((session.id, session.seated_at) for session in slow)

    async def _elapse(self, session: Session, now: datetime, closes_at: datetime | None) -> None:
        released: list[str] = []

        def demands(fresh: Session) -> Sequence[Event]:
            events = due(fresh, now, closes_at, self._patience)
            released[:] = [staff_actor(event.expert) for event in events if isinstance(event, Released)]
            return events

        if not demands(session):
            return
        after = await self._ledger.change_if_true(session.id, SYSTEM, demands)
        if after is not None and not after.is_open:
            await self._calls.end(after.id, after.close_cause or CloseCause.LOST)
        elif after is not None:
            for actor in released:
                await unseat_expert(self._calls, actor, after)
