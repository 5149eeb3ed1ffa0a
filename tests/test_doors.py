"""The table of doors, walked cell by cell on a real server; and what stands around every door."""

import re
from collections.abc import Mapping
from pathlib import Path

from aiohttp import ClientResponse

from etapalvelu.app import make_app
from etapalvelu.attempts import Knocks
from etapalvelu.config import Config, Secrets, StoreSettings
from etapalvelu.domain.people import Device, Person, Role
from etapalvelu.doors import (
    DOORS,
    LIVE_PAGES,
    Door,
    Kind,
    door_of,
)
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR, Service
from tests.doorstep import ADMIN, Doorstep, make_doorstep

PEOPLE: Mapping[Role, Person] = {who.role: who for who in (ADVISOR, EXPERT, SUPERVISOR, ADMIN, SCREEN, AGENT)}

ALLOWED, STRANGER, FORBIDDEN, TO_LOGIN = "allowed", "401", "403", "to login"


def test_every_route_of_the_server_has_one_row_and_every_row_a_route(tmp_path: Path) -> None:
    config = Config(store=StoreSettings(url=f"sqlite+aiosqlite:///{tmp_path}/db"), secrets=Secrets(file=str(tmp_path / "keys")))

    app = make_app(config)

    routes = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    found = {route: door_of(*route) for route in routes}
    assert [route for route, door in found.items() if door is None] == []
    assert {(door.method, door.path) for door in DOORS} == {(door.method, door.path) for door in found.values() if door}
    assert len(DOORS) == len({(door.method, door.path) for door in DOORS})


async def test_every_cell_answers_as_the_table_says(doorstep: Doorstep) -> None:
    assert await _wrong_cells(doorstep) == []


async def test_every_cell_of_the_whole_server_answers_as_the_table_says(whole: Doorstep) -> None:
    assert await _wrong_cells(whole) == []


async def _wrong_cells(doorstep: Doorstep) -> list[object]:
    wrong: list[object] = []
    # Signing out comes last: it takes the login away.
    for door in sorted(DOORS, key=lambda door: door.path == "/logout"):
        for role in (*Role, None):
            said = await _knock(doorstep, door, None if role is None else PEOPLE[role])
            if said != _expected(door, role):
                wrong.append((door.method, door.path, role, said))
    return wrong


async def test_every_stream_lets_in_the_roles_of_its_page(doorstep: Doorstep) -> None:
    wrong = []
    for page, roles in LIVE_PAGES.items():
        for role in (*Role, None):
            headers = {} if role is None else await _bearer_or_cookie(doorstep, PEOPLE[role])
            answer = await doorstep.client.get("/live", params={"page": f"{page}-session"}, headers=headers)
            expected = 401 if role is None else 200 if role in roles else 403
            if answer.status != expected:
                wrong.append((page, role, answer.status))

    assert wrong == []


async def test_a_stream_needs_to_name_no_page_but_none_that_there_is_not(doorstep: Doorstep) -> None:
    agent = await doorstep.client.get("/live", headers=await doorstep.bearer(AGENT))
    nameless = await doorstep.client.get("/live", headers=await doorstep.cookies(ADVISOR))
    unknown = await doorstep.client.get("/live?page=kitchen", headers=await doorstep.cookies(ADVISOR))

    assert (agent.status, nameless.status, unknown.status) == (200, 200, 403)


async def test_a_route_without_a_row_is_shut_to_everybody(doorstep: Doorstep) -> None:
    answers = [await doorstep.client.get("/forgotten", headers=await doorstep.cookies(who)) for who in PEOPLE.values()]

    assert {answer.status for answer in answers} == {403}
    assert door_of("GET", "/forgotten") is None


async def test_strangers_are_sent_to_sign_in_and_come_back_after(doorstep: Doorstep) -> None:
    got = await doorstep.client.get("/supervisor/sessions?theme=pensions&limit=5", allow_redirects=False)
    posted = await doorstep.client.post("/advisor", allow_redirects=False)

    assert (got.status, got.headers["Location"]) == (
        303,
        "/login?next=/supervisor/sessions?theme%3Dpensions%26limit%3D5",
    )
    assert (posted.status, posted.headers["Location"]) == (303, "/login")


async def test_who_is_sent_to_sign_in_is_spoken_to_in_the_language_asked_for(whole: Doorstep) -> None:
    sent = await whole.client.get("/advisor?lang=sv", allow_redirects=False)

    login = await whole.client.get(sent.headers["Location"], headers={"Cookie": f"etapalvelu-language={_language(sent)}"})
    assert (sent.headers["Location"], _language(sent)) == ("/login?next=/advisor?lang%3Dsv", "sv")
    assert '<html lang="sv">' in await login.text()


def _language(answer: ClientResponse) -> str:
    return answer.cookies["etapalvelu-language"].value


async def test_a_form_without_its_token_is_refused(doorstep: Doorstep) -> None:
    cookies = await doorstep.cookies(ADVISOR, EXPERT)
    token = (await doorstep.login(ADVISOR)).visitor.csrf_token
    others = (await doorstep.login(EXPERT)).visitor.csrf_token

    async def post(data: object) -> tuple[int, str]:
        answer = await doorstep.client.post("/advisor", data=data, headers=cookies)
        return answer.status, (await answer.text()).split(" ")[0]

    assert await post({"csrf": token}) == (200, "inside")
    assert await post({"csrf": others}) == (403, "csrf")
    assert await post({"csrf": "ä"}) == (403, "csrf")
    assert await post({}) == (403, "csrf")


