"""The ways to a relay: which of the TURN server's addresses the next connection uses, and in words why one gives nothing.

aiortc uses one TURN address for a connection and says nothing when it fails. So all are tried beside each other once, what
works is used first, and a connection that does not come up by one is followed by one that uses another.
"""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from socket import gaierror
from typing import Final, Literal
from urllib.parse import urlsplit

import aioice.turn
from aioice.stun import TransactionFailed, TransactionTimeout

from etapalvelu.room.server import IceServer
from etapalvelu.tasks import spawn

log = logging.getLogger(__name__)

# How long a TURN server may take to give a relay address.
ANSWER_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 1.0
# How long a connection waits for the first way that works, and then for a better one.
PATIENCE_SECONDS: Final = 1.5
# A lost packet is sent again after half a second.
GRACE_SECONDS: Final = 0.6
# A server that has gone is not asked more often than this.
LOOK_SECONDS: Final = 3.0

Kind = Literal["udp", "tcp", "tls"]
KINDS: Final[tuple[Kind, ...]] = ("udp", "tcp", "tls")
_NAMED: Final[dict[tuple[str, str], Kind]] = {("turn", "udp"): "udp", ("turn", "tcp"): "tcp", ("turns", "tcp"): "tls"}
Fault = Literal["refused", "silent", "unreachable", "certificate", "unknown_name", "full", "malformed"]

WORDS: Final[dict[Fault, str]] = {
    "refused": "refused the credential: compare [turn] secret with coturn's static-auth-secret, and both machines' clocks",
    "silent": "does not answer: look at its address, and whether a firewall lets this through",
    "unreachable": "cannot be reached: look at its address and port, and whether coturn runs",
    "certificate": "has a certificate this machine does not trust: look at its names, its dates and its authority",
    "unknown_name": "has a name nobody knows: look at [turn] urls and this machine's name service",
    "full": "gives no further addresses: look at coturn's quotas and ports",
    "malformed": "has no address of the form turn:HOST:PORT?transport=udp, turn:HOST:PORT?transport=tcp or turns:HOST:PORT",
}


class RelayError(Exception):
    """A TURN server gave no relay address; `fault` says why, the message in words what to do."""

    def __init__(self, url: str, fault: Fault) -> None:
        super().__init__(f"the TURN server {url} {WORDS[fault]}")
        self.fault: Fault = fault


@dataclass(frozen=True, kw_only=True)
class Way:
    """One address of a TURN server."""

    kind: Kind
    host: str
    port: int


def way(url: str) -> Way:
    """What a turn: or turns: url names; raises RelayError."""
    scheme, _, rest = url.partition(":")
    try:
        parts = urlsplit(f"//{rest}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise RelayError(url, "malformed") from None
    transport = parts.query.removeprefix("transport=") or ("tcp" if scheme == "turns" else "udp")
    kind = _NAMED.get((scheme, transport))
    if kind is None or not host:
        raise RelayError(url, "malformed")
    return Way(kind=kind, host=host, port=port or (5349 if kind == "tls" else 3478))


async def try_relay(url: str, username: str, password: str, seconds: float = ANSWER_SECONDS) -> float:
    """Ask for a relay address and give it back at once: the milliseconds it took. Raises RelayError."""
    began, to = time.monotonic(), way(url)
    try:
        async with asyncio.timeout(seconds):
            transport, allocation = await aioice.turn.create_turn_endpoint(
                _Allocation,
                (to.host, to.port),
                username,
                password,
                ssl=True if to.kind == "tls" else None,
                transport="udp" if to.kind == "udp" else "tcp",
            )
    except (OSError, TransactionFailed, TransactionTimeout) as error:
        # What was opened is closed a moment later.
        await asyncio.sleep(0)
        raise RelayError(url, _fault(error)) from error
    took = time.monotonic() - began
    transport.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_SECONDS):
            await allocation.is_gone.wait()
    return took * 1000


