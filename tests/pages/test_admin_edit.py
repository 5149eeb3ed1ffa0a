"""The admin changes what is there already: points, rooms, themes' hours, people. Nothing that the log names is taken away."""

from datetime import date, time

from etapalvelu.domain.codes import Language
from etapalvelu.domain.themes import ALL_WEEK, Hours
from tests.conftest import ADVISOR, EXPERT, SCREEN, SUPERVISOR, Service
from tests.doorstep import ADMIN, PASSWORD, Doorstep
from tests.pages.conftest import Browser
from tests.pages.test_advisor import WANTED

POINT = {
    "point_name": "Rantalan piste",
    "municipality": "Rantala",
    "phone": "020 222",
    "opens_on": "2026-08-10",
    "opens_0": "8.30",
    "closes_0": "16",
    "opens_5": "0.00",
    "closes_5": "24.00",
    "in_use": "yes",
}
WEEK = {f"{end}_{day}": at for day in range(5) for end, at in (("opens", "9.00"), ("closes", "17.00"))}
ROOM = {"room_name": "Iso huone", "fit_from": "2026-08-10", "in_use": "yes"}
Form = dict[str, str | list[str]]

FACTS: Form = {
    "deed": "change",
    "name": "Eero Uusi",
    "title": "etuusasiantuntija",
    "themes": "families",
    "languages": ["fi", "en"],
}


def admin_of(whole: Doorstep) -> Browser:
    return Browser(doorstep=whole, people=(ADMIN,))


async def test_a_point_is_changed_and_its_form_shows_how_it_stands(whole: Doorstep, service: Service) -> None:
    admin = admin_of(whole)
    before = await admin.get("/admin/points/rantala")

    answer = await admin.post("/admin/points/rantala", POINT)
    after = await admin.get("/admin/points/rantala")

    point = await service.places.point("rantala")
    assert (answer.status, answer.location) == (303, "/admin#points")
    assert point is not None
    assert (point.name, point.phone, point.opens_on, point.in_use) == ("Rantalan piste", "020 222", date(2026, 8, 10), True)
    assert point.hours == {0: Hours(time(8, 30), time(16)), 5: Hours(time(0), time.max)}
    shown = [
        (seen.title, *(seen.page.by_id(name).attributes["value"] for name in ("opens_0", "closes_5")))
        for seen in (before, after)
    ]
    assert shown == [("Rantala", "9.00", ""), ("Rantalan piste", "8.30", "24.00")]


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(whole: Doorstep, service: Service) -> None:
    admin = admin_of(whole)
    hours = "Write the times as 9:00. Closing comes after opening."
    wrong = {
        ("/admin/points/rantala", "point_name", ""): "Fill this in.",
        ("/admin/points/rantala", "opens_on", "soon"): "Write the day as 2026-08-15.",
        ("/admin/points/rantala", "closes_0", "8.00"): hours,
        ("/admin/points/rantala", "closes_0", ""): "Fill this in.",
        ("/admin/points/rantala", "opens_5", "late"): hours,
        ("/admin/rooms/rantala-1", "room_name", "x" * 201): "Too long.",
        ("/admin/rooms/rantala-1", "fit_from", "2026-02-30"): "Write the day as 2026-08-15.",
        ("/admin/themes/pensions", "closes_0", "9.00"): hours,
        ("/admin/staff/eero", "password", "short"): "Too short. Write at least 12 characters.",
        ("/admin/staff/eero", "themes", "weather"): "Choose one of the listed.",
        ("/admin/staff/aino", "point", ""): "Choose one.",
        ("/admin/staff/aino", "name", "x" * 81): "Too long.",
    }
    forms: dict[str, Form] = {"points": {**POINT}, "rooms": {**ROOM}, "themes": {**WEEK}, "staff": FACTS | {"point": "rantala"}}

    for (address, field, value), words in wrong.items():
        seen = await admin.post(address, forms[address.split("/")[2]] | {field: value})
        assert (seen.status, field, seen.page.by_id(f"{field}-error").text) == (422, field, words)
        assert "Nothing was saved" in seen.page.by_id("main").text

    assert await service.places.changes(5) == []


async def test_a_room_out_of_use_is_offered_no_more_and_stays_in_the_log(whole: Doorstep, service: Service) -> None:
    await service.opened("rantala-1")
    admin, advisor = admin_of(whole), Browser(doorstep=whole, people=(ADVISOR,))

    await admin.post("/admin/rooms/rantala-2", {"room_name": "Huone 2", "fit_from": "2026-08-10"})
    refused = await advisor.post("/advisor", WANTED | {"key": "k", "room": "rantala-2"})

    assert "rantala-2" not in (await advisor.get("/advisor")).page.options("room")
    assert refused.status == 409
    assert "This room is no longer used for remote service." in refused.page.by_id("open-form").text
    board = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor")
    assert "Huone 2" not in board.page.by_id("rooms").text
    assert "Out of use" in (await admin.get("/admin")).page.by_id("main").text


async def test_a_point_out_of_use_opens_nothing_until_it_is_back(whole: Doorstep, service: Service) -> None:
    admin, advisor = admin_of(whole), Browser(doorstep=whole, people=(ADVISOR,))
    fields = POINT | WEEK
    away = {name: value for name, value in fields.items() if name != "in_use"}

    await admin.post("/admin/points/rantala", away)
    refused = await advisor.post("/advisor", WANTED | {"key": "k"})
    rooms = (await advisor.get("/advisor")).page.by_id("rooms").text
    await admin.post("/admin/points/rantala", fields)

    assert refused.status == 409
    assert "Huone 1" not in rooms
    assert (await advisor.post("/advisor", WANTED | {"key": "l"})).status == 303