async def test_a_form_that_cannot_be_read_is_a_bad_request(doorstep: Doorstep) -> None:
    headers = await doorstep.cookies(ADVISOR) | {"Content-Type": "application/x-www-form-urlencoded; charset=klingon"}

    answer = await doorstep.client.post("/advisor", data=b"csrf=1", headers=headers)

    assert answer.status == 400


async def test_another_sites_page_posts_nothing_and_opens_no_socket(doorstep: Doorstep) -> None:
    cookies = await doorstep.cookies(ADVISOR)
    form = {"csrf": (await doorstep.login(ADVISOR)).visitor.csrf_token}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket"}

    async def post(**headers: str) -> int:
        return (await doorstep.client.post("/advisor", data=form, headers=cookies | headers)).status

    async def socket(**headers: str) -> int:
        return (await doorstep.client.get("/call", headers=upgrade | headers)).status

    own, foreign = doorstep.address, "https://evil.example"
    assert [await post(Origin=own), await post(), await post(Origin=foreign), await post(Origin="null")] == [200, 200, 403, 403]
    assert await post(**{"Sec-Fetch-Site": "cross-site"}) == 403
    assert await post(**{"Sec-Fetch-Site": "same-origin"}) == 200
    assert [await socket(Origin=own), await socket(), await socket(Origin=foreign)] == [200, 200, 403]


async def test_another_sites_page_opens_no_socket_of_the_whole_server(whole: Doorstep) -> None:
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Origin": "https://evil.example"}

    answer = await whole.client.get("/call", headers=headers)

    assert (answer.status, (await answer.json())["code"]) == (403, "origin")


async def test_who_knocks_without_a_pause_is_stopped_but_for_static_files(service: Service) -> None:
    made = await make_doorstep(service, knocks=Knocks(limit=2, monotonic=lambda: 90.0))

    answers = [await made.client.get("/api/v1/openapi.json") for _ in range(3)]
    static = await made.client.get("/static/x")

    assert [(answer.status, answer.headers.get("Retry-After")) for answer in answers] == [(200, None), (200, None), (429, "30")]
    assert static.status == 200
    await made.client.close()


async def test_behind_a_trusted_proxy_scheme_and_address_are_the_browsers(doorstep: Doorstep) -> None:
    form = {"csrf": (await doorstep.login(ADVISOR)).visitor.csrf_token}
    headers = await doorstep.cookies(ADVISOR) | {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "203.0.113.9",
        "Origin": doorstep.address.replace("http:", "https:"),
    }

    answer = await doorstep.client.post("/advisor", data=form, headers=headers)

    told = (answer.status, await answer.text(), answer.headers["Strict-Transport-Security"])
    assert told == (200, "inside 203.0.113.9 https", "max-age=31536000")


async def test_every_answer_carries_the_security_headers(doorstep: Doorstep) -> None:
    for path in ("/login", "/api/v1/nowhere", "/advisor"):
        answer = await doorstep.client.get(path, allow_redirects=False)

        policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' blob:",
            "media-src": "'self' blob:",
            "font-src": "'self'",
            "connect-src": "'self'",
            "manifest-src": "'self'",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        }
        assert {name: answer.headers.get(name) for name in _PLAIN_HEADERS} == _PLAIN_HEADERS


_PLAIN_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": None,
    "Strict-Transport-Security": None,
}


def _expected(door: Door, role: Role | None) -> str:
    match door.kind:
        case Kind.OPEN:
            return ALLOWED
        case Kind.PAGE if role is None or role is Role.AGENT:
            # An agent has no cookie: to a page it is a stranger.
            return TO_LOGIN
        case Kind.API | Kind.LIVE if role is None:
            return STRANGER
    return ALLOWED if role in door.roles else FORBIDDEN


async def _knock(doorstep: Doorstep, door: Door, who: Person | None) -> str:
    path = re.sub(r"\{\w+\}|\*", "x", door.path)
    answer = await _send(doorstep, door, path, who)
    # What an open door refuses is a code or a password; who knocks it does not ask.
    if door.kind is Kind.OPEN and answer.status != 403:
        return ALLOWED
    if answer.status in (401, 403):
        return str(answer.status)
    if answer.status == 303 and answer.headers["Location"].partition("?next=")[0] == "/login":
        return TO_LOGIN
    return ALLOWED


async def _send(doorstep: Doorstep, door: Door, path: str, who: Person | None) -> ClientResponse:
    client = doorstep.client
    if door.kind is Kind.API:
        headers = {} if who is None else await doorstep.bearer(who)
        return await client.request(door.method, path, headers=headers)
    if door.kind is Kind.LIVE:
        headers = {} if who is None else await _bearer_or_cookie(doorstep, who)
        return await client.get(path, params={"page": "" if who is None else who.role}, headers=headers)
    has_cookie = who is not None and who.role is not Role.AGENT
    headers = await doorstep.cookies(who) if who is not None and has_cookie else {}
    form = {"csrf": (await doorstep.login(who)).visitor.csrf_token} if who is not None else {}
    data = form if door.method == "POST" and not path.startswith("/api/") else None
    return await client.request(door.method, path, headers=headers, data=data, allow_redirects=False)


async def _bearer_or_cookie(doorstep: Doorstep, who: Person) -> dict[str, str]:
    is_agent = isinstance(who, Device) and who.role is Role.AGENT
    return await doorstep.bearer(who) if is_agent else await doorstep.cookies(who)
