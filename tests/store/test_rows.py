"""A row of the log is read only when it is, to the letter, one that this program writes."""

from typing import Any

import pytest

from etapalvelu.domain.events import Event
from etapalvelu.ports import Logged, UnreadableEntryError
from etapalvelu.store import rows
from tests.domain.samples import EACH, NOTED, SERVED, STILL, after, saying, told

ENTRY = told(*SERVED, STILL)[-1]
STATE = after(*SERVED, STILL)


@pytest.mark.parametrize("event", EACH, ids=lambda event: type(event).__name__)
def test_every_event_is_a_row_and_back(event: Event) -> None:
    entry = saying(ENTRY, event)

    assert rows.to_entry(rows.entry_row(entry)) == entry


@pytest.mark.parametrize(
    "change",
    [
        {"type": "danced"},
        {"type": "closed"},
        {"data": "{}"},
        {"data": "no JSON"},
        {"data": "[]"},
        {"data": rows.entry_row(ENTRY)["data"].replace('"width":3840', '"width":3840.0')},
        {"data": rows.entry_row(ENTRY)["data"].replace('"width":', '"width": ')},
        {"data": rows.entry_row(ENTRY)["data"].replace('{"', '{"name":"Matti","')},
        {"data": '{"size":1,"sha256":"ab","width":3840,"height":2160,"verdict":"readable"}'},
        {"at": "yesterday"},
        {"at": "2026-08-17T07:00:00.0001Z"},
        {"at": "2026-08-17T10:00:00.000+03:00"},
        {"at": 5},
    ],
)
def test_a_row_that_is_written_otherwise_is_named(change: dict[str, Any]) -> None:
    row = rows.entry_row(ENTRY) | change

    with pytest.raises(UnreadableEntryError) as refusal:
        rows.to_entry(row)

    assert (refusal.value.session, refusal.value.seq) == ("s1", 7)
    assert rows.to_logged(row | {"id": "s1", "fold": None}) == Logged(session="s1", seq=7)


def test_a_row_of_a_version_whose_event_had_fewer_fields_is_read_and_stays_as_it_was() -> None:
    written = '{"outcomes":["advised"]}'
    row = rows.entry_row(saying(ENTRY, NOTED)) | {"data": written}

    entry = rows.to_entry(row)

    assert (entry.event, rows.entry_row(entry)) == (NOTED, row)


def test_a_sessions_row_that_cannot_be_read_is_told_like_an_entry() -> None:
    row = rows.entry_row(ENTRY) | {"id": "s1"}

    assert rows.to_logged(row | {"fold": rows.session_row(STATE)["fold"]}) == Logged(
        session="s1", seq=7, entry=ENTRY, state=STATE
    )
    assert rows.to_logged(row | {"fold": "{}"}) == Logged(session="s1", seq=7)


def test_a_session_without_entries_is_told_without_a_number() -> None:
    assert rows.to_logged({"id": "s1", "seq": None, "fold": None}) == Logged(session="s1", seq=None)
