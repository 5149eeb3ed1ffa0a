"""What came of a session and how it ends: who may close it with which cause, and what is written down."""

import pytest

from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import (
    ActingFor,
    CauseClass,
    CloseCause,
    IdentifiedBy,
    Outcome,
    State,
)
from etapalvelu.domain.errors import (
    InvalidFieldError,
    NotAllowedError,
    WrongStateError,
)
from etapalvelu.domain.log import verify
from signaling.errors import RefusedError
from tests.conftest import ADVISOR, EXPERT, SCREEN, Service
from tests.deeds import connected


async def test_an_expert_closes_with_outcomes_in_one_transaction(service: Service) -> None:
    session_id = await connected(service)
    service.clock.advance(seconds=90)

    request = CloseRequest(cause=CloseCause.COMPLETED, outcomes=(Outcome.ADVISED, Outcome.ADVISED))
    session = await service.desk.close(EXPERT, session_id, request)

    assert (session.state, session.close_cause, session.outcomes) == (State.CLOSED, "completed", (Outcome.ADVISED,))
    assert (session.waiting_seconds, session.service_seconds, session.seats) == (0, 90, ())
    assert (await service.types(session_id))[-2:] == ["noted", "closed"]
    assert service.calls.asked[-1] == ("end", session_id, "completed")
    assert verify(await service.sessions.entries(session_id)) is None


async def test_a_closed_session_cannot_be_closed_again(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.close(EXPERT, session_id, CloseRequest(cause=CloseCause.COMPLETED))

    for who in (EXPERT, ADVISOR):
        with pytest.raises(WrongStateError):
            await service.desk.close(who, session_id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))


async def test_who_may_close_with_which_cause(service: Service) -> None:
    session_id = await connected(service)

    for who, cause in ((ADVISOR, CloseCause.COMPLETED), (SCREEN, CloseCause.CANCELLED), (EXPERT, CloseCause.LOST)):
        with pytest.raises(NotAllowedError):
            await service.desk.close(who, session_id, CloseRequest(cause=cause))
    session = await service.desk.close(SCREEN, session_id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))

    assert session.close_cause is CloseCause.CUSTOMER_LEFT


async def test_outcomes_stay_what_was_noted_when_somebody_else_closes(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.note(EXPERT, session_id, [Outcome.REFERRED])

    request = CloseRequest(cause=CloseCause.CANCELLED, outcomes=(Outcome.ADVISED,))
    session = await service.desk.close(ADVISOR, session_id, request)

    assert (session.close_cause, session.outcomes) == ("cancelled", (Outcome.REFERRED,))
    assert (await service.types(session_id))[-2:] == ["noted", "closed"]


async def test_a_technical_close_has_a_cause_class_and_no_other_has(service: Service) -> None:
    session_id = await connected(service)

    with pytest.raises(InvalidFieldError):
        await service.desk.close(ADVISOR, session_id, CloseRequest(cause=CloseCause.CANCELLED, cause_class=CauseClass.CAMERA))
    session = await service.desk.close(ADVISOR, session_id, CloseRequest(cause=CloseCause.TECHNICAL))

    assert session.cause_class is CauseClass.UNKNOWN


async def test_notes_holds_identification_and_the_advisors_stay_are_logged(service: Service) -> None:
    session_id = await connected(service)

    await service.desk.identify(EXPERT, session_id, IdentifiedBy.ID_CARD, ActingFor.SELF)
    await service.desk.hold(EXPERT, session_id, True)
    await service.desk.hold(EXPERT, session_id, False)
    await service.desk.advisor_present(ADVISOR, session_id, True)
    await service.desk.note(EXPERT, session_id, [Outcome.REFERRED])

    assert (await service.types(session_id))[-5:] == ["identified", "held", "continued", "advisor_stays", "noted"]
    with pytest.raises(NotAllowedError):
        await service.desk.advisor_present(EXPERT, session_id, False)
    with pytest.raises(NotAllowedError):
        await service.desk.note(ADVISOR, session_id, [])


async def test_an_advisor_whom_the_customer_sends_away_loses_the_seat(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.advisor_present(ADVISOR, session_id, True)
    await service.attendance.joined(session_id, "advisor", ADVISOR.actor)

    await service.desk.advisor_present(ADVISOR, session_id, False)

    assert service.calls.asked == [("unseat", session_id, "advisor", "advisor_leaves")]
    with pytest.raises(RefusedError, match="unseated"):
        await service.attendance.joined(session_id, "advisor", ADVISOR.actor)
