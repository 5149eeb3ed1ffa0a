import csv
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CauseClass, CloseCause, Outcome
from etapalvelu.domain.errors import WrongStateError
from etapalvelu.ports import DeedKey, Sample
from etapalvelu.store.engine import writing
from tests.conftest import ADVISOR, EXPERT, SUPERVISOR, Service
from tests.doorstep import ADMIN, FAR_SUPERVISOR, Doorstep
from tests.pages.conftest import Browser, Seen


def rows(seen: Seen) -> list[list[str]]:
    """The cells of the page's table, head left out."""
    (body,) = seen.page.all("tbody")
    return [[part.text for part in row.parts if not isinstance(part, str)] for row in body.all("tr")]


def figures(seen: Seen) -> dict[str, str]:
    values = [value for value in seen.page.all("dd") if value.attributes.get("class") != "usual"]
    return {term.text: value.text for term, value in zip(seen.page.all("dt"), values, strict=True)}


async def served(whole: Doorstep, service: Service, room: str = "rantala-1") -> str:
    """A session that waited four minutes and was served for ten."""
    session = await service.opened(room)
    service.clock.advance(minutes=4)
    await whole.connected(session)
    service.clock.advance(minutes=10)
    await service.desk.close(EXPERT, session.id, CloseRequest(cause=CloseCause.COMPLETED, outcomes=(Outcome.ADVISED,)))
    return session.id


async def test_the_board_shows_the_day_and_what_is_open(whole: Doorstep, service: Service) -> None:
    await served(whole, service)
    await service.opened("rantala-2")

    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor")

    assert figures(seen) == {
        "Waiting": "1",
        "Longest wait": "since 10:14",
        "Being served": "0",
        "Opened today": "2",
        "Served today": "1",
        "Waiting today (median)": "4 min",
    }
    assert seen.page.by_id("open-sessions").all("a")[0].text == (
        "Pensions Waiting Rantala, Huone 2 · Number 1 in the queue, waiting since 10:14"
    )
    assert [head.text for head in seen.page.by_id("rooms").all("h3")] == ["Huone 1", "Huone 1", "Huone 2", "Huone 3"]


async def test_what_was_reported_too_late_stands_beside_the_log(whole: Doorstep, service: Service) -> None:
    session_id = await served(whole, service)
    closed_at = service.clock.now
    service.clock.advance(minutes=1)
    key = DeedKey(account="eero", key="k", digest="d", at=service.clock.now)
    request = CloseRequest(cause=CloseCause.COMPLETED, outcomes=(Outcome.REFERRED,))
    with pytest.raises(WrongStateError):
        await service.desk.close(EXPERT, session_id, request, key=key, since=closed_at)

    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get(f"/supervisor/sessions/{session_id}")

    (row,) = seen.page.by_id("refused").all("tbody")[0].all("tr")
    assert [cell.text for cell in row.all("td")][2:] == [
        "Closing the session Completed · Referred to another authority",
        "Eero Esimerkki",
        "The session had been closed already.",
    ]


async def test_a_supervisor_of_one_point_sees_that_point_alone(whole: Doorstep, service: Service) -> None:
    session_id = await served(whole, service)
    browser = Browser(doorstep=whole, people=(FAR_SUPERVISOR,))

    board = await browser.get("/supervisor")
    log = await browser.get("/supervisor/sessions")
    asked = await browser.get("/supervisor/sessions?point=rantala")
    session = await browser.get(f"/supervisor/sessions/{session_id}")

    assert (figures(board)["Opened today"], figures(board)["Served today"]) == ("0", "0")
    assert [head.text for head in board.page.by_id("rooms").all("h3")] == ["Huone 1"]
    assert log.page.all("tbody") == []
    assert (asked.status, session.status) == (403, 404)


async def test_the_log_tells_each_session_newest_first(whole: Doorstep, service: Service) -> None:
    await served(whole, service)
    await service.opened("rantala-2", theme="families")

    log = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor/sessions")

    assert rows(log) == [
        ["17 Aug 2026, 10:14", "Families with children", "Rantala Huone 2", "Waiting", "–", "–", "–", "–"],
        ["17 Aug 2026, 10:00", "Pensions", "Rantala Huone 1", "Ended", "4 min", "10 min", "Completed", "Eero Esimerkki"],
    ]


