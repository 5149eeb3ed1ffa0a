"""The supervisor's page of failures: what is drawn and listed, filtered, taken along, and for whom."""

import csv
from datetime import date, timedelta

import pytest

from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CauseClass, CloseCause, Seat
from etapalvelu.domain.events import Event, Interrupted, Resumed
from etapalvelu.pages.technical_views import steps
from tests.conftest import ADVISOR, EXPERT, SUPERVISOR, Service
from tests.doorstep import ADMIN, FAR_SUPERVISOR, Doorstep
from tests.pages.conftest import Browser, Seen


async def troubled(whole: Doorstep, service: Service, room: str = "rantala-1") -> str:
    """A session whose room was away for a minute and a half, and came back."""
    session = await whole.connected(await service.opened(room))
    gap: list[Event] = [
        Interrupted(seat=Seat.ROOM, cause_class=CauseClass.SITE_NETWORK, since=service.clock()),
        Resumed(seat=Seat.ROOM, gap_ms=90_000),
    ]
    await service.ledger.change(session.id, "system", lambda _session: gap)
    await service.desk.close(EXPERT, session.id, CloseRequest(cause=CloseCause.COMPLETED))
    return session.id


async def failed(service: Service, room: str = "rantala-2") -> str:
    """A session that waited for two minutes and then ended for a technical cause."""
    session = await service.opened(room)
    service.clock.advance(minutes=2)
    await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.TECHNICAL, cause_class=CauseClass.CAMERA))
    return session.id


def browser(whole: Doorstep) -> Browser:
    return Browser(doorstep=whole, people=(SUPERVISOR,))


def table(seen: Seen, id_: str) -> list[list[str]]:
    (body,) = seen.page.by_id(id_).all("tbody")
    return [[part.text for part in row.parts if not isinstance(part, str)] for row in body.all("tr")]


async def test_failures_are_listed_with_cause_loss_and_what_came_of_it(whole: Doorstep, service: Service) -> None:
    mended, ended = await troubled(whole, service), await failed(service)

    seen = await browser(whole).get("/supervisor/faults")

    assert table(seen, "faults") == [
        [
            "17 Aug 2026, 10:02",
            "Rantala Huone 2",
            "The session was ended for a fault",
            "The room's camera",
            "2 min",
            "The session ended",
        ],
        [
            "17 Aug 2026, 10:00",
            "Rantala Huone 1",
            "The connection was lost Room screen",
            "The service point's network",
            "1 min 30 s",
            "Mended by itself",
        ],
    ]
    assert [link.attributes["href"] for link in seen.page.by_id("faults").all("a")] == [
        f"/supervisor/sessions/{ended}",
        f"/supervisor/sessions/{mended}",
    ]


async def test_shares_stand_beside_their_drawings(whole: Doorstep, service: Service) -> None:
    for _ in range(2):
        await troubled(whole, service)
    await failed(service)
    await service.opened("rantala-3")

    seen = await browser(whole).get("/supervisor/faults")

    terms = dict(zip((term.text for term in seen.page.all("dt")), (value.text for value in seen.page.all("dd")), strict=True))
    assert terms == {"Faults": "3", "Time lost": "5 min", "Mended by itself": "2 of 3", "Sessions with a fault": "3 of 4"}
    assert table(seen, "causes") == [
        ["The service point's network", "", "2", "67 %", "3 min", "2"],
        ["The room's camera", "", "1", "33 %", "2 min", "0"],
    ]
    assert table(seen, "rooms") == [
        ["Rantala, Huone 1", "", "2", "67 %", "3 min", "2", "2 of 2"],
        ["Rantala, Huone 2", "", "1", "33 %", "2 min", "0", "1 of 1"],
    ]
    assert table(seen, "columns-table") == [["17 Aug 2026", "3", "5 min"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 2),
        ("room=rantala-2", 1),
        ("point=rantala", 2),
        ("cause=camera", 1),
        ("from=2026-08-17&to=2026-08-17", 2),
        ("from=2026-01-01&to=2026-08-17", 2),
    ],
)
async def test_failures_are_filtered(whole: Doorstep, service: Service, query: str, found: int) -> None:
    await troubled(whole, service)
    await failed(service)

    assert len(table(await browser(whole).get(f"/supervisor/faults?{query}"), "faults")) == found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("cause=speaker", "No session fits the filter."),
        ("to=2026-08-16", "Nothing failed in this time. Faults appear here by themselves."),
        ("from=2027-01-01", "Nothing failed in this time. Faults appear here by themselves."),
    ],
)
async def test_a_time_without_failures_says_so(whole: Doorstep, service: Service, query: str, words: str) -> None:
    await troubled(whole, service)

    seen = await browser(whole).get(f"/supervisor/faults?{query}")

    assert seen.page.having("class", "empty").text == f"No faults {words}"


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("from=yesterday", "from", "Write the day as 2026-08-15."),
        ("from=2026-08-02&to=2026-08-01", "to", "The last day comes before the first."),
        ("from=2025-01-01&to=2026-08-01", "from", "Choose a year at most."),
        ("cause=gremlins", "cause", "Choose one of the listed."),
    ],
)
async def test_a_filter_that_cannot_be_read_is_told_beside_its_field(
    whole: Doorstep, service: Service, query: str, field: str, words: str
) -> None:
    await troubled(whole, service)

    seen = await browser(whole).get(f"/supervisor/faults?{query}")

    assert (seen.status, seen.page.by_id(f"{field}-error").text) == (422, words)
    assert seen.page.all("tbody") == []


