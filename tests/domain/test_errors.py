"""Refusals: stable codes, plain facts, and which of them are kept as an answer."""

import json
from datetime import UTC, datetime

import pytest

from etapalvelu.domain import errors
from etapalvelu.domain.errors import (
    AlreadyTakenError,
    ConflictError,
    CrowdedError,
    InvalidFieldError,
    KeyReusedError,
    LateReportError,
    NotAllowedError,
    NotFoundError,
    NotOfferedError,
    OutsideHoursError,
    RefusalError,
    RoomInUseError,
    RoomNotFitError,
    RoomOutOfUseError,
    ServerRestartingError,
    StaleError,
    StorageFullError,
    TooManyAttemptsError,
    TryAgainError,
    WrongCredentialsError,
    WrongStateError,
)

EACH: list[tuple[RefusalError, str, dict[str, object]]] = [
    (InvalidFieldError("room"), "invalid_field", {"field": "room", "problem": "unknown_value"}),
    (
        InvalidFieldError("reason", allowed=("advice", "other")),
        "invalid_field",
        {"field": "reason", "problem": "unknown_value", "allowed": ["advice", "other"]},
    ),
    (InvalidFieldError("password", "too_short"), "invalid_field", {"field": "password", "problem": "too_short"}),
    (WrongStateError("closed", "claim"), "wrong_state", {"state": "closed", "deed": "claim"}),
    (AlreadyTakenError(), "already_taken", {}),
    (StaleError(state="waiting"), "stale", {"state": "waiting"}),
    (NotAllowedError(), "forbidden", {}),
    (NotFoundError(), "not_found", {}),
    (NotOfferedError(theme="restricted"), "not_offered", {"theme": "restricted"}),
    (OutsideHoursError(None), "outside_hours", {"opens_at": None}),
    (
        OutsideHoursError(datetime(2026, 8, 17, 6, tzinfo=UTC)),
        "outside_hours",
        {"opens_at": "2026-08-17T06:00:00.000Z"},
    ),
    (RoomInUseError(room="rantala-1"), "room_in_use", {"room": "rantala-1"}),
    (RoomNotFitError(room="rantala-1", fit_from=None), "room_not_fit", {"room": "rantala-1", "fit_from": None}),
    (RoomOutOfUseError(room="rantala-1"), "room_out_of_use", {"room": "rantala-1"}),
    (LateReportError("after_now"), "late_report", {"reason": "after_now"}),
    (KeyReusedError(), "key_reused", {}),
    (TryAgainError(), "try_again", {"retry_after": 2}),
    (StorageFullError(), "storage_full", {"retry_after": 30}),
    (CrowdedError(), "crowded", {"retry_after": 5}),
    (ServerRestartingError(), "server_restarting", {"retry_after": 2}),
    (TooManyAttemptsError(60), "too_many_attempts", {"retry_after": 60}),
    (WrongCredentialsError(), "wrong_credentials", {}),
]


@pytest.mark.parametrize(("refusal", "code", "facts"), EACH, ids=lambda value: value if isinstance(value, str) else None)
def test_a_refusal_has_a_stable_code_and_plain_facts(refusal: RefusalError, code: str, facts: dict[str, object]) -> None:
    assert (refusal.code, refusal.facts) == (code, facts)
    assert json.loads(json.dumps(refusal.facts)) == facts


def test_every_refusal_of_the_module_stands_in_the_list_above() -> None:
    named = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RefusalError)}

    assert {type(refusal) for refusal, _, _ in EACH} == named - {RefusalError, ConflictError}


def test_only_a_conflict_is_kept_as_the_answer_of_a_key() -> None:
    kept = {refusal.code for refusal, _, _ in EACH if isinstance(refusal, ConflictError)}

    assert kept == {
        "wrong_state",
        "already_taken",
        "late_report",
        "stale",
        "not_offered",
        "outside_hours",
        "room_in_use",
        "room_not_fit",
        "room_out_of_use",
    }


def test_a_kept_refusal_comes_again_as_it_was() -> None:
    again = ConflictError.again("room_in_use", {"room": "rantala-1"})

    assert (again.code, again.facts) == ("room_in_use", {"room": "rantala-1"})
    assert ConflictError.code == "refused"
