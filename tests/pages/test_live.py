import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientResponse
from msgspec.structs import replace

from etapalvelu.access import Visitor
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.domain.people import Staff, StaffRequest
from etapalvelu.pages import advisor
from etapalvelu.pages.advisor_views import AdvisorView
from etapalvelu.pages.feeds import FEEDS, Watcher
from etapalvelu.pages.site import SITE, Site
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR, Service
from tests.doorstep import ADMIN, FAR_ADVISOR, FAR_SUPERVISOR, PASSWORD, Doorstep
from tests.pages.conftest import Browser
from tests.pages.reading import read

WANTED = {"room": "rantala-1", "theme": "pensions", "language": "fi", "reason": "advice", "key": "a key"}
LIMIT_SECONDS = 10

Heard = tuple[str, dict[str, Any]]


class Ear:
    def __init__(self, answer: ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> Heard:
        """The next event; comments are passed over."""
        async with asyncio.timeout(LIMIT_SECONDS):
            name = ""
            while True:
                line = (await self.answer.content.readline()).decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    return name, json.loads(line.removeprefix("data: "))
                elif not line and self.answer.content.at_eof():
                    raise EOFError

    async def until(self, event: str, **data: str) -> dict[str, Any]:
        """The next event of this name with these data."""
        while True:
            name, told = await self.next()
            if name == event and data.items() <= told.items():
                return told

    async def ended(self) -> list[Heard]:
        """What is still said until the server ends the stream."""
        rest: list[Heard] = []
        while True:
            try:
                rest.append(await self.next())
            except EOFError:
                return rest


@pytest.fixture
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """To stand before the server: it looks at its streams all the time."""
    monkeypatch.setattr("etapalvelu.pages.live.LOOK_SECONDS", 0.05)


@asynccontextmanager
async def listening(whole: Doorstep, query: str, headers: Mapping[str, str]) -> AsyncIterator[Ear]:
    answer = await whole.client.get(f"/live{query}", headers=headers)
    assert (answer.status, answer.content_type) == (200, "text/event-stream")
    yield Ear(answer)
    answer.close()


async def test_an_advisors_page_hears_everything_at_once_and_then_what_changed(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    async with listening(whole, "?page=advisor", await browser.headers()) as ear:
        first = [await ear.next() for _ in range(4)]
        await browser.post("/advisor", WANTED)
        fresh = await ear.until("fragment", target="open-sessions")

    assert [(name, data.get("target")) for name, data in first] == [
        ("state", None),
        ("fragment", "service-hours"),
        ("fragment", "open-sessions"),
        ("fragment", "rooms"),
    ]
    assert [strong.text for strong in read(fresh["html"]).all("strong")] == ["Pensions"]


async def test_a_page_of_another_version_hears_it_first_and_one_of_this_version_nothing_of_it(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    version = whole.client.app[SITE].renderer.version
    said = []

    for own in ("older", version):
        async with listening(whole, f"?page=advisor&version={own}", await browser.headers()) as ear:
            said.append((await ear.next())[0])

    assert said == ["outdated", "state"]


async def test_a_sessions_page_follows_it_to_its_end(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()

    async with listening(whole, f"?page=advisor-session&id={session.id}", await browser.headers()) as ear:
        first = await ear.next()
        await browser.post(f"/advisor/sessions/{session.id}/close", {"cause": "cancelled"})
        last = await ear.until("state", state="closed")
        deeds = await ear.until("fragment", target="session-deeds")

    assert first == ("state", {"state": "waiting", "session": session.id, "seq": 1})
    assert last == {"state": "closed", "session": session.id, "seq": 2}
    assert read(deeds["html"]).text == "Open the next one"


async def test_a_state_that_is_back_where_it_was_is_told_again(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()

    async with listening(whole, f"?page=advisor-session&id={session.id}", await browser.headers()) as ear:
        await ear.next()
        for deed, body in (("claim", {}), ("release", {"reason": "cannot_serve"})):
            assert (await whole.post(f"/sessions/{session.id}/{deed}", EXPERT, body)).status == 200
        told = await ear.until("state", state="waiting")

    assert told["seq"] == (await service.session(session.id)).seq


async def test_the_forms_in_a_fragment_carry_their_readers_own_token(whole: Doorstep, service: Service) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened()

    async with listening(whole, f"?page=advisor-session&id={session.id}", await browser.headers()) as ear:
        deeds = await ear.until("fragment", target="session-deeds")

    token = (await whole.login(ADVISOR)).visitor.csrf_token
    assert read(deeds["html"]).hidden(f"/advisor/sessions/{session.id}/close")["csrf"] == token


async def test_the_supervisors_pages_follow_too(whole: Doorstep, service: Service) -> None:
    browser, advisor = Browser(doorstep=whole, people=(SUPERVISOR,)), Browser(doorstep=whole, people=(ADVISOR,))
    session = await service.opened("rantala-2")

    async with listening(whole, "?page=supervisor", await browser.headers()) as board:
        for _ in range(4):
            await board.next()
        await advisor.post("/advisor", WANTED)
        figures = await board.until("fragment", target="figures")
    async with listening(whole, f"?page=supervisor-session&id={session.id}", await browser.headers()) as timeline:
        await timeline.until("fragment", target="timeline")
        await advisor.post(f"/advisor/sessions/{session.id}/close", {"cause": "cancelled"})
        drawn = await timeline.until("fragment", target="timeline")

    assert read(figures["html"]).all("dd")[0].text == "2"
    assert [row.attributes["data-event"] for row in read(drawn["html"]).all("tr")[1:]] == ["opened", "closed"]


async def test_an_experts_page_hears_of_a_new_customer(whole: Doorstep) -> None:
    async with listening(whole, "?page=expert", await Browser(doorstep=whole, people=(EXPERT,)).headers()) as ear:
        assert await ear.next() == ("state", {"state": "", "session": "", "seq": 0})
        await ear.until("fragment", target="queue")
        await Browser(doorstep=whole, people=(ADVISOR,)).post("/advisor", WANTED)
        queue = await ear.until("fragment", target="queue")

    assert [button.text for button in read(queue["html"]).all("button")] == ["Take"]


async def test_devices_hear_which_session_is_theirs_and_their_room_knows_them(
    quick_looks: None, whole: Doorstep, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etapalvelu.pages.live.GRACE_SECONDS", 0.2)
    agent, screen = await whole.bearer(AGENT), await Browser(doorstep=whole, people=(SCREEN,)).headers()
    advisor = Browser(doorstep=whole, people=(ADVISOR,))

    async with listening(whole, "?page=advisor", await advisor.headers()) as desk:
        async with listening(whole, "", agent) as camera, listening(whole, "?page=room", screen) as room:
            first = [await camera.next(), await room.next(), await room.next()]
            online = (await service.places.devices(["rantala-1"]))["rantala-1"]
            # Its camera gave no picture yet.
            answer = await advisor.post("/advisor", WANTED | {"room_anyway": "rantala-1"})
            told = [await camera.until("session"), await room.until("session"), await room.until("state")]
        away = ""
        while "A customer is in the room." not in away or away.count("does not answer") < 2:
            away = read((await desk.until("fragment", target="rooms"))["html"]).all("li")[0].text

    session_id = answer.location.rpartition("/")[2]
    assert first == [("none", {}), ("none", {}), ("state", {"state": "", "session": "", "seq": 0})]
    assert (online.screen_online, online.agent_online) == (True, True)
    assert told == [{"id": session_id}, {"id": session_id}, {"state": "waiting", "session": session_id, "seq": 1}]
    assert away.startswith("Huone 1 Not working")


async def test_a_screen_loaded_anew_was_never_away(
    quick_looks: None, whole: Doorstep, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etapalvelu.pages.live.GRACE_SECONDS", 3.0)
    headers = await Browser(doorstep=whole, people=(SCREEN,)).headers()
    seen = []

    async def is_online() -> bool:
        return (await service.places.devices(["rantala-1"]))["rantala-1"].screen_online

    for _ in range(2):
        async with listening(whole, "?page=room", headers) as room:
            await room.next()
        await asyncio.sleep(0.5)
        seen.append(await is_online())
    async with asyncio.timeout(LIMIT_SECONDS):
        while await is_online():  # noqa: ASYNC110 - what is waited for stands in the store
            await asyncio.sleep(0.05)

    assert seen == [True, True]


async def test_a_stream_is_for_its_own_role_and_session(whole: Doorstep, service: Service) -> None:
    session = await service.opened()
    tries = {
        "?page=advisor": (),
        "?page=supervisor": (ADVISOR,),
        "?page=weather": (ADVISOR,),
        "?page=advisor-weather": (ADVISOR,),
        f"?page=advisor-session&id={session.id}": (FAR_ADVISOR,),
        "?page=supervisor-session&id=nothing": (SUPERVISOR,),
    }

    statuses = {
        query: (await whole.client.get(f"/live{query}", headers=await Browser(doorstep=whole, people=people).headers())).status
        for query, people in tries.items()
    }

    assert list(statuses.values()) == [401, 403, 403, 404, 404, 404]


@pytest.mark.parametrize(
    ("who", "target"), [(ADVISOR, "service-hours"), (EXPERT, "queue"), (SUPERVISOR, "figures"), (ADMIN, "figures")]
)
async def test_a_stream_that_names_no_page_is_of_the_role_that_asks(whole: Doorstep, who: Staff, target: str) -> None:
    async with listening(whole, "", await Browser(doorstep=whole, people=(who,)).headers()) as ear:
        first = [await ear.next(), await ear.next()]

    assert [(name, data.get("target")) for name, data in first] == [("state", None), ("fragment", target)]


async def test_a_login_has_so_many_streams_and_no_more(
    quick_looks: None, whole: Doorstep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etapalvelu.pages.live.STREAMS_OF_A_LOGIN", 2)
    headers = await Browser(doorstep=whole, people=(ADVISOR,)).headers()
    other = await Browser(doorstep=whole, people=(FAR_ADVISOR,)).headers()

    async with listening(whole, "", headers), listening(whole, "", headers):
        refused = await whole.client.get("/live", headers=headers)
        async with listening(whole, "", other):
            pass
    # The server hears of the ends in its own time.
    async with asyncio.timeout(LIMIT_SECONDS):
        while (again := await whole.client.get("/live", headers=headers)).status == 429:  # noqa: ASYNC110 - over a socket
            await asyncio.sleep(0.05)

    assert (refused.status, await refused.json()) == (429, {"code": "too_many_attempts"})
    assert refused.headers["Retry-After"] == "1"
    assert again.status == 200
    again.close()


async def test_a_stream_ends_with_its_login(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    async with listening(whole, "?page=advisor", await browser.headers()) as ear:
        for _ in range(4):
            await ear.next()
        await browser.post("/logout", {})
        assert await ear.ended() == [("reload", {})]


async def test_a_stream_outlives_a_database_that_is_away_and_says_then_what_it_missed(
    quick_looks: None, whole: Doorstep, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> bool:
        raise TryAgainError

    browser = Browser(doorstep=whole, people=(ADVISOR,))

    async with listening(whole, "?page=advisor", await browser.headers()) as ear:
        for _ in range(4):
            await ear.next()
        with monkeypatch.context() as patch:
            patch.setattr("etapalvelu.access.Access.login_stands", away)
            patch.setattr("etapalvelu.pages.site.Site.rooms_of", away)
            await browser.post("/advisor", WANTED)
            await asyncio.sleep(1.5)
        fresh = await ear.until("fragment", target="open-sessions")

    assert [strong.text for strong in read(fresh["html"]).all("strong")] == ["Pensions"]


async def test_streams_that_show_the_same_are_read_together(whole: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = 0
    view = advisor.advisor_view

    async def counted(site: Site, visitor: Visitor) -> AdvisorView:
        nonlocal rounds
        rounds += 1
        return await view(site, visitor)

    monkeypatch.setattr(advisor, "advisor_view", counted)
    monkeypatch.setattr("etapalvelu.pages.live.PAUSE_SECONDS", 0)
    browser = Browser(doorstep=whole, people=(ADVISOR,))
    headers = await browser.headers()

    async with AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(listening(whole, "?page=advisor", headers)) for _ in range(5)]
        for ear in ears:
            await ear.until("fragment", target="rooms")
        rounds = 0
        await browser.post("/advisor", WANTED)
        fresh = [await ear.until("fragment", target="open-sessions") for ear in ears]

    # Whoever hears of it while the page is being read waits for the next reading, which serves all the rest.
    assert rounds in {1, 2}
    assert [strong.text for strong in read(fresh[0]["html"]).all("strong")] == ["Pensions"]
    assert fresh == [fresh[0]] * 5


@pytest.mark.parametrize(
    ("page", "reader", "other", "far"),
    [("advisor", ADVISOR, "arja", FAR_ADVISOR), ("supervisor", SUPERVISOR, "sanna", FAR_SUPERVISOR)],
)
async def test_a_page_that_is_shared_shows_nothing_of_its_reader_and_only_their_point(
    whole: Doorstep, service: Service, page: str, reader: Staff, other: str, far: Staff
) -> None:
    await service.opened()
    await whole.access.create_account(
        StaffRequest(account=other, name="Arja Toinen", role=reader.role, password=PASSWORD, point=reader.point)
    )
    assert whole.client.app is not None
    site, colleague = whole.client.app[SITE], replace(reader, account=other, name="Arja Toinen")
    watchers = [
        Watcher(visitor=(await whole.login(who)).visitor, language=site.renderer.languages["en"], session_id="")
        for who in (reader, colleague, far)
    ]

    told = [await FEEDS[page].messages(site, watcher) for watcher in watchers]
    keys = [FEEDS[page].shared_by(watcher) for watcher in watchers]

    assert (keys[0] == keys[1], keys[0] == keys[2]) == (True, False)
    assert (told[0] == told[1], told[0] == told[2]) == (True, False)


async def test_a_server_that_goes_down_says_so(whole: Doorstep) -> None:
    browser = Browser(doorstep=whole, people=(ADVISOR,))

    async with listening(whole, "?page=advisor", await browser.headers()) as ear:
        for _ in range(4):
            await ear.next()
        closing = asyncio.ensure_future(whole.client.server.close())
        assert await ear.ended() == [("bye", {"retry_after": 1})]
        await closing
