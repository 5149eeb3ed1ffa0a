"""A session drawn to scale: one band for the session and one for each seat, with waits, gaps, holds and stills.

Pure geometry out of log entries and line samples; the template only draws what stands here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from etapalvelu.domain.codes import Seat
from etapalvelu.domain.events import (
    Claimed,
    Closed,
    Connected,
    Continued,
    Held,
    Interrupted,
    Joined,
    Left,
    Opened,
    Released,
    Resumed,
    StillTaken,
)
from etapalvelu.domain.log import Entry
from etapalvelu.ports import Sample

# The drawing's own units; the page scales it.
LEFT, RIGHT = 190.0, 1210.0
TOP, STEP, BAR = 40.0, 44.0, 22.0
CHART_HEIGHT, CHART_GAP = 56.0, 24.0
SHORTEST = 3.0
MOST_TICKS = 8
TICK_STEPS_SECONDS = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a band. `kind`: waiting, claimed, served, held, seated or gap."""

    kind: str
    begins: datetime
    ends: datetime
    x: float
    width: float

    @property
    def seconds(self) -> float:
        return (self.ends - self.begins).total_seconds()


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the drawing: the session itself (`seat` None) or one seat."""

    seat: Seat | None
    y: float
    spans: tuple[Span, ...]
    stills: tuple[float, ...] = ()


class Tick(msgspec.Struct, frozen=True, kw_only=True):
    """A mark on the time axis; `seconds` says whether its words need them."""

    at: datetime
    x: float
    seconds: bool


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of the line over time, as one seat saw what came from one peer."""

    name: str
    seat: str
    peer: str
    points: tuple[tuple[float, float], ...]
    highest: float
    y: float

    @property
    def foot(self) -> float:
        return self.y + CHART_HEIGHT

    @property
    def path(self) -> str:
        """The points as SVG wants them."""
        return " ".join(f"{x},{y}" for x, y in self.points)


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One sample of line statistics, boiled down to what a person asks about."""

    at: datetime
    seat: str
    peer: str
    frames_per_second: float | None
    width: int | None
    height: int | None
    round_trip_ms: float | None
    lost_percent: float | None


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    width: float
    height: float
    begins: datetime
    ends: datetime
    ticks: tuple[Tick, ...]
    bands: tuple[Band, ...]
    curves: tuple[Curve, ...]


class _Scale:
    def __init__(self, begins: datetime, ends: datetime) -> None:
        self.begins = begins
        self.ends = max(ends, begins + timedelta(seconds=1))

    def x(self, at: datetime) -> float:
        inside = min(max(at, self.begins), self.ends)
        share = (inside - self.begins) / (self.ends - self.begins)
        return round(LEFT + share * (RIGHT - LEFT), 1)

    def span(self, kind: str, begins: datetime, ends: datetime) -> Span:
        x = self.x(begins)
        return Span(kind=kind, begins=begins, ends=ends, x=x, width=max(round(self.x(ends) - x, 1), SHORTEST))


def draw(entries: Sequence[Entry], readings: Sequence[Reading], now: datetime) -> Drawing:
    """The drawing of a session whose entries stand in order; an open one ends at `now`."""
    last = entries[-1]
    scale = _Scale(entries[0].at, last.at if isinstance(last.event, Closed) else max(now, last.at))
    bands = [Band(seat=None, y=TOP, spans=_phases(entries, scale))]
    for seat in _seats(entries):
        stills = tuple(scale.x(entry.at) for entry in entries if isinstance(entry.event, StillTaken))
        bands.append(
            Band(
                seat=seat,
                y=TOP + len(bands) * STEP,
                spans=_seated(entries, seat, scale),
                stills=stills if seat is Seat.CAMERA else (),
            )
        )
    bottom = TOP + len(bands) * STEP
    curves = _curves(readings, scale, bottom + 30)
    height = bottom + (len(curves) * (CHART_HEIGHT + CHART_GAP) + 20 if curves else 0) + 10
    return Drawing(
        width=RIGHT + 30,
        height=height,
        begins=scale.begins,
        ends=scale.ends,
        ticks=_ticks(scale),
        bands=tuple(bands),
        curves=curves,
    )


def _phases(entries: Iterable[Entry], scale: _Scale) -> tuple[Span, ...]:
    kinds = {Opened: "waiting", Released: "waiting", Claimed: "claimed", Connected: "served", Held: "held", Continued: "served"}
    spans: list[Span] = []
    kind, begins = "waiting", scale.begins
    for entry in entries:
        ends_here = isinstance(entry.event, Closed)
        if not ends_here and type(entry.event) not in kinds:
            continue
        if entry.at > begins:
            spans.append(scale.span(kind, begins, entry.at))
        if ends_here:
            return tuple(spans)
        kind, begins = kinds[type(entry.event)], entry.at
    return (*spans, scale.span(kind, begins, scale.ends))


def _seats(entries: Iterable[Entry]) -> tuple[Seat, ...]:
    taken = {entry.event.seat for entry in entries if isinstance(entry.event, Joined)}
    return tuple(seat for seat in Seat if seat in taken)


def _seated(entries: Iterable[Entry], seat: Seat, scale: _Scale) -> tuple[Span, ...]:
    """Where the seat was taken, with its gaps laid over."""
    seated: list[Span] = []
    gaps: list[Span] = []
    since: datetime | None = None
    lost: datetime | None = None
    for entry in entries:
        match entry.event:
            case Joined(seat=joined) if joined is seat:
                since = entry.at
            case Interrupted(seat=away, since=moment) if away is seat:
                lost = moment
            case Resumed(seat=back, gap_ms=gap_ms) if back is seat and lost is not None:
                gaps.append(scale.span("gap", lost, lost + timedelta(milliseconds=gap_ms)))
                lost = None
            case Left(seat=gone) if gone is seat and since is not None:
                seated.append(scale.span("seated", since, entry.at))
                gaps.extend([scale.span("gap", lost, entry.at)] if lost is not None else [])
                since = lost = None
            case _:
                continue
    if since is not None:
        seated.append(scale.span("seated", since, scale.ends))
    if lost is not None:
        gaps.append(scale.span("gap", lost, scale.ends))
    return (*seated, *gaps)


def _ticks(scale: _Scale) -> tuple[Tick, ...]:
    whole = (scale.ends - scale.begins).total_seconds()
    step = next((step for step in TICK_STEPS_SECONDS if whole / step <= MOST_TICKS), TICK_STEPS_SECONDS[-1])
    first = -(-int(scale.begins.timestamp()) // step) * step - scale.begins.timestamp()
    moments = (scale.begins + timedelta(seconds=first + number * step) for number in range(int(whole // step) + 1))
    return tuple(Tick(at=at, x=scale.x(at), seconds=step < 60) for at in moments if scale.begins <= at <= scale.ends)


def readings(samples: Iterable[Sample]) -> tuple[Reading, ...]:
    """Samples in words a person knows: frames, size of picture, round trip, share lost."""
    return tuple(_reading(sample) for sample in sorted(samples, key=lambda sample: sample.at))


def _reading(sample: Sample) -> Reading:
    video = next((row for row in sample.stats if row.get("type") == "inbound-rtp" and row.get("kind") == "video"), {})
    trips = [
        row[name] for row in sample.stats for name in ("currentRoundTripTime", "roundTripTime") if row.get(name) is not None
    ]
    return Reading(
        at=sample.at,
        seat=sample.seat,
        peer=sample.peer,
        frames_per_second=video.get("framesPerSecond"),
        width=video.get("frameWidth"),
        height=video.get("frameHeight"),
        round_trip_ms=round(max(trips) * 1000, 1) if trips else None,
        lost_percent=_lost(sample.stats),
    )


def _lost(stats: Iterable[dict[str, Any]]) -> float | None:
    inbound = [row for row in stats if row.get("type") == "inbound-rtp"]
    lost = sum(max(row.get("packetsLost") or 0, 0) for row in inbound)
    received = sum(row.get("packetsReceived") or 0 for row in inbound)
    return round(100 * lost / (lost + received), 1) if lost + received else None


def _curves(rows: Sequence[Reading], scale: _Scale, top: float) -> tuple[Curve, ...]:
    found: list[Curve] = []
    for seat, peer in sorted({(row.seat, row.peer) for row in rows}):
        own = [row for row in rows if (row.seat, row.peer) == (seat, peer)]
        for name in ("frames_per_second", "round_trip_ms"):
            values = [(row.at, value) for row in own if (value := getattr(row, name)) is not None]
            if values:
                found.append(_curve(name, seat, peer, values, scale, top + len(found) * (CHART_HEIGHT + CHART_GAP)))
    return tuple(found)


def _curve(name: str, seat: str, peer: str, values: Sequence[tuple[datetime, float]], scale: _Scale, top: float) -> Curve:
    highest = max(1.0, *(value for _, value in values))
    points = tuple((scale.x(at), round(top + CHART_HEIGHT * (1 - value / highest), 1)) for at, value in values)
    return Curve(name=name, seat=seat, peer=peer, points=points, highest=highest, y=top)
