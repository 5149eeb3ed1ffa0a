from datetime import UTC, datetime

from sqlalchemy import update

from etapalvelu.domain.codes import CloseCause, DocumentCamera, State
from etapalvelu.domain.people import Role, Staff
from etapalvelu.ports import Account
from etapalvelu.store import tables
from tests.conftest import ADVISOR, AGENT, SCREEN, Service
from tests.doorstep import FAR_ADVISOR, PASSWORD, Doorstep, cheap_passwords
from tests.pages.conftest import Browser, Seen

WANTED = {"room": "rantala-1", "theme": "pensions", "language": "fi", "reason": "advice"}


async def opened(browser: Browser, **fields: str | list[str]) -> Seen:
    return await browser.post("/advisor", WANTED | {"key": "a key"} | fields)


async def test_the_point_shows_its_rooms_and_the_open_form(whole: Doorstep) -> None:
    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get("/advisor")

    assert seen.title == "Rantala"
    assert (seen.body["data-page"], seen.body["data-state"]) == ("advisor", "")
    assert seen.body["data-live"] == "/live?page=advisor"
    assert seen.page.options("room") == {
        "": "Choose",
        "rantala-1": "Huone 1 – Not in use yet",
        "rantala-2": "Huone 2 – Not in use yet",
        "rantala-3": "Huone 3 – Not in use yet",
    }
    # The list that is kept fresh says of each room what the form says of it.
    tiles = [tile.attributes for tile in seen.page.by_id("rooms").all("li") if "data-room" in tile.attributes]
    assert {"": "Choose"} | {tile["data-room"]: tile["data-choice"] for tile in tiles} == seen.page.options("room")
    assert seen.page.options("theme")["restricted"] == "Customers under non-disclosure – not yet"
    assert [strong.text for strong in seen.page.by_id("rooms").all("strong")] == ["Huone 1", "Huone 2", "Huone 3"]
    assert seen.page.by_id("open-sessions").text == "No open sessions A session you open is shown here until it ends."


async def test_the_one_room_that_works_is_chosen_already(whole: Doorstep, service: Service) -> None:
    await whole.bearer(AGENT)
    await whole.bearer(SCREEN)
    for role in (Role.ROOM, Role.AGENT):
        await service.places.device_online("rantala-1", role, "a node")
    await service.places.document_camera("rantala-1", DocumentCamera.OK)

    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get("/advisor")

    rooms = seen.page.by_id("room").all("option")
    assert [option.attributes["value"] for option in rooms if "selected" in option.attributes] == ["rantala-1"]


