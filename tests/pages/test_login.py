import pytest

from etapalvelu.domain.people import Role
from etapalvelu.pages.login import local_path
from tests.conftest import ADVISOR, EXPERT, SCREEN, SUPERVISOR
from tests.doorstep import PASSWORD, Doorstep
from tests.pages.conftest import Browser


async def test_a_stranger_is_sent_to_sign_in_and_back_to_where_they_were_going(whole: Doorstep) -> None:
    stranger = Browser(doorstep=whole, people=())

    sent = await stranger.get("/supervisor/sessions?theme=pensions")
    asked = await stranger.get(sent.location)
    hidden = asked.page.hidden("/login")
    answer = await stranger.post("/login", {"account": "sirpa", "password": PASSWORD, **hidden})

    assert sent.status == 303
    assert sent.location == "/login?next=/supervisor/sessions?theme%3Dpensions"
    assert asked.body["data-page"] == "login"
    assert (answer.status, answer.location) == (303, "/supervisor/sessions?theme=pensions")


async def test_signing_in_leads_nowhere_outside_ones_own_pages(whole: Doorstep) -> None:
    stranger = Browser(doorstep=whole, people=())

    for elsewhere in ("//example.org/", "https://example.org/", "/\\example.org", "/supervisor", "/advisors"):
        answer = await stranger.post("/login", {"account": "aino", "password": PASSWORD, "next": elsewhere})
        assert (answer.status, answer.location) == (303, "/advisor")


async def test_a_wrong_password_is_told_in_words_and_the_name_is_kept(whole: Doorstep) -> None:
    for language, words in (
        ("fi", "Käyttäjätunnus tai salasana on väärin."),
        ("sv", "Användarnamnet eller lösenordet är fel."),
        ("en", "The user name or the password is wrong."),
    ):
        stranger = Browser(doorstep=whole, people=(), language=language)
        answer = await stranger.post("/login", {"account": "aino", "password": "another long one"})

        assert answer.status == 401
        assert answer.page.having("role", "alert").text == words
        assert answer.page.by_id("account").attributes["value"] == "aino"
        assert answer.page.by_id("password").attributes["value"] == ""
        assert answer.page.focused() == "password"


async def test_an_empty_form_is_told_beside_its_fields(whole: Doorstep) -> None:
    answer = await Browser(doorstep=whole, people=()).post("/login", {"account": "", "password": ""})

    assert answer.status == 422
    assert answer.page.by_id("account-error").text == "Fill this in."
    assert answer.page.by_id("password-error").text == "Fill this in."
    assert answer.page.focused() == "account"


async def test_the_sixth_wrong_try_in_a_minute_is_told_to_wait(whole: Doorstep) -> None:
    stranger = Browser(doorstep=whole, people=())
    for _ in range(5):
        await stranger.post("/login", {"account": "aino", "password": "another long one"})

    answer = await whole.client.post("/login", data={"account": "aino", "password": PASSWORD})

    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) > 0


async def test_signing_out_ends_the_login(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    answer = await browser.post("/logout", {})
    after = await browser.get("/advisor")

    assert (answer.status, answer.location) == (303, "/login?out=1")
    assert (after.status, after.location) == (303, "/login?next=/advisor")


async def test_a_post_without_the_token_is_refused_in_words(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    answer = await browser.post("/logout", {"csrf": "somebody else's"})

    assert answer.status == 403
    assert answer.page.having("role", "alert").text == (
        "The page had been open too long. Load it again and send the form once more."
    )
    assert (await browser.get("/advisor")).status == 200


async def test_the_page_of_another_role_says_so_and_lets_one_sign_in_there(whole: Doorstep) -> None:
    answer = await Browser(doorstep=whole, people=(ADVISOR,)).get("/supervisor/reports?month=2026-08")

    assert answer.status == 403
    assert answer.title == "This page belongs to another role"
    assert answer.page.hidden("/login") == {"next": "/supervisor/reports?month=2026-08"}


async def test_one_browser_holds_a_login_for_each_role(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR, EXPERT, SUPERVISOR))

    pages = [await browser.get(path) for path in ("/advisor", "/expert", "/supervisor")]

    assert [page.status for page in pages] == [200, 200, 200]
    assert [page.body["data-page"] for page in pages] == ["advisor", "expert", "supervisor"]


async def test_the_bare_address_leads_to_ones_own_page(whole: Doorstep) -> None:
    assert (await Browser(doorstep=whole, people=()).get("/")).location == "/login"
    assert (await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/")).location == "/supervisor"


async def test_the_language_is_finnish_first_and_what_was_asked_for_is_remembered(whole: Doorstep) -> None:
    first = await whole.client.get("/login")
    asked = await whole.client.get("/login?lang=sv")
    odd = await whole.client.get("/login?lang=xx")

    assert '<html lang="fi">' in await first.text()
    assert '<html lang="sv">' in await asked.text()
    assert asked.cookies["etapalvelu-language"].value == "sv"
    assert "etapalvelu-language" not in odd.cookies


async def test_a_page_has_its_icon_and_its_files(whole: Doorstep) -> None:
    page = (await Browser(doorstep=whole, people=()).get("/login")).page
    files = [link.attributes["href"] for link in page.all("link")]

    answers = [await whole.client.get(file) for file in (*files, "/favicon.ico")]

    assert [answer.status for answer in answers] == [200] * (len(files) + 1)
    assert answers[0].headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answers[-1].content_type == "image/svg+xml"


async def test_a_room_screen_is_paired_by_its_code_once(whole: Doorstep) -> None:
    code = await whole.access.add_pairing_code("rantala-1", Role.ROOM)
    stranger = Browser(doorstep=whole, people=())

    form = await stranger.get("/room")
    paired = await stranger.get(f"/room?pair={code}")
    again = await stranger.post("/room", {"pair": code})
    screen = await Browser(doorstep=whole, people=(SCREEN,)).get("/room")

    assert form.title == "Connect this screen to a room"
    assert (paired.status, paired.location) == (303, "/room")
    assert again.status == 401
    assert again.page.by_id("pair-error").text == "The code is wrong or too old. Ask for a new one."
    assert (screen.status, screen.body["data-page"], screen.body["data-state"]) == (200, "room", "")


@pytest.mark.parametrize(
    ("text", "led_to"),
    [
        ("/advisor/sessions/x?y=1", "/advisor/sessions/x?y=1"),
        ("//evil.example", None),
        ("/\\evil.example", None),
        ("/a\\b", None),
        ("/a\nb", None),
        ("https://evil.example", None),
        ("", None),
    ],
)
def test_signing_in_leads_nowhere_else(text: str, led_to: str | None) -> None:
    assert local_path(text) == led_to
