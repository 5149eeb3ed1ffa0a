"""Role x deed x state: who may know, read, close and sit, each cell written down."""

import pytest
from msgspec.structs import replace

from etapalvelu.domain.codes import CloseCause, Language, Seat
from etapalvelu.domain.events import AdvisorStays, Left, TransferRequested
from etapalvelu.domain.people import (
    DEVICE_SEATS,
    STAFF_ROLES,
    Device,
    Person,
    Role,
    Staff,
    is_its_expert,
    may_close,
    may_know,
    may_read,
    may_sit,
    serves,
)
from etapalvelu.domain.session import Session
from tests.domain.samples import ASKED, ENDED, HANDED_OVER, OPENED, SERVED, TAKEN, after, sits

PEOPLE: dict[str, Person] = {
    "its advisor": Staff(account="aino", role=Role.ADVISOR, point="rantala"),
    "its moved advisor": Staff(account="aino", role=Role.ADVISOR, point="elsewhere"),
    "colleague": Staff(account="anna", role=Role.ADVISOR, point="rantala"),
    "far advisor": Staff(account="armi", role=Role.ADVISOR, point="elsewhere"),
    "placeless advisor": Staff(account="asta", role=Role.ADVISOR),
    "eero": Staff(account="eero", role=Role.EXPERT, themes=("pensions",), languages=(Language.FI,)),
    "elsa": Staff(account="elsa", role=Role.EXPERT, themes=("pensions", "families"), languages=(Language.FI,)),
    "other line": Staff(account="veikko", role=Role.EXPERT, themes=("sickness",), languages=(Language.FI,)),
    "other tongue": Staff(account="ville", role=Role.EXPERT, themes=("pensions",), languages=(Language.SV,)),
    "supervisor": Staff(account="sirpa", role=Role.SUPERVISOR),
    "point's supervisor": Staff(account="sanna", role=Role.SUPERVISOR, point="rantala"),
    "far supervisor": Staff(account="satu", role=Role.SUPERVISOR, point="elsewhere"),
    "admin": Staff(account="paavo", role=Role.ADMIN),
    "namesake": Staff(account="eero", role=Role.SUPERVISOR, point="elsewhere"),
    "screen": Device(room="rantala-1", point="rantala", role=Role.ROOM),
    "agent": Device(room="rantala-1", point="rantala", role=Role.AGENT),
    "next room": Device(room="rantala-2", point="rantala", role=Role.ROOM),
}

SESSIONS: dict[str, Session] = {
    "waiting": after(),
    "claimed": after(*TAKEN, *sits(Seat.EXPERT)),
    "connected": after(*SERVED),
    "asked": after(*SERVED, ASKED),
    "handed over": after(*HANDED_OVER),
    "changed": after(*HANDED_OVER, *sits(Seat.EXPERT2), Left(seat=Seat.EXPERT)),
    "closed": after(*ENDED),
}

ALWAYS = set(SESSIONS)
NEVER: set[str] = set()
TO_FAMILIES = {"asked"}

KNOWS: dict[str, set[str]] = {
    "its advisor": ALWAYS,
    "its moved advisor": ALWAYS,
    "colleague": ALWAYS,
    "far advisor": NEVER,
    "placeless advisor": NEVER,
    # While another theme is asked, the session is in that theme's queue; its own expert knows it all the same.
    "eero": ALWAYS,
    "elsa": ALWAYS,
    "other line": NEVER,
    "other tongue": NEVER,
    "supervisor": ALWAYS,
    "point's supervisor": ALWAYS,
    "far supervisor": NEVER,
    "admin": ALWAYS,
    "namesake": NEVER,
    "screen": ALWAYS,
    "agent": ALWAYS,
    "next room": NEVER,
}

HOLDS: dict[str, set[str]] = {
    "eero": {"claimed", "connected", "asked", "handed over", "closed"},
    "elsa": {"handed over", "changed"},
}

READS: dict[str, set[str]] = {
    **{name: states for name, states in KNOWS.items() if not isinstance(PEOPLE[name], Device)},
    "eero": HOLDS["eero"],
    "elsa": HOLDS["elsa"],
}

