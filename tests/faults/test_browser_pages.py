"""Faults of the browsers at both ends, with real Chromium: the session goes on, nobody sits twice, and the log is exact."""

import asyncio
import time

import pytest
from playwright.async_api import Page, WebSocketRoute

from tests.e2e.browsers import has_frames, state_is, until
from tests.faults.conftest import REPEATED
from tests.faults.desks import WORDS, Desks, desks, machine
from tests.faults.people import People
from tests.faults.rig import PASSWORD, Rig

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

# By then a page has shown what it heard.
SETTLED_SECONDS = 1.0
RELOADS = 50 if REPEATED else 5
SAYS = "words => document.getElementById('notices').innerText.includes(words)"
SAID = "words => document.getElementById('expert-words').textContent === words"
LINE = "words => document.getElementById('line').textContent === words"
# A page's next sockets: refused, as they name no subprotocol, or taken note of when they are welcomed.
REFUSED = "() => { window.Kept ??= WebSocket; window.WebSocket = class extends Kept { constructor(url) { super(url); } }; }"
NOTED = """() => {
    window.Kept ??= WebSocket;
    window.welcomed = false;
    window.WebSocket = class extends Kept {
        constructor(...told) {
            super(...told);
            this.addEventListener("message", ({ data }) => { window.welcomed ||= JSON.parse(data).type === "welcome"; });
        }
    };
}"""
WELCOMED = "() => window.welcomed"
# The first words of a text, up to the time in it.
KEPT, SENT = (WORDS[f"js.late.{key}"].partition("{at}")[2] for key in ("kept", "sent"))


def nothing_twice(at: Desks, returns: int = 0) -> None:
    """Nobody sat down a second time, no claim was lost, and each return is one gap at most."""
    assert [at.count("joined", seat) for seat in ("room", "expert")] == [1, 1]
    assert [at.count(type_) for type_ in ("opened", "claimed", "released")] == [1, 1, 0]
    assert at.count("resumed") == at.count("interrupted")
    # Both ends may tell of the same gap.
    assert at.count("interrupted") <= 2 * returns


def causes(at: Desks) -> set[str]:
    """What the log names for the gaps there were."""
    return {one["data"]["cause_class"] for one in at.log() if one["type"] == "interrupted"}


async def ended(at: Desks) -> None:
    await at.close()
    await state_is(at.room, "")
    at.rig.agrees(all_ended=True)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["room", "expert"])
async def test_a_tab_is_loaded_again_and_again(rig: Rig, people: People, who: str) -> None:
    rig.start()
    async with desks(rig, people) as at:
        await at.call()
        page: Page = getattr(at, who)
        for _ in range(RELOADS):
            await page.reload()
            await at.goes_on()

        nothing_twice(at, RELOADS)
        assert causes(at) <= {"expert_side" if who == "expert" else "site_network"}
        await ended(at)


async def test_a_tab_that_is_duplicated_takes_the_session_over(rig: Rig, people: People) -> None:
    rig.start()
    async with desks(rig, people) as at:
        await at.call()

        other = at.watch.over(await at.expert_machine.context.new_page())
        await other.goto(f"{rig.address}/expert")
        await state_is(other, "connected")
        await has_frames(other, "room")

        await until(at.expert, SAYS, WORDS["js.expert.replaced"])
        await state_is(at.expert, "")
        at.expert = other
        await has_frames(at.room, "expert")
        nothing_twice(at, 1)
        await ended(at)


@pytest.mark.lasting(6, 60)
async def test_a_laptop_that_slept_is_back_by_itself(rig: Rig, people: People, lasting: int) -> None:
    rig.start({"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"})
    async with desks(rig, people) as at:
        await at.call()

        at.expert_machine.sleep()
        await until(at.room, SAID, WORDS["js.line.restoring"], 5)
        await asyncio.sleep(lasting)
        at.expert_machine.wake()

        await until(at.room, "() => document.getElementById('expert-words').textContent === ''", seconds=10)
        await at.goes_on()
        nothing_twice(at, 1)
        assert causes(at) == {"expert_side"}
        await ended(at)


@pytest.mark.parametrize("days", [1, -1])
async def test_a_browsers_clock_a_day_off_changes_nothing(rig: Rig, people: People, days: int) -> None:
    rig.start({"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"})
    async with desks(rig, people, clock_off_seconds=days * 86400) as at:
        wrong = await at.expert.evaluate("() => Date.now()") / 1000
        assert abs(wrong - time.time() - days * 86400) < 60
        await at.call()
        rig.kill()
        await until(at.expert, LINE, WORDS["js.line.away"])
        await at.close()
        await until(at.expert, SAYS, KEPT)
        await asyncio.to_thread(rig.start)

        await until(at.expert, SAYS, SENT)
        await at.expert.get_by_role("button", name=WORDS["js.frame.close"], exact=True).click()
        # Beside it stands for some seconds that the session was ended.
        await until(at.expert, "(words) => !document.getElementById('notices').innerText.includes(words)", SENT, seconds=2)
        nothing_twice(at)
        (closed,) = (one for one in at.log() if one["type"] == "closed")
        assert closed["data"]["since"] < closed["at"]
        rig.agrees(all_ended=True)


async def test_a_restarted_server_that_knows_only_who_came_back_first_ends_no_connection(rig: Rig, people: People) -> None:
    limit = {"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"}
    rig.start(limit)
    async with desks(rig, people) as at:
        await at.call()
        for first, later in ((at.room, at.expert), (at.expert, at.room)):
            await first.evaluate(NOTED)
            await later.evaluate(REFUSED)
            rig.kill()
            await asyncio.to_thread(rig.start, limit)
            await until(first, WELCOMED)
            await later.evaluate(NOTED)
            await until(later, WELCOMED)
            await at.goes_on()

        secured = [one["data"]["generation"] for one in at.log() if one["type"] == "secured"]
        assert (len(secured), len(set(secured))) == (2, 1)
        nothing_twice(at)
        await ended(at)


