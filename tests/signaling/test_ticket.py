import base64

import pytest

from signaling.errors import TicketError
from signaling.ticket import _sign, check, check_resume, mint, mint_resume
from tests.signaling.samples import KEY, NOW, claims, resume_claims


def refusal(text: str, key: bytes = KEY, now: float = NOW) -> str:
    with pytest.raises(TicketError) as refused:
        check(text, key, now)
    return refused.value.code


def test_a_ticket_says_what_was_minted() -> None:
    minted = claims("expert", relay_only=True)

    assert check(mint(minted, KEY), KEY, NOW + 59.9) == minted


def test_a_resume_token_says_what_was_minted() -> None:
    minted = resume_claims(claims(), epoch=3)

    assert check_resume(mint_resume(minted, KEY), KEY, NOW) == minted


def test_a_ticket_expires() -> None:
    assert refusal(mint(claims(), KEY), now=NOW + 60) == "expired"


def test_a_resume_token_expires() -> None:
    with pytest.raises(TicketError) as refused:
        check_resume(mint_resume(resume_claims(claims(), expires=NOW), KEY), KEY, NOW)

    assert refused.value.code == "expired"


def test_another_key_is_a_forgery() -> None:
    assert refusal(mint(claims(), b"o" * 32)) == "forged"


def test_a_changed_ticket_is_a_forgery() -> None:
    payload, _, mac = mint(claims("room"), KEY).partition(".")
    other = mint(claims("expert"), KEY).partition(".")[0]

    assert refusal(f"{other}.{mac}") == "forged"
    assert refusal(f"{payload}.") == "forged"


def test_a_resume_token_is_no_ticket() -> None:
    assert refusal(mint_resume(resume_claims(claims()), KEY)) == "forged"


@pytest.mark.parametrize("text", ["", "no dot", "ä.ö", "a." + "b" * 2048])
def test_other_texts_are_malformed(text: str) -> None:
    assert refusal(text) == "malformed"


def test_claims_of_another_version_are_malformed() -> None:
    assert refusal(_sign(b"ticket", resume_claims(claims()), KEY)) == "malformed"


def test_a_signed_text_that_is_no_base64_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base64, "urlsafe_b64encode", lambda data: b"A" if data.startswith(b"{") else b"mac")

    assert refusal("A.mac") == "malformed"


def test_a_short_key_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        mint(claims(), b"short")