class _Allocation(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.is_gone = asyncio.Event()

    def connection_lost(self, _exception: Exception | None) -> None:
        self.is_gone.set()


def _fault(error: Exception) -> Fault:
    match error:
        case TransactionFailed():
            return "refused" if error.response.error_code in (401, 431, 441) else "full"
        case ssl.SSLCertVerificationError():
            return "certificate"
        case gaierror():
            return "unknown_name"
        case TimeoutError() | TransactionTimeout():
            return "silent"
        case _:
            return "unreachable"


class Relays:
    """What this machine knows of the ways to its relays, for as long as it runs. `attempt` is `try_relay`."""

    def __init__(self, attempt: Callable[[str, str, str], Awaitable[float]] = try_relay) -> None:
        self._attempt = attempt
        # The least first. Told apart by url alone, so that new passwords change nothing.
        self._standing: dict[str, int] = {}
        self._faults: dict[str, Fault] = {}
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")

    def choose(self, servers: Sequence[IceServer]) -> list[IceServer]:
        """The servers with one TURN address at most: the one to use now."""
        plain = [server for server in servers if not turn_urls([server])]
        first = self.first(servers)
        relays = [server for server in servers if first in turn_urls([server])][:1]
        return plain + [IceServer(urls=[str(first)], username=one.username, credential=one.credential) for one in relays]

    def first(self, servers: Sequence[IceServer]) -> str | None:
        """The TURN address to use now; None where there is none."""
        return min(turn_urls(servers), key=self._rank, default=None)

    def fault(self, servers: Sequence[IceServer]) -> Fault | None:
        """Why no way at all works, if that is known."""
        urls = turn_urls(servers)
        if not urls or any(url not in self._faults for url in urls):
            return None
        return "refused" if "refused" in map(self._faults.get, urls) else self._faults[urls[0]]

    def worked(self, url: str) -> None:
        """A connection goes this way: the next one begins with it."""
        self._faults.pop(url, None)
        self._standing[url] = min([0, *self._standing.values()]) - 1

    def failed(self, url: str) -> None:
        """A connection did not come up this way: the next one takes another, if there is one."""
        self._standing[url] = max([0, *self._standing.values()]) + 1

    async def ready(self, servers: Sequence[IceServer]) -> None:
        """Return when it is known which way works, or soon when none does: the trying goes on beside."""
        if not set(turn_urls(servers)) <= self._standing.keys():
            await self.look_and_wait(servers)

    async def look_and_wait(self, servers: Sequence[IceServer]) -> None:
        """The same after looking anew, for what worked a while ago may not any more."""
        self.look(servers)
        if self._looking is not None:
            await asyncio.wait([self._looking], timeout=PATIENCE_SECONDS)

    def look(self, servers: Sequence[IceServer]) -> None:
        """Try all ways in the background, unless that was done just now; what does not work is logged in words."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_SECONDS or not turn_urls(servers):
            return
        self._looked_at = now
        tries = [spawn(self._try(url, one), name="relay") for one in servers for url in turn_urls([one])]
        self._looking = spawn(self._settle(tries), name="relays")

    async def _settle(self, tries: list["asyncio.Task[str | None]"]) -> None:
        """Done when the best way of those that answer at once is known."""
        waiting = set(tries)
        good: list[str] = []
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=GRACE_SECONDS if good else None, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                break
            good += [url for url in (task.result() for task in done) if url is not None]
        if good:
            self.worked(min(good, key=self._rank))

    async def _try(self, url: str, server: IceServer) -> str | None:
        try:
            await self._attempt(url, server.username or "", server.credential or "")
        except RelayError as error:
            if self._faults.get(url) != error.fault:
                log.warning("%s", error)
            self._faults[url] = error.fault
            self._standing.setdefault(url, 0)
            return None
        self._faults.pop(url, None)
        self._standing.setdefault(url, 0)
        return url

    def _rank(self, url: str) -> tuple[bool, int, int]:
        return url in self._faults, self._standing.get(url, 0), _by_kind(url)


def turn_urls(servers: Sequence[IceServer]) -> list[str]:
    """The addresses of the relays among the servers, in their order."""
    return [
        url
        for server in servers
        for url in ([server.urls] if isinstance(server.urls, str) else server.urls)
        if url.startswith(("turn:", "turns:"))
    ]


def _by_kind(url: str) -> int:
    """UDP before TCP before TLS: each costs the media more than the one before."""
    try:
        return KINDS.index(way(url).kind)
    except RelayError:
        return len(KINDS)
