"""The checker finds what it is there to find, and nothing in a log that agrees with what was told."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checker import GENESIS, Json, check, main

AT = "2026-11-22T09:00:0{}.000Z"

HISTORY: list[tuple[str, str, Json]] = [
    ("opened", "staff:advisor", {"room": "rantala-1"}),
    ("joined", "device:rantala-1", {"seat": "room"}),
    ("claimed", "staff:expert", {"expert": "expert", "lease_seconds": 20}),
    ("joined", "staff:expert", {"seat": "expert"}),
    ("connected", "system", {"path": "host", "setup_ms": 90}),
    ("interrupted", "system", {"seat": "room", "cause_class": "site_network", "since": AT.format(4)}),
    ("resumed", "system", {"seat": "room", "gap_ms": 900}),
    ("closed", "staff:expert", {"cause": "completed", "cause_class": None}),
]

BODY = {
    "id": "s1", "state": "closed", "opened_at": AT.format(1), "claimed_at": AT.format(3), "connected_at": AT.format(5),
    "closed_at": AT.format(8), "close_cause": "completed",
}  # fmt: skip
BEFORE = {**BODY, "connected_at": None, "closed_at": None, "close_cause": None}

TOLD: list[Json] = [
    {"kind": "deed", "key": "a", "actor": "staff:advisor", "deed": "open", "session": None},
    {"kind": "answer", "key": "a", "status": 201, "body": {**BEFORE, "state": "waiting", "claimed_at": None}},
    {"kind": "deed", "key": "b", "actor": "staff:expert", "deed": "take", "session": None},
    {"kind": "deed", "key": "b", "actor": "staff:expert", "deed": "take", "session": None},
    {"kind": "answer", "key": "b", "status": 200, "body": {**BEFORE, "state": "claimed"}},
    {"kind": "deed", "key": "c", "actor": "staff:expert", "deed": "close", "session": "s1"},
    {"kind": "answer", "key": "c", "status": 200, "body": BODY},
    {"kind": "heard", "session": "s1", "seat": "room", "message": {"type": "seat_joined", "seat": "expert", "epoch": 1}},
    {"kind": "heard", "session": "s1", "seat": "room", "message": {"type": "call_closed", "reason": "completed"}},
    {"kind": "live", "event": "state", "data": {"state": "claimed", "session": "s1", "seq": 3}},
    {"kind": "fault", "what": "server_killed"},
]


def log(history: list[tuple[str, str, Json]] = HISTORY) -> list[Json]:
    """The history as the program exports it, chained anew."""
    entries, prev = list[Json](), GENESIS
    for seq, (type_, actor, data) in enumerate(history, start=1):
        entry = {"session": "s1", "seq": seq, "at": AT.format(seq), "type": type_, "actor": actor, "data": data, "prev": prev}
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        prev = hashlib.sha256(text.encode()).hexdigest()
        entries.append({**entry, "hash": prev})
    return entries


def changed(number: int, **data: object) -> list[tuple[str, str, Json]]:
    """The history with other data in one event."""
    type_, actor, before = HISTORY[number]
    return [*HISTORY[:number], (type_, actor, {**before, **data}), *HISTORY[number + 1 :]]


def kinds(entries: list[Json], told: list[Json] = TOLD, *, all_ended: bool = False) -> set[str]:
    return {finding.kind for finding in check(entries, told, all_ended=all_ended)}


def test_a_log_that_agrees_with_what_was_told_is_found_whole() -> None:
    assert check(log(), TOLD, all_ended=True) == []


@pytest.mark.parametrize(
    ("history", "kind"),
    [
        (HISTORY[1:], "orphan"),
        (HISTORY[:-1], "lost"),
        ([HISTORY[0], *HISTORY], "doubled"),
        ([*HISTORY, HISTORY[-1]], "doubled"),
        ([*HISTORY, ("joined", "system", {"seat": "camera"})], "order"),
        ([*HISTORY[:3], *HISTORY[2:]], "doubled"),
        ([*HISTORY[:2], *HISTORY[1:]], "doubled"),
        (changed(7, cause="technical"), "no_cause"),
        (changed(7, cause="bored"), "no_cause"),
        (changed(5, cause_class="weather"), "no_cause"),
        (changed(5, since=AT.format(9)), "negative"),
        (changed(6, gap_ms=-1), "negative"),
        (changed(3, seat="advisor"), "untold"),
    ],
)
def test_what_is_wrong_with_a_log_is_found(history: list[tuple[str, str, Json]], kind: str) -> None:
    assert kind in kinds(log(history))


@pytest.mark.parametrize(
    ("spoil", "kind"),
    [
        (lambda entries: entries[2].update(actor="staff:somebody"), "chain"),
        (lambda entries: entries[2].update(prev=GENESIS), "chain"),
        (lambda entries: entries[2].update(note="more"), "chain"),
        (lambda entries: entries.pop(4), "order"),
        (lambda entries: entries[4].update(at=AT.format(1)), "negative"),
    ],
)
def test_what_was_done_to_a_log_is_found(spoil: Callable[[list[Json]], object], kind: str) -> None:
    entries = log()
    spoil(entries)

    assert kind in kinds(entries)


def test_a_session_left_open_is_an_orphan_when_all_ought_to_have_ended() -> None:
    entries, told = log(HISTORY[:-1]), [line for line in TOLD[:-4] if line.get("key") != "c"]

    assert kinds(entries, told, all_ended=True) == {"orphan"}
    assert kinds(entries, told) == set()


def test_a_deed_that_was_refused_may_not_be_in_the_log_and_one_never_answered_may() -> None:
    refused = [line for line in TOLD if line.get("key") != "c"]
    asked: Json = {"kind": "deed", "key": "c", "actor": "staff:expert", "deed": "close", "session": "s1"}

    assert kinds(log(), [*refused, asked, {"kind": "answer", "key": "c", "status": 503, "body": {}}]) == {"doubled"}
    assert kinds(log(), [*refused, asked]) == set()


@pytest.mark.parametrize(("reason", "found"), [("expert_lost", set()), ("wrong_theme", {"doubled"})])
def test_an_expert_who_leaves_gives_the_session_back_without_a_deed(reason: str, found: set[str]) -> None:
    claimed, expert = HISTORY[2], "staff:expert"
    history = [
        *HISTORY[:3],
        ("released", expert, {"expert": "expert", "reason": "cannot_serve"}),
        claimed,
        HISTORY[3],
        ("left", expert, {"seat": "expert"}),
        ("released", expert, {"expert": "expert", "reason": reason}),
    ]
    told = [
        *TOLD[:2],
        *({"kind": "deed", "key": key, "actor": expert, "deed": "claim", "session": "s1"} for key in "de"),
        {"kind": "deed", "key": "f", "actor": expert, "deed": "release", "session": "s1"},
    ]

    assert kinds(log(history), told) == found


@pytest.mark.parametrize(
    "line",
    [
        {"kind": "heard", "session": "s2", "seat": "room", "message": {"type": "call_closed", "reason": "completed"}},
        {"kind": "heard", "session": "s1", "seat": "room", "message": {"type": "call_closed", "reason": "lost"}},
        {"kind": "live", "event": "state", "data": {"state": "connected", "session": "s1", "seq": 3}},
        {"kind": "live", "event": "state", "data": {"state": "closed", "session": "s1", "seq": 9}},
        {"kind": "read", "session": "s1", "body": {**BODY, "events": [{"seq": 1, "hash": "0"}]}},
        {"kind": "read", "session": "s1", "body": {**BODY, "closed_at": AT.format(7)}},
    ],
)
def test_what_was_told_and_never_happened_is_found(line: Json) -> None:
    assert kinds(log(), [*TOLD, line]) == {"untold"}


def test_the_command_reads_files_and_passes_over_a_line_that_was_cut_short(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exported, transcript = tmp_path / "log.jsonl", tmp_path / "told.jsonl"
    exported.write_text("".join(json.dumps(entry) + "\n" for entry in log()), encoding="utf-8")
    transcript.write_text("".join(json.dumps(line) + "\n" for line in TOLD) + '{"kind": "de', encoding="utf-8")

    whole = main([str(exported), str(transcript)])
    exported.write_text("".join(json.dumps(entry) + "\n" for entry in log()[:-1]), encoding="utf-8")
    cut = main([str(exported), str(transcript)])

    assert (whole, cut, main([])) == (0, 1, 2)
    assert "lost: session s1" in capsys.readouterr().out
