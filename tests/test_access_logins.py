"""A login of any kind ends when it is told to, and serves for nothing but what it was made for."""

import pytest

from etapalvelu.access import LOGIN_HOURS, WRAP_UP_MINUTES, Access
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.themes import THEMES
from etapalvelu.ports import login_topic
from signaling.ticket import holder
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, Service
from tests.doorstep import ADDRESS, PASSWORD, Doorstep, cheap_passwords


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


async def test_a_revoked_device_is_out_and_its_seat_is_given_up(doorstep: Doorstep) -> None:
    agent = await doorstep.login(AGENT)
    bearer = await doorstep.bearer(AGENT)

    await doorstep.access.revoke(agent.visitor.login)

    after = await doorstep.client.post("/api/v1/devices/status", json={"document_camera": "ok"}, headers=bearer)
    assert (after.status, doorstep.revoked) == (401, [agent.visitor.seat_login])
    assert not await doorstep.access.login_stands(agent.visitor.seat_login)
    assert not await doorstep.access.seat_stands(agent.visitor.seat_login)


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
