"""What the report's template needs, made from the month's sessions. No I/O here."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec

from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.session import Session
from etapalvelu.domain.statistics import Figures, figures, tally

# Columns over time, as parts/drawing.html draws them: how wide all are, and how high the highest is.
WIDTH, HIGHEST = 1000, 150


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a chart: how many this month and the month before, and how they went. `label` is empty for a code."""

    key: str
    label: str
    now: Figures
    count: int
    before: int


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A column of the drawing: sessions opened on that day, and on the same day of the month before."""

    day: date
    count: int
    before: int
    x: float
    width: float
    height: float
    height_before: float


class MonthView(msgspec.Struct, frozen=True, kw_only=True):
    """A month beside the one before it; `after` is the next one, unless it has not begun."""

    month: date
    before: date
    after: date | None
    now: Figures
    then: Figures
    days: tuple[Day, ...]
    themes: tuple[Share, ...]
    points: tuple[Share, ...]
    causes: tuple[Share, ...]

    @property
    def most(self) -> int:
        """The longest bar of the charts."""
        shares = (*self.themes, *self.points, *self.causes)
        return max((max(share.count, share.before) for share in shares), default=1) or 1

    @property
    def busiest(self) -> int:
        """The highest column of the days."""
        return max(max(day.count, day.before) for day in self.days)


def month_view(
    month: date, sessions: Sequence[Session], earlier: Sequence[Session], this_month: date, points: Mapping[str, str]
) -> MonthView:
    """`sessions` were opened in the month, `earlier` in the month before; `points` has the names."""
    return MonthView(
        month=month,
        before=month_before(month),
        after=month_after(month) if month < this_month else None,
        now=figures(sessions),
        then=figures(earlier),
        days=_days(month, sessions, earlier),
        themes=_shares(sessions, earlier, lambda session: session.theme, {}),
        points=_shares(sessions, earlier, lambda session: session.point, points),
        causes=_shares(sessions, earlier, lambda session: session.close_cause, {}),
    )


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def month_after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _days(month: date, sessions: Iterable[Session], earlier: Iterable[Session]) -> tuple[Day, ...]:
    counts, before = _by_day(sessions), _by_day(earlier)
    length = (month_after(month) - month).days
    most = max((*counts.values(), *before.values()), default=1)
    step = WIDTH / length
    return tuple(
        Day(
            day=month.replace(day=number),
            count=counts[number],
            before=before[number],
            x=round((number - 1) * step, 1),
            width=round(step, 1),
            height=round(HIGHEST * counts[number] / most, 1),
            height_before=round(HIGHEST * before[number] / most, 1),
        )
        for number in range(1, length + 1)
    )


def _by_day(sessions: Iterable[Session]) -> defaultdict[int, int]:
    counts: defaultdict[int, int] = defaultdict(int)
    for session in sessions:
        counts[session.opened_at.astimezone(HELSINKI).day] += 1
    return counts


def _shares(
    sessions: Sequence[Session], earlier: Iterable[Session], of: Callable[[Session], str | None], labels: Mapping[str, str]
) -> tuple[Share, ...]:
    """This month's order; what only the month before had comes last."""
    now, then = dict(tally(sessions, of)), dict(tally(earlier, of))
    keys = [*now, *(key for key in then if key not in now)]
    return tuple(
        Share(
            key=key,
            label=labels.get(key, ""),
            now=figures([session for session in sessions if of(session) == key]),
            count=now.get(key, 0),
            before=then.get(key, 0),
        )
        for key in keys
    )
