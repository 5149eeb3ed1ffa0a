"""What the expert's templates need, made from the domain's objects. No I/O here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from etapalvelu.domain.codes import CauseClass, CloseCause, FollowUp, Language, Need, Outcome, Reason, Seat, State
from etapalvelu.domain.people import Role, Staff, is_its_expert
from etapalvelu.domain.queue import in_order, queue_for
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import Theme
from etapalvelu.ports import Account

# A fragment is never longer; who waits further back is seen when the ones before are served.
MOST_LINES = 50


class QueueLine(msgspec.Struct, frozen=True, kw_only=True):
    """One customer this expert may take. `place` is the order of service over all the expert's themes."""

    id: str
    place: int
    theme: str
    language: Language
    reason: Reason
    needs: tuple[Need, ...]
    point: str
    room: str
    since: datetime
    transfer: bool


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The session under way, as the slim bar tells it. `since` is when it connected, or was taken.

    `is_slow`: picture and sound take long; `last_try`: should they not come, the session ends. `handover` is how far a
    transfer has come: `asked`, `coming` and `here` for who hands over, `taking` for who takes over; empty without one.
    """

    id: str
    state: State
    theme: str
    language: Language
    reason: Reason
    needs: tuple[Need, ...]
    point: str
    room: str
    since: datetime
    advisor_stays: bool
    on_hold: bool
    transfer: bool
    is_slow: bool
    last_try: bool
    handover: str
    colleague: str
    distrusted: tuple[Seat, ...] = ()


class ExpertView(msgspec.Struct, frozen=True, kw_only=True):
    """`/expert` without the session under way."""

    lines: tuple[QueueLine, ...]
    themes: tuple[str, ...]
    outcomes: tuple[Outcome, ...] = tuple(Outcome)
    follow_ups: tuple[FollowUp, ...] = tuple(FollowUp)
    causes: tuple[CloseCause, ...] = (CloseCause.COMPLETED, CloseCause.CUSTOMER_LEFT, CloseCause.TECHNICAL)
    cause_classes: tuple[CauseClass, ...] = tuple(CauseClass)


def expert_view(
    expert: Staff,
    open_sessions: Iterable[Session],
    themes: Sequence[Theme],
    rooms: Mapping[str, str],
    points: Mapping[str, str],
) -> ExpertView:
    return ExpertView(
        lines=queue_lines(expert, open_sessions, rooms, points),
        themes=tuple(theme.key for theme in themes if theme.offered),
    )


def queue_lines(
    expert: Staff, sessions: Iterable[Session], rooms: Mapping[str, str], points: Mapping[str, str]
) -> tuple[QueueLine, ...]:
    """What this expert may take, in the order of service."""
    queue = queue_for(expert, sessions)[:MOST_LINES]
    return tuple(
        QueueLine(
            id=session.id,
            place=place,
            theme=_theme(session),
            language=session.language,
            reason=session.reason,
            needs=session.needs,
            point=points.get(session.point, session.point),
            room=rooms.get(session.room, session.room),
            since=session.opened_at,
            transfer=session.transfer is not None,
        )
        for place, session in enumerate(queue, start=1)
    )


def own_session(expert: Staff, sessions: Iterable[Session]) -> Session | None:
    """The session this expert has now; the newest, should there be two."""
    own = [session for session in in_order(sessions) if session.is_open and is_its_expert(expert, session)]
    return own[-1] if own else None


def colleagues(expert: Staff, accounts: Iterable[Account]) -> tuple[tuple[str, str], ...]:
    """The other experts, to whom a session may be handed over: account and name, by name."""
    others = [
        one.staff for one in accounts if one.active and one.staff.role is Role.EXPERT and one.staff.account != expert.account
    ]
    return tuple(sorted(((one.account, one.shown_name) for one in others), key=lambda other: (other[1], other[0])))


def session_facts(
    session: Session,
    expert: Staff,
    names: Mapping[str, str],
    rooms: Mapping[str, str],
    points: Mapping[str, str],
    *,
    is_slow: bool,
) -> SessionFacts:
    handover = _handover(session, expert)
    colleague = session.expert if handover == "taking" else session.successor
    return SessionFacts(
        id=session.id,
        state=session.state,
        theme=session.theme,
        language=session.language,
        reason=session.reason,
        needs=session.needs,
        point=points.get(session.point, session.point),
        room=rooms.get(session.room, session.room),
        since=session.connected_at or session.claimed_at or session.opened_at,
        advisor_stays=session.advisor_stays,
        on_hold=session.on_hold,
        transfer=session.transfer is not None,
        is_slow=is_slow,
        last_try=session.failed_starts > 0,
        handover=handover,
        colleague=names.get(colleague or "", ""),
        distrusted=session.distrusted,
    )


def _handover(session: Session, expert: Staff) -> str:
    if session.successor is None:
        return "asked" if session.transfer is not None else ""
    if session.successor == expert.account:
        return "taking"
    return "here" if session.successor_seat in session.seats else "coming"


def _theme(session: Session) -> str:
    if session.transfer is not None and session.transfer.theme is not None:
        return session.transfer.theme
    return session.theme
