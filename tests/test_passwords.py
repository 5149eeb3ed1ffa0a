"""The pool that checks passwords."""

import asyncio

import pytest
from argon2 import PasswordHasher, extract_parameters

from etapalvelu import passwords
from etapalvelu.domain.errors import TryAgainError
from etapalvelu.passwords import Passwords
from tests.doorstep import cheap_passwords


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


def test_who_is_unknown_costs_as_much_as_who_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    hasher = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    checked: list[str] = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda _hasher, hash_, _password: checked.append(str(hash_)))
    pool = Passwords(hasher)

    asyncio.run(pool.is_right("a password", None))

    assert [extract_parameters(hash_) for hash_ in checked] == [extract_parameters(hasher.hash("a password"))]
    pool.close()
