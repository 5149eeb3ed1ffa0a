"""The chain: canonical JSON, numbering, times, and that no change of any field goes unseen."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from etapalvelu.domain.codes import CauseClass, CloseCause, FollowUp, Outcome, Seat
from etapalvelu.domain.errors import WrongStateError
from etapalvelu.domain.events import EVENTS, Closed, Event, Interrupted, Joined, Noted, Opened
from etapalvelu.domain.log import (
    GENESIS,
    Entry,
    Fault,
    account_of,
    append,
    canonical,
    digest,
    event_data,
    event_from,
    open_session,
    replay,
    verify,
)
from tests.domain.samples import CLAIMED, EACH, ENDED, INTERRUPTED, NOTED, NOW, OPENED, SERVED, STILL, after, saying, told


def test_the_first_entry_stands_on_nothing() -> None:
    session, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=NOW)

    assert (entry.session, entry.seq, entry.at, entry.actor, entry.event, entry.prev) == (
        "s1",
        1,
        NOW,
        "staff:aino",
        OPENED,
        GENESIS,
    )
    assert (session.seq, session.head, session.advisor) == (1, entry.hash, "aino")


def test_each_entry_stands_on_the_one_before() -> None:
    entries = told(*SERVED)

    assert [entry.seq for entry in entries] == [1, 2, 3, 4, 5, 6]
    assert [entry.prev for entry in entries] == [GENESIS, *(entry.hash for entry in entries[:-1])]
    assert len({entry.hash for entry in entries}) == 6


def test_a_hash_is_sha256_over_what_anybody_can_write_down_again() -> None:
    _, lost = told(Joined(seat=Seat.ROOM), replace(INTERRUPTED, since=NOW - timedelta(milliseconds=1750)))[1:]

    written = (
        '{"actor":"system","at":"2026-08-17T07:00:00.000Z",'
        '"data":{"cause_class":"site_network","seat":"room","since":"2026-08-17T06:59:58.250Z"},'
        f'"prev":"{lost.prev}","seq":3,"session":"s1","type":"interrupted"}}'
    )

    assert lost.hash == hashlib.sha256(written.encode()).hexdigest()


def test_an_entry_of_a_version_whose_event_had_fewer_fields_proves_itself() -> None:
    *before, noted = told(*SERVED, NOTED)
    written = '{"outcomes":["advised"]}'
    hashed = (
        f'{{"actor":"system","at":"2026-08-17T07:00:00.000Z","data":{written},"prev":"{noted.prev}",'
        '"seq":7,"session":"s1","type":"noted"}'
    )
    old = replace(noted, written=written, hash=hashlib.sha256(hashed.encode()).hexdigest())

    session = replay([*before, old])
    _, closed = append(session, ENDED[-1], actor="system", now=NOW)

    assert verify([*before, old, closed]) is None
    assert old.event == Noted(outcomes=(Outcome.ADVISED,), follow_up=FollowUp.NONE)
    assert old.line()["data"] == {"outcomes": ["advised"]}


def test_an_exported_line_proves_itself_with_the_standard_library_alone() -> None:
    prev = GENESIS
    for entry in told(*ENDED, step=timedelta(milliseconds=1234)):
        line: dict[str, Any] = json.loads(json.dumps(entry.line()))
        claimed = line.pop("hash")

        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

        assert line["prev"] == prev
        assert hashlib.sha256(text.encode()).hexdigest() == claimed
        prev = claimed


def test_a_line_has_these_fields_and_no_other() -> None:
    entry = told()[0]

    assert json.loads(json.dumps(entry.line())) == {
        "session": "s1",
        "seq": 1,
        "at": "2026-08-17T07:00:00.000Z",
        "type": "opened",
        "actor": "staff:aino",
        "data": {
            "point": "rantala",
            "room": "rantala-1",
            "theme": "pensions",
            "language": "fi",
            "reason": "advice",
            "needs": [],
            "advisor_stays": False,
        },
        "prev": GENESIS,
        "hash": entry.hash,
    }


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, -5, {"z": "", "y": []}]}, '{"a":[true,null,-5,{"y":[],"z":""}],"b":1}'),
        ({"a": '\x00\x1f\b\t\n\f\r"\\/\x7f'}, '{"a":"\\u0000\\u001f\\b\\t\\n\\f\\r\\"\\\\/\x7f"}'),
        ({"ä": "Ä€\u2028😀", "z": 0}, '{"z":0,"ä":"Ä€\u2028😀"}'),
        ({"a": 9_007_199_254_740_991}, '{"a":9007199254740991}'),
    ],
)
def test_canonical_json_is_that_of_rfc_8785(value: object, text: str) -> None:
    assert canonical(value) == text.encode()


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcdefgh_", max_size=6), inner, max_size=4),
    max_leaves=20,
)


@given(_PLAIN)
def test_canonical_json_is_what_every_other_writer_would_write(value: object) -> None:
    assert canonical(value) == json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("event", EACH, ids=lambda event: type(event).__name__)
def test_every_event_is_read_back_as_it_was(event: Event) -> None:
    entry = told()[0] if isinstance(event, Opened) else saying(told()[0], event)
    data = json.loads(canonical(entry.data))

    assert event_from(entry.type, data) == event
    assert json.loads(json.dumps(event_data(event))) == data


def test_no_event_has_room_for_a_float() -> None:
    texts = {f"{event.__name__}.{name}": str(kind) for event in EVENTS for name, kind in get_type_hints(event).items()}

    assert [name for name, kind in texts.items() if "float" in kind or "Any" in kind or "object" in kind] == []


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("resumed", {"seat": "room", "gap_ms": 1.0}),
        ("resumed", {"seat": "room", "gap_ms": 1.5}),
        ("resumed", {"seat": "room", "gap_ms": True}),
        ("resumed", {"seat": "room", "gap_ms": "800"}),
        ("resumed", {"seat": "room"}),
        ("resumed", {"seat": "kitchen", "gap_ms": 800}),
        ("resumed", {"seat": "room", "gap_ms": 800, "name": "Matti"}),
        ("held", {"why": "coffee"}),
        ("danced", {}),
    ],
)
def test_a_row_that_is_none_of_ours_is_refused(type_: str, data: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        event_from(type_, data)


def test_times_never_run_back_and_are_whole_milliseconds() -> None:
    session = after(now=NOW)

    back, first = append(session, Joined(seat=Seat.ROOM), actor="system", now=NOW - timedelta(days=1))
    on, second = append(back, Joined(seat=Seat.CAMERA), actor="system", now=NOW + timedelta(microseconds=1999))
    still, third = append(on, Joined(seat=Seat.ADVISOR), actor="system", now=NOW + timedelta(microseconds=1500))

    assert [first.at, second.at, third.at] == [NOW, NOW + timedelta(milliseconds=1), NOW + timedelta(milliseconds=1)]
    assert still.last_at == third.at


def test_a_time_of_another_zone_is_written_in_utc() -> None:
    summer = timezone(timedelta(hours=3))
    interrupted = Interrupted(seat=Seat.ROOM, cause_class=CauseClass.CAMERA, since=datetime(2026, 8, 17, 9, 59, tzinfo=summer))

    assert event_data(interrupted)["since"] == "2026-08-17T06:59:00.000Z"


def test_an_event_that_is_not_allowed_makes_no_entry() -> None:
    with pytest.raises(WrongStateError):
        append(after(*ENDED), Closed(cause=CloseCause.COMPLETED), actor="system", now=NOW)


def test_replay_needs_an_opening() -> None:
    entries = told(*SERVED)

    for wrong in ([], entries[1:]):
        with pytest.raises(ValueError, match="opened"):
            replay(wrong)


def test_replay_is_the_fold() -> None:
    for number in range(len(ENDED) + 1):
        assert replay(told(*ENDED[:number])) == after(*ENDED[:number])


def test_an_untouched_log_proves_itself() -> None:
    assert verify(told(*ENDED, step=timedelta(seconds=1))) is None
    assert verify([]) is None


def rehash(entry: Entry, **changes: Any) -> Entry:
    changed = replace(entry, **changes)
    return replace(changed, hash=digest(changed))


Tamper = Callable[[Entry], Entry]

FIELDS: dict[str, tuple[Tamper, str]] = {
    "session": (lambda entry: replace(entry, session="s2"), "hash"),
    "seq": (lambda entry: replace(entry, seq=entry.seq + 1), "order"),
    "at later": (lambda entry: replace(entry, at=entry.at + timedelta(milliseconds=1)), "hash"),
    "at earlier": (lambda entry: replace(entry, at=entry.at - timedelta(days=1)), "order"),
    "actor": (lambda entry: replace(entry, actor="staff:veikko"), "hash"),
    "type": (lambda entry: saying(entry, CLAIMED), "hash"),
    "the same said in other words": (lambda entry: replace(entry, written=entry.written.replace(":", ": ")), "hash"),
    "data": (lambda entry: saying(entry, replace(STILL, size=STILL.size + 1)), "hash"),
    "prev": (lambda entry: replace(entry, prev="f" * 64), "link"),
    "hash": (lambda entry: replace(entry, hash="f" * 64), "hash"),
    "prev with a new hash": (lambda entry: rehash(entry, prev="f" * 64), "link"),
    "what the rules forbid, with a new hash": (lambda entry: rehash(saying(entry, CLAIMED)), "rule"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_change_of_any_field_is_found_where_it_was_made(field: str) -> None:
    tamper, kind = FIELDS[field]
    entries = told(*SERVED, STILL, *ENDED[len(SERVED) :])
    entries[6] = tamper(entries[6])

    assert verify(entries) == Fault(entries[6].session, entries[6].seq, kind)


def test_a_change_with_a_new_hash_breaks_the_next_link() -> None:
    entries = told(*SERVED, STILL, *ENDED[len(SERVED) :])
    entries[6] = rehash(saying(entries[6], replace(STILL, verdict="blurred")))

    assert verify(entries) == Fault("s1", 8, "link")


@pytest.mark.parametrize("gone", range(len(ENDED)))
def test_an_entry_taken_out_is_missed(gone: int) -> None:
    entries = told(*ENDED)
    del entries[gone]

    assert verify(entries) == Fault("s1", gone + 2, "order")


def test_entries_doubled_or_exchanged_are_found() -> None:
    entries = told(*ENDED)

    assert verify([*entries[:3], entries[2], *entries[3:]]) == Fault("s1", 3, "order")
    assert verify([*entries[:2], entries[3], entries[2], *entries[4:]]) == Fault("s1", 4, "order")


def test_a_log_that_begins_with_something_else_is_found() -> None:
    entries = told(*ENDED)
    wrong = rehash(entries[1], seq=1, prev=GENESIS)

    assert verify([wrong]) == Fault("s1", 1, "rule")


def test_an_account_is_read_out_of_an_actor() -> None:
    assert [account_of(actor) for actor in ("staff:maija", "device:rantala-1", "guest:a:b", "system")] == [
        "maija",
        "rantala-1",
        "a:b",
        "",
    ]


@given(st.datetimes(timezones=st.just(UTC), min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))  # noqa: DTZ001 - hypothesis adds the zone
def test_every_time_is_read_back_from_the_log_as_it_was_written(now: datetime) -> None:
    _, entry = open_session("s1", OPENED, advisor="aino", actor="staff:aino", now=now)

    assert datetime.fromisoformat(entry.line()["at"]) == entry.at
    assert timedelta() <= now - entry.at < timedelta(milliseconds=1)
    assert digest(replace(entry, at=datetime.fromisoformat(entry.line()["at"]))) == entry.hash
