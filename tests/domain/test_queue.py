"""The order of waiting: by opening, kept through every release, the same for everybody."""

from datetime import timedelta
from itertools import permutations

from msgspec.structs import replace

from etapalvelu.domain.codes import Language
from etapalvelu.domain.events import Opened, TransferRequested
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.queue import in_order, places_among, queue_for
from etapalvelu.domain.session import Session
from tests.domain.samples import ASKED, CLAIMED, CLOSED, NOW, OPENED, RELEASED, SERVED, TAKEN, TRANSFERRED, after

EERO = Staff(account="eero", role=Role.EXPERT, themes=("pensions", "families"), languages=(Language.FI, Language.SV))
ELSA = Staff(account="elsa", role=Role.EXPERT, themes=("families",), languages=(Language.FI,))


def waiting(session_id: str, minutes: int = 0, opened: Opened = OPENED) -> Session:
    return after(opened=opened, session_id=session_id, now=NOW + timedelta(minutes=minutes))


def test_the_oldest_comes_first_and_a_tie_is_settled_by_the_id() -> None:
    sessions = [waiting("c"), waiting("a", 1), waiting("b"), waiting("d", -1)]

    for shuffled in permutations(sessions):
        assert [session.id for session in in_order(shuffled)] == ["d", "b", "c", "a"]


def test_an_expert_sees_what_may_be_taken_and_nothing_else() -> None:
    swedish, english = replace(OPENED, language=Language.SV), replace(OPENED, language=Language.EN)
    sessions = [
        waiting("mine", 3),
        waiting("swedish", 2, swedish),
        waiting("english", 1, english),
        waiting("interpreted", 4, replace(OPENED, language=Language.OTHER)),
        waiting("other-theme", 1, replace(OPENED, theme="sickness")),
        after(CLAIMED, session_id="taken"),
        after(*SERVED, session_id="served"),
        after(CLOSED, session_id="over"),
    ]

    assert [session.id for session in queue_for(EERO, sessions)] == ["swedish", "mine", "interpreted"]
    assert queue_for(ELSA, sessions) == []


def test_a_released_session_has_kept_its_place() -> None:
    again = after(*TAKEN, RELEASED, session_id="again")

    assert [session.id for session in queue_for(EERO, [waiting("later", 1), again])] == ["again", "later"]


def test_open_transfer_requests_stand_in_the_queue_of_those_who_are_asked() -> None:
    to_theme = after(*SERVED, ASKED, session_id="to-theme")
    to_person = after(*SERVED, TransferRequested(code=ASKED.code, expert="elsa"), session_id="to-person")
    answered = after(*SERVED, ASKED, TRANSFERRED, session_id="answered")
    sessions = [to_theme, to_person, answered]

    assert queue_for(ELSA, sessions) == [to_person, to_theme]
    assert queue_for(EERO, sessions) == []
    assert queue_for(Staff(account="veikko", role=Role.EXPERT, themes=("families",), languages=(Language.FI,)), sessions) == [
        to_theme
    ]


def test_a_place_is_counted_among_those_who_wait_for_the_same_theme() -> None:
    sessions = [
        waiting("second", 2),
        waiting("first", 1),
        waiting("other-theme", 0, replace(OPENED, theme="sickness")),
        after(CLAIMED, session_id="taken"),
    ]

    assert places_among(sessions) == {"first": 1, "second": 2, "other-theme": 1}
