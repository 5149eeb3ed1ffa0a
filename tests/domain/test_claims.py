"""Taking, giving back, and what time alone demands."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from msgspec.structs import replace

from etapalvelu.domain.claims import (
    GONE_SECONDS,
    LEASE_SECONDS,
    LOST_SECONDS,
    Patience,
    check_late,
    claim,
    due,
    is_slow,
    release,
    require_expert,
)
from etapalvelu.domain.codes import CauseClass, CloseCause, Language, ReleaseReason, Seat
from etapalvelu.domain.errors import AlreadyTakenError, LateReportError, NotAllowedError, RefusalError, WrongStateError
from etapalvelu.domain.events import Claimed, Closed, Event, Joined, Left, Released, Transferred, TransferRequested
from etapalvelu.domain.people import Device, Person, Role, Staff
from tests.domain.samples import (
    ASKED,
    CLAIMED,
    CLOSED,
    CONNECTED,
    ENDED,
    HANDED_OVER,
    INTERRUPTED,
    NOW,
    OPENED,
    SERVED,
    TAKEN,
    WAITING,
    after,
    sits,
)

EERO = Staff(account="eero", role=Role.EXPERT, themes=("pensions",), languages=(Language.FI,))
ELSA = Staff(account="elsa", role=Role.EXPERT, themes=("pensions", "families"), languages=(Language.FI,))
VEIKKO = Staff(account="veikko", role=Role.EXPERT, themes=("sickness",), languages=(Language.FI,))
ADVISOR = Staff(account="aino", role=Role.ADVISOR, point="rantala", themes=("pensions",), languages=(Language.FI,))
SCREEN = Device(room="rantala-1", point="rantala", role=Role.ROOM)
TO_ELSA = TransferRequested(code=ReleaseReason.WRONG_THEME, expert="elsa")


@pytest.mark.parametrize(
    ("who", "history", "events"),
    [
        (EERO, WAITING, [Claimed(expert="eero", lease_seconds=LEASE_SECONDS)]),
        (ELSA, WAITING, [Claimed(expert="elsa", lease_seconds=LEASE_SECONDS)]),
        (ELSA, (*SERVED, ASKED), [Transferred(expert="elsa")]),
        (ELSA, (*SERVED, TO_ELSA), [Transferred(expert="elsa")]),
    ],
)
def test_a_claim_says(who: Person, history: Sequence[Event], events: list[Event]) -> None:
    assert claim(who, after(*history)) == events


@pytest.mark.parametrize(
    ("who", "history", "refusal"),
    [
        (ADVISOR, WAITING, NotAllowedError),
        (SCREEN, WAITING, NotAllowedError),
        (VEIKKO, WAITING, NotAllowedError),
        (EERO, TAKEN, WrongStateError),
        (EERO, SERVED, WrongStateError),
        (EERO, (*SERVED, ASKED), WrongStateError),
        (ELSA, HANDED_OVER, WrongStateError),
        (EERO, ENDED, WrongStateError),
        (ELSA, ENDED, WrongStateError),
        (ELSA, TAKEN, AlreadyTakenError),
        (VEIKKO, TAKEN, AlreadyTakenError),
        (ELSA, SERVED, AlreadyTakenError),
        (VEIKKO, HANDED_OVER, AlreadyTakenError),
        (VEIKKO, (*SERVED, ASKED), NotAllowedError),
        (VEIKKO, (*SERVED, TO_ELSA), NotAllowedError),
    ],
)
def test_a_claim_is_refused(who: Person, history: Sequence[Event], refusal: type[RefusalError]) -> None:
    with pytest.raises(refusal) as told:
        claim(who, after(*history))

    assert type(told.value) is refusal


def test_a_release_gives_up_the_seat_first_when_it_was_taken() -> None:
    released = Released(expert="eero", reason=ReleaseReason.CANNOT_SERVE)

    assert release(after(*TAKEN), ReleaseReason.CANNOT_SERVE) == [released]
    assert release(after(*SERVED), ReleaseReason.CANNOT_SERVE) == [Left(seat=Seat.EXPERT), released]


@pytest.mark.parametrize("history", [WAITING, HANDED_OVER])
def test_what_nobody_holds_or_was_handed_over_cannot_be_released(history: Sequence[Event]) -> None:
    with pytest.raises(WrongStateError):
        release(after(*history), ReleaseReason.CANNOT_SERVE)


def test_a_deed_of_the_expert_needs_this_sessions_expert() -> None:
    require_expert(EERO, after(*SERVED))
    require_expert(ELSA, after(*HANDED_OVER))
    for who, history in ((ELSA, SERVED), (ADVISOR, SERVED), (SCREEN, SERVED), (VEIKKO, WAITING), (ADVISOR, WAITING)):
        with pytest.raises(NotAllowedError):
            require_expert(who, after(*history))
    for history in (ENDED, WAITING):
        with pytest.raises(WrongStateError):
            require_expert(EERO, after(*history))


def test_what_is_reported_late_was_done_in_the_session_and_not_later_than_now() -> None:
    session, now = after(*SERVED), NOW + timedelta(minutes=5)

    for since in (None, NOW, NOW + timedelta(minutes=2), now):
        check_late(session, since, now)
    for since, reason in ((NOW - timedelta(milliseconds=1), "before_opening"), (now + timedelta(milliseconds=1), "after_now")):
        with pytest.raises(LateReportError) as refusal:
            check_late(session, since, now)
        assert refusal.value.facts == {"reason": reason}


LEASE_OVER = NOW + timedelta(seconds=LEASE_SECONDS)
PATIENCE = Patience()
CONNECT_OVER = NOW + timedelta(seconds=PATIENCE.give_up_seconds)
LOST = NOW + timedelta(seconds=LOST_SECONDS)
CLOSES = NOW + timedelta(hours=6)
SEATED = (*TAKEN, *sits(Seat.EXPERT))
# Once already the customer went back to the queue without having seen anybody.
SEATED_AGAIN = (
    *SEATED,
    Left(seat=Seat.EXPERT),
    Released(expert="eero", reason=ReleaseReason.EXPERT_LOST),
    CLAIMED,
    *sits(Seat.EXPERT),
)
DESERTED = (*HANDED_OVER, Left(seat=Seat.EXPERT))
GONE = NOW + timedelta(seconds=GONE_SECONDS)
EVERYBODY_WENT = (
    *SERVED,
    Left(seat=Seat.EXPERT),
    Released(expert="eero", reason=ReleaseReason.EXPERT_LOST),
    *(Left(seat=seat) for seat in after(*SERVED).seats if seat is not Seat.EXPERT),
)


@pytest.mark.parametrize(
    ("history", "moment", "events"),
    [
        (tuple(sits(Seat.ROOM)), CLOSES, [Closed(cause=CloseCause.HOURS_ENDED)]),
        (WAITING, LOST, [Closed(cause=CloseCause.LOST)]),
        ((*sits(Seat.ROOM), Left(seat=Seat.ROOM)), LOST, [Closed(cause=CloseCause.LOST)]),
        (TAKEN, LEASE_OVER, [Released(expert="eero", reason=ReleaseReason.LEASE)]),
        (SEATED, CONNECT_OVER, [Left(seat=Seat.EXPERT), Released(expert="eero", reason=ReleaseReason.EXPERT_LOST)]),
        (SEATED_AGAIN, CONNECT_OVER, [Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.UNKNOWN)]),
        (
            (*SEATED_AGAIN, INTERRUPTED),
            CONNECT_OVER,
            [Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.SITE_NETWORK)],
        ),
        (
            (*SEATED_AGAIN, Left(seat=Seat.ROOM)),
            CONNECT_OVER,
            [Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.SITE_NETWORK)],
        ),
        (
            (*SERVED, Left(seat=Seat.ROOM)),
            GONE,
            [Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.SITE_NETWORK)],
        ),
        (EVERYBODY_WENT, GONE, [Closed(cause=CloseCause.LOST)]),
        (DESERTED, LEASE_OVER, [Released(expert="elsa", reason=ReleaseReason.LEASE)]),
    ],
)
def test_time_demands_an_end_at_the_moment_and_not_before(
    history: Sequence[Event], moment: datetime, events: list[Event]
) -> None:
    session = after(*history)

    assert due(session, moment - timedelta(milliseconds=1), CLOSES, PATIENCE) == []
    assert due(session, moment, CLOSES, PATIENCE) == events


@pytest.mark.parametrize(
    "history", [SERVED, HANDED_OVER, (*HANDED_OVER, *sits(Seat.EXPERT2), Left(seat=Seat.EXPERT)), ENDED, (CLOSED,)]
)
def test_time_demands_nothing_of_a_session_that_is_served_or_over(history: Sequence[Event]) -> None:
    assert due(after(*history), NOW + timedelta(days=3), CLOSES, PATIENCE) == []


def test_waiting_without_closing_hours_has_no_end_while_somebody_sits_there() -> None:
    assert due(after(*sits(Seat.ROOM)), NOW + timedelta(days=3), None, PATIENCE) == []


def test_whatever_happens_in_a_session_makes_it_live_on() -> None:
    session = after(Joined(seat=Seat.ROOM), Left(seat=Seat.ROOM), now=LOST)

    assert due(session, LOST + timedelta(seconds=LOST_SECONDS - 1), None, PATIENCE) == []


def test_a_claim_that_nobody_looked_after_ends_as_lost_and_hours_that_ended_come_first() -> None:
    claimed = after(CLAIMED)

    assert due(claimed, LOST, None, PATIENCE) == [Closed(cause=CloseCause.LOST)]
    assert due(after(), CLOSES, CLOSES, PATIENCE) == [Closed(cause=CloseCause.HOURS_ENDED)]


def test_the_lease_is_the_one_that_was_given() -> None:
    session = after(replace(CLAIMED, lease_seconds=90), opened=OPENED)

    assert due(session, NOW + timedelta(seconds=89), CLOSES, PATIENCE) == []
    assert due(session, NOW + timedelta(seconds=90), CLOSES, PATIENCE) == [Released(expert="eero", reason=ReleaseReason.LEASE)]


def test_picture_and_sound_take_long_from_the_sitting_down_until_they_are_there() -> None:
    told = NOW + timedelta(seconds=PATIENCE.tell_seconds)

    assert [is_slow(after(*SEATED), moment, PATIENCE) for moment in (told - timedelta(milliseconds=1), told)] == [False, True]
    for history in (WAITING, TAKEN, SERVED, ENDED):
        assert not is_slow(after(*history), told + timedelta(days=1), PATIENCE)


def test_a_start_that_failed_counts_until_one_succeeds() -> None:
    given_back = (*SEATED, Released(expert="eero", reason=ReleaseReason.CANNOT_SERVE))

    assert after(*SEATED_AGAIN).failed_starts == 1
    assert [after(*history).failed_starts for history in (given_back, (*SEATED_AGAIN, CONNECTED), ENDED)] == [0, 0, 0]
