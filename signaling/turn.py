"""Short-lived TURN credentials as coturn's `use-auth-secret` checks them, and the ICE server list peers are given."""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

# coturn refuses to refresh an allocation with a password that has run out, so a running call has to take a new one before.
CREDENTIAL_SECONDS: Final = 2 * 3600


class IceServer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """W3C RTCIceServer."""

    urls: Annotated[tuple[str, ...], Meta(min_length=1)]
    username: str | None = None
    credential: str | None = None


def credential(user: str, secret: str, now: float, lifetime_seconds: int = CREDENTIAL_SECONDS) -> tuple[str, str]:
    """User name `expiry:user` and its password. `user` is opaque and says nothing about a person."""
    username = f"{int(now) + lifetime_seconds}:{user}"
    # coturn's REST scheme fixes SHA-1; as an HMAC it is sound.
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


def ice_servers(
    urls: Sequence[str], secret: str, user: str, now: float, lifetime_seconds: int = CREDENTIAL_SECONDS
) -> list[IceServer]:
    """STUN urls without and TURN urls with credentials; empty without urls. Raises ValueError for any other url."""
    stun = tuple(url for url in urls if url.startswith(("stun:", "stuns:")))
    turn = tuple(url for url in urls if url.startswith(("turn:", "turns:")))
    if len(stun) + len(turn) != len(urls):
        raise ValueError("an ICE server's url begins with stun:, stuns:, turn: or turns:")
    servers = [IceServer(urls=stun)] if stun else []
    if turn:
        username, password = credential(user, secret, now, lifetime_seconds)
        servers.append(IceServer(urls=turn, username=username, credential=password))
    return servers


def as_json(servers: Sequence[IceServer]) -> list[dict[str, object]]:
    """The list as plain objects, for an API's answer."""
    return [{**msgspec.to_builtins(server), "urls": list(server.urls)} for server in servers]