async def test_opening_leads_to_the_session_and_shows_its_place(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    await service.opened("rantala-2")
    service.clock.advance(minutes=1)

    answer = await opened(browser, needs=["interpreter", "real_time_text"], advisor_stays="yes")
    seen = await browser.get(answer.location)

    (mine,) = [session for session in await service.sessions.open_sessions() if session.room == "rantala-1"]
    assert (answer.status, answer.location) == (303, f"/advisor/sessions/{mine.id}")
    assert (mine.needs, mine.advisor_stays) == (("interpreter", "real_time_text"), True)
    assert (seen.body["data-state"], seen.body["data-session"]) == ("waiting", mine.id)
    assert [head.text for head in seen.page.by_id("session").all("h2")] == ["The customer is number 2 in the queue"]
    assert seen.page.by_id("session-deeds").all("button")[0].text == "Cancel session"


async def test_a_second_press_of_the_button_opens_nothing_more(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    first, second = await opened(browser), await opened(browser)

    assert first.location == second.location
    assert len(await service.sessions.open_sessions()) == 1


async def test_a_form_with_nothing_chosen_comes_back_with_words_beside_its_fields(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    seen = await browser.post("/advisor", {"language": "sv", "needs": "interpreter"})

    errors = {name: seen.page.by_id(f"{name}-error").text for name in ("theme", "room", "reason")}
    chosen = [
        option.attributes["value"] for option in seen.page.by_id("language").all("option") if "selected" in option.attributes
    ]
    assert seen.status == 422
    assert errors == dict.fromkeys(("theme", "room", "reason"), "Choose one.")
    assert chosen == ["sv"]
    assert "checked" in seen.page.having("value", "interpreter").attributes
    assert seen.page.focused() == "theme"
    assert await service.sessions.open_sessions() == []


async def test_values_that_are_none_of_the_choices_are_refused_beside_their_field(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    for field, value in (("theme", "weather"), ("room", "kaukola-1"), ("language", "xx"), ("reason", "boredom")):
        seen = await opened(browser, **{field: value})
        assert seen.status == 422
        assert seen.page.by_id(f"{field}-error").text == "Choose one of the listed."
        assert seen.page.focused() == field


async def test_a_room_in_use_is_refused_and_what_was_chosen_is_kept(whole: Doorstep, service: Service) -> None:
    await service.opened("rantala-1")

    seen = await opened(Browser(doorstep=whole, people=(ADVISOR,)))

    assert seen.status == 409
    assert seen.page.having("role", "alert").text == (
        "The room is in use already. Choose another or wait until the session in it has ended."
    )
    assert "selected" in seen.page.having("value", "pensions").attributes
    assert seen.page.hidden("/advisor")["key"] != "a key"


async def test_outside_hours_the_refusal_says_when_it_can_be_opened(whole: Doorstep, service: Service) -> None:
    service.clock.now = datetime(2026, 8, 21, 17, 0, tzinfo=UTC)

    for language, words in (
        ("fi", "Etäpalvelu on nyt kiinni. Sen voi avata seuraavan kerran maanantaina 24.8. klo 9.00."),
        ("en", "Remote service is closed now. It can next be opened Monday 24 August at 09:00."),
    ):
        seen = await opened(Browser(doorstep=whole, people=(ADVISOR,), language=language), key=f"key {language}")
        assert seen.status == 409
        assert seen.page.having("role", "alert").text == words


async def test_an_advisor_cancels_what_waits(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()
    address = f"/advisor/sessions/{session.id}"

    answer = await browser.post(f"{address}/close", {"cause": "cancelled", "key": "a key"})
    seen = await browser.get(address)

    after = await service.session(session.id)
    assert (answer.status, answer.location) == (303, address)
    assert (after.state, after.close_cause) == (State.CLOSED, CloseCause.CANCELLED)
    assert seen.body["data-state"] == "closed"
    assert [head.text for head in seen.page.by_id("session").all("h2")] == ["The session was cancelled"]
    assert seen.page.by_id("session-deeds").text == "Open the next one"


async def test_what_failed_is_written_down_with_a_technical_end_alone(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    causes = {}

    for room, cause in (("rantala-1", "technical"), ("rantala-2", "customer_left")):
        session = await whole.connected(await service.opened(room))
        await browser.post(f"/advisor/sessions/{session.id}/close", {"cause": cause, "cause_class": "document_camera"})
        after = await service.session(session.id)
        causes[after.close_cause] = after.cause_class

    assert causes == {CloseCause.TECHNICAL: "document_camera", CloseCause.CUSTOMER_LEFT: None}


async def test_the_customer_wants_the_advisor_there_or_not(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()
    address = f"/advisor/sessions/{session.id}"
    heads = []

    for stays in ("yes", "no", "yes"):
        seen = await browser.get(address)
        key = seen.page.hidden(f"{address}/stays")["key"]
        # A second press of the button does nothing more.
        answers = [await browser.post(f"{address}/stays", {"stays": stays, "key": key}) for _ in range(2)]
        assert [(answer.status, answer.location) for answer in answers] == [(303, address)] * 2
        heads.append((await browser.get(address)).page.by_id("session").all("h3")[-1].text)

    assert heads == [
        "You are present, as the customer wishes",
        "The customer is served without you",
        "You are present, as the customer wishes",
    ]
    assert (await service.types(session.id))[1:] == ["advisor_stays", "advisor_leaves", "advisor_stays"]


async def test_staying_says_yes_or_no_and_not_after_the_end(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()
    address = f"/advisor/sessions/{session.id}"

    unclear = [(await browser.post(f"{address}/stays", fields)).status for fields in ({}, {"stays": "perhaps"})]
    far = await Browser(doorstep=whole, people=(FAR_ADVISOR,)).post(f"{address}/stays", {"stays": "yes"})
    await browser.post(f"{address}/close", {"cause": "cancelled"})
    late = await browser.post(f"{address}/stays", {"stays": "yes"})

    assert (unclear, far.status, late.status) == ([422, 422], 404, 409)


async def test_the_number_for_help_stands_on_the_sessions_page(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    async with service.engine.begin() as connection:
        await connection.execute(update(tables.point).values(phone="020 000 0000"))

    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get(f"/advisor/sessions/{session.id}")

    assert seen.page.having("class", "help-line").text == "Help by phone: 020 000 0000"


async def test_who_closes_too_late_sees_how_it_is_now(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()
    await browser.post(f"/advisor/sessions/{session.id}/close", {"cause": "cancelled", "key": "first"})

    seen = await browser.post(f"/advisor/sessions/{session.id}/close", {"cause": "customer_left", "key": "second"})

    assert seen.status == 409
    assert seen.page.having("role", "alert").text == "Things have changed. Below you see how they are now."
    assert seen.body["data-state"] == "closed"


async def test_an_end_without_a_cause_is_asked_again(whole: Doorstep, service: Service) -> None:
    session = await service.opened()

    seen = await Browser(doorstep=whole, people=(ADVISOR,)).post(f"/advisor/sessions/{session.id}/close", {})

    assert (seen.status, seen.body["data-state"]) == (422, "waiting")


async def test_another_points_advisor_does_not_learn_that_the_session_exists(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(FAR_ADVISOR,))
    session = await service.opened()

    seen = [
        await browser.get(f"/advisor/sessions/{session.id}"),
        await browser.get("/advisor/sessions/nothing"),
        await browser.post(f"/advisor/sessions/{session.id}/close", {"cause": "cancelled"}),
    ]

    assert [one.status for one in seen] == [404, 404, 404]
    assert seen[0].page.by_id("main").text == seen[1].page.by_id("main").text


async def test_a_running_session_shows_its_expert_and_lines_in_words(whole: Doorstep, service: Service) -> None:
    session = await whole.connected(await service.opened())

    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get(f"/advisor/sessions/{session.id}")

    assert seen.body["data-state"] == "connected"
    assert [head.text for head in seen.page.by_id("session").all("h2")] == ["The expert is serving the customer"]
    assert [item.text for item in seen.page.having("class", "lines").all("li")] == [
        "Connection to the customer Working",
        "Connection to the expert Working",
        "Document camera Not there yet",
    ]


async def test_a_customer_who_waits_near_closing_time_is_told(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    service.clock.now = datetime(2026, 8, 17, 12, 50, tzinfo=UTC)

    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get(f"/advisor/sessions/{session.id}")

    assert seen.page.by_id("session").having("role", "status").text == (
        "Remote service for this theme ends at 16:00. If no expert is free before that, the waiting ends."
    )


async def test_an_advisor_without_a_point_is_told_so(whole: Doorstep, service: Service) -> None:
    """No such account is made any more; one of an older version may be there."""
    homeless = Staff(account="onni", role=Role.ADVISOR)
    await service.accounts.add_account(Account(staff=homeless, password_hash=await cheap_passwords().hash(PASSWORD)))

    assert (await Browser(doorstep=whole, people=(homeless,)).get("/advisor")).status == 403
