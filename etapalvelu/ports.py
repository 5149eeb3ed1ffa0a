"""What the service needs of the world around it. The store, the board and the calendar fulfil these; tests do too."""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date, datetime
from typing import Any, Protocol

import msgspec

from etapalvelu.domain.cameras import CameraSettings
from etapalvelu.domain.codes import DocumentCamera, State
from etapalvelu.domain.log import Entry
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint
from etapalvelu.domain.queue import Waiting
from etapalvelu.domain.readiness import Check, RoomChecks
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import WeekHours


class DeedKey(msgspec.Struct, frozen=True, kw_only=True):
    """An idempotency key as it came: whose, which, and a digest of the request behind it."""

    account: str
    key: str
    digest: str
    at: datetime


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a deed answered the first time: a session, a refusal (`code` and `facts`), or neither (nothing to take)."""

    session: Session | None = None
    code: str | None = None
    facts: dict[str, Any] = {}


class Decoded(msgspec.Struct, frozen=True, kw_only=True):
    """One seat's word that it decoded a first frame and sound of the other side, in the claim made at `claimed_at`."""

    session: str
    claimed_at: datetime
    seat: str
    generation: int
    path: str
    setup_ms: int


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """Line statistics of one connection at one moment, by W3C stats names."""

    session: str
    at: datetime
    seat: str
    peer: str
    stats: list[dict[str, Any]]


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody typed may name: the beginning of a session's id, rooms, points, accounts of staff."""

    id: str
    rooms: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


class SessionFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions: times half-open on `opened_at`; `after` is the last row's (opened_at, id) of the page before.

    `named` are those that match in one respect at least.
    """

    since: datetime | None = None
    until: datetime | None = None
    point: str | None = None
    theme: str | None = None
    state: State | None = None
    named: Named | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 50


class AccessRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One read of others' rows or one export: who, what kind, with which filter or ids. Never what was read."""

    at: datetime
    account: str
    what: str
    detail: str


class RefusedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A deed that was reported late and refused: kept beside the log, never in it. `said` are the codes that came with it."""

    session: str
    at: datetime
    account: str
    key: str
    deed: str
    since: datetime
    code: str
    said: dict[str, Any]


class SessionStore(Protocol):
    """Sessions and their log. Every method may raise `TryAgainError`: the database could not be had in time."""

    async def session(self, session_id: str) -> Session | None: ...

    async def open_sessions(self) -> list[Session]: ...

    async def open_in_room(self, room: str) -> Session | None: ...

    async def waiting(self) -> list[Waiting]: ...

    async def entries(self, session_id: str) -> list[Entry]: ...

    async def select(self, which: SessionFilter) -> list[Session]:
        """Newest opening first, at most `limit`."""
        ...

    async def save(self, before: Session | None, after: Session, entries: Sequence[Entry], key: DeedKey | None = None) -> None:
        """Write entries and the state they lead to in one transaction, with the deed's key and answer first.

        Raises `StaleError` when the session is no longer as `before` was, `RoomInUseError` when another open session has the
        room, and `KeyKnownError` when the key was used already. Then nothing is written.
        """
        ...

    async def answer(self, key: DeedKey) -> Answer | None:
        """What the key answered before, if it did. Raises `KeyReusedError` when another request stood behind it."""
        ...

    async def keep_answer(self, key: DeedKey, answer: Answer) -> None:
        """Keep the answer of a deed that changed no session. Raises `KeyKnownError`."""
        ...

    async def add_decoded(self, decoded: Decoded) -> list[Decoded]:
        """Keep it (the newest for each seat), and return all for the same session and claim."""
        ...

    async def add_sample(self, sample: Sample) -> None: ...

    async def samples(self, session_id: str) -> list[Sample]: ...

    async def add_access(self, record: AccessRecord) -> None: ...

    async def forget_keys(self, before: datetime) -> None: ...

    async def keep_refused(self, report: RefusedReport) -> None:
        """Keep it, once however often it comes under its key."""
        ...

    async def refused_reports(self, session_id: str) -> list[RefusedReport]: ...

    def all_entries(self) -> AsyncGenerator[Entry]:
        """The whole log, session by session, in order of `seq`. For exporting."""
        ...

    def whole_log(self) -> AsyncGenerator["Logged"]:
        """The same with the sessions' rows, as they stood at one moment. For verifying."""
        ...


class Logged(msgspec.Struct, frozen=True, kw_only=True):
    """One entry, and the session's row if this is the entry it stands on.

    `entry` is None for one that cannot be read; a session without any entry comes once, without `seq`.
    """

    session: str
    seq: int | None
    entry: Entry | None = None
    state: Session | None = None


class UnreadableEntryError(Exception):
    """A row of the log is not one that this program writes."""

    def __init__(self, session: str, seq: int) -> None:
        super().__init__(f"session {session}, entry {seq}")
        self.session = session
        self.seq = seq


class KeyKnownError(Exception):
    """The idempotency key is in the store already; `SessionStore.answer` tells what it answered."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody changed: `kind` is `point`, `room`, `staff`, `theme`, `device` or `camera`, `id` which of them.

    `fields` has each changed field as it was and as it is since; a new one was nothing before. Never a password.
    """

    at: datetime
    account: str
    kind: str
    id: str
    fields: dict[str, tuple[Any, Any]]


