"""Figures over sessions, computed from the sessions alone; nothing is counted on the side."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from statistics import median, quantiles

import msgspec

from etapalvelu.domain.session import Session

# Of fewer days nothing is said to be usual.
FEWEST_DAYS = 4


class Usual(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure was on `days` days like this one: half of them lie between `low` and `high`."""

    low: int
    median: int
    high: int
    days: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How many, and how long, in seconds; None where there is nothing to count."""

    sessions: int
    served: int
    waiting_median: int | None
    waiting_longest: int | None
    service_median: int | None
    stills: int


def figures(sessions: Sequence[Session]) -> Figures:
    """`served` are those in which customer and expert were connected."""
    waits = [seconds for session in sessions if (seconds := session.waiting_seconds) is not None]
    services = [seconds for session in sessions if (seconds := session.service_seconds) is not None]
    return Figures(
        sessions=len(sessions),
        served=sum(session.connected_at is not None for session in sessions),
        waiting_median=round(median(waits)) if waits else None,
        waiting_longest=max(waits, default=None),
        service_median=round(median(services)) if services else None,
        stills=sum(session.stills for session in sessions),
    )


def usual(values: Iterable[int | None]) -> Usual | None:
    """Median and quartiles; None for too few days. Days without the figure are left out."""
    known = [value for value in values if value is not None]
    if len(known) < FEWEST_DAYS:
        return None
    low, middle, high = (round(value) for value in quantiles(known, n=4, method="inclusive"))
    return Usual(low=low, median=middle, high=high, days=len(known))


def tally(sessions: Iterable[Session], of: Callable[[Session], str | None]) -> list[tuple[str, int]]:
    """Counts by what `of` tells of a session, the largest first; None is left out."""
    counts = Counter(key for session in sessions if (key := of(session)) is not None)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
