"""The deeds of people. Each checks who asks, lets the rules decide, and writes through the ledger."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from etapalvelu.domain.claims import LEASE_SECONDS, check_late, claim, release, require_expert
from etapalvelu.domain.codes import (
    ActingFor,
    CauseClass,
    CloseCause,
    FollowUp,
    IdentifiedBy,
    Language,
    Need,
    Outcome,
    Reason,
    ReleaseReason,
    Seat,
)
from etapalvelu.domain.errors import (
    AlreadyTakenError,
    InvalidFieldError,
    NotAllowedError,
    NotFoundError,
    NotOfferedError,
    WrongStateError,
)
from etapalvelu.domain.events import (
    AdvisorLeaves,
    AdvisorStays,
    Closed,
    Continued,
    Event,
    Held,
    Identified,
    Noted,
    Opened,
    TransferRequested,
)
from etapalvelu.domain.log import open_session
from etapalvelu.domain.people import Person, Role, Staff, is_its_expert, may_close, may_know, may_sit
from etapalvelu.domain.places import Room, ServicePoint, check_opening
from etapalvelu.domain.queue import queue_for
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import Theme
from etapalvelu.hours import themes_today
from etapalvelu.late import Late, LateReports
from etapalvelu.ledger import Decide, Ledger
from etapalvelu.once import once
from etapalvelu.ports import AccountStore, Answer, Calendar, Clock, DeedKey, PlaceStore, SessionStore
from etapalvelu.seats import CallSettings, SeatName, SeatOffer, offer_seat, seat_name

# The others are the system's own.
RELEASE_REASONS = (ReleaseReason.CANNOT_SERVE, ReleaseReason.WRONG_THEME)


class Calls(Protocol):
    """What the desk may ask of signaling."""

    async def end(self, call: str, reason: str) -> None: ...

    async def unseat(self, call: str, seat: SeatName, reason: str, who: str | None = None) -> None: ...

    async def keep_apart(self, call: str, seats: frozenset[SeatName]) -> None: ...

    def promise(self, call: str, seat: SeatName, who: str) -> None: ...


class OpenRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the advisor asks for."""

    room: str
    theme: str
    language: Language
    reason: Reason
    needs: tuple[Need, ...] = ()
    advisor_stays: bool = False


class CloseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a session ends. `outcomes` count from its expert only; `cause_class` only with `technical` (default `unknown`)."""

    cause: CloseCause
    cause_class: CauseClass | None = None
    outcomes: tuple[Outcome, ...] | None = None
    follow_up: FollowUp = FollowUp.NONE


After = Callable[[Session], Awaitable[None]]


class Desk:
    """Made once by `app`; every method is one deed. Refusals are `domain.errors`, and mean that nothing was done."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        sessions: SessionStore,
        places: PlaceStore,
        accounts: AccountStore,
        calls: Calls,
        calendar: Calendar,
        themes: Sequence[Theme],
        settings: CallSettings,
        clock: Clock,
        lease_seconds: int = LEASE_SECONDS,
    ) -> None:
        self._ledger = ledger
        self._sessions = sessions
        self._places = places
        self._accounts = accounts
        self._calls = calls
        self._calendar = calendar
        self._themes = {theme.key: theme for theme in themes}
        self._settings = settings
        self._clock = clock
        self._lease_seconds = lease_seconds
        self._late = LateReports(sessions, clock)
        # Sessions that some `take` is claiming just now: who takes meanwhile tries the next, and not the same in vain.
        self._being_taken: set[str] = set()

    @property
    def themes(self) -> Sequence[Theme]:
        return tuple(self._themes.values())

    # The advisor's deeds

    async def open(self, who: Person, request: OpenRequest, *, key: DeedKey | None = None) -> Session:
        """Open a session in a free room. Refused outside the hours of theme and point, and for a room in use."""

        async def deed() -> Session:
            if not (isinstance(who, Staff) and who.role is Role.ADVISOR):
                raise NotAllowedError
            room, point = await self._place(who, request.room)
            (theme,) = await themes_today([self._theme(request.theme)], self._places)
            check_opening(theme, room, point, self._clock(), self._calendar.is_holiday)
            event = Opened(
                point=point.id,
                room=room.id,
                theme=request.theme,
                language=request.language,
                reason=request.reason,
                needs=tuple(dict.fromkeys(request.needs)),
                advisor_stays=request.advisor_stays,
            )
            session_id = secrets.token_urlsafe(16)
            session, entry = open_session(session_id, event, advisor=who.account, actor=who.actor, now=self._clock())
            await self._ledger.begin(session, entry, key)
            return session

        return await once(self._sessions, key, deed)

    async def advisor_present(self, who: Person, session_id: str, stays: bool, *, key: DeedKey | None = None) -> Session:
        """The customer chose whether the advisor stays."""

        def decide(session: Session) -> Sequence[Event]:
            if not (isinstance(who, Staff) and who.role is Role.ADVISOR):
                raise NotAllowedError
            return [AdvisorStays() if stays else AdvisorLeaves()]

        async def then(session: Session) -> None:
            if not stays:
                await self._calls.unseat(session.id, seat_name(Seat.ADVISOR), "advisor_leaves")

        return await self._deed(who, session_id, decide, key, then)

    # The expert's deeds

    async def claim(self, who: Person, session_id: str, *, key: DeedKey | None = None) -> Session:
        """Take this session, or answer its transfer request. `AlreadyTakenError` when another expert was faster."""

        return await self._deed(who, session_id, self._claim_by(who), key, partial(self._promise, who.actor))

    async def take(self, who: Person, themes: Sequence[str] | None, *, key: DeedKey | None = None) -> Session | None:
        """Claim the oldest session this expert may take, of `themes` when given. None when nothing waits."""

        async def deed() -> Session | None:
            if not isinstance(who, Staff) or who.role is not Role.EXPERT:
                raise NotAllowedError
            for theme in themes or ():
                self._theme(theme, "themes")
            for session in queue_for(who, await self._sessions.open_sessions()):
                if (themes is not None and session.theme not in themes) or session.id in self._being_taken:
                    continue
                self._being_taken.add(session.id)
                try:
                    claimed = await self._ledger.change(session, who.actor, self._claim_by(who), key)
                except (AlreadyTakenError, WrongStateError, NotFoundError, NotAllowedError):
                    continue
                finally:
                    self._being_taken.discard(session.id)
                await self._promise(who.actor, claimed)
                return claimed
            if key is not None:
                await self._sessions.keep_answer(key, Answer())
            return None

        return await once(self._sessions, key, deed)

    async def release(self, who: Person, session_id: str, reason: ReleaseReason, *, key: DeedKey | None = None) -> Session:
        """Give the session back; it keeps its place and its waiting time."""

        def decide(session: Session) -> Sequence[Event]:
            require_expert(who, session)
            if reason not in RELEASE_REASONS:
                raise InvalidFieldError("reason", allowed=RELEASE_REASONS)
            return release(session, reason)

        return await self._deed(who, session_id, decide, key, partial(unseat_expert, self._calls, who.actor))

    async def transfer(
        self,
        who: Person,
        session_id: str,
        *,
        theme: str | None,
        expert: str | None,
        code: ReleaseReason,
        key: DeedKey | None = None,
    ) -> Session:
        """Ask another line or another expert to go on; the customer stays connected until somebody has come."""
        if (theme is None) == (expert is None):
            raise InvalidFieldError("theme", "theme_or_expert")
        line = None if theme is None else self._theme(theme)
        if expert is not None:
            await self._check_expert(expert)

        def decide(session: Session) -> Sequence[Event]:
            require_expert(who, session)
            if line is not None and not line.offered:
                raise NotOfferedError(theme=line.key)
            return [TransferRequested(theme=theme, expert=expert, code=code)]

        return await self._deed(who, session_id, decide, key)

    async def note(
        self,
        who: Person,
        session_id: str,
        outcomes: Sequence[Outcome],
        follow_up: FollowUp = FollowUp.NONE,
        *,
        key: DeedKey | None = None,
        since: datetime | None = None,
    ) -> Session:
        """Write down what came of it, in codes. `since`: it is reported late, and was done then."""

        def decide(session: Session) -> Sequence[Event]:
            require_expert(who, session)
            check_late(session, since, self._clock())
            return [Noted(outcomes=tuple(dict.fromkeys(outcomes)), follow_up=follow_up, since=since)]

        said = {"outcomes": list(outcomes), "follow_up": follow_up}
        async with self._late.keeping(who, session_id, Late(deed="note", since=since, said=said), key):
            return await self._deed(who, session_id, decide, key)

    async def identify(
        self, who: Person, session_id: str, how: IdentifiedBy, acting_for: ActingFor, *, key: DeedKey | None = None
    ) -> Session:
        """Write down how the customer was identified; never who they are."""

        def decide(session: Session) -> Sequence[Event]:
            require_expert(who, session)
            return [Identified(how=how, acting_for=acting_for)]

        return await self._deed(who, session_id, decide, key)

    async def hold(self, who: Person, session_id: str, on_hold: bool, *, key: DeedKey | None = None) -> Session:
        """Put the customer on hold, or go on."""

        def decide(session: Session) -> Sequence[Event]:
            require_expert(who, session)
            return [Held() if on_hold else Continued()]

        return await self._deed(who, session_id, decide, key)

    async def close(
        self,
        who: Person,
        session_id: str,
        request: CloseRequest,
        *,
        key: DeedKey | None = None,
        since: datetime | None = None,
    ) -> Session:
        """End the session for everybody in it. Outcomes given by its expert are noted in the same transaction.

        `since`: it is reported late, and was done then.
        """
        cause_class = _cause_class(request)

        def decide(session: Session) -> Sequence[Event]:
            if not session.is_open:
                raise WrongStateError(session.state, "close")
            if not may_close(who, session, request.cause):
                raise NotAllowedError
            check_late(session, since, self._clock())
            closed = Closed(cause=request.cause, cause_class=cause_class, since=since)
            if request.outcomes is None or not is_its_expert(who, session):
                return [closed]
            noted = Noted(outcomes=tuple(dict.fromkeys(request.outcomes)), follow_up=request.follow_up, since=since)
            return [noted, closed]

        said = msgspec.to_builtins(request)
        async with self._late.keeping(who, session_id, Late(deed="close", since=since, said=said), key):
            session = await self._deed(who, session_id, decide, key)
        await self._calls.end(session.id, session.close_cause or request.cause)
        return session

    # Seats

    async def ticket(self, who: Person, login: str, session_id: str, seat: Seat) -> SeatOffer:
        """A ticket to this seat for whoever may sit there, used by one socket within a minute."""
        session = await self._known(who, session_id)
        if not session.is_open:
            raise WrongStateError(session.state, "ticket")
        if not may_sit(who, session, seat):
            raise NotAllowedError
        return offer_seat(self._settings, session.id, seat, who, login, secrets.token_urlsafe(16), self._clock())

    def ticket_of_claim(self, who: Staff, login: str, session: Session) -> SeatOffer:
        """The ticket that goes with a claim: made of the session alone, so a repeated deed answers to the letter the same."""
        seat = session.expert_seat if session.expert == who.account else session.successor_seat
        ticket_id = hashlib.sha256(f"{session.head}:{seat}".encode()).hexdigest()[:32]
        return offer_seat(self._settings, session.id, seat, who, login, ticket_id, session.last_at)

    # How every deed goes

    async def _deed(
        self, who: Person, session_id: str, decide: Decide, key: DeedKey | None, then: After | None = None
    ) -> Session:
        """`then` follows the commit once: when the deed is only repeated, somebody else may sit there by now."""

        async def deed() -> Session:
            session = await self._ledger.change(await self._known(who, session_id), who.actor, decide, key)
            if then is not None:
                await then(session)
            return session

        return await once(self._sessions, key, deed)

    def _claim_by(self, who: Person) -> Decide:
        return lambda session: claim(who, session, self._lease_seconds)

    async def _promise(self, actor: str, session: Session) -> None:
        """The room may begin with the expert whose seat is sure now, if their line stands."""
        self._calls.promise(session.id, seat_name(session.expert_seat), actor)

    async def _known(self, who: Person, session_id: str) -> Session:
        session = await self._sessions.session(session_id)
        if session is None or not may_know(who, session):
            raise NotFoundError
        return session

    # Conditions

    async def _place(self, who: Staff, room_id: str) -> tuple[Room, ServicePoint]:
        room = await self._places.room(room_id)
        if room is None or (who.point is not None and room.point != who.point):
            raise InvalidFieldError("room")
        point = await self._places.point(room.point)
        if point is None:
            raise InvalidFieldError("room")
        return room, point

    def _theme(self, key: str, field: str = "theme") -> Theme:
        if key not in self._themes:
            raise InvalidFieldError(field, allowed=self._themes)
        return self._themes[key]

    async def _check_expert(self, account: str) -> None:
        found = await self._accounts.account(account)
        if found is None or not found.active or found.staff.role is not Role.EXPERT:
            raise InvalidFieldError("expert")


async def unseat_expert(calls: Calls, actor: str, session: Session) -> None:
    """After a release: the expert whose claim ended gives up the seat. Another may have claimed and sat down by now."""
    for seat in (Seat.EXPERT, Seat.EXPERT2):
        await calls.unseat(session.id, seat_name(seat), "released", actor)


def _cause_class(request: CloseRequest) -> CauseClass | None:
    if request.cause is CloseCause.TECHNICAL:
        return request.cause_class or CauseClass.UNKNOWN
    if request.cause_class is not None:
        raise InvalidFieldError("cause_class", "only_with_technical")
    return None