class PlaceStore(Protocol):
    """Service points, rooms, the themes' own hours, what is known of the rooms' devices, and who changed what."""

    async def point(self, point_id: str) -> ServicePoint | None: ...

    async def points(self) -> list[ServicePoint]: ...

    async def add_point(self, point: ServicePoint) -> None: ...

    async def change_point(self, point: ServicePoint) -> None: ...

    async def room(self, room_id: str) -> Room | None: ...

    async def rooms(self, point: str | None = None) -> list[Room]: ...

    async def add_room(self, room: Room) -> None: ...

    async def change_room(self, room: Room) -> None: ...

    async def camera(self, room_id: str) -> CameraSettings:
        """How the room's document camera is set; the usual where nobody set it."""
        ...

    async def set_camera(self, room_id: str, settings: CameraSettings) -> None: ...

    async def theme_hours(self) -> Mapping[str, WeekHours]:
        """Hours that were given to themes here, by theme."""
        ...

    async def set_theme_hours(self, theme: str, hours: WeekHours | None) -> None:
        """None: the theme has its usual hours again."""
        ...

    async def add_change(self, change: Change) -> None: ...

    async def changes(self, limit: int) -> list[Change]:
        """The newest first."""
        ...

    async def devices(self, rooms: Iterable[str]) -> Mapping[str, RoomDevices]: ...

    async def device_online(self, room: str, role: Role, node: str | None) -> None:
        """The device's live stream is open on this node, or (None) nowhere."""
        ...

    async def document_camera(self, room: str, state: DocumentCamera, name: str = "") -> None:
        """`name` is the device's own, as browsers label it; empty when it is no device of the room PC."""
        ...

    async def checks(self, rooms: Iterable[str]) -> Mapping[str, RoomChecks]:
        """The newest check of each code, and when the last ones were asked for; for each room named."""
        ...

    async def ask_check(self, room: str, at: datetime) -> None:
        """The room's devices are to look at themselves."""
        ...

    async def add_checks(self, room: str, found: Iterable[Check]) -> None: ...

    async def node_started(self, node: str) -> None:
        """Forget streams that an earlier run of this node left open."""
        ...


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in browser, API token or paired device. `id` is a digest of the secret, which is kept nowhere."""

    id: str
    kind: str
    account: str
    role: Role
    room: str | None = None
    label: str = ""
    created_at: datetime
    expires_at: datetime | None = None


class Pairing(msgspec.Struct, frozen=True, kw_only=True):
    """A code that pairs one device of a room. `reusable` is for the demo's own screen only."""

    code_digest: str
    room: str
    role: Role
    expires_at: datetime
    reusable: bool = False


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A staff account as the admin sees it."""

    staff: Staff
    password_hash: str
    active: bool = True


class AccountStore(Protocol):
    """Accounts, logins, tokens, devices' credentials and pairing codes."""

    async def account(self, name: str) -> Account | None: ...

    async def accounts(self) -> list[Account]: ...

    async def staff(self, names: Iterable[str]) -> Mapping[str, Staff]:
        """Those of these accounts that there are, closed ones too, by account."""
        ...

    async def add_account(self, account: Account) -> None:
        """Raises `InvalidFieldError` on `account` when the name is taken."""
        ...

    async def change_account(self, account: Account) -> None: ...

    async def signed_in(self, role: Role, now: datetime) -> list[Staff]:
        """Those of this role who may be at work: their account is open, and they have a browser or a program signed in."""
        ...

    async def login(self, login_id: str, now: datetime) -> Login | None:
        """The login if it is neither revoked nor expired."""
        ...

    async def logins(self, *, account: str | None = None, room: str | None = None) -> list[Login]: ...

    async def add_login(self, login: Login) -> None: ...

    async def revoke_login(self, login_id: str) -> None: ...

    async def replace_device(self, login: Login) -> list[str]:
        """Add a device's credential and revoke the older ones of the same room and kind, whose ids are returned."""
        ...

    async def add_pairing(self, pairing: Pairing) -> None: ...

    async def use_pairing(self, code_digest: str, now: datetime) -> Pairing | None:
        """The pairing if it is still good; it is good no more afterwards, unless reusable."""
        ...


class Board(Protocol):
    """Notices that something changed. They carry topics only: whoever hears one reads the store again."""

    def announce(self, topics: Iterable[str]) -> None: ...

    def listen(self, topics: Iterable[str]) -> AbstractAsyncContextManager["Notices"]: ...


class Notices(Protocol):
    """What one listener hears: notices that came close together count as one."""

    def wake(self) -> None:
        """Let this listener alone go on as if something had been announced."""
        ...

    async def wait(self) -> None:
        """Return when something was announced since the last wait."""

    def forget(self) -> None:
        """Whoever reads all anew from here on need not hear again of what was announced up to now."""
        ...


class Calendar(Protocol):
    """Public holidays of Finland, the eves that close offices included."""

    def is_holiday(self, day: date) -> bool: ...


class Clock(Protocol):
    """Now, aware, in UTC."""

    def __call__(self) -> datetime: ...


QUEUE = "queue"
# The hours of a theme are other ones now.
HOURS = "hours"


def session_topic(session_id: str) -> str:
    return f"session:{session_id}"


def room_topic(room_id: str) -> str:
    return f"room:{room_id}"


def place_topic(room_id: str) -> str:
    """Announced on each server when the place in the queue of the session in this room is another one."""
    return f"place:{room_id}"


def point_topic(point_id: str) -> str:
    return f"point:{point_id}"


def login_topic(login_id: str) -> str:
    """Announced when the login ends before its time."""
    return f"login:{login_id}"
