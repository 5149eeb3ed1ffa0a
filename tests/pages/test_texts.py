"""Texts rot silently: keys, places to fill and codes are held against each other in all three languages."""

import json
import re
from collections.abc import Iterable, Mapping

import pytest

from etapalvelu.domain import codes
from etapalvelu.domain.errors import RefusalError
from etapalvelu.domain.events import EVENTS, event_type
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import RoomDevices, missing
from etapalvelu.domain.readiness import CheckCode, CheckNote, CheckResult
from etapalvelu.domain.themes import THEMES
from etapalvelu.pages import assets

TEXTS: Mapping[str, dict[str, str]] = {
    code: json.loads((assets.LOCALE / f"{code}.json").read_text("utf-8")) for code in ("fi", "sv", "en")
}
SOURCES = [*assets.TEMPLATES.rglob("*.html"), *(assets.WEB.parent / "etapalvelu" / "pages").glob("*.py")]
LITERAL = re.compile(r"""(?:\b_|\btext)\(\s*f?"([a-z_]+\.[a-zA-Z0-9_.-]+)"\s*[,)]""")
BEGINNING = re.compile(r"""\b_\(\s*"([a-z_.]+\.)"\s*~""")
LABELLED: Mapping[str, Iterable[object]] = {
    "cause": codes.CloseCause,
    "cause_class": codes.CauseClass,
    "follow_up": codes.FollowUp,
    "identified_by": codes.IdentifiedBy,
    "acting_for": codes.ActingFor,
    "language": codes.Language,
    "need": codes.Need,
    "outcome": codes.Outcome,
    "path": codes.Path,
    "readiness": codes.Readiness,
    "check": CheckCode,
    "check_do": CheckCode,
    "check_note": CheckNote,
    "check_result": CheckResult,
    "reason": codes.Reason,
    "release": codes.ReleaseReason,
    "seat": codes.Seat,
    "state": codes.State,
    "role": Role,
    "ended": codes.CloseCause,
    "theme": [theme.key for theme in THEMES],
    "event": [event_type(event) for event in EVENTS],
    "missing": [
        *missing(RoomDevices()),
        *missing(RoomDevices(screen_paired=True, agent_paired=True)),
        *missing(RoomDevices(screen_paired=True, agent_paired=True, screen_online=True, agent_online=True)),
    ],
}


def test_the_three_languages_have_the_same_keys_in_alphabetical_order() -> None:
    assert list(TEXTS["fi"]) == list(TEXTS["sv"]) == list(TEXTS["en"]) == sorted(TEXTS["fi"])


def test_each_text_has_the_same_places_to_fill_in_all_languages() -> None:
    def places(code: str) -> dict[str, set[str]]:
        return {key: set(re.findall(r"{\w+}", words)) for key, words in TEXTS[code].items()}

    assert places("fi") == places("sv") == places("en")


def test_no_text_is_empty() -> None:
    assert [(code, key) for code, texts in TEXTS.items() for key, words in texts.items() if not words.strip()] == []


def test_every_key_that_a_page_asks_for_is_there() -> None:
    asked = {key for source in SOURCES for key in LITERAL.findall(source.read_text("utf-8"))}

    assert len(asked) > 200
    assert asked - TEXTS["fi"].keys() == set()


def test_every_family_of_keys_that_a_page_asks_for_is_there() -> None:
    asked = {beginning for source in SOURCES for beginning in BEGINNING.findall(source.read_text("utf-8"))}

    assert len(asked) > 10
    assert [beginning for beginning in asked if not any(key.startswith(beginning) for key in TEXTS["fi"])] == []


@pytest.mark.parametrize("family", LABELLED)
def test_every_code_has_its_words(family: str) -> None:
    assert {f"{family}.{code}" for code in LABELLED[family]} - TEXTS["fi"].keys() == set()


def test_every_refusal_has_its_words() -> None:
    def all_below(kind: type[RefusalError]) -> list[type[RefusalError]]:
        return [kind, *(one for below in kind.__subclasses__() for one in all_below(below))]

    ours = [kind for kind in all_below(RefusalError) if kind.__module__.startswith("etapalvelu.")]
    assert len(ours) > 10
    assert {f"refusal.{kind.code}" for kind in ours} - TEXTS["fi"].keys() == set()


def test_the_names_that_everybody_relies_on_are_exact_in_english() -> None:
    names = {
        "login.account": "User name",
        "login.password": "Password",
        "login.submit": "Sign in",
        "field.room": "Room",
        "field.theme": "Theme",
        "field.language": "Language",
        "field.reason": "Reason",
        "advisor.open": "Open session",
        "session.cancel": "Cancel session",
        "session.close": "Close session",
        "session.save_and_close": "Save and close",
        "log.export": "Export CSV",
    }

    assert {key: TEXTS["en"][key] for key in names} == names
