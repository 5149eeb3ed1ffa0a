"""The supervisor's log: what is searched, and which columns are shown."""

from tests.conftest import ADVISOR, SUPERVISOR, Service
from tests.doorstep import FAR_SUPERVISOR, Doorstep
from tests.pages.conftest import Browser, Seen
from tests.pages.reading import read
from tests.pages.test_supervisor import rows, served

USUAL = ["Opened", "Theme", "Where", "State", "Waited", "Served for", "How it ended", "Expert"]


def heads(seen: Seen) -> list[str]:
    (head,) = seen.page.all("thead")
    return [cell.text for cell in head.all("th")]


async def test_a_session_is_found_by_room_point_person_and_id(whole: Doorstep, service: Service) -> None:
    session_id = await served(whole, service)
    other = await service.opened("rantala-2")
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))

    found = {}
    for text in ("huone 1", "HUONE", "ranta", "esimerkki", "eero", "aino", session_id[:6], other.id, "kaukola", "%", "nobody"):
        seen = await browser.get(f"/supervisor/sessions?text={text.replace('%', '%25').replace(' ', '+')}")
        found[text] = len(rows(seen)) if seen.page.all("tbody") else 0

    assert found == {
        "huone 1": 1,
        "HUONE": 2,
        "ranta": 2,
        "esimerkki": 1,
        "eero": 1,
        "aino": 2,
        session_id[:6]: 1,
        other.id: 1,
        "kaukola": 0,
        "%": 0,
        "nobody": 0,
    }


async def test_a_search_stays_within_the_scope_and_is_exported(whole: Doorstep, service: Service) -> None:
    await served(whole, service)
    near, far = Browser(doorstep=whole, people=(SUPERVISOR,)), Browser(doorstep=whole, people=(FAR_SUPERVISOR,))

    exports = [(await near.get(f"/supervisor/sessions.csv?text={text}")).page.text for text in ("eero", "elsa")]

    assert (await far.get("/supervisor/sessions?text=eero")).page.all("tbody") == []
    assert (await near.get(f"/supervisor/sessions?text={'x' * 81}")).page.by_id("text-error").text == "Too long."
    assert [",eero," in text for text in exports] == [True, False]


async def test_chosen_columns_are_shown_in_their_own_order_and_remembered(whole: Doorstep, service: Service) -> None:
    await served(whole, service)
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))
    usual = await browser.get("/supervisor/sessions")

    answer = await whole.client.get(
        "/supervisor/sessions?column=outcomes&column=advisor&column=language&column=nonsense", headers=await browser.headers()
    )
    cookie = answer.cookies["etapalvelu-log-columns"]
    headers = await browser.headers()
    later = await whole.client.get(
        "/supervisor/sessions", headers={"Cookie": f"{headers['Cookie']}; etapalvelu-log-columns={cookie.value}"}
    )

    assert heads(usual) == USUAL
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == ("language.outcomes.advisor", True, "Lax")
    for text in (await answer.text(), await later.text()):
        seen = Seen(status=200, location="", page=read(text))
        assert heads(seen) == ["Opened", "Language", "Outcome", "Advisor"]
        assert rows(seen) == [["17 Aug 2026, 10:00", "Finnish", "Advised", "aino"]]


async def test_nothing_chosen_shows_the_usual_columns(whole: Doorstep, service: Service) -> None:
    await served(whole, service)

    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor/sessions?column=nonsense")

    assert heads(seen) == USUAL
    assert ADVISOR.account not in " ".join(" ".join(row) for row in rows(seen))
