import re
from collections.abc import AsyncIterator
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientPayloadError, web
from structlog.testing import capture_logs

from etapalvelu.domain.errors import (
    ConflictError,
    OutsideHoursError,
    RefusalError,
    RoomNotFitError,
    TooManyAttemptsError,
    TryAgainError,
)
from etapalvelu.pages import assets
from etapalvelu.pages.failures import words
from etapalvelu.pages.language import load_languages
from etapalvelu.statuses import status_of
from tests.conftest import ADVISOR, SUPERVISOR, Service
from tests.doorstep import ADMIN, Doorstep
from tests.pages.conftest import Browser

MONDAY = datetime(2026, 8, 24, 9, 0, tzinfo=ZoneInfo("Europe/Helsinki"))


class StrangeError(RefusalError):
    code = "strange"


@pytest.mark.parametrize(
    ("refusal", "said", "status"),
    [
        (OutsideHoursError(MONDAY), "Remote service is closed now. It can next be opened Monday 24 August at 09:00.", 409),
        (OutsideHoursError(None), "Remote service is closed now, and the next opening is not known.", 409),
        (
            ConflictError.again("outside_hours", {"opens_at": MONDAY.isoformat()}),
            "Remote service is closed now. It can next be opened Monday 24 August at 09:00.",
            409,
        ),
        (
            RoomNotFitError(room="r", fit_from=date(2026, 9, 1).isoformat()),
            "The room can be used for remote service from 1 Sept 2026 on.",
            409,
        ),
        (RoomNotFitError(room="r", fit_from=None), "The room is not fit for remote service yet.", 409),
        (TooManyAttemptsError(41), "Too many attempts. Try again in 41 seconds.", 429),
        (TryAgainError(), "The server is busy for a moment. Nothing was done. Try again shortly.", 503),
        (StrangeError(), "This cannot be done now.", 400),
    ],
)
def test_a_refusal_has_its_words_and_status(refusal: RefusalError, said: str, status: int) -> None:
    assert (words(refusal, load_languages(assets.LOCALE)["en"]), status_of(refusal)) == (said, status)


async def test_an_address_that_is_nothing_is_told_in_the_persons_language(whole: Doorstep) -> None:
    titles = {
        language: (await Browser(doorstep=whole, people=(ADVISOR,), language=language).get("/nothing")).title
        for language in ("fi", "sv", "en")
    }
    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get("/nothing")

    assert titles == {"fi": "Sivua ei löydy", "sv": "Sidan hittades inte", "en": "Page not found"}
    assert (seen.status, seen.body["data-page"]) == (404, "error")
    assert [link.attributes["href"] for link in seen.page.by_id("main").all("a")] == ["/advisor"]


async def test_what_nobody_foresaw_is_a_number_to_quote_and_no_more(
    whole: Doorstep, service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(request: web.Request) -> web.StreamResponse:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr("etapalvelu.pages.site.Site.rooms_of", broken)
    monkeypatch.setattr("etapalvelu.pages.advisor.advisor_view", broken)
    seen = await Browser(doorstep=whole, people=(ADVISOR,)).get("/advisor")

    found = re.search(r"Number of the error: ([0-9A-F]{8})$", seen.page.by_id("main").text)
    assert (seen.status, seen.title) == (500, "Something went wrong here")
    assert found is not None
    assert "secret" not in seen.page.text
    assert found.group(1) in capsys.readouterr().out


async def test_the_log_names_the_route_of_a_failure_and_nobody(whole: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("etapalvelu.access.Access.set_active", broken)
    with capture_logs() as lines:
        seen = await Browser(doorstep=whole, people=(ADMIN,)).post("/admin/staff/eero", {"deed": "close"})

    (failed,) = [line for line in lines if line["event"] == "page_failed"]
    assert seen.status == 500
    assert failed["route"] == "/admin/staff/{account}"
    assert [value for value in failed.values() if "eero" in str(value)] == []


@pytest.mark.parametrize("failure", [ZeroDivisionError("a secret of ours"), TryAgainError(3)], ids=["fault", "refusal"])
async def test_an_answer_that_has_begun_is_broken_off_and_gets_no_second_one(
    whole: Doorstep, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], failure: Exception
) -> None:
    async def rows(*_: object) -> AsyncIterator[tuple[str, ...]]:
        yield ("id", "point")
        yield ("one", "rantala")
        raise failure

    monkeypatch.setattr("etapalvelu.reports.Reports.csv_rows", rows)
    headers = await Browser(doorstep=whole, people=(SUPERVISOR,)).headers()
    answer = await whole.client.get("/supervisor/sessions.csv", headers=headers)
    with pytest.raises(ClientPayloadError):
        await answer.read()

    assert answer.status == 200
    logged = capsys.readouterr().out
    assert "answer_broken_off" in logged
    assert "route=/supervisor/sessions.csv" in logged


async def test_a_database_that_is_away_is_told_with_when_to_try_again(whole: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise TryAgainError(3)

    monkeypatch.setattr("etapalvelu.pages.advisor.advisor_view", away)
    answer = await whole.client.get("/advisor", headers=await Browser(doorstep=whole, people=(ADVISOR,)).headers())

    assert (answer.status, answer.headers["Retry-After"]) == (503, "3")
