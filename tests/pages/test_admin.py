import re

from etapalvelu.domain.people import Role
from tests.conftest import ADVISOR, SCREEN, Service
from tests.doorstep import ADMIN, PASSWORD, Doorstep
from tests.pages.conftest import Browser

POINT = {
    "point_name": "Uusi piste",
    "point_id": "uusi",
    "municipality": "Uusila",
    "opens_on": "2026-09-01",
    "opens": "9.00",
    "closes": "15:30",
    "phone": "020 111",
}
ROOM = {"room_point": "rantala", "room_name": "Huone 9", "room_id": "rantala-9", "fit_from": "2026-09-01"}
STAFF = {"account": "uuno", "password": "quite a long one", "role": "expert", "themes": "pensions", "languages": "sv"}


async def test_a_new_point_and_its_room_are_there_at_once(whole: Doorstep, service: Service) -> None:
    admin = Browser(doorstep=whole, people=(ADMIN,))

    answers = [
        await admin.post("/admin/points", POINT),
        await admin.post("/admin/rooms", ROOM | {"room_point": "uusi", "room_id": "uusi-1", "fit_from": ""}),
    ]
    seen = await admin.get("/admin")

    point, room = await service.places.point("uusi"), await service.places.room("uusi-1")
    assert [(answer.status, answer.location) for answer in answers] == [(303, "/admin#points")] * 2
    assert point is not None
    assert room is not None
    assert (point.name, point.phone, room.fit_from) == ("Uusi piste", "020 111", None)
    assert "Uusila · service begins 1 Sept 2026 · Mon–Fri 9.00–15.30 · 020 111" in seen.page.by_id("main").text


async def test_what_is_wrong_is_told_beside_its_field_and_the_rest_is_kept(whole: Doorstep, service: Service) -> None:
    admin = Browser(doorstep=whole, people=(ADMIN,))
    wrong = {
        (
            "/admin/points",
            "point_id",
            "Uusi Piste",
        ): "Use small letters a–z, digits, dots and hyphens. Begin with a letter or digit.",
        (
            "/admin/points",
            "point_id",
            "-piste",
        ): "Use small letters a–z, digits, dots and hyphens. Begin with a letter or digit.",
        ("/admin/points", "point_id", "rantala"): "The name is taken.",
        ("/admin/points", "opens_on", "soon"): "Write the day as 2026-08-15.",
        ("/admin/points", "closes", "8.00"): "Write the times as 9:00. Closing comes after opening.",
        ("/admin/points", "point_name", ""): "Fill this in.",
        ("/admin/points", "point_name", "x" * 201): "Too long.",
        ("/admin/rooms", "room_id", "rantala-1"): "The name is taken.",
        ("/admin/rooms", "room_point", "nowhere"): "Choose one of the listed.",
        ("/admin/staff", "account", "aino"): "The name is taken.",
        ("/admin/staff", "account", "Uuno!"): "Use small letters a–z, digits, dots and hyphens. Begin with a letter or digit.",
        ("/admin/staff", "account", "u" * 41): "Use small letters a–z, digits, dots and hyphens. Begin with a letter or digit.",
        ("/admin/staff", "password", "short"): "Too short. Write at least 12 characters.",
        ("/admin/staff", "password", ""): "Fill this in.",
        ("/admin/staff", "role", "room"): "Choose one of the listed.",
        ("/admin/staff", "themes", "weather"): "Choose one of the listed.",
        ("/admin/staff", "point", "nowhere"): "Choose one of the listed.",
    }
    forms = {"/admin/points": POINT, "/admin/rooms": ROOM, "/admin/staff": STAFF}

    for (address, field, value), words in wrong.items():
        seen = await admin.post(address, forms[address] | {field: value})
        assert (seen.status, field, seen.page.by_id(f"{field}-error").text) == (422, field, words)
    kept = await admin.post("/admin/points", POINT | {"opens_on": "soon"})

    assert kept.page.by_id("municipality").attributes["value"] == "Uusila"
    assert await service.places.point("uusi") is None


async def test_an_advisor_must_have_a_point(whole: Doorstep) -> None:
    seen = await Browser(doorstep=whole, people=(ADMIN,)).post("/admin/staff", STAFF | {"role": "advisor"})

    assert seen.page.by_id("point-error").text == "Choose one."


async def test_a_new_person_can_sign_in(whole: Doorstep) -> None:
    answer = await Browser(doorstep=whole, people=(ADMIN,)).post("/admin/staff", STAFF)
    signed_in = await Browser(doorstep=whole, people=()).post("/login", {"account": "uuno", "password": "quite a long one"})

    assert (answer.status, answer.location) == (303, "/admin#staff")
    assert (signed_in.status, signed_in.location) == (303, "/expert")


async def test_a_pairing_code_is_shown_once_and_works(whole: Doorstep) -> None:
    admin = Browser(doorstep=whole, people=(ADMIN,))

    for kind, role in (("room", Role.ROOM), ("agent", Role.AGENT)):
        seen = await admin.post("/admin/rooms/rantala-1/pairing", {"kind": kind})
        code = seen.page.having("class", "pairing-code").text
        assert re.fullmatch(r"\w{4}-\w{4}", code)
        paired = await whole.access.pair(code, role, "198.51.100.7")
        assert (paired.visitor.role, paired.visitor.login.room) == (role, "rantala-1")

    assert (await admin.post("/admin/rooms/nothing/pairing", {"kind": "room"})).status == 404
    assert "pairing-code" not in {node.attributes.get("class") for node in (await admin.get("/admin")).page.all("p")}


async def test_a_revoked_screen_is_asked_for_a_code_again(whole: Doorstep) -> None:
    admin, screen = Browser(doorstep=whole, people=(ADMIN,)), Browser(doorstep=whole, people=(SCREEN,))
    await screen.get("/room")

    login = (await admin.get("/admin")).page.hidden("/admin/rooms/rantala-1/revoke")["login"]
    answer = await admin.post("/admin/rooms/rantala-1/revoke", {"login": login})

    assert answer.status == 303
    assert (await screen.get("/room")).title == "Connect this screen to a room"


async def test_an_account_is_closed_signed_out_and_opened_again(whole: Doorstep) -> None:
    admin, advisor = Browser(doorstep=whole, people=(ADMIN,)), Browser(doorstep=whole, people=(ADVISOR,))
    stranger = Browser(doorstep=whole, people=())
    tries = {}
    assert (await advisor.get("/advisor")).status == 200

    await admin.post("/admin/staff/aino", {"deed": "sign_out"})
    assert (await advisor.get("/advisor")).location == "/login?next=/advisor"
    for deed in ("close", "open"):
        assert (await admin.post("/admin/staff/aino", {"deed": deed})).location == "/admin#staff"
        tries[deed] = (await stranger.post("/login", {"account": "aino", "password": PASSWORD})).status

    assert tries == {"close": 401, "open": 303}


async def test_nobody_shuts_themselves_out(whole: Doorstep) -> None:
    admin = Browser(doorstep=whole, people=(ADMIN,))

    assert (await admin.post("/admin/staff/anni", {"deed": "close"})).status == 422
    assert (await admin.post("/admin/staff/nobody", {"deed": "close"})).status == 404
    assert (await admin.get("/admin")).status == 200
