"""How often somebody may be wrong (five failures a minute by account, and by address), and how often anybody may knock."""

import ipaddress
import math
import time
from collections import Counter
from collections.abc import Callable

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from etapalvelu.domain.errors import TooManyAttemptsError

FAILURES_A_MINUTE = 5

# A whole office may stand behind one address; a program that loops without a pause is stopped.
REQUESTS_A_MINUTE = 12_000


class Attempts:
    """Failures within the last minute, of one kind ("sign-in", "pairing"). Kept in memory: a restart forgives."""

    def __init__(self, kind: str, limit: RateLimitItem | None = None) -> None:
        self._kind = kind
        self._limit = limit or RateLimitItemPerMinute(FAILURES_A_MINUTE)
        self._window = MovingWindowRateLimiter(MemoryStorage())

    def check(self, *who: str) -> None:
        """Raise `TooManyAttemptsError` when any of `who` has failed too often."""
        for name in who:
            if not self._window.test(self._limit, self._kind, name):
                stats = self._window.get_window_stats(self._limit, self._kind, name)
                raise TooManyAttemptsError(max(1, math.ceil(stats.reset_time - time.time())))

    def failed(self, *who: str) -> None:
        for name in who:
            self._window.hit(self._limit, self._kind, name)


class Knocks:
    """Requests in this clock minute, by address. One counter and no history: it is asked at every request."""

    def __init__(self, limit: int = REQUESTS_A_MINUTE, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._monotonic = monotonic
        self._minute = 0
        self._counts: Counter[str] = Counter()

    def check(self, who: str) -> None:
        """Count this one, and raise `TooManyAttemptsError` when it is one too many."""
        minute, seconds = divmod(self._monotonic(), 60)
        if minute != self._minute:
            self._minute, self._counts = int(minute), Counter()
        self._counts[who] += 1
        if self._counts[who] > self._limit:
            raise TooManyAttemptsError(math.ceil(60 - seconds))


def address_group(address: str | None) -> str:
    """Who is counted as one: an IPv4 address, or the /64 that one IPv6 subscriber has."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ip) if ip.version == 4 else str(ipaddress.ip_network((ip, 64), strict=False))
