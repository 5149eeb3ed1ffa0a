"""Every cell of the table, every condition beside it, and what each event changes."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from etapalvelu.domain.codes import CauseClass, CloseCause, FollowUp, Outcome, Path, ReleaseReason, Seat, State
from etapalvelu.domain.errors import WrongStateError
from etapalvelu.domain.events import (
    EVENTS,
    AdvisorLeaves,
    AdvisorStays,
    Claimed,
    Closed,
    Connected,
    Continued,
    Event,
    Held,
    Interrupted,
    Joined,
    Left,
    Noted,
    Opened,
    Released,
    Resumed,
    Transferred,
    TransferRequested,
    event_type,
)
from etapalvelu.domain.log import append, replay, verify
from etapalvelu.domain.session import TRANSITIONS, Session
from tests.domain.samples import (
    ASKED,
    CLAIMED,
    CLOSED,
    CONNECTED,
    EACH,
    ENDED,
    HANDED_OVER,
    INTERRUPTED,
    NOTED,
    NOW,
    OPENED,
    RELEASED,
    RESUMED,
    SERVED,
    STILL,
    TAKEN,
    TRANSFERRED,
    WAITING,
    after,
    sits,
    told,
)

# Written down by hand a second time, from the design's table: state after the event, or a dash for "not allowed".
CELLS = """
event               waiting  claimed  connected  closed
opened              -        -        -          -
claimed             claimed  -        -          -
released            -        waiting  waiting    -
joined              waiting  claimed  connected  -
left                waiting  claimed  connected  -
connected           -        connected -         -
interrupted         waiting  claimed  connected  -
resumed             waiting  claimed  connected  -
held                -        -        connected  -
continued           -        -        connected  -
transfer_requested  -        -        connected  -
transferred         -        -        connected  -
invited             waiting  claimed  connected  -
advisor_stays       waiting  claimed  connected  -
advisor_leaves      waiting  claimed  connected  -
identified          -        claimed  connected  -
still_taken         -        claimed  connected  -
secured             waiting  claimed  connected  -
noted               -        claimed  connected  -
closed              closed   closed   closed     -
"""

HISTORY = {
    State.WAITING: (*WAITING, *sits(Seat.ROOM, Seat.CAMERA)),
    State.CLAIMED: (*TAKEN, *sits(Seat.EXPERT)),
    State.CONNECTED: SERVED,
    State.CLOSED: ENDED,
}

# What must have happened before for the conditions beside the table to hold.
FIRST: dict[type[Event], tuple[Event, ...]] = {
    Resumed: (INTERRUPTED,),
    Continued: (Held(),),
    Transferred: (ASKED,),
    AdvisorLeaves: (AdvisorStays(),),
}


def cells() -> list[tuple[State, type[Event], State | None]]:
    header, *lines = (line.split() for line in CELLS.strip().splitlines())
    by_name = {event_type(event): event for event in EVENTS}
    return [
        (State(state), by_name[name], None if result == "-" else State(result))
        for name, *results in lines
        for state, result in zip(header[1:], results, strict=True)
    ]


def test_the_table_by_hand_names_every_event_in_every_state() -> None:
    assert {(state, event) for state, event, _ in cells()} == {(state, event) for state in State for event in EVENTS}
    assert tuple(type(event) for event in EACH) == EVENTS


@pytest.mark.parametrize(("state", "event_class", "result"), cells())
def test_each_cell_of_the_table(state: State, event_class: type[Event], result: State | None) -> None:
    event = EACH[EVENTS.index(event_class)]
    session = after(*HISTORY[state])
    if result is not None:
        session = after(*HISTORY[state], *FIRST.get(event_class, ()))

    if result is None:
        with pytest.raises(WrongStateError) as refusal:
            append(session, event, actor="system", now=NOW)
        assert refusal.value.facts == {"state": state.value, "deed": event_type(event)}
    else:
        assert append(session, event, actor="system", now=NOW)[0].state is result
    assert TRANSITIONS[state].get(event_class) is result


@pytest.mark.parametrize(
    ("history", "event"),
    [
        (sits(Seat.ROOM), Joined(seat=Seat.ROOM)),
        (WAITING, Joined(seat=Seat.EXPERT)),
        (WAITING, Joined(seat=Seat.EXPERT2)),
        (TAKEN, Joined(seat=Seat.EXPERT2)),
        (SERVED, Joined(seat=Seat.EXPERT2)),
        ((*SERVED, ASKED), Joined(seat=Seat.EXPERT2)),
        (WAITING, Left(seat=Seat.ROOM)),
        (WAITING, INTERRUPTED),
        ((*SERVED, INTERRUPTED), INTERRUPTED),
        (SERVED, RESUMED),
        ((*SERVED, INTERRUPTED, RESUMED), RESUMED),
        (TAKEN, CONNECTED),
        ((CLAIMED, *sits(Seat.EXPERT)), CONNECTED),
        ((*SERVED, Held()), Held()),
        (SERVED, Continued()),
        ((*SERVED, Held(), Continued()), Continued()),
        ((AdvisorStays(),), AdvisorStays()),
        (WAITING, AdvisorLeaves()),
        (SERVED, TransferRequested(code=ReleaseReason.WRONG_THEME)),
        (SERVED, TransferRequested(code=ReleaseReason.WRONG_THEME, theme="families", expert="elsa")),
        (SERVED, TransferRequested(code=ReleaseReason.WRONG_THEME, expert="eero")),
        (HANDED_OVER, ASKED),
        (SERVED, TRANSFERRED),
        ((*SERVED, ASKED), Transferred(expert="eero")),
        (HANDED_OVER, Transferred(expert="veikko")),
        (TAKEN, Released(expert="elsa", reason=ReleaseReason.LEASE)),
        (HANDED_OVER, RELEASED),
        (WAITING, Closed(cause=CloseCause.TECHNICAL)),
        (WAITING, Closed(cause=CloseCause.CANCELLED, cause_class=CauseClass.CAMERA)),
    ],
)
def test_each_condition_beside_the_table(history: list[Event], event: Event) -> None:
    session = after(*history)

    with pytest.raises(WrongStateError) as refusal:
        append(session, event, actor="system", now=NOW)

    assert refusal.value.facts == {"state": session.state.value, "deed": event_type(event)}


def test_an_opened_session_is_what_its_first_event_says() -> None:
    session = after(opened=replace(OPENED, advisor_stays=True))

    assert session == Session(
        id="s1",
        seq=1,
        head=session.head,
        last_at=NOW,
        state=State.WAITING,
        point="rantala",
        room="rantala-1",
        theme="pensions",
        language=OPENED.language,
        reason=OPENED.reason,
        needs=(),
        advisor="aino",
        advisor_stays=True,
        opened_at=NOW,
    )
    assert session.is_open
    assert session.wants_expert
    assert (session.waiting_seconds, session.service_seconds) == (None, None)


def test_a_whole_session_ends_as_its_events_say() -> None:
    entries = told(*ENDED, step=timedelta(seconds=10))

    session = replay(entries)

    assert session == Session(
        id="s1",
        seq=8,
        head=entries[-1].hash,
        last_at=NOW + timedelta(seconds=70),
        state=State.CLOSED,
        point="rantala",
        room="rantala-1",
        theme="pensions",
        language=OPENED.language,
        reason=OPENED.reason,
        needs=(),
        advisor="aino",
        advisor_stays=False,
        opened_at=NOW,
        expert="eero",
        claimed_at=NOW + timedelta(seconds=30),
        lease_seconds=20,
        held_claim_at=NOW + timedelta(seconds=30),
        connected_at=NOW + timedelta(seconds=50),
        path=Path.HOST,
        closed_at=NOW + timedelta(seconds=70),
        close_cause=CloseCause.COMPLETED,
        outcomes=(Outcome.ADVISED,),
    )
    assert (session.waiting_seconds, session.service_seconds) == (50, 20)
    assert not session.is_open
    assert not session.wants_expert


def test_a_release_before_a_connection_leaves_no_claim_and_no_expert() -> None:
    session = after(
        *TAKEN, *sits(Seat.EXPERT), Interrupted(seat=Seat.EXPERT, cause_class=CauseClass.EXPERT_SIDE, since=NOW), RELEASED
    )

    assert (session.state, session.expert, session.claimed_at) == (State.WAITING, None, None)
    assert (session.seats, session.interrupted) == ((Seat.ROOM, Seat.CAMERA), ())


def test_a_release_after_a_connection_keeps_the_claim_that_held_and_the_first_connection() -> None:
    entries = told(
        *SERVED,
        Held(),
        ASKED,
        RELEASED,
        replace(CLAIMED, expert="elsa"),
        *sits(Seat.EXPERT),
        CONNECTED,
        step=timedelta(seconds=1),
    )

    released, again = replay(entries[:9]), replay(entries)

    assert (released.claimed_at, released.connected_at) == (entries[3].at, entries[5].at)
    assert (released.on_hold, released.transfer, released.wants_expert) == (False, None, True)
    assert (again.claimed_at, again.connected_at, again.expert) == (entries[9].at, entries[5].at, "elsa")


def test_a_claim_after_a_release_that_came_to_nothing_is_forgotten_again() -> None:
    entries = told(*SERVED, RELEASED, CLAIMED, RELEASED, step=timedelta(seconds=1))

    assert replay(entries).claimed_at == entries[3].at


def test_the_successor_becomes_the_expert_when_the_old_one_leaves() -> None:
    handed_over = after(*HANDED_OVER)
    changed = after(*HANDED_OVER, *sits(Seat.EXPERT2), Left(seat=Seat.EXPERT))

    assert (handed_over.expert, handed_over.successor, handed_over.transfer, handed_over.wants_expert) == (
        "eero",
        "elsa",
        None,
        False,
    )
    assert (changed.expert, changed.expert_seat, changed.successor) == ("elsa", Seat.EXPERT2, None)
    assert (changed.successor_seat, changed.seats) == (Seat.EXPERT, (Seat.ROOM, Seat.CAMERA, Seat.EXPERT2))


def test_seats_are_exchanged_again_at_the_next_transfer() -> None:
    session = after(
        *HANDED_OVER,
        *sits(Seat.EXPERT2),
        Left(seat=Seat.EXPERT),
        ASKED,
        Transferred(expert="eero"),
        *sits(Seat.EXPERT),
        Left(seat=Seat.EXPERT2),
    )

    assert (session.expert, session.expert_seat, session.state) == ("eero", Seat.EXPERT, State.CONNECTED)


def test_a_successor_who_leaves_first_is_no_successor_any_more() -> None:
    session = after(*HANDED_OVER, *sits(Seat.EXPERT2), Left(seat=Seat.EXPERT2))

    assert (session.expert, session.successor, session.expert_seat) == ("eero", None, Seat.EXPERT)


def test_a_seat_that_was_left_is_not_interrupted_any_more_and_can_be_taken_again() -> None:
    session = after(*sits(Seat.ROOM), INTERRUPTED, Left(seat=Seat.ROOM), *sits(Seat.ROOM))

    assert (session.seats, session.interrupted) == ((Seat.ROOM,), ())


def test_an_interruption_ends_with_its_resumption() -> None:
    assert after(*SERVED, INTERRUPTED).interrupted == (Seat.ROOM,)
    assert after(*SERVED, INTERRUPTED, RESUMED).interrupted == ()


def test_holds_and_the_advisors_stay_come_and_go() -> None:
    held, stays = after(*SERVED, Held()), after(AdvisorStays())

    assert (held.on_hold, after(*SERVED, Held(), Continued()).on_hold, after(*SERVED, Held(), CLOSED).on_hold) == (
        True,
        False,
        False,
    )
    assert (stays.advisor_stays, after(AdvisorStays(), AdvisorLeaves()).advisor_stays) == (True, False)


def test_stills_are_counted_and_the_last_note_counts() -> None:
    second = Noted(outcomes=(Outcome.REFERRED, Outcome.APPOINTMENT_BOOKED), follow_up=FollowUp.NEW_SESSION)
    session = after(*SERVED, STILL, STILL, NOTED, second)

    assert (session.stills, session.outcomes, session.follow_up) == (2, second.outcomes, FollowUp.NEW_SESSION)


def test_a_close_without_a_connection_ends_the_waiting() -> None:
    session = replay(
        told(*sits(Seat.ROOM), Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.CAMERA), step=timedelta(seconds=9))
    )

    assert (session.waiting_seconds, session.service_seconds) == (18, None)
    assert (session.close_cause, session.cause_class, session.seats) == (CloseCause.TECHNICAL, CauseClass.CAMERA, ())


# Random histories: whatever is tried, at whatever time the clock shows, the session stays lawful.

_TRIED = st.one_of(
    st.sampled_from([event for event in EACH if not isinstance(event, Closed)]),
    st.sampled_from(EACH),
    st.builds(Joined, seat=st.sampled_from(Seat)),
    st.builds(Left, seat=st.sampled_from(Seat)),
    st.builds(Interrupted, seat=st.sampled_from(Seat), cause_class=st.sampled_from(CauseClass), since=st.just(NOW)),
    st.builds(Resumed, seat=st.sampled_from(Seat), gap_ms=st.integers(0, 10**9)),
    st.builds(Claimed, expert=st.sampled_from(["eero", "elsa"]), lease_seconds=st.just(20)),
    st.builds(Released, expert=st.sampled_from(["eero", "elsa"]), reason=st.sampled_from(ReleaseReason)),
    st.builds(Transferred, expert=st.sampled_from(["eero", "elsa"])),
    st.builds(Connected, path=st.sampled_from(Path), setup_ms=st.integers(0, 60_000)),
)
_CLOCK = st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400))
_START = st.sampled_from([WAITING, TAKEN, SERVED, HANDED_OVER])


@given(start=_START, tries=st.lists(st.tuples(_TRIED, _CLOCK), max_size=40))
@settings(max_examples=400, deadline=None)
def test_no_history_makes_an_unlawful_session(start: list[Event], tries: list[tuple[Event, timedelta]]) -> None:
    entries = told(*start)
    session = replay(entries)

    for event, shift in tries:
        try:
            session, entry = append(session, event, actor="system", now=NOW + shift)
        except WrongStateError:
            continue
        entries.append(entry)
        assert_lawful(session)

    assert verify(entries) is None
    assert replay(entries) == session
    assert [type(entry.event) for entry in entries].count(Opened) == 1
    closes = [entry.seq for entry in entries if isinstance(entry.event, Closed)]
    assert closes in ([], [len(entries)])
    assert (closes == []) is session.is_open


def assert_lawful(session: Session) -> None:
    """What holds of a session after any history."""
    taken = session.state in (State.CLAIMED, State.CONNECTED)
    assert (session.expert is not None) == taken or session.state is State.CLOSED
    assert (session.closed_at is None) is session.is_open
    assert (session.close_cause is None) is session.is_open
    assert len(set(session.seats)) == len(session.seats)
    assert set(session.interrupted) <= set(session.seats)
    assert session.successor is None or session.successor != session.expert
    assert session.transfer is None or session.state is State.CONNECTED
    assert not session.on_hold or session.state is State.CONNECTED
    assert session.state is not State.CONNECTED or session.connected_at is not None
    assert session.opened_at <= session.last_at
    for seconds in (session.waiting_seconds, session.service_seconds):
        assert seconds is None or seconds >= 0
