"""People read names; log, API and CSV keep the accounts."""

from tests.conftest import ADVISOR, EXPERT, EXPERT2, SCREEN, SUPERVISOR, Service
from tests.doorstep import ADMIN, Doorstep
from tests.pages.conftest import Browser

STAFF = {"account": "uuno", "password": "quite a long one", "role": "expert", "themes": "pensions", "languages": "sv"}


async def test_the_customer_reads_name_title_and_authority_below_the_picture(whole: Doorstep, service: Service) -> None:
    await service.desk.claim(EXPERT, (await service.opened()).id)

    seen = await Browser(doorstep=whole, people=(SCREEN,)).get("/room")

    assert seen.page.by_id("expert-name").text == "Eero Esimerkki, asiantuntija Kela – Pensions"


async def test_an_expert_without_a_name_is_told_by_account(whole: Doorstep, service: Service) -> None:
    await service.desk.claim(EXPERT2, (await service.opened()).id)

    seen = await Browser(doorstep=whole, people=(SCREEN,)).get("/room")

    assert seen.page.by_id("expert-name").text == "elsa Kela – Pensions"


async def test_colleagues_read_names(whole: Doorstep, service: Service) -> None:
    session = await whole.connected(await service.opened())
    advisor, supervisor = Browser(doorstep=whole, people=(ADVISOR,)), Browser(doorstep=whole, people=(SUPERVISOR,))

    words = {
        "the advisor's list": (await advisor.get("/advisor")).page.by_id("open-sessions").text,
        "the advisor's session": (await advisor.get(f"/advisor/sessions/{session.id}")).page.by_id("session").text,
        "the board": (await supervisor.get("/supervisor")).page.by_id("open-sessions").text,
        "the timeline": (await supervisor.get(f"/supervisor/sessions/{session.id}")).page.by_id("timeline").text,
        "the band": (await Browser(doorstep=whole, people=(EXPERT,)).get("/expert")).page.all("header")[0].text,
    }

    assert [place for place, text in words.items() if "Eero Esimerkki" not in text or "eero" in text] == []


async def test_log_api_and_export_keep_the_account(whole: Doorstep, service: Service) -> None:
    session = await whole.connected(await service.opened())

    told = await (await whole.get(f"/sessions/{session.id}", SUPERVISOR)).json()
    exported = (await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor/sessions.csv")).page.text

    assert (told["expert"], told["events"][1]["actor"]) == ("eero", "staff:eero")
    assert ",eero," in exported
    assert "Esimerkki" not in exported + str(told)


async def test_the_admin_gives_name_and_title(whole: Doorstep, service: Service) -> None:
    admin = Browser(doorstep=whole, people=(ADMIN,))

    await admin.post("/admin/staff", STAFF | {"name": " Uuno Esimerkki ", "title": "sakkunnig"})
    too_long = await admin.post("/admin/staff", STAFF | {"account": "other", "name": "U" * 81})

    account = await service.accounts.account("uuno")
    assert account is not None
    assert (account.staff.name, account.staff.title) == ("Uuno Esimerkki", "sakkunnig")
    assert too_long.page.by_id("name-error").text == "Too long."
    assert "Uuno Esimerkki, sakkunnig" in (await admin.get("/admin")).page.by_id("main").text
