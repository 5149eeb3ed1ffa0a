"""Failures as the log alone tells them: what failed, why, what it took, what became of it."""

from datetime import timedelta

import pytest

from etapalvelu.domain.codes import CauseClass, CloseCause, ReleaseReason, Seat
from etapalvelu.domain.events import Closed, Event, Held, Interrupted, Joined, Left, Released, Resumed
from etapalvelu.domain.technical import Fault, FaultKind, Remedy, faults, lost_minutes
from tests.domain.samples import CLAIMED, CLOSED, CONNECTED, ENDED, NOW, SERVED, TAKEN, sits, told

STEP = timedelta(minutes=1)
EXPERT_LOST = Released(expert="eero", reason=ReleaseReason.EXPERT_LOST)
LEASE = Released(expert="eero", reason=ReleaseReason.LEASE)
BACK = (CLAIMED, Joined(seat=Seat.EXPERT), CONNECTED)
GONE = Left(seat=Seat.EXPERT)


def lost(seat: Seat, cause: CauseClass, minute: float) -> Interrupted:
    return Interrupted(seat=seat, cause_class=cause, since=NOW + minute * STEP)


def found(*events: Event) -> list[Fault]:
    return faults(told(*events, step=STEP))


def summary(*events: Event) -> list[tuple[int, FaultKind, CauseClass, Remedy, float | None]]:
    return [(fault.seq, fault.kind, fault.cause, fault.remedy, fault.lost_seconds) for fault in found(*events)]


def test_a_session_that_went_well_has_no_failure() -> None:
    assert found(*ENDED) == []
    assert found(*SERVED, Held(), Released(expert="eero", reason=ReleaseReason.WRONG_THEME)) == []


def test_a_gap_that_closed_is_told_whole() -> None:
    events = (*SERVED, lost(Seat.ROOM, CauseClass.SITE_NETWORK, 5.5), Resumed(seat=Seat.ROOM, gap_ms=4200))

    assert found(*events) == [
        Fault(
            session="s1",
            seq=7,
            at=NOW + 6 * STEP,
            since=NOW + 5.5 * STEP,
            kind=FaultKind.INTERRUPTED,
            cause=CauseClass.SITE_NETWORK,
            remedy=Remedy.MENDED,
            seat=Seat.ROOM,
            lost_seconds=4.2,
        )
    ]


def test_a_gap_lasts_until_something_ends_it() -> None:
    gap = lost(Seat.CAMERA, CauseClass.DOCUMENT_CAMERA, 5)
    kind, cause = FaultKind.INTERRUPTED, CauseClass.DOCUMENT_CAMERA

    assert summary(*SERVED, gap) == [(7, kind, cause, Remedy.GOING_ON, None)]
    assert summary(*SERVED, gap, Left(seat=Seat.CAMERA)) == [(7, kind, cause, Remedy.GIVEN_UP, 120)]
    assert summary(*SERVED, gap, CLOSED) == [(7, kind, cause, Remedy.CLOSED, 120)]


def test_a_graver_cause_ends_the_gap_before_it() -> None:
    first = lost(Seat.ROOM, CauseClass.SITE_NETWORK, 6)
    events = told(*SERVED, first, step=STEP)
    (network,) = faults(events)
    later = told(*SERVED, lost(Seat.CAMERA, CauseClass.IDENTITY, 7), step=STEP)[-1]

    again = faults([*events, later])

    assert [(fault.cause, fault.remedy) for fault in again] == [
        (network.cause, Remedy.GOING_ON),
        (CauseClass.IDENTITY, Remedy.GOING_ON),
    ]


@pytest.mark.parametrize(
    ("before", "cause"),
    [((), CauseClass.EXPERT_SIDE), ((lost(Seat.EXPERT, CauseClass.SERVER, 6),), CauseClass.SERVER)],
    ids=["nothing known", "known by the gap before"],
)
def test_an_expert_who_is_lost_costs_the_wait_for_the_next_one(before: tuple[Event, ...], cause: CauseClass) -> None:
    told_of = [fault for fault in found(*SERVED, *before, GONE, EXPERT_LOST, *BACK) if fault.kind is FaultKind.EXPERT_LOST]

    assert [(fault.cause, fault.remedy, fault.lost_seconds) for fault in told_of] == [(cause, Remedy.REQUEUED, 180)]


def test_the_gap_of_an_expert_who_does_not_come_back_ends_in_the_queue() -> None:
    events = (*SERVED, lost(Seat.EXPERT, CauseClass.EXPERT_SIDE, 6), GONE, EXPERT_LOST)

    assert summary(*events) == [
        (7, FaultKind.INTERRUPTED, CauseClass.EXPERT_SIDE, Remedy.REQUEUED, 60),
        (9, FaultKind.EXPERT_LOST, CauseClass.EXPERT_SIDE, Remedy.REQUEUED, None),
    ]
    assert summary(*events, CLOSED)[1] == (9, FaultKind.EXPERT_LOST, CauseClass.EXPERT_SIDE, Remedy.REQUEUED, 60)


def test_a_claim_that_came_to_nothing_costs_its_own_time() -> None:
    assert summary(*TAKEN, LEASE) == [(5, FaultKind.LEASE, CauseClass.EXPERT_SIDE, Remedy.REQUEUED, 60)]
    assert summary(*TAKEN, *sits(Seat.EXPERT), GONE, EXPERT_LOST) == [
        (7, FaultKind.FAILED_START, CauseClass.UNKNOWN, Remedy.REQUEUED, 180)
    ]


def test_a_successor_who_never_sits_down_is_a_lease_after_service() -> None:
    assert summary(*SERVED, GONE, LEASE) == [(8, FaultKind.LEASE, CauseClass.EXPERT_SIDE, Remedy.REQUEUED, None)]


def test_an_end_for_a_technical_cause_costs_the_whole_visit_of_who_was_never_served() -> None:
    technical = Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.PERMISSION)

    assert summary(*TAKEN, technical) == [(5, FaultKind.TECHNICAL, CauseClass.PERMISSION, Remedy.CLOSED, 240)]
    assert summary(*SERVED, technical) == [(7, FaultKind.TECHNICAL, CauseClass.PERMISSION, Remedy.CLOSED, 0)]


def test_everyone_gone_has_the_cause_of_the_gap_that_lasted() -> None:
    gone = Closed(cause=CloseCause.LOST)

    assert summary(gone) == [(2, FaultKind.LOST, CauseClass.UNKNOWN, Remedy.CLOSED, 60)]
    assert summary(*SERVED, lost(Seat.ROOM, CauseClass.SITE_NETWORK, 6), gone) == [
        (7, FaultKind.INTERRUPTED, CauseClass.SITE_NETWORK, Remedy.CLOSED, 60),
        (8, FaultKind.LOST, CauseClass.SITE_NETWORK, Remedy.CLOSED, 0),
    ]


def test_minutes_are_summed_and_what_lasts_counts_nothing_yet() -> None:
    events = (*SERVED, lost(Seat.ROOM, CauseClass.SITE_NETWORK, 6), Resumed(seat=Seat.ROOM, gap_ms=90_000))

    assert lost_minutes(found(*events, lost(Seat.ROOM, CauseClass.SITE_NETWORK, 8))) == 2
    assert lost_minutes([]) == 0
