"""The log of a session: numbered entries, each bound to the one before by SHA-256 over canonical JSON.

Canonical JSON is RFC 8785 for the values used here: strings, whole numbers, booleans, null, lists, objects with ASCII
keys. No floating-point number may enter an event. What was written once is never written anew: the proof rests on the
entry's own text, so an event may gain a field with a default and older entries still prove themselves.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from etapalvelu.domain.errors import WrongStateError
from etapalvelu.domain.events import Event, Opened, event_type
from etapalvelu.domain.fold import apply
from etapalvelu.domain.moments import timestamp, whole_ms
from etapalvelu.domain.session import Session, opened

GENESIS = "0" * 64


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one session as it stands in the log. `written` is the canonical JSON of the event's fields."""

    session: str
    seq: int
    at: datetime
    type: str
    actor: str
    written: str
    prev: str
    hash: str

    @property
    def event(self) -> Event:
        """What was written, as this version reads it: fields that came later have their defaults."""
        return event_from(self.type, self.data)

    @property
    def data(self) -> dict[str, Any]:
        """The event's fields as plain JSON values, as they were written."""
        data: dict[str, Any] = msgspec.json.decode(self.written)
        return data

    def line(self) -> dict[str, Any]:
        """The entry as `etapalvelu log export --format jsonl` gives it."""
        return {**_hashed_part(self), "data": self.data, "hash": self.hash}


class Fault(msgspec.Struct, frozen=True):
    """The first entry that does not prove itself, and why: `hash`, `link`, `order` or `rule`.

    Who reads the entries may add `form` (a row is none of ours) and `state` (the session's row tells another story).
    """

    session: str
    seq: int
    kind: str


def canonical(value: object) -> bytes:
    """Canonical JSON of plain values: sorted keys, no white space, UTF-8."""
    return msgspec.json.encode(value, order="sorted")


def event_data(event: Event) -> dict[str, Any]:
    """The event's fields as they are written; `since` stands only where a thing was noticed or reported later."""
    data: dict[str, Any] = msgspec.to_builtins(event, builtin_types=(datetime,))
    del data["type"]
    if data.get("since", event) is None:
        del data["since"]
    return {name: timestamp(value) if isinstance(value, datetime) else value for name, value in data.items()}


def event_from(type_: str, data: dict[str, Any]) -> Event:
    """The typed event of a stored row. Raises `msgspec.ValidationError` when the row is not one of ours."""
    event: Event = msgspec.convert({"type": type_, **data}, Event, strict=True)
    return event


def open_session(session_id: str, event: Opened, *, advisor: str, actor: str, now: datetime) -> tuple[Session, Entry]:
    """The first entry and the session it makes."""
    entry = _entry(session_id, 1, now, actor, event, GENESIS)
    return opened(session_id, event, advisor=advisor, at=entry.at, head=entry.hash), entry


def append(session: Session, event: Event, *, actor: str, now: datetime) -> tuple[Session, Entry]:
    """The session after `event` and the entry that says so.

    The entry's time is `now`, or the last entry's when the clock ran backwards. Raises `WrongStateError`.
    """
    entry = _entry(session.id, session.seq + 1, max(session.last_at, now), actor, event, session.head)
    return _after(session, entry), entry


def replay(entries: Sequence[Entry]) -> Session:
    """The session that the entries tell of. Raises `WrongStateError` or `ValueError` when they tell none."""
    first = entries[0].event if entries else None
    if not isinstance(first, Opened):
        raise ValueError("a session's first entry must be `opened`")
    start = entries[0]
    session = opened(start.session, first, advisor=account_of(start.actor), at=start.at, head=start.hash)
    for entry in entries[1:]:
        session = _after(session, entry)
    return session


def account_of(actor: str) -> str:
    """The bare account, room or guest id in an actor such as `staff:maija`."""
    return actor.partition(":")[2]


def verify(entries: Iterable[Entry]) -> Fault | None:
    """Check one session's entries in order: numbering, links, hashes, times, and the rules. None when all hold."""
    prev, last_at, session = GENESIS, None, None
    for number, entry in enumerate(entries, start=1):
        if entry.seq != number or (last_at is not None and entry.at < last_at):
            return Fault(entry.session, entry.seq, "order")
        if entry.prev != prev:
            return Fault(entry.session, entry.seq, "link")
        if entry.hash != digest(entry):
            return Fault(entry.session, entry.seq, "hash")
        try:
            session = replay([entry]) if session is None else _after(session, entry)
        except (WrongStateError, ValueError):
            return Fault(entry.session, entry.seq, "rule")
        prev, last_at = entry.hash, entry.at
    return None


def digest(entry: Entry) -> str:
    """SHA-256 in hex over the canonical JSON of the entry without its own hash."""
    return hashlib.sha256(canonical(_hashed_part(entry))).hexdigest()


def _hashed_part(entry: Entry) -> dict[str, Any]:
    return {
        "session": entry.session,
        "seq": entry.seq,
        "at": timestamp(entry.at),
        "type": entry.type,
        "actor": entry.actor,
        "data": msgspec.Raw(entry.written),
        "prev": entry.prev,
    }


def _after(session: Session, entry: Entry) -> Session:
    return apply(session, entry.event, seq=entry.seq, at=entry.at, head=entry.hash)


def _entry(session_id: str, seq: int, at: datetime, actor: str, event: Event, prev: str) -> Entry:
    bare = Entry(
        session=session_id,
        seq=seq,
        at=whole_ms(at),
        type=event_type(event),
        actor=actor,
        written=canonical(event_data(event)).decode(),
        prev=prev,
        hash="",
    )
    return msgspec.structs.replace(bare, hash=digest(bare))
