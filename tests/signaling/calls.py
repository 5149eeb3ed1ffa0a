"""Calls with seats taken, and a note of each kind."""

from collections.abc import Iterable

from signaling.call import Call
from signaling.effects import (
    Effect,
    Refuse,
    Send,
)
from signaling.messages import (
    Decoded,
    LineSecured,
    MediaInterrupted,
    MediaResumed,
    Note,
    Seat,
    StillTaken,
)
from signaling.ticket import Claims, ResumeClaims
from tests.signaling.samples import (
    claims,
)

AWAY_SECONDS = 120.0


def seated(*seats: Seat, relay_only: Iterable[Seat] = ()) -> Call:
    """A call with somebody on each of the seats."""
    call = Call(away_seconds=AWAY_SECONDS)
    for seat in seats:
        take(call, claims(seat, id=f"ticket-{seat}", relay_only=seat in relay_only))
    return call


def take(call: Call, ticket: Claims | ResumeClaims, now: float = 0.0) -> list[Effect]:
    before = call.admit(ticket, now)
    assert not any(isinstance(effect, Refuse) for effect in before), before
    return before + call.seat(ticket)


NOTES: dict[type[Note], Note] = {
    Decoded: Decoded(peer="expert", generation=1, path="host", setup_ms=150),
    StillTaken: StillTaken(sha256="a" * 64, size=5, width=3, height=4, verdict="whole_page"),
    MediaInterrupted: MediaInterrupted(peer="expert", cause="site_network", since_ms=10),
    MediaResumed: MediaResumed(peer="expert", gap_ms=10),
    LineSecured: LineSecured(peer="expert", generation=1, own="a" * 64, met="b" * 64),
}


def delivered(call: Call, seat: Seat) -> list[object]:
    effects = call.seat(claims(seat, id="fresh"))
    return [effect.message for effect in effects if isinstance(effect, Send) and effect.seat == seat]