async def test_the_log_is_filtered_by_day_theme_and_state(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))
    await served(whole, service)
    await service.opened("rantala-2", theme="families")

    found = {
        query: len(rows(seen)) if (seen := await browser.get(f"/supervisor/sessions?{query}")).page.all("tbody") else 0
        for query in (
            "theme=families",
            "theme=studies",
            "state=closed",
            "point=rantala",
            "point=kaukola",
            "from=2026-08-17&to=2026-08-17",
            "from=2026-08-18",
            "to=2026-08-16",
        )
    }

    assert found == {
        "theme=families": 1,
        "theme=studies": 0,
        "state=closed": 1,
        "point=rantala": 2,
        "point=kaukola": 0,
        "from=2026-08-17&to=2026-08-17": 2,
        "from=2026-08-18": 0,
        "to=2026-08-16": 0,
    }


async def test_a_filter_that_cannot_be_read_is_told_beside_its_field(whole: Doorstep, service: Service) -> None:
    await service.opened()

    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor/sessions?from=yesterday")
    odd = await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor/sessions?state=asleep&to=9999-12-31")

    assert (seen.status, odd.status) == (422, 422)
    assert seen.page.by_id("from-error").text == "Write the day as 2026-08-15."
    assert seen.page.all("tbody") == []


async def test_the_log_goes_on_page_by_page_without_repeating_or_losing_a_row(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))
    opened = []
    for _ in range(53):
        session = await service.opened()
        await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))
        service.clock.advance(seconds=1)
        opened.append(session.id)

    first = await browser.get("/supervisor/sessions?state=closed")
    (older,) = [link.attributes["href"] for link in first.page.all("a") if link.text == "Older"]
    second = await browser.get(older)

    def ids(seen: Seen) -> list[str]:
        (body,) = seen.page.all("tbody")
        return [link.attributes["href"].rpartition("/")[2] for link in body.all("a")]

    assert ids(first) + ids(second) == opened[::-1]
    assert len(ids(first)) == 50
    assert [link.text for link in second.page.all("a") if link.text == "Older"] == []


async def test_the_export_holds_the_filtered_rows_and_is_noted(whole: Doorstep, service: Service) -> None:
    session_id = await served(whole, service)
    await service.opened("rantala-2", theme="families")

    answer = await whole.client.get(
        "/supervisor/sessions.csv?theme=pensions", headers=await Browser(doorstep=whole, people=(SUPERVISOR,)).headers()
    )
    lines = list(csv.DictReader((await answer.text()).splitlines()))

    assert answer.content_type == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="etapalvelu.csv"'
    assert [(line["id"], line["theme"], line["waiting_seconds"], line["outcomes"]) for line in lines] == [
        (session_id, "pensions", "240", "advised")
    ]


async def test_a_session_is_drawn_and_listed(whole: Doorstep, service: Service) -> None:
    session_id = await served(whole, service)
    stats = [{"type": "inbound-rtp", "kind": "video", "framesPerSecond": 30, "packetsLost": 1, "packetsReceived": 99}]
    at = datetime(2026, 8, 17, 7, 6, tzinfo=UTC)
    await service.sessions.add_sample(Sample(session=session_id, at=at, seat="expert", peer="room", stats=stats))

    seen = await Browser(doorstep=whole, people=(SUPERVISOR,)).get(f"/supervisor/sessions/{session_id}")

    events, readings = seen.page.all("tbody")
    assert seen.title == "Pensions"
    assert [row.attributes["data-event"] for row in events.all("tr")] == await service.types(session_id)
    assert [cell.text for cell in events.all("tr")[0].all("td")] == [
        "1",
        "10:00:00",
        "+0 s",
        "The session was opened Pensions · Advice · Finnish",
        "aino",
    ]
    assert [cell.text for cell in readings.all("td")] == ["10:06:00", "Expert ← Room screen", "30", "–", "–", "1"]
    assert "The log is intact" in seen.page.by_id("timeline").text
    assert figures(seen) == {"Waited": "4 min", "Served for": "10 min", "Stills of pages": "0", "How it ended": "Completed"}


@pytest.mark.parametrize(
    ("tampering", "events"),
    [
        ("DELETE FROM event WHERE type = 'closed'", 6),
        ("DELETE FROM event", 0),
        ("UPDATE event SET data = '{}'", 0),
    ],
    ids=["cut", "empty", "unreadable"],
)
async def test_a_log_that_does_not_prove_itself_is_said_to_be_so(
    whole: Doorstep, service: Service, engine: AsyncEngine, tampering: str, events: int
) -> None:
    session_id = await served(whole, service)
    async with writing(engine) as connection:
        for trigger in ("event_update", "event_delete"):
            await connection.execute(text(f"DROP TRIGGER {trigger}"))
        await connection.execute(text(tampering))
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))

    seen = await browser.get(f"/supervisor/sessions/{session_id}")
    async with whole.client.get(f"/live?page=supervisor-session&id={session_id}", headers=await browser.headers()) as stream:
        watched = b"".join([await stream.content.readuntil(b"\n\n") for _ in ("state", "fragment")]).decode()

    assert seen.status == stream.status == 200
    assert "The log does not hold" in seen.page.by_id("timeline").text
    assert "The log does not hold" in watched
    assert "The log is intact" not in seen.page.text + watched
    assert len(seen.page.all("tbody")[0].all("tr")) == events
    assert [part.text for part in seen.page.all("h2")].count("Course") == bool(events)