@pytest.mark.lasting(2, 2, 60)
async def test_a_close_while_the_server_is_away_is_kept_and_reported_once(rig: Rig, people: People, lasting: int) -> None:
    rig.start({"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"})
    async with desks(rig, people) as at:
        await at.call()
        rig.kill()
        await until(at.expert, LINE, WORDS["js.line.away"])
        before = await frames_of(at.room, "expert")

        await asyncio.sleep(lasting)
        assert await frames_of(at.room, "expert") > before
        await at.close()
        await until(at.expert, SAYS, KEPT)
        # The customer is let go at once, by the expert's own word.
        await until(at.room, "() => document.body.dataset.view !== 'session'", seconds=2)
        await at.expert.route("**/live?*", lambda route: route.abort())
        await asyncio.to_thread(rig.start, {"ETAPALVELU_CALL__SEAT_LIMIT_SECONDS": "90"})

        await until(at.expert, SAYS, SENT, 5)
        # It stays to be read, also when the page misses the service only now, and then finds it.
        await until(at.expert, SAYS, WORDS["js.frame.server_away"])
        await until(at.expert, SAYS, SENT, 0)
        async with at.expert.expect_response("**/live?*"):
            await at.expert.unroute_all()
        await asyncio.sleep(SETTLED_SECONDS)
        await until(at.expert, SAYS, SENT, 0)
        await at.expert.reload()
        await state_is(at.expert, "")
        types = [one["type"] for one in at.log()]
        assert (types[-2:], types.count("closed"), types.count("noted")) == (["noted", "closed"], 1, 1)
        noted, closed = at.log()[-2:]
        assert noted["data"]["since"] == closed["data"]["since"] < closed["at"]
        rig.agrees(all_ended=True)


async def test_a_kept_close_survives_a_reload(rig: Rig, people: People) -> None:
    """The page is loaded when the server is back, before it could send anything: it sends it, and takes nothing up again."""
    rig.start()
    async with desks(rig, people) as at:
        await at.call()
        rig.kill()
        await until(at.expert, LINE, WORDS["js.line.away"])
        await at.close()
        await until(at.expert, SAYS, KEPT)
        await at.expert.goto("about:blank")
        await asyncio.to_thread(rig.start)

        await at.expert.goto(f"{rig.address}/expert")

        await until(at.expert, SAYS, SENT, 5)
        await state_is(at.expert, "")
        nothing_twice(at)
        assert at.count("closed") == 1
        rig.agrees(all_ended=True)


async def frames_of(page: Page, stream: str) -> int:
    count: int = await page.evaluate(
        "stream => document.querySelector(`video[data-stream=${stream}]`).getVideoPlaybackQuality().totalVideoFrames", stream
    )
    return count


async def test_the_advisors_browser_dies_and_nobody_else_notices(rig: Rig, people: People) -> None:
    rig.start()
    async with desks(rig, people) as at:
        async with machine(at.driver, rig.folder / "machines" / "advisor") as advisors:
            advisor = await advisors.context.new_page()
            await advisor.goto(f"{rig.address}/advisor?lang=en")
            await advisor.get_by_label(WORDS["login.account"]).fill("advisor")
            await advisor.get_by_label(WORDS["login.password"], exact=True).fill(PASSWORD)
            await advisor.get_by_role("button", name=WORDS["login.submit"]).click()
            await at.call()
            await advisor.goto(f"{rig.address}/advisor/sessions/{at.session}")
            await state_is(advisor, "connected")

            advisors.die()

        await asyncio.sleep(1)
        await at.goes_on()
        nothing_twice(at)
        await ended(at)


async def test_an_old_page_is_told_to_load_itself_anew_and_keeps_its_session(rig: Rig, people: People) -> None:
    rig.start()
    async with desks(rig, people) as at:
        await at.call()
        for page in (at.expert, at.room):
            # What the page says its version is, on every new stream.
            await page.route("**/live?*", lambda route: route.continue_(url=f"{route.request.url}0"))
        rig.kill()
        await asyncio.to_thread(rig.start)

        await until(at.expert, SAYS, WORDS["js.frame.outdated"])
        for page in (at.expert, at.room):
            await page.unroute_all()
        await at.expert.get_by_role("button", name=WORDS["js.frame.reload"]).click()
        await at.goes_on()

        nothing_twice(at, 1)
        await ended(at)


async def test_a_page_that_the_server_no_longer_understands_comes_back_in_its_own_version(rig: Rig, people: People) -> None:
    """A field that only the old page knows: refused twice, loaded anew, and back in its seat."""
    rig.start()
    async with desks(rig, people) as at:
        await at.call()

        loaded = asyncio.Event()

        def old(socket: WebSocketRoute) -> None:
            server = socket.connect_to_server()
            hello = '{"type":"hello"' if loaded.is_set() else '{"type":"hello","old":1'
            socket.on_message(lambda text: server.send(str(text).replace('{"type":"hello"', hello)))

        at.room.on("framenavigated", lambda _frame: loaded.set())
        await at.room.route_web_socket("**/call", old)
        rig.kill()
        await asyncio.to_thread(rig.start)
        await asyncio.wait_for(loaded.wait(), 20)

        await at.goes_on()
        nothing_twice(at, 2)
        await ended(at)
