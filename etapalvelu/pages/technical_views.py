"""What the page of failures needs, made from what the technical ledger found. No I/O here."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta

import msgspec

from etapalvelu.domain.codes import CauseClass, Seat
from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.technical import FaultKind, Remedy, lost_minutes
from etapalvelu.pages.month_views import HIGHEST, WIDTH
from etapalvelu.pages.supervisor_views import address
from etapalvelu.technical import FaultFigures, FaultPage, Told

PAGE_ROWS = 50

# A span of at most so many days is drawn by the day, of so many by the week, a longer one by the month.
BY_DAY, BY_WEEK = 31, 186
# The small drawings of one room or cause: their size.
SMALL_WIDTH, SMALL_HEIGHT = 400, 30


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """What failed in one day, week or month, drawn as a column."""

    begins: date
    count: int
    minutes: int
    x: float
    width: float
    height: float


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """One cause or room: how much of all failures it had, over time, and what it took.

    `sessions` is how many were opened in a room, `hit` how many of them something failed in; of a cause nothing is known there.
    """

    key: str
    label: str
    count: int
    percent: int
    minutes: int
    mended: int
    columns: tuple[Column, ...]
    sessions: int | None = None
    hit: int = 0


class FaultRow(msgspec.Struct, frozen=True, kw_only=True):
    session: str
    at: datetime
    since: datetime
    point: str
    room: str
    theme: str
    kind: FaultKind
    cause: CauseClass
    seat: Seat | None
    lost_seconds: float | None
    remedy: Remedy


class FaultsView(msgspec.Struct, frozen=True, kw_only=True):
    """The page: figures and drawings of the whole span, and one page of the list. `step` is `day`, `week` or `month`."""

    rows: tuple[FaultRow, ...]
    older: str
    export: str
    is_filtered: bool
    count: int
    minutes: int
    mended: int
    sessions: int
    hit: int
    step: str
    columns: tuple[Column, ...]
    causes: tuple[Share, ...]
    rooms: tuple[Share, ...]
    whole: bool

    @property
    def most(self) -> int:
        """The highest column of the large drawing."""
        return max((column.count for column in self.columns), default=0)


def faults_view(
    figures: FaultFigures,
    page: FaultPage,
    span: tuple[date, date],
    asked: Mapping[str, str],
    names: tuple[Mapping[str, str], Mapping[str, str]],
) -> FaultsView:
    """`span` is the first and the last day, `names` those of points and of rooms by their ids."""
    told, (points, rooms) = figures.told, names
    step, begins = steps(*span)
    return FaultsView(
        rows=tuple(_row(one, points, rooms) for one in page.told),
        older=address("/supervisor/faults", {**asked, "after": _key(page.after)}) if page.after else "",
        export=address("/supervisor/faults.csv", asked),
        is_filtered=any(asked[name] for name in ("point", "room", "cause")),
        count=len(told),
        minutes=lost_minutes([one.fault for one in told]),
        mended=_mended(told),
        sessions=sum(figures.opened.values()),
        hit=len({one.spot.session for one in told}),
        step=step,
        columns=_columns(told, begins, span[1], WIDTH, HIGHEST),
        causes=_shares(figures, lambda one: one.fault.cause, begins, span[1], {}),
        rooms=_shares(figures, lambda one: one.spot.room, begins, span[1], _places(told, points, rooms)),
        whole=figures.whole,
    )


def _row(one: Told, points: Mapping[str, str], rooms: Mapping[str, str]) -> FaultRow:
    spot, fault = one.spot, one.fault
    return FaultRow(
        session=spot.session,
        at=fault.at,
        since=fault.since,
        point=points.get(spot.point, spot.point),
        room=rooms.get(spot.room, spot.room),
        theme=spot.theme,
        kind=fault.kind,
        cause=fault.cause,
        seat=fault.seat,
        lost_seconds=fault.lost_seconds,
        remedy=fault.remedy,
    )


def _key(after: tuple[datetime, str, int]) -> str:
    return f"{after[0].isoformat()}~{after[1]}~{after[2]}"


def _places(told: Sequence[Told], points: Mapping[str, str], rooms: Mapping[str, str]) -> dict[str, str]:
    spots = {one.spot.room: one.spot for one in told}
    return {room: f"{points.get(spot.point, spot.point)}, {rooms.get(room, room)}" for room, spot in spots.items()}


def steps(first: date, last: date) -> tuple[str, tuple[date, ...]]:
    """How the span is divided, and the first day of each part."""
    days = (last - first).days + 1
    if days <= BY_DAY:
        return "day", tuple(first + timedelta(days=number) for number in range(days))
    if days <= BY_WEEK:
        monday = first - timedelta(days=first.weekday())
        return "week", tuple(monday + timedelta(weeks=number) for number in range((last - monday).days // 7 + 1))
    begins = [first.replace(day=1)]
    while (after := (begins[-1] + timedelta(days=32)).replace(day=1)) <= last:
        begins.append(after)
    return "month", tuple(begins)


def _columns(told: Sequence[Told], begins: Sequence[date], last: date, width: float, highest: float) -> tuple[Column, ...]:
    parts = _parts(told, begins, last)
    return _drawn(parts, begins, width, highest, max((len(part) for part in parts), default=0))


def _parts(told: Sequence[Told], begins: Sequence[date], last: date) -> list[list[Told]]:
    """What was told in each part of the span."""
    ends = [*begins[1:], last + timedelta(days=1)]
    days = [(one.fault.at.astimezone(HELSINKI).date(), one) for one in told]
    return [[one for day, one in days if begin <= day < end] for begin, end in zip(begins, ends, strict=True)]


def _drawn(
    parts: Sequence[Sequence[Told]], begins: Sequence[date], width: float, highest: float, most: int
) -> tuple[Column, ...]:
    step = width / len(begins)
    return tuple(
        Column(
            begins=begin,
            count=len(part),
            minutes=lost_minutes([one.fault for one in part]),
            x=round(number * step, 1),
            width=round(step, 1),
            height=round(highest * len(part) / (most or 1), 1),
        )
        for number, (begin, part) in enumerate(zip(begins, parts, strict=True))
    )


def _shares(
    figures: FaultFigures, of: Callable[[Told], str], begins: Sequence[date], last: date, labels: Mapping[str, str]
) -> tuple[Share, ...]:
    """The largest first; all are drawn to one scale, so that they can be compared."""
    counts = Counter(of(one) for one in figures.told)
    by_key = {key: [one for one in figures.told if of(one) == key] for key in counts}
    parts = {key: _parts(mine, begins, last) for key, mine in by_key.items()}
    most = max((len(part) for each in parts.values() for part in each), default=0)
    return tuple(
        Share(
            key=key,
            label=labels.get(key, ""),
            count=count,
            percent=round(100 * count / len(figures.told)),
            minutes=lost_minutes([one.fault for one in by_key[key]]),
            mended=_mended(by_key[key]),
            columns=_drawn(parts[key], begins, SMALL_WIDTH, SMALL_HEIGHT, most),
            sessions=figures.opened.get(key, 0) if key in labels else None,
            hit=len({one.spot.session for one in by_key[key]}),
        )
        for key, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _mended(told: Sequence[Told]) -> int:
    return sum(one.fault.remedy is Remedy.MENDED for one in told)