async def test_a_session_that_is_not_there_is_not_found(whole: Doorstep) -> None:
    assert (await Browser(doorstep=whole, people=(SUPERVISOR,)).get("/supervisor/sessions/nothing")).status == 404


async def test_a_month_is_told_beside_the_one_before(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))
    await served(whole, service)
    service.clock.now = datetime(2026, 9, 1, 7, 0, tzinfo=UTC)
    session = await whole.connected(await service.opened())
    closing = CloseRequest(cause=CloseCause.TECHNICAL, cause_class=CauseClass.CAMERA)
    await service.desk.close(ADVISOR, session.id, closing)

    seen = await browser.get("/supervisor/reports")
    august = await browser.get("/supervisor/reports?month=2026-08")
    odd = await browser.get("/supervisor/reports?month=soon")
    future = await browser.get("/supervisor/reports?month=2100-01")
    empty = await browser.get("/supervisor/reports?month=2026-06")

    assert seen.title == odd.title == future.title == "Report, September 2026"
    assert figures(seen)["Sessions"] == "1 month before: 1"
    days, themes, points, causes = seen.page.all("tbody")
    assert [[cell.text for cell in row.parts if not isinstance(cell, str)] for row in causes.all("tr")] == [
        ["Technical fault", "", "1", "0"],
        ["Completed", "", "0", "1"],
    ]
    cells = [
        [cell.text for cell in row.parts if not isinstance(cell, str)]
        for body in (themes, points, days)
        for row in body.all("tr")
    ]
    assert cells == [
        ["Pensions", "", "1", "1", "1", "0 s"],
        ["Rantala", "", "1", "1", "1", "0 s"],
        ["1 Sept 2026", "1", "0"],
        ["17 Sept 2026", "0", "1"],
    ]
    assert figures(august)["Service (median)"] == "10 min month before: –"
    assert "No sessions this month" in empty.page.by_id("main").text


async def test_a_month_can_be_asked_for_one_point_or_one_theme(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(SUPERVISOR,))
    await served(whole, service)
    await service.opened("rantala-2", theme="families")

    counts = {
        query: figures(seen)["Sessions"]
        if (seen := await browser.get(f"/supervisor/reports?{query}")).page.all("dl")
        else "none"
        for query in ("", "theme=families", "theme=weather", "point=rantala&theme=pensions", "point=kaukola", "point=nowhere")
    }
    families = await browser.get("/supervisor/reports?theme=families")

    assert counts == {
        "": "2 month before: 0",
        "theme=families": "1 month before: 0",
        "theme=weather": "2 month before: 0",
        "point=rantala&theme=pensions": "1 month before: 0",
        "point=kaukola": "none",
        "point=nowhere": "2 month before: 0",
    }
    assert [head.text for head in families.page.all("h2")] == ["By day", "By service point", "How they ended"]
    links = [link.attributes["href"] for link in families.page.all("a")]
    assert "/supervisor/reports?month=2026-07&theme=families" in links


async def test_a_supervisor_of_one_point_reads_its_month_alone(whole: Doorstep, service: Service) -> None:
    await served(whole, service)

    seen = await Browser(doorstep=whole, people=(FAR_SUPERVISOR,)).get("/supervisor/reports")

    assert "No sessions this month" in seen.page.by_id("main").text
    assert [field.attributes["name"] for field in seen.page.all("select")] == ["theme"]


async def test_the_admin_reads_as_a_supervisor_of_the_country(whole: Doorstep, service: Service) -> None:
    await service.opened()

    board = await Browser(doorstep=whole, people=(ADMIN,)).get("/supervisor")

    assert figures(board)["Waiting"] == "1"
    assert [link.text for link in board.page.having("class", "band-nav").all("a")] == [
        "Administration",
        "Now",
        "Log",
        "Faults",
        "Reports",
    ]


async def test_the_person_is_named_with_role_and_place(whole: Doorstep) -> None:
    seen = await Browser(doorstep=whole, people=(FAR_SUPERVISOR,)).get("/supervisor")

    assert seen.page.having("class", "band-person-name").text == "kalle Supervisor, Kaukola"
