"""Sign-in, pairing, tokens and accounts: who comes in, and who is told no."""

import asyncio
from datetime import timedelta

import pytest

from etapalvelu import passwords
from etapalvelu.access import PAIRING_LETTERS, Access
from etapalvelu.domain.codes import Language
from etapalvelu.domain.errors import InvalidFieldError, TooManyAttemptsError, WrongCredentialsError
from etapalvelu.domain.people import Role, Staff, StaffRequest
from tests.conftest import ADVISOR, SCREEN, SUPERVISOR
from tests.doorstep import ADDRESS, PASSWORD, Doorstep


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