SITS: dict[tuple[str, Seat], set[str]] = {
    ("screen", Seat.ROOM): ALWAYS,
    ("next room", Seat.ROOM): ALWAYS,  # that it is another room's session, `may_know` has said before
    ("agent", Seat.CAMERA): ALWAYS,
    ("eero", Seat.EXPERT): HOLDS["eero"],
    ("elsa", Seat.EXPERT2): HOLDS["elsa"],
}

EXPERTS_CAUSES = {
    CloseCause.COMPLETED,
    CloseCause.CUSTOMER_LEFT,
    CloseCause.CANCELLED,
    CloseCause.NO_EXPERT,
    CloseCause.TECHNICAL,
}
ADVISORS_CAUSES = {CloseCause.CUSTOMER_LEFT, CloseCause.CANCELLED, CloseCause.TECHNICAL}


@pytest.mark.parametrize("state", SESSIONS)
@pytest.mark.parametrize("name", PEOPLE)
def test_who_may_know_of_a_session_and_who_may_read_it(name: str, state: str) -> None:
    person, session = PEOPLE[name], SESSIONS[state]

    assert may_know(person, session) is (state in KNOWS[name])
    assert may_read(person, session) is (state in READS.get(name, NEVER))
    assert is_its_expert(person, session) is (state in HOLDS.get(name, NEVER))


@pytest.mark.parametrize("state", SESSIONS)
@pytest.mark.parametrize("name", PEOPLE)
def test_who_may_close_with_which_cause(name: str, state: str) -> None:
    person = PEOPLE[name]

    allowed = {cause for cause in CloseCause if may_close(person, SESSIONS[state], cause)}

    if state in HOLDS.get(name, NEVER):
        assert allowed == EXPERTS_CAUSES
    elif person.role is Role.ADVISOR:
        assert allowed == ADVISORS_CAUSES
    else:
        assert allowed == ({CloseCause.CUSTOMER_LEFT} if person.role is Role.ROOM else set())


@pytest.mark.parametrize("seat", Seat)
@pytest.mark.parametrize("name", PEOPLE)
def test_who_may_sit_where(name: str, seat: Seat) -> None:
    allowed = {state for state, session in SESSIONS.items() if may_sit(PEOPLE[name], session, seat)}

    assert allowed == SITS.get((name, seat), NEVER)


def test_the_advisor_sits_down_only_when_the_customer_wants_it() -> None:
    stays = after(AdvisorStays())

    assert {seat for seat in Seat if may_sit(PEOPLE["its advisor"], stays, seat)} == {Seat.ADVISOR}
    assert {seat for seat in Seat if may_sit(PEOPLE["its advisor"], after(), seat)} == set()


@pytest.mark.parametrize(
    ("language", "theme", "who"),
    [
        (Language.FI, "pensions", {"eero", "elsa"}),
        (Language.FI, "families", {"elsa"}),
        (Language.SV, "pensions", {"other tongue"}),
        (Language.OTHER, "pensions", {"eero", "elsa", "other tongue"}),
        (Language.SE, "pensions", set()),
        (Language.FI, "sickness", {"other line"}),
    ],
)
def test_who_serves_a_theme_in_a_language(language: Language, theme: str, who: set[str]) -> None:
    session = after(opened=replace(OPENED, language=language, theme=theme))

    assert {name for name, person in PEOPLE.items() if isinstance(person, Staff) and serves(person, session)} == who


def test_a_transfer_request_changes_who_serves() -> None:
    to_theme, to_person = SESSIONS["asked"], after(*SERVED, TransferRequested(code=ASKED.code, expert="veikko"))
    staff = {name: person for name, person in PEOPLE.items() if isinstance(person, Staff)}

    assert {name for name, person in staff.items() if serves(person, to_theme)} == {"elsa"}
    assert {name for name, person in staff.items() if serves(person, to_person)} == {"other line"}


def test_people_are_written_down_by_kind_and_account() -> None:
    screen, agent, advisor = PEOPLE["screen"], PEOPLE["agent"], PEOPLE["its advisor"]

    assert [person.actor for person in (screen, agent, advisor)] == ["device:rantala-1", "device:rantala-1", "staff:aino"]
    assert [person.account for person in (screen, agent, advisor)] == ["room:rantala-1", "agent:rantala-1", "aino"]
    assert (*STAFF_ROLES, *DEVICE_SEATS) == tuple(Role)