async def test_the_list_goes_on_page_by_page(whole: Doorstep, service: Service) -> None:
    session = await whole.connected(await service.opened())
    since = service.clock()
    gap: list[Event] = [
        Interrupted(seat=Seat.ROOM, cause_class=CauseClass.SERVER, since=since),
        Resumed(seat=Seat.ROOM, gap_ms=1000),
    ]
    await service.ledger.change(session.id, "system", lambda _session: gap * 52)

    first = await browser(whole).get("/supervisor/faults?cause=server")
    second = await browser(whole).get(first.page.by_id("older").attributes["href"])
    cut = await browser(whole).get("/supervisor/faults?after=2026-08-17")

    assert (len(table(first, "faults")), len(table(second, "faults")), len(table(cut, "faults"))) == (50, 2, 50)
    assert [link for link in second.page.all("a") if link.attributes.get("id") == "older"] == []


async def test_the_export_holds_the_filtered_failures(whole: Doorstep, service: Service) -> None:
    await troubled(whole, service)
    ended = await failed(service)
    page = await browser(whole).get("/supervisor/faults?cause=camera")

    answer = await whole.client.get(page.page.by_id("export").attributes["href"], headers=await browser(whole).headers())
    lines = list(csv.DictReader((await answer.text()).splitlines()))

    assert answer.headers["Content-Disposition"] == 'attachment; filename="etapalvelu-faults.csv"'
    assert [
        (line["session"].removeprefix("'"), line["kind"], line["cause_class"], line["lost_seconds"], line["remedy"])
        for line in lines
    ] == [(ended, "technical", "camera", "120.0", "closed")]


async def test_a_supervisor_of_another_point_sees_none_of_it(whole: Doorstep, service: Service) -> None:
    await troubled(whole, service)
    far = Browser(doorstep=whole, people=(FAR_SUPERVISOR,))

    own, asked = await far.get("/supervisor/faults"), await far.get("/supervisor/faults?point=rantala")

    assert own.page.having("class", "empty").text.startswith("No faults")
    assert list(own.page.options("room")) == ["", "kaukola-1"]
    assert asked.status == 403


async def test_the_admin_reads_it_and_others_do_not(whole: Doorstep, service: Service) -> None:
    await troubled(whole, service)

    assert len(table(await Browser(doorstep=whole, people=(ADMIN,)).get("/supervisor/faults"), "faults")) == 1
    assert (await Browser(doorstep=whole, people=(EXPERT,)).get("/supervisor/faults")).status == 403
    assert (await Browser(doorstep=whole, people=(EXPERT,)).get("/supervisor/faults.csv")).status == 403


async def test_more_failures_than_are_counted_are_said_to_be_so(
    whole: Doorstep, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await troubled(whole, service)
    monkeypatch.setattr("etapalvelu.technical.CHUNK", 2)
    monkeypatch.setattr("etapalvelu.technical.MOST_SPOTS", 2)

    seen = await browser(whole).get("/supervisor/faults")

    assert "the figures are of the newest 2" in seen.page.by_id("main").text


@pytest.mark.parametrize(
    ("days", "step", "parts", "second"),
    [
        (30, "day", 30, date(2026, 1, 2)),
        (100, "week", 15, date(2026, 1, 5)),
        (365, "month", 12, date(2026, 2, 1)),
    ],
)
def test_a_long_span_is_drawn_in_longer_parts(days: int, step: str, parts: int, second: date) -> None:
    first = date(2026, 1, 1)

    named, begins = steps(first, first + timedelta(days=days - 1))

    assert (named, len(begins), begins[1]) == (step, parts, second)
