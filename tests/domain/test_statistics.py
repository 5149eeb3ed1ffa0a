"""Figures are computed from the sessions and from nothing else."""

from datetime import timedelta

from etapalvelu.domain.codes import CloseCause
from etapalvelu.domain.events import Closed
from etapalvelu.domain.log import replay
from etapalvelu.domain.session import Session
from etapalvelu.domain.statistics import Figures, Usual, figures, tally, usual
from tests.domain.samples import ENDED, SERVED, STILL, after, sits, told


def lasted(step: int) -> Session:
    """A session with a still: connected after 5 steps, closed after 8."""
    return replay(told(*SERVED, STILL, *ENDED[len(SERVED) :], step=timedelta(seconds=step)))


def test_nothing_is_counted_where_there_is_nothing() -> None:
    assert figures([]) == Figures(
        sessions=0, served=0, waiting_median=None, waiting_longest=None, service_median=None, stills=0
    )


def test_figures_of_served_waiting_and_unserved_sessions() -> None:
    gave_up = replay(told(Closed(cause=CloseCause.CUSTOMER_LEFT), step=timedelta(seconds=100)))
    waiting = after()

    assert figures([lasted(10), lasted(20), lasted(30), gave_up, waiting]) == Figures(
        sessions=5, served=3, waiting_median=100, waiting_longest=150, service_median=60, stills=3
    )


def test_a_median_between_two_is_rounded_to_whole_seconds() -> None:
    assert figures([lasted(1), lasted(2), lasted(4), lasted(8)]).waiting_median == 15


def test_what_is_usual_is_the_middle_half_of_enough_days() -> None:
    assert usual([4, 8, None, 6, 2]) == Usual(low=4, median=5, high=6, days=4)
    assert usual([7, 7, 7, 7, 7]) == Usual(low=7, median=7, high=7, days=5)
    assert usual([4, 8, None, 6]) is None
    assert usual([]) is None


def test_a_tally_has_the_largest_first_and_leaves_out_what_is_not_told() -> None:
    sessions = [lasted(1), lasted(2), after(), after(*sits()), replay(told(Closed(cause=CloseCause.CANCELLED)))]

    assert tally(sessions, lambda session: session.close_cause) == [("completed", 2), ("cancelled", 1)]
    assert tally(sessions, lambda session: session.expert) == [("eero", 2)]
    assert tally(sessions, lambda session: "b" if session.is_open else "a") == [("a", 3), ("b", 2)]
    assert tally(sessions, lambda session: "b" if session.close_cause is CloseCause.COMPLETED else None) == [("b", 2)]


def test_equal_counts_stand_in_the_order_of_their_keys() -> None:
    assert tally([after(session_id="b"), after(session_id="a")], lambda session: session.id) == [("a", 1), ("b", 1)]
