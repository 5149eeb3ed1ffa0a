"""What a call wants done, as data; the endpoint carries effects out in the order they are given."""

from dataclasses import dataclass

from signaling.messages import FromServer, Note, Present, Quality, Seat


@dataclass(frozen=True, kw_only=True)
class Send:
    """Put the message into the seat's outbox."""

    seat: Seat
    message: FromServer


@dataclass(frozen=True, kw_only=True)
class Seated:
    """The asking socket is now the seat's; it is welcomed. An older socket of the seat is told `replaced`."""

    seat: Seat
    epoch: int
    present: tuple[Present, ...]


@dataclass(frozen=True, kw_only=True)
class Refuse:
    """Tell the asking socket why, and close it."""

    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Drop:
    """Tell the seat's socket why, and close it."""

    seat: Seat
    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class HangUp:
    """Close the seat's socket; nothing went wrong."""

    seat: Seat


@dataclass(frozen=True, kw_only=True)
class Joined:
    """Attendance: somebody sits down for the first time; may be refused."""

    seat: Seat
    who: str


@dataclass(frozen=True, kw_only=True)
class Left:
    """Attendance: the seat was given up for good."""

    seat: Seat
    who: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Interrupted:
    """Attendance: the seat was away, from `gap_ms` ago until now."""

    seat: Seat
    who: str
    gap_ms: int


@dataclass(frozen=True, kw_only=True)
class Resumed:
    """Attendance: the seat is back after `gap_ms`."""

    seat: Seat
    who: str
    gap_ms: int


@dataclass(frozen=True, kw_only=True)
class NoteMade:
    """Attendance: a seat has something for the log."""

    seat: Seat
    who: str
    note: Note


@dataclass(frozen=True, kw_only=True)
class QualitySampled:
    """Attendance: a seat sent a summary of its line."""

    seat: Seat
    who: str
    quality: Quality


Effect = Send | Seated | Refuse | Drop | HangUp | Joined | Left | Interrupted | Resumed | NoteMade | QualitySampled
