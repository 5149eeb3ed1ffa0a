"""Tries the ways to Kela: directly from this machine's network, and over each kind of relay that is named."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from aioice import Candidate, Connection

from etapalvelu.room.finding import Finding
from etapalvelu.room.relay import KINDS, Kind, RelayError, try_relay, turn_urls, way
from etapalvelu.room.server import IceServer

RELAY_SECONDS: Final = 5.0
# aioice waits five seconds for the answer of a STUN server.
DIRECT_SECONDS: Final = 8.0
_NOTES: Final = {"refused": "refused", "full": "refused"}

TryRelay = Callable[[str, str, str, float], Awaitable[float]]


async def route_findings(servers: Sequence[IceServer], *, relay_only: bool, attempt: TryRelay = try_relay) -> list[Finding]:
    """Four findings, made beside each other."""
    relays = [_relay(kind, servers, attempt) for kind in KINDS]
    direct, *others = await asyncio.gather(_direct(servers, relay_only=relay_only), *relays)
    return [direct, *others]


async def _relay(kind: Kind, servers: Sequence[IceServer], attempt: TryRelay) -> Finding:
    """The first address of this kind: an address at the relay is asked for and given back."""
    code = f"relay_{kind}"
    if not turn_urls(servers):
        return Finding(code=code, result="skipped", note="no_turn")
    for server in servers:
        for url in turn_urls([server]):
            if _kind_of(url) == kind:
                return await _tried(code, attempt(url, server.username or "", server.credential or "", RELAY_SECONDS))
    return Finding(code=code, result="skipped", note="not_named")


async def _tried(code: str, attempt: Awaitable[float]) -> Finding:
    try:
        return Finding(code=code, result="ok", figure=round(await attempt))
    except RelayError as error:
        return Finding(code=code, result="failed", note=_NOTES.get(error.fault, "no_answer"))


def _kind_of(url: str) -> Kind | None:
    try:
        return way(url).kind
    except RelayError:
        return None


async def _direct(servers: Sequence[IceServer], *, relay_only: bool) -> Finding:
    """Two ends on this machine meet over its own network; where a relay is named, UDP must come back from it too."""
    if relay_only:
        return Finding(code="direct_path", result="skipped", note="relays_only")
    stun = next(((way(url).host, way(url).port) for url in turn_urls(servers) if _kind_of(url) == "udp"), None)
    ends = [Connection(ice_controlling=is_first, stun_server=stun, use_ipv6=False) for is_first in (True, False)]
    try:
        async with asyncio.timeout(DIRECT_SECONDS):
            await asyncio.gather(*(end.gather_candidates() for end in ends))
            hosts = [[one for one in end.local_candidates if one.type == "host"] for end in ends]
            if not all(hosts):
                return Finding(code="direct_path", result="failed", note="no_network")
            if stun is not None and not any(one.type == "srflx" for one in ends[0].local_candidates):
                return Finding(code="direct_path", result="failed", note="no_udp")
            await _meet(ends[0], ends[1], hosts)
    except (OSError, TimeoutError):
        return Finding(code="direct_path", result="failed", note="no_network")
    finally:
        await asyncio.gather(*(end.close() for end in ends))
    return Finding(code="direct_path", result="ok")


async def _meet(one: Connection, other: Connection, hosts: Sequence[Sequence[Candidate]]) -> None:
    for end, peer, candidates in ((one, other, hosts[1]), (other, one, hosts[0])):
        end.remote_username, end.remote_password = peer.local_username, peer.local_password
        for candidate in candidates:
            await end.add_remote_candidate(candidate)
        await end.add_remote_candidate(None)
    await asyncio.gather(one.connect(), other.connect())
    await one.send(b"here")
    await other.recv()
