"""Mint and check seat tickets (the service's word that somebody may sit here) and resume tokens (signaling's own).

A text is base64url(JSON claims) + "." + base64url(HMAC-SHA256). The kind goes into the MAC: one is never taken for the other.
"""

import base64
import binascii
import hashlib
import hmac
from typing import Annotated, Final, TypeVar

import msgspec
from msgspec import Meta, Struct

from signaling.errors import TicketError
from signaling.messages import Epoch, Seat

TICKET_SECONDS: Final = 60
MAX_TICKET_CHARS: Final = 2048
MIN_KEY_BYTES: Final = 32

Opaque = Annotated[str, Meta(min_length=1, max_length=200)]


class Claims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`who` is the actor for the log, `login` the login or device that may come back, `id` makes it usable once.

    Logins that are alike up to a `#` hold a seat one after the other, as a room's devices do: a newer one replaces the older.
    `expires` is in unix seconds; the service mints it TICKET_SECONDS ahead.
    """

    call: Opaque
    seat: Seat
    who: Opaque
    login: Opaque
    id: Opaque
    expires: int
    relay_only: bool = False


class ResumeClaims(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A seating that may be gone on with; `id` is that of the ticket it began with."""

    call: Opaque
    seat: Seat
    who: Opaque
    login: Opaque
    id: Opaque
    epoch: Epoch
    relay_only: bool
    expires: int


def holder(login: str) -> str:
    """Whose seat it is: the login without what tells one device from the next."""
    return login.partition("#")[0]


def mint(claims: Claims, key: bytes) -> str:
    """The signed ticket. The key has at least MIN_KEY_BYTES random bytes."""
    return _sign(b"ticket", claims, key)


def check(text: str, key: bytes, now: float) -> Claims:
    """The claims of a ticket that is genuine and not expired at `now` (unix seconds). Raises TicketError."""
    claims = _verify(b"ticket", text, key, Claims)
    _refuse_expired(claims.expires, now)
    return claims


def mint_resume(claims: ResumeClaims, key: bytes) -> str:
    """The signed resume token."""
    return _sign(b"resume", claims, key)


def check_resume(text: str, key: bytes, now: float) -> ResumeClaims:
    """The claims of a resume token that is genuine and not expired at `now`. Raises TicketError."""
    claims = _verify(b"resume", text, key, ResumeClaims)
    _refuse_expired(claims.expires, now)
    return claims


def _sign(kind: bytes, claims: Struct, key: bytes) -> str:
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
    return f"{payload.decode()}.{_mac(kind, payload, key)}"


_AnyClaims = TypeVar("_AnyClaims", Claims, ResumeClaims)


def _verify(kind: bytes, text: str, key: bytes, claims: type[_AnyClaims]) -> _AnyClaims:
    payload, dot, mac = text.partition(".")
    if not dot or len(text) > MAX_TICKET_CHARS or not text.isascii():
        raise TicketError("malformed", f"the {kind.decode()} is not a signed text")
    if not hmac.compare_digest(mac, _mac(kind, payload.encode(), key)):
        raise TicketError("forged", f"the {kind.decode()} was not signed with this server's key")
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=claims)
    except (binascii.Error, msgspec.DecodeError):
        raise TicketError("malformed", f"the {kind.decode()} does not hold the claims this version reads") from None


def _refuse_expired(expires: int, now: float) -> None:
    if now >= expires:
        raise TicketError("expired", "it was valid for a short time only; ask for a fresh ticket")


def _mac(kind: bytes, payload: bytes, key: bytes) -> str:
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"a key has at least {MIN_KEY_BYTES} bytes")
    digest = hmac.new(key, kind + b"." + payload, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