async def test_a_themes_hours_hold_at_once_and_can_be_taken_back(whole: Doorstep, service: Service) -> None:
    admin, advisor = admin_of(whole), Browser(doorstep=whole, people=(ADVISOR,))

    await admin.post("/admin/themes/pensions", {"deed": "change", "opens_0": "12.00", "closes_0": "13.00"})
    shut = await advisor.post("/advisor", WANTED | {"key": "k"})
    own = await service.places.theme_hours()
    words = (await admin.get("/admin")).page.by_id("main").text
    await admin.post("/admin/themes/pensions", {"deed": "usual"})

    assert own == {"pensions": {0: Hours(time(12), time(13))}}
    assert shut.status == 409
    assert "12:00" in shut.page.by_id("open-form").text
    assert "Pensions Mon 12.00–13.00 · changed" in words
    assert await service.places.theme_hours() == {}
    assert (await advisor.post("/advisor", WANTED | {"key": "l"})).status == 303


async def test_waiting_ends_at_the_hours_the_theme_has_today(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    await service.attendance.joined(session.id, "room", SCREEN.actor)
    await service.places.set_theme_hours("pensions", {0: Hours(time(9), time(10, 30))})

    service.clock.advance(minutes=29)
    await service.timers.sweep()
    waits = (await service.session(session.id)).is_open
    service.clock.advance(minutes=1)
    await service.timers.sweep()

    assert waits
    assert (await service.session(session.id)).close_cause == "hours_ended"


async def test_a_persons_facts_are_changed_and_the_next_page_knows_them(whole: Doorstep, service: Service) -> None:
    await service.opened(theme="families")
    expert = Browser(doorstep=whole, people=(EXPERT,))

    answer = await admin_of(whole).post("/admin/staff/eero", FACTS)

    account = await service.accounts.account("eero")
    assert (answer.status, answer.location) == (303, "/admin#staff")
    assert account is not None
    staff = account.staff
    assert (staff.name, staff.title, staff.themes, staff.languages, staff.role) == (
        "Eero Uusi",
        "etuusasiantuntija",
        ("families",),
        (Language.FI, Language.EN),
        EXPERT.role,
    )
    assert "Eero Uusi" in (await expert.get("/expert")).page.all("header")[0].text


async def test_a_new_password_signs_the_person_out(whole: Doorstep) -> None:
    expert, stranger = Browser(doorstep=whole, people=(EXPERT,)), Browser(doorstep=whole, people=())
    assert (await expert.get("/expert")).status == 200

    await admin_of(whole).post("/admin/staff/eero", FACTS | {"password": "a wholly new one"})

    assert (await expert.get("/expert")).location == "/login?next=/expert"
    tries = [
        (await stranger.post("/login", {"account": "eero", "password": one})).status for one in (PASSWORD, "a wholly new one")
    ]
    assert tries == [401, 303]


async def test_who_changed_what_is_kept_and_shown_without_passwords(whole: Doorstep, service: Service) -> None:
    admin = admin_of(whole)
    await admin.post("/admin/points/rantala", POINT | WEEK | {"opens_5": "", "closes_5": "", "point_name": "Rantala"})
    await admin.post("/admin/rooms/rantala-1", ROOM | {"room_name": "Huone 1", "in_use": ""})
    await admin.post("/admin/rooms/rantala-1", ROOM | {"room_name": "Huone 1", "in_use": ""})
    await admin.post("/admin/themes/pensions", {"opens_0": "0.00", "closes_0": "24.00"})
    await admin.post("/admin/staff/eero", FACTS | {"password": "a wholly new one"})
    await admin.post("/admin/staff/aino", {"deed": "close"})

    page = (await admin.get("/admin")).page
    told = [[cell.text for cell in row.all("td")] for row in page.all("tbody")[-1].all("tr")]

    assert told == [
        ["anni", "Account aino In use: yes → no"],
        ["anni", "Account eero New password"],
        [
            "anni",
            "Account eero Name: Eero Esimerkki → Eero Uusi Title: asiantuntija → etuusasiantuntija "
            "Themes: Pensions, Families with children, International situations → Families with children "
            "Languages: Finnish, Swedish → Finnish, English",
        ],
        ["anni", "Theme pensions Hours: Mon–Fri 9.00–16.00 → Mon 0.00–24.00"],
        ["anni", "Room rantala-1 Fit from: 3 Aug 2026 → 10 Aug 2026 In use: yes → no"],
        ["anni", "Service point rantala First day: 3 Aug 2026 → 10 Aug 2026 Phone: – → 020 222"],
    ]
    assert "wholly" not in str(await service.places.changes(20))


async def test_what_is_not_there_is_not_found(whole: Doorstep) -> None:
    for address in ("points/nowhere", "rooms/nowhere", "themes/weather", "staff/nobody"):
        assert (await admin_of(whole).get(f"/admin/{address}")).status == 404


async def test_a_point_that_never_closes_says_so(whole: Doorstep, service: Service) -> None:
    point = await service.places.point("rantala")
    assert point is not None
    always = {f"{end}_{day}": at for day in range(7) for end, at in (("opens", "0"), ("closes", "24"))}

    await admin_of(whole).post("/admin/points/rantala", POINT | always)

    changed = await service.places.point("rantala")
    assert changed is not None
    assert changed.hours == ALL_WEEK
    assert "always open" in (await admin_of(whole).get("/admin")).page.by_id("main").text
