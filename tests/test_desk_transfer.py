"""From one expert to the next: who may be asked, who sits when, and who leaves without a loss."""

import pytest

from etapalvelu.domain.codes import (
    ReleaseReason,
    Seat,
    State,
)
from etapalvelu.domain.errors import (
    InvalidFieldError,
    NotOfferedError,
    WrongStateError,
)
from tests.conftest import ADVISOR, EXPERT, EXPERT2, Service
from tests.deeds import connected, has_account


async def test_a_transfer_keeps_the_customer_until_the_new_expert_has_come(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.transfer(EXPERT, session_id, theme="pensions", expert=None, code=ReleaseReason.WRONG_THEME)

    await service.desk.claim(EXPERT2, session_id)
    await service.attendance.joined(session_id, "expert2", EXPERT2.actor)
    await service.attendance.left(session_id, "expert", EXPERT.actor, "bye")
    session = await service.session(session_id)

    assert (session.state, session.expert, session.expert_seat, session.successor) == (
        State.CONNECTED,
        "elsa",
        Seat.EXPERT2,
        None,
    )


async def test_a_transfer_names_a_theme_or_an_expert(service: Service) -> None:
    session_id = await connected(service)

    for theme, expert in ((None, None), ("pensions", "elsa"), ("taxes", None)):
        with pytest.raises(InvalidFieldError):
            await service.desk.transfer(EXPERT, session_id, theme=theme, expert=expert, code=ReleaseReason.WRONG_THEME)


async def test_a_transfer_names_somebody_who_can_come(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, ADVISOR)
    await has_account(service, EXPERT2, active=False)

    for expert in ("nobody", ADVISOR.account, EXPERT2.account):
        with pytest.raises(InvalidFieldError) as told:
            await service.desk.transfer(EXPERT, session_id, theme=None, expert=expert, code=ReleaseReason.WRONG_THEME)
        assert told.value.field == "expert"
    with pytest.raises(NotOfferedError):
        await service.desk.transfer(EXPERT, session_id, theme="restricted", expert=None, code=ReleaseReason.WRONG_THEME)

    assert "transfer_requested" not in await service.types(session_id)


async def test_an_expert_who_leaves_without_a_successor_releases_the_session(service: Service) -> None:
    session_id = await connected(service)

    await service.attendance.left(session_id, "expert", EXPERT.actor, "lost")
    session = await service.session(session_id)

    assert (session.state, session.seats) == (State.WAITING, (Seat.ROOM, Seat.CAMERA))
    assert (await service.types(session_id))[-2:] == ["left", "released"]


async def test_after_a_hand_over_the_old_expert_leaves_and_releases_nothing(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, EXPERT2)
    await service.desk.transfer(EXPERT, session_id, theme=None, expert="elsa", code=ReleaseReason.CANNOT_SERVE)
    await service.desk.claim(EXPERT2, session_id)

    for who in (EXPERT, EXPERT2):
        with pytest.raises(WrongStateError):
            await service.desk.release(who, session_id, ReleaseReason.CANNOT_SERVE)

    session = await service.session(session_id)
    assert (session.state, session.expert, session.successor) == (State.CONNECTED, "eero", "elsa")


async def test_an_expert_cannot_hand_over_to_themselves(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, EXPERT)

    with pytest.raises(WrongStateError):
        await service.desk.transfer(EXPERT, session_id, theme=None, expert="eero", code=ReleaseReason.CANNOT_SERVE)
