"""What two experts read while one hands a customer over to the other."""

from etapalvelu.domain.codes import ReleaseReason
from etapalvelu.domain.people import Staff
from tests.conftest import EXPERT, EXPERT2, Service
from tests.doorstep import Doorstep
from tests.pages.conftest import Browser


async def news(whole: Doorstep, who: Staff) -> str:
    return (await Browser(doorstep=whole, people=(who,)).get("/expert")).page.by_id("session-news").text


async def test_each_step_of_a_handing_over_is_told_to_both(whole: Doorstep, service: Service) -> None:
    session = await whole.connected(await service.opened())
    told = [(await news(whole, EXPERT), "")]

    await service.desk.transfer(EXPERT, session.id, theme=None, expert="elsa", code=ReleaseReason.CANNOT_SERVE)
    told.append((await news(whole, EXPERT), await news(whole, EXPERT2)))
    await service.desk.claim(EXPERT2, session.id)
    told.append((await news(whole, EXPERT), await news(whole, EXPERT2)))
    await service.attendance.joined(session.id, "expert2", EXPERT2.actor)
    told.append((await news(whole, EXPERT), await news(whole, EXPERT2)))
    await service.attendance.left(session.id, "expert", EXPERT.actor, "bye")
    told.append((await news(whole, EXPERT), await news(whole, EXPERT2)))

    taking = "You are taking over from Eero Esimerkki. The session is yours when they leave."
    assert told == [
        ("", ""),
        ("The transfer is asked for. The customer is with you until another expert comes.", ""),
        ("elsa is on the way.", taking),
        ("elsa is here. Introduce the customer and leave: then the session is theirs. Hand over and leave", taking),
        ("", ""),
    ]


async def test_a_session_can_be_handed_to_a_theme_or_to_another_expert_at_work(whole: Doorstep, service: Service) -> None:
    await whole.access.set_active("elsa", False)
    alone = (await Browser(doorstep=whole, people=(EXPERT,)).get("/expert")).page.options("transfer-to")
    await whole.access.set_active("elsa", True)

    both = (await Browser(doorstep=whole, people=(EXPERT,)).get("/expert")).page.options("transfer-to")

    assert "restricted" not in alone
    assert both == alone | {"elsa": "elsa"}
