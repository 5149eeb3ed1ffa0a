"""Picture and sound that take long: expert, customer and advisor are told, each in words about what to do."""

from etapalvelu.domain.people import Person, Staff
from etapalvelu.domain.session import Session
from tests.conftest import ADVISOR, EXPERT, EXPERT2, SCREEN, Service
from tests.doorstep import Doorstep
from tests.pages.conftest import Browser
from tests.pages.test_live import listening

SLOW = {
    "expert": "Picture and sound have not opened yet.",
    "room": "Connecting is taking longer than usual.",
    "advisor": "Picture and sound have not opened in the room.",
}


async def seated(service: Service, session: Session, expert: Staff = EXPERT) -> None:
    await service.desk.claim(expert, session.id)
    await service.attendance.joined(session.id, "expert", expert.actor)


async def told(whole: Doorstep, session: Session, expert: Staff = EXPERT) -> dict[str, str]:
    """What each page says of a connection that takes long; nothing while it does not."""
    places: dict[str, tuple[Person, str, str]] = {
        "expert": (expert, "/expert", "session-news"),
        "room": (SCREEN, "/room", "slow"),
        "advisor": (ADVISOR, f"/advisor/sessions/{session.id}", "session"),
    }
    texts = {}
    for name, (who, path, place) in places.items():
        text = (await Browser(doorstep=whole, people=(who,)).get(path)).page.by_id(place).text
        texts[name] = text if SLOW[name] in text else ""
    return texts


async def test_all_three_are_told_what_to_do_once_it_takes_long(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    await seated(service, session)
    service.clock.advance(seconds=29)
    before = await told(whole, session)

    service.clock.advance(seconds=1)
    after = await told(whole, session)

    assert before == {"expert": "", "room": "", "advisor": ""}
    assert "Check that the browser may use your camera" in after["expert"]
    assert "you keep your place in the queue" in after["room"]
    assert "See that the room's screen is on" in after["advisor"]
    assert "Connection to the expert Not there yet" in after["advisor"]


async def test_the_second_time_they_are_told_that_it_is_the_last(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    await seated(service, session)
    service.clock.advance(seconds=60)
    await service.timers.sweep()
    await seated(service, session, EXPERT2)

    service.clock.advance(seconds=30)
    texts = await told(whole, session, EXPERT2)

    assert "the session ends as a technical fault" in texts["expert"]
    assert "ask the advisor to come in" in texts["room"]
    assert "the session ends as a technical fault" in texts["advisor"]


async def test_an_open_page_hears_of_it_without_anything_happening(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    await seated(service, session)
    headers = await Browser(doorstep=whole, people=(SCREEN,)).headers()

    async with listening(whole, "?page=room", headers) as ear:
        await ear.until("fragment", target="slow")
        service.clock.advance(seconds=30)
        fresh = await ear.until("fragment", target="slow")

    assert SLOW["room"] in fresh["html"]
