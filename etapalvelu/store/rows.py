"""Rows to domain objects and back. Nothing else in the store knows how a value is written down."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from etapalvelu.domain.cameras import CameraSettings
from etapalvelu.domain.codes import Language
from etapalvelu.domain.log import Entry, canonical, event_data
from etapalvelu.domain.moments import timestamp
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.queue import Waiting
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import Hours, WeekHours
from etapalvelu.ports import (
    Account,
    Answer,
    Change,
    Decoded,
    Logged,
    Login,
    Pairing,
    RefusedReport,
    Sample,
    UnreadableEntryError,
)

Row = Mapping[Any, Any]


def ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


def moment(value: int) -> datetime:
    return datetime.fromtimestamp(value // 1000, UTC).replace(microsecond=value % 1000 * 1000)


def to_waiting(row: Mapping[Any, Any]) -> Waiting:
    return Waiting(id=row["id"], room=row["room"], theme=row["theme"], opened_at=moment(row["opened_at"]))


def session_row(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "seq": session.seq,
        "state": session.state,
        "point": session.point,
        "room": session.room,
        "open_room": session.room if session.is_open else None,
        "theme": session.theme,
        "advisor": session.advisor,
        "expert": session.expert,
        "opened_at": ms(session.opened_at),
        "closed_at": None if session.closed_at is None else ms(session.closed_at),
        "fold": msgspec.json.encode(session).decode(),
    }


def to_session(fold: str) -> Session:
    return msgspec.json.decode(fold, type=Session)


def entry_row(entry: Entry) -> dict[str, Any]:
    return {
        "session": entry.session,
        "seq": entry.seq,
        "at": timestamp(entry.at),
        "type": entry.type,
        "actor": entry.actor,
        "data": entry.written,
        "prev": entry.prev,
        "hash": entry.hash,
    }


def to_entry(row: Row) -> Entry:
    """Raises `UnreadableEntryError` when the row is not, to the letter, one that this program or an older version writes."""
    try:
        entry = Entry(
            session=row["session"],
            seq=row["seq"],
            at=datetime.fromisoformat(row["at"]),
            type=row["type"],
            actor=row["actor"],
            written=row["data"],
            prev=row["prev"],
            hash=row["hash"],
        )
        is_ours = timestamp(entry.at) == row["at"] and _written_again(entry) == row["data"]
    except (ValueError, TypeError) as error:
        raise UnreadableEntryError(row["session"], row["seq"]) from error
    if not is_ours:
        raise UnreadableEntryError(entry.session, entry.seq)
    return entry


def _written_again(entry: Entry) -> str:
    """The fields the entry has, as this version writes them; those that came later are not in it."""
    fields = event_data(entry.event)
    return canonical({name: fields[name] for name in entry.data}).decode()


def to_logged(row: Row) -> Logged:
    """A row of `SqlSessions.whole_log`."""
    bare = Logged(session=row["id"], seq=row["seq"])
    if row["seq"] is None:
        return bare
    try:
        state = None if row["fold"] is None else to_session(row["fold"])
        return msgspec.structs.replace(bare, entry=to_entry(row), state=state)
    except (UnreadableEntryError, ValueError):
        return bare


def answer_text(answer: Answer) -> str:
    return msgspec.json.encode(answer).decode()


def to_answer(text: str) -> Answer:
    return msgspec.json.decode(text, type=Answer)


def refused_report_row(report: RefusedReport) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(report),
        "at": ms(report.at),
        "since": ms(report.since),
        "said": msgspec.json.encode(report.said).decode(),
    }


def to_refused_report(row: Row) -> RefusedReport:
    said = msgspec.json.decode(row["said"], type=dict[str, Any])
    return RefusedReport(**{**row, "at": moment(row["at"]), "since": moment(row["since"]), "said": said})


def decoded_row(decoded: Decoded) -> dict[str, Any]:
    return {**msgspec.structs.asdict(decoded), "claimed_at": ms(decoded.claimed_at)}


def to_decoded(row: Row) -> Decoded:
    return Decoded(**{**row, "claimed_at": moment(row["claimed_at"])})


def sample_row(sample: Sample) -> dict[str, Any]:
    return {
        "session": sample.session,
        "at": ms(sample.at),
        "seat": sample.seat,
        "peer": sample.peer,
        "stats": msgspec.json.encode(sample.stats).decode(),
    }


def to_sample(row: Row) -> Sample:
    return Sample(
        session=row["session"],
        at=moment(row["at"]),
        seat=row["seat"],
        peer=row["peer"],
        stats=msgspec.json.decode(row["stats"]),
    )


def point_row(point: ServicePoint) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(point),
        "hours": hours_text(point.hours),
        "opens_on": point.opens_on.isoformat(),
    }


def to_point(row: Row) -> ServicePoint:
    return ServicePoint(**{**row, "hours": to_hours(row["hours"]), "opens_on": date.fromisoformat(row["opens_on"])})


def hours_text(hours: WeekHours) -> str:
    return msgspec.json.encode(hours).decode()


def to_hours(text: str) -> WeekHours:
    return msgspec.json.decode(text, type=dict[int, Hours])


def change_row(change: Change) -> dict[str, Any]:
    return {
        "at": ms(change.at),
        "account": change.account,
        "kind": change.kind,
        "subject": change.id,
        "fields": msgspec.json.encode(change.fields).decode(),
    }


def to_change(row: Row) -> Change:
    return Change(
        at=moment(row["at"]),
        account=row["account"],
        kind=row["kind"],
        id=row["subject"],
        fields=msgspec.json.decode(row["fields"], type=dict[str, tuple[Any, Any]]),
    )


def camera_row(settings: CameraSettings) -> dict[str, Any]:
    """All but whose it is."""
    mode, crop = settings.mode, settings.crop
    return {
        "source": settings.source,
        "width": None if mode is None else mode.width,
        "height": None if mode is None else mode.height,
        "frames_per_second": None if mode is None else mode.frames_per_second,
        "crop": None if crop is None else msgspec.json.encode(crop).decode(),
        "turn": settings.turn,
    }


def to_camera(row: Row) -> CameraSettings:
    mode = {name: row[name] for name in ("width", "height", "frames_per_second")}
    written = {
        "source": row["source"],
        "mode": None if row["width"] is None else mode,
        "crop": None if row["crop"] is None else msgspec.json.decode(row["crop"]),
        "turn": row["turn"],
    }
    return msgspec.convert(written, CameraSettings)


def room_row(room: Room) -> dict[str, Any]:
    return {**msgspec.structs.asdict(room), "fit_from": None if room.fit_from is None else room.fit_from.isoformat()}


def to_room(row: Row) -> Room:
    fit_from = row["fit_from"]
    return Room(**{**row, "fit_from": None if fit_from is None else date.fromisoformat(fit_from)})


def account_row(account: Account) -> dict[str, Any]:
    staff = account.staff
    return {
        "name": staff.account,
        "role": staff.role,
        "point": staff.point,
        "themes": msgspec.json.encode(staff.themes).decode(),
        "languages": msgspec.json.encode(staff.languages).decode(),
        "password_hash": account.password_hash,
        "active": account.active,
        "shown_name": staff.name,
        "title": staff.title,
    }


def to_account(row: Row) -> Account:
    staff = Staff(
        account=row["name"],
        role=Role(row["role"]),
        name=row["shown_name"],
        title=row["title"],
        point=row["point"],
        themes=msgspec.json.decode(row["themes"], type=tuple[str, ...]),
        languages=msgspec.json.decode(row["languages"], type=tuple[Language, ...]),
    )
    return Account(staff=staff, password_hash=row["password_hash"], active=row["active"])


def login_row(login: Login) -> dict[str, Any]:
    return {
        **msgspec.structs.asdict(login),
        "created_at": ms(login.created_at),
        "expires_at": None if login.expires_at is None else ms(login.expires_at),
        "revoked": False,
    }


def to_login(row: Row) -> Login:
    return Login(
        id=row["id"],
        kind=row["kind"],
        account=row["account"],
        role=Role(row["role"]),
        room=row["room"],
        label=row["label"],
        created_at=moment(row["created_at"]),
        expires_at=None if row["expires_at"] is None else moment(row["expires_at"]),
    )


def pairing_row(pairing: Pairing) -> dict[str, Any]:
    return {**msgspec.structs.asdict(pairing), "expires_at": ms(pairing.expires_at), "used": False}


def to_pairing(row: Row) -> Pairing:
    return Pairing(
        code_digest=row["code_digest"],
        room=row["room"],
        role=Role(row["role"]),
        expires_at=moment(row["expires_at"]),
        reusable=row["reusable"],
    )
