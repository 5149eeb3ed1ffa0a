"""Sign-in, logins of every kind, pairing, tokens, accounts; and that a login ends when it is told to."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from limits import RateLimitItemPerMinute

from etapalvelu import passwords
from etapalvelu.access import LOGIN_HOURS, PAIRING_LETTERS, WRAP_UP_MINUTES, Access
from etapalvelu.attempts import Attempts, Knocks, address_group
from etapalvelu.cookies import cookie_name, forget_cookie, renew_cookie, set_cookie
from etapalvelu.domain.codes import Language
from etapalvelu.domain.errors import InvalidFieldError, TooManyAttemptsError, TryAgainError, WrongCredentialsError
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.themes import THEMES
from etapalvelu.passwords import Passwords
from etapalvelu.ports import StaffRequest, login_topic
from signaling.ticket import holder
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR, Service
from tests.doorstep import PASSWORD, Doorstep, cheap_passwords, make_doorstep

ADDRESS = "203.0.113.9"


@pytest.fixture
async def doorstep(service: Service) -> AsyncIterator[Doorstep]:
    made = await make_doorstep(service)
    yield made
    await made.client.close()


@pytest.fixture
def access(doorstep: Doorstep) -> Access:
    return doorstep.access


# Coming in


async def test_the_right_password_makes_a_login_for_a_working_day(access: Access, doorstep: Doorstep) -> None:
    signed_in = await access.sign_in("aino", PASSWORD, ADDRESS)

    login = signed_in.visitor.login
    assert (signed_in.visitor.person, login.kind, login.role) == (ADVISOR, "browser", Role.ADVISOR)
    assert login.expires_at == doorstep.service.clock() + timedelta(hours=12)
    assert (len(signed_in.secret), signed_in.secret in repr(login)) == (43, False)


@pytest.mark.parametrize(("account", "password"), [("aino", "wrong"), ("nobody", PASSWORD), ("aino", "x" * 1000), ("", "")])
async def test_a_wrong_name_or_password_is_refused_alike(access: Access, account: str, password: str) -> None:
    with pytest.raises(WrongCredentialsError) as refused:
        await access.sign_in(account, password, ADDRESS)

    assert refused.value.facts == {}


async def test_the_same_letters_typed_otherwise_are_the_same_password(access: Access) -> None:
    await access.create_account(StaffRequest(account="ossi", role=Role.EXPERT, password="pitkä salasana"))

    signed_in = await access.sign_in("ossi", "pitka\u0308 salasana", ADDRESS)

    assert signed_in.visitor.account == "ossi"


async def test_an_account_shut_out_cannot_sign_in_and_its_logins_end(doorstep: Doorstep) -> None:
    access, bearer = doorstep.access, await doorstep.bearer(SUPERVISOR)
    signed_in = await doorstep.login(SUPERVISOR)

    await access.set_active("sirpa", False)

    after = await doorstep.client.get("/api/v1/rooms", headers=bearer)
    with pytest.raises(WrongCredentialsError):
        await access.sign_in("sirpa", PASSWORD, ADDRESS)
    with pytest.raises(InvalidFieldError):
        await access.add_token("sirpa")
    assert (after.status, signed_in.visitor.login.id in doorstep.revoked, len(doorstep.revoked)) == (401, True, 2)

    await access.set_active("sirpa", True)

    assert (await access.sign_in("sirpa", PASSWORD, ADDRESS)).visitor.person == SUPERVISOR


async def test_shutting_out_nobody_is_refused(access: Access) -> None:
    with pytest.raises(InvalidFieldError):
        await access.set_active("nobody", False)


async def test_five_failures_a_minute_close_the_account_to_every_address(access: Access) -> None:
    for number in range(5):
        with pytest.raises(WrongCredentialsError):
            await access.sign_in("aino", "wrong", f"198.51.100.{number}")

    with pytest.raises(TooManyAttemptsError) as refused:
        await access.sign_in("aino", PASSWORD, "198.51.100.9")

    assert 1 <= refused.value.retry_after <= 60
    assert (await access.sign_in("eero", PASSWORD, "198.51.100.9")).visitor.account == "eero"


async def test_five_failures_a_minute_close_the_address_to_every_account(access: Access) -> None:
    for number in range(5):
        with pytest.raises(WrongCredentialsError):
            await access.sign_in(f"guess-{number}", "wrong", ADDRESS)

    with pytest.raises(TooManyAttemptsError):
        await access.sign_in("aino", PASSWORD, ADDRESS)

    assert (await access.sign_in("aino", PASSWORD, "198.51.100.9")).visitor.account == "aino"


async def test_successes_are_no_failures(access: Access) -> None:
    logins = [await access.sign_in("aino", PASSWORD, ADDRESS) for _ in range(7)]

    assert len({signed_in.secret for signed_in in logins}) == 7


async def test_guesses_that_come_all_at_once_are_counted_too(access: Access) -> None:
    results = await asyncio.gather(*(access.sign_in("aino", "wrong", ADDRESS) for _ in range(20)), return_exceptions=True)

    checked = sum(isinstance(result, WrongCredentialsError) for result in results)
    assert checked <= 5 + passwords.THREADS
    assert sum(isinstance(result, TooManyAttemptsError) for result in results) == 20 - checked


def test_who_knocks_without_a_pause_waits_for_the_next_minute() -> None:
    now = [120.0]
    knocks = Knocks(limit=2, monotonic=lambda: now[0])

    for _ in range(2):
        knocks.check("203.0.113.9")
    now[0] += 14.5
    with pytest.raises(TooManyAttemptsError) as refused:
        knocks.check("203.0.113.9")
    knocks.check("203.0.113.10")
    now[0] += 45.5
    knocks.check("203.0.113.9")

    assert refused.value.retry_after == 46


def test_failures_are_forgiven_after_their_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, now = Attempts("test", RateLimitItemPerMinute(1)), [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    attempts.failed("somebody")
    now[0] += 45

    with pytest.raises(TooManyAttemptsError) as refused:
        attempts.check("somebody")
    attempts.check("somebody else")
    now[0] += 16
    attempts.check("somebody")
    assert refused.value.retry_after in (15, 16)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a socket", "unknown"),
        (None, "unknown"),
    ],
)
def test_who_is_counted_as_one_address(address: str | None, group: str) -> None:
    assert address_group(address) == group


async def test_a_flood_of_sign_ins_is_asked_to_try_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = cheap_passwords()
    password_hash = await pool.hash("right")
    monkeypatch.setattr(passwords, "LONGEST_LINE", 0)

    with pytest.raises(TryAgainError):
        await pool.is_right("right", password_hash)

    pool.close()


async def test_a_hash_that_is_none_of_ours_fits_no_password() -> None:
    pool = Passwords()

    assert [await pool.is_right("x", "not a hash"), await pool.is_right("x", None)] == [False, False]
    pool.close()


# Devices


async def test_a_new_screen_replaces_the_old_and_its_seat_stays_the_rooms(doorstep: Doorstep) -> None:
    access = doorstep.access
    old = await doorstep.login(SCREEN)
    agent = await doorstep.login(AGENT)
    await doorstep.client.get("/room", headers=await doorstep.cookies(SCREEN))
    code = await access.add_pairing_code("rantala-1", Role.ROOM)

    async with doorstep.service.board.listen([login_topic(old.visitor.login.id)]) as notices:
        new = await access.pair(code, Role.ROOM, ADDRESS)
        await notices.wait()

    assert holder(old.visitor.seat_login) == holder(new.visitor.seat_login) == "room:rantala-1:room"
    assert await access.login_stands(new.visitor.seat_login)
    assert not await access.login_stands(old.visitor.seat_login)
    assert not await access.login_stands(old.visitor.login.id)
    assert await access.login_stands(agent.visitor.login.id)
    assert doorstep.revoked == []


async def test_a_codes_letters_are_read_with_or_without_dash_and_case(access: Access) -> None:
    code = await access.add_pairing_code("rantala-1", Role.ROOM)

    paired = await access.pair(f" {code[:4].lower()}-{code[4:].lower()} ", Role.ROOM, ADDRESS)

    assert paired.visitor.person == SCREEN
    assert (len(code), set(code) <= set(PAIRING_LETTERS)) == (8, True)
    assert not set("01OIL") & set(PAIRING_LETTERS)


async def test_a_code_lives_an_hour_and_the_demos_own_for_good(doorstep: Doorstep) -> None:
    access = doorstep.access
    code = await access.add_pairing_code("rantala-1", Role.ROOM)
    for_good = await access.add_pairing_code("rantala-2", Role.ROOM, code="DEMODEMO", reusable=True)
    doorstep.service.clock.advance(minutes=61)

    with pytest.raises(WrongCredentialsError):
        await access.pair(code, Role.ROOM, ADDRESS)
    again = [await access.pair(for_good, Role.ROOM, ADDRESS) for _ in range(2)]

    assert [paired.visitor.login.room for paired in again] == ["rantala-2"] * 2


async def test_there_is_no_code_for_an_unknown_room(access: Access) -> None:
    with pytest.raises(InvalidFieldError) as refused:
        await access.add_pairing_code("nowhere", Role.ROOM)

    assert refused.value.field == "room"


async def test_a_revoked_device_is_out_and_its_seat_is_given_up(doorstep: Doorstep) -> None:
    agent = await doorstep.login(AGENT)
    bearer = await doorstep.bearer(AGENT)

    await doorstep.access.revoke(agent.visitor.login)

    after = await doorstep.client.post("/api/v1/devices/status", json={"document_camera": "ok"}, headers=bearer)
    assert (after.status, doorstep.revoked) == (401, [agent.visitor.seat_login])
    assert not await doorstep.access.login_stands(agent.visitor.seat_login)
    assert not await doorstep.access.seat_stands(agent.visitor.seat_login)


# Logins


async def test_a_login_that_runs_out_in_a_call_serves_until_the_call_is_wrapped_up(doorstep: Doorstep) -> None:
    service, sitting = doorstep.service, set[str]()
    access = Access(
        accounts=service.accounts, places=service.places, board=service.board, themes=THEMES, key=b"c" * 32,
        clock=service.clock, passwords=cheap_passwords(), sits=sitting.__contains__,
    )  # fmt: skip
    login = (await access.sign_in(EXPERT.account, PASSWORD, ADDRESS)).visitor.login
    stands = []

    async def look(**later: float) -> None:
        service.clock.advance(**later)
        stands.append((await access.login_stands(login.id), await access.seat_stands(login.id)))

    sitting.add(login.id)
    await look(hours=LOGIN_HOURS + 1)
    await look(hours=1)
    sitting.clear()
    await look(minutes=WRAP_UP_MINUTES - 1)
    await look(minutes=1)
    await access.revoke(login)
    sitting.add(login.id)
    await look(seconds=1)

    assert stands == [(True, True), (True, True), (True, True), (False, True), (False, False)]


async def test_signing_out_ends_the_login_at_once(doorstep: Doorstep) -> None:
    signed_in = await doorstep.login(EXPERT)
    browser = await doorstep.browser(EXPERT)
    before = await doorstep.client.get("/api/v1/queue", headers=browser)

    async with doorstep.service.board.listen([login_topic(signed_in.visitor.login.id)]) as notices:
        await doorstep.access.sign_out(signed_in.visitor)
        await notices.wait()

    after = await doorstep.client.get("/api/v1/queue", headers=browser)
    assert (before.status, after.status) == (200, 401)
    assert doorstep.revoked == [signed_in.visitor.seat_login]


async def test_a_login_revoked_elsewhere_ends_within_five_seconds(doorstep: Doorstep) -> None:
    bearer = await doorstep.bearer(EXPERT)
    signed_in = await doorstep.login(EXPERT)
    await doorstep.client.get("/expert", headers=await doorstep.cookies(EXPERT))
    for login in await doorstep.service.accounts.logins(account="eero"):
        await doorstep.service.accounts.revoke_login(login.id)
    doorstep.service.clock.advance(seconds=5)

    answer = await doorstep.client.get("/api/v1/queue", headers=bearer)

    assert (answer.status, await doorstep.access.login_stands(signed_in.visitor.seat_login)) == (401, False)


async def test_a_working_day_ends(doorstep: Doorstep) -> None:
    cookies = await doorstep.cookies(EXPERT)
    inside = await doorstep.client.get("/expert", headers=cookies, allow_redirects=False)
    doorstep.service.clock.advance(hours=12)

    after = await doorstep.client.get("/expert", headers=cookies, allow_redirects=False)

    assert (inside.status, after.status) == (200, 303)


async def test_a_cookie_is_no_bearer_token_and_a_token_no_cookie(doorstep: Doorstep) -> None:
    secret = (await doorstep.login(EXPERT)).secret
    token = await doorstep.access.add_token("eero", "script")
    name = (await doorstep.cookies(EXPERT))["Cookie"].partition("=")[0]

    as_bearer = await doorstep.client.get("/api/v1/queue", headers={"Authorization": f"Bearer {secret}"})
    as_cookie = await doorstep.client.get("/expert", headers={"Cookie": f"{name}={token}"}, allow_redirects=False)

    assert (as_bearer.status, as_cookie.status) == (401, 303)


async def test_a_cookie_under_another_roles_name_is_none(doorstep: Doorstep) -> None:
    cookie = (await doorstep.cookies(ADVISOR))["Cookie"].replace("-advisor-", "-admin-")

    answer = await doorstep.client.get("/admin", headers={"Cookie": cookie}, allow_redirects=False)

    assert (answer.status, answer.headers["Location"]) == (303, "/login?next=/admin")


async def test_an_account_that_changed_its_role_needs_a_new_login(doorstep: Doorstep) -> None:
    bearer = await doorstep.bearer(EXPERT)
    account = await doorstep.service.accounts.account("eero")
    assert account is not None
    changed = Staff(account="eero", role=Role.SUPERVISOR)
    await doorstep.service.accounts.change_account(type(account)(staff=changed, password_hash=account.password_hash))

    answer = await doorstep.client.get("/api/v1/queue", headers=bearer)

    assert answer.status == 401


async def test_remembered_logins_stay_few(doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etapalvelu.access.CACHE_SIZE", 1)
    one, other = await doorstep.bearer(EXPERT), await doorstep.bearer(EXPERT)

    answers = [await doorstep.client.get("/api/v1/queue", headers=headers) for headers in (one, other, one)]

    assert [answer.status for answer in answers] == [200, 200, 200]


async def test_a_login_whose_room_is_gone_is_none(doorstep: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    bearer = await doorstep.bearer(AGENT)

    async def nowhere(_room: str) -> None:
        return None

    monkeypatch.setattr(doorstep.service.places, "room", nowhere)

    answer = await doorstep.client.get("/live", headers=bearer)

    assert answer.status == 401


# Accounts


async def test_an_account_is_made_as_asked(access: Access) -> None:
    request = StaffRequest(
        account="uusi.tyyppi-2",
        role=Role.EXPERT,
        password=PASSWORD,
        name="Uuno Esimerkki",
        title="asiantuntija",
        themes=("pensions", "pensions"),
        languages=(Language.FI, Language.SV, Language.FI),
    )

    staff = await access.create_account(request)

    expected = Staff(
        account="uusi.tyyppi-2",
        role=Role.EXPERT,
        name="Uuno Esimerkki",
        title="asiantuntija",
        themes=("pensions",),
        languages=(Language.FI, Language.SV),
    )
    assert staff == expected
    assert (await access.sign_in("uusi.tyyppi-2", PASSWORD, ADDRESS)).visitor.person == expected


@pytest.mark.parametrize(
    ("change", "field", "problem"),
    [
        ({"account": "Maija Meikäläinen"}, "account", "malformed"),
        ({"account": ""}, "account", "malformed"),
        ({"account": "-x"}, "account", "malformed"),
        ({"account": "a" * 41}, "account", "malformed"),
        ({"account": "aino"}, "account", "taken"),
        ({"name": "a" * 81}, "name", "too_long"),
        ({"title": "a" * 81}, "title", "too_long"),
        ({"role": Role.ROOM}, "role", "unknown_value"),
        ({"password": "short"}, "password", "too_short"),
        ({"password": "x" * 201}, "password", "too_long"),
        ({"themes": ("gardening",)}, "themes", "unknown_value"),
        ({"point": "nowhere"}, "point", "unknown_value"),
        ({"point": None}, "point", "required"),
    ],
)
async def test_a_bad_account_is_refused_by_field(access: Access, change: dict[str, object], field: str, problem: str) -> None:
    asked: dict[str, object] = {"account": "uusi", "role": Role.ADVISOR, "password": PASSWORD, "point": "rantala"}

    with pytest.raises(InvalidFieldError) as refused:
        await access.create_account(StaffRequest(**(asked | change)))  # type: ignore[arg-type]

    assert (refused.value.field, refused.value.problem) == (field, problem)


async def test_a_token_acts_as_its_account(doorstep: Doorstep) -> None:
    token = await doorstep.access.add_token("eero", "night script")

    answer = await doorstep.client.get("/api/v1/queue", headers={"Authorization": f"bearer {token}"})

    labels = [login.label for login in await doorstep.service.accounts.logins(account="eero")]
    assert (answer.status, labels) == (200, ["night script"])


async def test_there_is_no_token_for_nobody(access: Access) -> None:
    with pytest.raises(InvalidFieldError):
        await access.add_token("nobody")


async def test_a_server_without_sockets_revokes_all_the_same(service: Service, doorstep: Doorstep) -> None:
    quiet = Access(
        accounts=service.accounts,
        places=service.places,
        board=service.board,
        themes=(),
        key=b"c" * 32,
        clock=service.clock,
        passwords=cheap_passwords(),
    )
    signed_in = await quiet.sign_in("aino", PASSWORD, ADDRESS)

    await quiet.revoke(signed_in.visitor.login)

    assert not await quiet.login_stands(signed_in.visitor.login.id)


# Cookies


async def test_a_persons_cookie_is_for_this_server_and_this_run_of_the_browser(access: Access) -> None:
    signed_in = await access.sign_in("aino", PASSWORD, ADDRESS)
    response = web.Response()

    set_cookie(_request("palvelu.example"), response, Role.ADVISOR, signed_in.secret)

    name = "__Host-etapalvelu-advisor"
    assert _set(response) == {f"{name}={signed_in.secret}", "HttpOnly", "Path=/", "SameSite=Lax", "Secure"}


async def test_a_screens_cookie_lives_on_each_time_its_page_is_loaded(doorstep: Doorstep) -> None:
    screen = await doorstep.login(SCREEN)
    response, bare = web.Response(), web.Response()

    renew_cookie(_request("127.0.0.1:8080", f"__Host-etapalvelu-room-8080={screen.secret}"), response, Role.ROOM)
    renew_cookie(_request("127.0.0.1:8080"), bare, Role.ROOM)

    name = "__Host-etapalvelu-room-8080"
    kept = {f"{name}={screen.secret}", "HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax", "Secure"}
    assert (_set(response), bare.cookies.output()) == (kept, "")


def test_signing_out_takes_the_cookie_away() -> None:
    response = web.Response()

    forget_cookie(_request("localhost:8080"), response, Role.EXPERT)

    assert _set(response) == {
        '__Host-etapalvelu-expert-8080=""', "HttpOnly", "Max-Age=0", "Path=/", "SameSite=Lax", "Secure",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8080", "__Host-etapalvelu-expert-8080"),
        ("127.0.0.1", "__Host-etapalvelu-expert-80"),
        ("[::1]:9", "__Host-etapalvelu-expert-9"),
        ("palvelu.example:8443", "__Host-etapalvelu-expert"),
    ],
)
def test_on_loopback_the_cookies_name_tells_the_port(host: str, name: str) -> None:
    assert cookie_name(_request(host), Role.EXPERT) == name


def _request(host: str, cookie: str = "") -> web.Request:
    return make_mocked_request("GET", "/", headers={"Host": host, "Cookie": cookie})


def _set(response: web.Response) -> set[str]:
    written = response.cookies.output(header="").strip()
    return set(re.split(r"; ", written))
