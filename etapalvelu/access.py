"""Who is asking: sign-in, logins of browsers, devices and programs, and the proof that a request was meant.

Secrets leave this file once, towards their owner; the store sees digests. Which doors a person may knock on stands in
`etapalvelu.doors`, what they may do to a session in `domain.people`.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import msgspec
from aiohttp import hdrs, web

from etapalvelu.attempts import Attempts, address_group
from etapalvelu.cookies import cookie_name
from etapalvelu.domain.errors import InvalidFieldError, NotAllowedError, WrongCredentialsError
from etapalvelu.domain.people import STAFF_ROLES, Device, Person, Role, Staff, StaffRequest
from etapalvelu.domain.themes import Theme
from etapalvelu.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, Passwords
from etapalvelu.ports import Account, AccountStore, Board, Clock, Login, Pairing, PlaceStore, login_topic

# The kinds of login.
BROWSER = "browser"
TOKEN = "token"  # noqa: S105 - the name of a kind
DEVICE = "device"

# A working day; a person signs in each morning.
LOGIN_HOURS = 12
# A login that runs out in the middle of a call serves until this long after the call: its papers are looked at once more.
WRAP_UP_MINUTES = 10

# How long a login read from the store is believed. Revoking one on this server empties its place at once.
CACHE_SECONDS = 4.5
CACHE_SIZE = 10_000

PAIRING_MINUTES = 60
# Without 0 O, 1 I L: the code is read from one screen and typed on another.
PAIRING_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
PAIRING_LENGTH = 8

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"

# Of accounts; the admin's form holds points and rooms to it too.
SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,39}")
_SECRET_BYTES = 32

# Of names and titles of staff, as the database keeps them.
LONGEST_NAME = 80

Revoked = Callable[[str], Awaitable[None]]
Sits = Callable[[str], bool]


class CsrfError(NotAllowedError):
    """A cookie came without the token of its login: the request may have been made by another site."""

    code = "csrf"


class Visitor(msgspec.Struct, frozen=True, kw_only=True):
    """A person at the door, by which login, and the token their pages prove their posts with."""

    login: Login
    person: Person
    csrf_token: str

    @property
    def role(self) -> Role:
        return self.login.role

    @property
    def account(self) -> str:
        return self.person.account

    @property
    def seat_login(self) -> str:
        """The login as seat tickets name it: a room's screens hold its seat one after the other, each by a login of its own."""
        return seat_login(self.login)


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new login and its secret, which is shown to its owner and kept nowhere."""

    secret: str
    visitor: Visitor


VISITOR = web.RequestKey("visitor", Visitor)


def visitor_of(request: web.Request) -> Visitor:
    """Whom `doors.guard` let in at a door that lets nobody in unknown."""
    return request[VISITOR]


def visitor_if_any(request: web.Request) -> Visitor | None:
    """The same at an open door: None for a stranger."""
    return request.get(VISITOR)


class Access:
    """Made once by `app`. `revoked` is awaited with `Visitor.seat_login` whenever a login ends before its time; `sits` tells
    whether a login, named so, has a seat in a call."""

    def __init__(
        self,
        *,
        accounts: AccountStore,
        places: PlaceStore,
        board: Board,
        themes: Sequence[Theme],
        key: bytes,
        clock: Clock,
        passwords: Passwords,
        revoked: Revoked | None = None,
        sits: Sits | None = None,
    ) -> None:
        self._accounts = accounts
        self._places = places
        self._board = board
        self._themes = {theme.key for theme in themes}
        self._key = key
        self._clock = clock
        self._passwords = passwords
        self._revoked = revoked
        self._sits = sits
        self._serving: dict[str, datetime] = {}
        self._sign_ins = Attempts("sign-in")
        self._pairings = Attempts("pairing")
        self._known: dict[str, tuple[datetime, Visitor]] = {}

    # Coming in

    async def sign_in(self, account: str, password: str, address: str | None) -> SignedIn:
        """A new browser login. Raises `WrongCredentialsError`, and `TooManyAttemptsError` after five failures a minute."""
        who = (f"account {account[:64]}", f"address {address_group(address)}")
        self._sign_ins.check(*who)
        found = await self._accounts.account(account)
        is_right = await self._passwords.is_right(password, None if found is None else found.password_hash)
        self._sign_ins.check(*who)
        if found is None or not is_right or not found.active:
            self._sign_ins.failed(*who)
            raise WrongCredentialsError
        expires_at = self._clock() + timedelta(hours=LOGIN_HOURS)
        secret, login = self._new_login(BROWSER, found.staff.account, found.staff.role, expires_at=expires_at)
        await self._accounts.add_login(login)
        return SignedIn(secret=secret, visitor=self._visitor(login, found.staff))

    async def pair(self, code: str, role: Role, address: str | None) -> SignedIn:
        """A room's screen or agent comes in by its code; the device it replaces is out. Raises like `sign_in`."""
        who = f"address {address_group(address)}"
        self._pairings.check(who)
        pairing = await self._accounts.use_pairing(_pairing_digest(code, role), self._clock())
        room = None if pairing is None else await self._places.room(pairing.room)
        if room is None:
            self._pairings.failed(who)
            raise WrongCredentialsError
        device = Device(room=room.id, point=room.point, role=role)
        secret, login = self._new_login(DEVICE, device.account, role, room=room.id)
        for replaced in await self._accounts.replace_device(login):
            self._forget(replaced)
        return SignedIn(secret=secret, visitor=self._visitor(login, device))

    # Who it is

    async def by_cookie(self, request: web.Request, role: Role) -> Visitor | None:
        """The visitor whose cookie of this role came with the request."""
        secret = request.cookies.get(cookie_name(request, role))
        visitor = None if secret is None else await self._of_secret(secret, (BROWSER, DEVICE))
        return visitor if visitor is not None and visitor.role is role else None

    async def by_bearer(self, request: web.Request) -> Visitor | None:
        """The visitor whose bearer token came with the request; None without one. Raises `WrongCredentialsError`."""
        scheme, _, secret = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if not scheme:
            return None
        visitor = await self._of_secret(secret.strip(), (TOKEN, DEVICE)) if scheme.lower() == "bearer" else None
        if visitor is None:
            raise WrongCredentialsError
        return visitor

    async def by_csrf(self, request: web.Request, token: str | None, roles: Sequence[Role]) -> Visitor | None:
        """Among the cookies of `roles`, the visitor whose token this is; None without any cookie that is good.

        Raises `CsrfError` when there are good cookies but the token belongs to none of them.
        """
        visitors = [visitor for role in roles if (visitor := await self.by_cookie(request, role)) is not None]
        for visitor in visitors:
            if token is not None and hmac.compare_digest(visitor.csrf_token.encode(), token.encode()):
                return visitor
        if visitors:
            raise CsrfError
        return None

    async def login_stands(self, login: str) -> bool:
        """Truth that a login, named as `Visitor.seat_login` names it, is still good. For signaling and open streams."""
        return await self._of_id(login.rpartition("#")[2]) is not None

    async def seat_stands(self, login: str) -> bool:
        """The same for the holder of a seat from before this server started: a login that only ran out holds it still."""
        return await self._accounts.login(login.rpartition("#")[2], self._clock() - timedelta(hours=LOGIN_HOURS)) is not None

    # Going out

    async def sign_out(self, visitor: Visitor) -> None:
        await self.revoke(visitor.login)

    async def revoke(self, login: Login) -> None:
        """The login is good no more; what it holds open is closed."""
        await self._accounts.revoke_login(login.id)
        self._forget(login.id)
        if self._revoked is not None:
            await self._revoked(seat_login(login))

    async def set_active(self, name: str, active: bool) -> None:
        """Let an account in again, or shut it out and end all its logins. Raises `InvalidFieldError`."""
        account = await self._accounts.account(name)
        if account is None:
            raise InvalidFieldError("account")
        await self._accounts.change_account(msgspec.structs.replace(account, active=active))
        if not active:
            for login in await self._accounts.logins(account=name):
                await self.revoke(login)

    # What the admin and the command line give out

    async def create_account(self, request: StaffRequest) -> Staff:
        """Raises `InvalidFieldError` with the field and what is wrong with it."""
        await self._check(request)
        staff = _staff(request)
        await self._accounts.add_account(Account(staff=staff, password_hash=await self._passwords.hash(request.password)))
        return staff

    async def change_staff(self, name: str, request: StaffRequest) -> Staff:
        """All but account and role as asked; a new password, when there is one, ends all logins. Raises `InvalidFieldError`."""
        account = await self._accounts.account(name)
        if account is None:
            raise InvalidFieldError("account")
        password = request.password or "-" * SHORTEST_PASSWORD
        asked = msgspec.structs.replace(request, account=name, role=account.staff.role, password=password)
        await self._check(asked)
        changed = msgspec.structs.replace(account, staff=_staff(asked))
        if request.password:
            changed = msgspec.structs.replace(changed, password_hash=await self._passwords.hash(request.password))
        await self._accounts.change_account(changed)
        self._known.clear()
        for login in await self._accounts.logins(account=name) if request.password else ():
            await self.revoke(login)
        return changed.staff

    async def add_token(self, account: str, label: str = "") -> str:
        """A bearer token that acts as this account, until revoked. Raises `InvalidFieldError`."""
        found = await self._accounts.account(account)
        if found is None or not found.active:
            raise InvalidFieldError("account")
        secret, login = self._new_login(TOKEN, account, found.staff.role, label=label)
        await self._accounts.add_login(login)
        return secret

    async def add_pairing_code(self, room: str, role: Role, *, code: str | None = None, reusable: bool = False) -> str:
        """A code that pairs one device of the room within the hour. Raises `InvalidFieldError` for an unknown room.

        A fixed, reusable one is for the demo's own screen only.
        """
        if await self._places.room(room) is None:
            raise InvalidFieldError("room")
        letters = code or "".join(secrets.choice(PAIRING_LETTERS) for _ in range(PAIRING_LENGTH))
        expires_at = self._clock() + (timedelta(days=3650) if reusable else timedelta(minutes=PAIRING_MINUTES))
        digest = _pairing_digest(letters, role)
        pairing = Pairing(code_digest=digest, room=room, role=role, expires_at=expires_at, reusable=reusable)
        await self._accounts.add_pairing(pairing)
        return letters

    # Inside

    async def _check(self, request: StaffRequest) -> None:
        checks = (
            ("account", "malformed", SHORT_NAME.fullmatch(request.account) is not None),
            ("role", "unknown_value", request.role in STAFF_ROLES),
            ("name", "too_long", len(request.name) <= LONGEST_NAME),
            ("title", "too_long", len(request.title) <= LONGEST_NAME),
            ("password", "too_short", len(request.password) >= SHORTEST_PASSWORD),
            ("password", "too_long", len(request.password) <= LONGEST_PASSWORD),
            ("themes", "unknown_value", self._themes.issuperset(request.themes)),
            ("point", "required", request.point is not None or request.role is not Role.ADVISOR),
            ("point", "unknown_value", request.point is None or await self._places.point(request.point) is not None),
        )
        for field, problem, holds in checks:
            if not holds:
                raise InvalidFieldError(field, problem)

    def _new_login(
        self,
        kind: str,
        account: str,
        role: Role,
        *,
        room: str | None = None,
        label: str = "",
        expires_at: datetime | None = None,
    ) -> tuple[str, Login]:
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        return secret, Login(
            id=_digest(secret),
            kind=kind,
            account=account,
            role=role,
            room=room,
            label=label,
            created_at=self._clock(),
            expires_at=expires_at,
        )

    def _forget(self, login_id: str) -> None:
        self._known.pop(login_id, None)
        self._board.announce({login_topic(login_id)})

    async def _of_secret(self, secret: str, kinds: Sequence[str]) -> Visitor | None:
        visitor = await self._of_id(_digest(secret))
        return visitor if visitor is not None and visitor.login.kind in kinds else None

    async def _of_id(self, login_id: str) -> Visitor | None:
        now = self._clock()
        until, known = self._known.get(login_id, (now, None))
        # A clock that was set back must not make it be believed for hours.
        if known is not None and timedelta() < until - now <= timedelta(seconds=CACHE_SECONDS):
            return known
        self._known.pop(login_id, None)
        login = await self._accounts.login(login_id, now) or await self._in_call(login_id, now)
        person = None if login is None else await self._person(login)
        if login is None or person is None:
            return None
        if len(self._known) >= CACHE_SIZE:
            self._known.clear()
        visitor = self._visitor(login, person)
        self._known[login_id] = (now + timedelta(seconds=CACHE_SECONDS), visitor)
        return visitor

    async def _in_call(self, login_id: str, now: datetime) -> Login | None:
        """A login that ran out, but whose call goes on or was just over."""
        login = await self._accounts.login(login_id, now - timedelta(hours=LOGIN_HOURS))
        if login is None or self._sits is None:
            return None
        if self._sits(seat_login(login)):
            self._serving[login_id] = now + timedelta(minutes=WRAP_UP_MINUTES)
        if self._serving.get(login_id, now) > now:
            return login
        self._serving.pop(login_id, None)
        return None

    async def _person(self, login: Login) -> Person | None:
        if login.room is not None:
            room = await self._places.room(login.room)
            return None if room is None else Device(room=room.id, point=room.point, role=login.role)
        account = await self._accounts.account(login.account)
        if account is None or not account.active or account.staff.role is not login.role:
            return None
        return account.staff

    def _visitor(self, login: Login, person: Person) -> Visitor:
        token = hmac.new(self._key, f"csrf {login.id}".encode(), hashlib.sha256).hexdigest()
        return Visitor(login=login, person=person, csrf_token=token)


def seat_login(login: Login) -> str:
    return login.id if login.room is None else f"room:{login.room}:{login.role}#{login.id}"


def _staff(request: StaffRequest) -> Staff:
    return Staff(
        account=request.account,
        role=request.role,
        name=request.name,
        title=request.title,
        point=request.point,
        themes=tuple(dict.fromkeys(request.themes)),
        languages=tuple(dict.fromkeys(request.languages)),
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _pairing_digest(code: str, role: Role) -> str:
    """The role is in it, so a screen's code is no code at the agent's door."""
    letters = re.sub(r"[\s-]", "", code).upper()
    return _digest(f"pairing {role} {letters}")
