"""What `etapalvelu room --check` says of what was found, and its exit code."""

import re
from pathlib import Path

import pytest

from etapalvelu.pages.assets import LOCALE
from etapalvelu.pages.language import LANGUAGES, load_languages
from etapalvelu.room.finding import CODES, Finding
from etapalvelu.room_check import BROKEN, READY, TO_LOOK_AT, report

WELL = [Finding(code=code, result="ok") for code in CODES]


def found(*others: Finding) -> list[Finding]:
    """A room where all is well but these."""
    return [next((other for other in others if other.code == one.code), one) for one in WELL]


def test_a_room_where_all_is_well_is_ready() -> None:
    words, code = report(found(Finding(code="round_trip", result="ok", figure=34.5)), "en", is_told=True)

    assert code == READY
    assert len(words) == len(CODES) + 1
    assert words[0] == "Document camera opens: In order"
    assert "Round-trip delay: In order (34.5 ms)" in words
    assert words[-1] == "Ready"


def test_what_is_broken_is_told_with_what_to_do_and_the_room_cannot_be_used() -> None:
    camera = Finding(code="document_camera_opens", result="failed", note="no_picture")

    words, code = report(found(camera), "en", is_told=True)

    assert code == BROKEN
    assert words[:2] == [
        "Document camera opens: Not working (no picture comes)",
        "    The document camera does not open. Check that it is on and its cable is plugged in.",
    ]
    assert words[-1] == "Not working"


@pytest.mark.parametrize(
    ("finding", "last"),
    [
        (Finding(code="disk", result="warn", figure=900), "Ready"),
        (Finding(code="direct_path", result="failed", note="no_udp"), "Ready by the spare route"),
    ],
    ids=["a remark", "relays only"],
)
def test_what_works_but_not_as_it_should_is_a_code_of_its_own(finding: Finding, last: str) -> None:
    words, code = report(found(finding), "en", is_told=True)

    assert (code, words[-1]) == (TO_LOOK_AT, last)
    assert sum(line.startswith("    ") for line in words) == 1


def test_that_the_service_was_not_told_is_said() -> None:
    words, code = report(found(Finding(code="server_http", result="failed", note="no_answer")), "en", is_told=False)

    assert code == BROKEN
    assert words[-1] == "The service could not be told of this, so its pages show what was found before."


@pytest.mark.parametrize("lang", LANGUAGES)
def test_everything_is_said_in_three_languages(lang: str) -> None:
    texts = load_languages(LOCALE)[lang]
    bad = [Finding(code=code, result="failed", note="no_answer", figure=1.5) for code in CODES]

    words, _ = report(bad, lang, is_told=False)

    assert len(words) == 2 * len(CODES) + 2
    assert words[0].startswith(texts.text("check.document_camera_opens"))
    assert not [line for line in words if re.search(r"[{}]|check\.|unit\.", line)]


def test_the_commands_languages_are_the_pages() -> None:
    source = Path(__file__).parents[1].joinpath("etapalvelu", "cli.py").read_text(encoding="utf-8")

    assert f"choices={LANGUAGES}".replace("'", '"') in source
