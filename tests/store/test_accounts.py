"""Accounts, logins and pairing codes: what is good, what is good no more."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.codes import Language
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.people import Role, Staff
from etapalvelu.ports import Account, Login, Pairing
from etapalvelu.store.accounts import SqlAccounts
from tests.conftest import Service
from tests.domain.samples import NOW

EXPERT = Account(
    staff=Staff(
        account="eero",
        role=Role.EXPERT,
        name="Eero Esimerkki",
        title="asiantuntija",
        themes=("pensions", "families"),
        languages=(Language.FI, Language.SV),
    ),
    password_hash="$argon2id$...",
)
ADVISOR = Account(staff=Staff(account="aino", role=Role.ADVISOR, point="rantala"), password_hash="x")
LOGIN = Login(id="l1", kind="browser", account="eero", role=Role.EXPERT, created_at=NOW, expires_at=NOW + timedelta(hours=12))
SCREEN = Login(id="d1", kind="device", account="room:rantala-1", role=Role.ROOM, room="rantala-1", created_at=NOW)
PAIRING = Pairing(code_digest="c1", room="rantala-1", role=Role.ROOM, expires_at=NOW + timedelta(hours=1))
MS = timedelta(milliseconds=1)


@pytest.fixture
def store(engine: AsyncEngine) -> SqlAccounts:
    return SqlAccounts(engine)


async def test_accounts_are_read_back_as_they_were_added(store: SqlAccounts) -> None:
    for account in (EXPERT, ADVISOR):
        await store.add_account(account)

    assert await store.accounts() == [ADVISOR, EXPERT]
    assert await store.account("eero") == EXPERT
    assert await store.account("nobody") is None


async def test_staff_are_told_by_account_as_far_as_there_are_any(store: SqlAccounts) -> None:
    closed = replace(ADVISOR, active=False)
    for account in (EXPERT, closed):
        await store.add_account(account)

    assert await store.staff(["eero", "aino", "nobody"]) == {"eero": EXPERT.staff, "aino": closed.staff}
    assert await store.staff([]) == {}


async def test_a_name_is_given_once(store: SqlAccounts) -> None:
    await store.add_account(EXPERT)

    with pytest.raises(InvalidFieldError) as refusal:
        await store.add_account(replace(ADVISOR, staff=replace(ADVISOR.staff, account="eero")))

    assert refusal.value.facts == {"field": "account", "problem": "taken"}
    assert await store.accounts() == [EXPERT]


async def test_an_account_is_changed_and_the_others_are_not(store: SqlAccounts) -> None:
    for account in (EXPERT, ADVISOR):
        await store.add_account(account)
    changed = replace(EXPERT, active=False, password_hash="y")

    await store.change_account(changed)

    assert await store.accounts() == [ADVISOR, changed]


async def test_a_login_is_good_until_it_expires_or_is_revoked(store: SqlAccounts) -> None:
    endless = replace(LOGIN, id="l2", kind="token", expires_at=None, label="reporting", created_at=NOW + MS)
    for login in (LOGIN, endless):
        await store.add_login(login)

    last_moment = await store.login("l1", NOW + timedelta(hours=12) - MS)
    expired = await store.login("l1", NOW + timedelta(hours=12))
    all_of_eero = await store.logins(account="eero")
    await store.revoke_login("l2")

    assert (last_moment, expired) == (LOGIN, None)
    assert all_of_eero == [endless, LOGIN]
    assert await store.login("l2", NOW) is None
    assert await store.login("l3", NOW) is None
    assert await store.logins(account="eero") == [LOGIN]
    assert await store.logins(account="aino") == []


async def test_at_work_is_who_has_a_good_login_of_the_role_and_an_open_account(store: SqlAccounts) -> None:
    closed = replace(EXPERT, staff=replace(EXPERT.staff, account="elsa"), active=False)
    for account in (EXPERT, ADVISOR, closed):
        await store.add_account(account)
    nobody = await store.signed_in(Role.EXPERT, NOW)
    for login in (LOGIN, replace(LOGIN, id="l2", account="elsa"), replace(LOGIN, id="l3", account="aino", role=Role.ADVISOR)):
        await store.add_login(login)

    assert nobody == []
    assert await store.signed_in(Role.EXPERT, NOW) == [EXPERT.staff]
    assert await store.signed_in(Role.EXPERT, NOW + timedelta(hours=12)) == []
    await store.add_login(replace(LOGIN, id="l4", kind="token", expires_at=None))
    assert await store.signed_in(Role.EXPERT, NOW + timedelta(hours=12)) == [EXPERT.staff]
    await store.revoke_login("l4")
    assert await store.signed_in(Role.EXPERT, NOW + timedelta(hours=12)) == []


async def test_a_new_device_replaces_the_older_one_of_its_kind_only(store: SqlAccounts) -> None:
    agent = replace(SCREEN, id="d2", account="agent:rantala-1", role=Role.AGENT)
    next_room = replace(SCREEN, id="d3", account="room:rantala-2", room="rantala-2")
    first = [await store.replace_device(login) for login in (SCREEN, agent, next_room)]

    newer = replace(SCREEN, id="d4", created_at=NOW + MS)
    replaced = await store.replace_device(newer)

    assert (first, replaced) == ([[], [], []], ["d1"])
    assert await store.login("d1", NOW) is None
    assert await store.logins(room="rantala-1") == [newer, agent]
    assert {login.id for login in await store.logins()} == {"d2", "d3", "d4"}


async def test_a_code_pairs_once(service: Service) -> None:
    store = service.accounts
    await store.add_pairing(PAIRING)

    assert await store.use_pairing("c1", NOW) == PAIRING
    assert await store.use_pairing("c1", NOW) is None
    assert await store.use_pairing("c2", NOW) is None


async def test_a_code_is_good_for_its_time_only(service: Service) -> None:
    await service.accounts.add_pairing(PAIRING)

    assert await service.accounts.use_pairing("c1", PAIRING.expires_at) is None
    assert await service.accounts.use_pairing("c1", PAIRING.expires_at - MS) == PAIRING


async def test_a_reusable_code_pairs_again_and_a_renewed_one_too(service: Service) -> None:
    store, lasting = service.accounts, replace(PAIRING, reusable=True)
    await store.add_pairing(lasting)
    twice = [await store.use_pairing("c1", NOW), await store.use_pairing("c1", NOW)]
    await store.add_pairing(PAIRING)
    used = await store.use_pairing("c1", NOW)
    await store.add_pairing(PAIRING)

    assert (twice, used) == ([lasting, lasting], PAIRING)
    assert await store.use_pairing("c1", NOW) == PAIRING
