"""What somebody gets who may sit down in a call: the ticket, the ICE servers, the call's id."""

from datetime import datetime
from typing import Literal

import msgspec

from etapalvelu.domain.codes import Seat
from etapalvelu.domain.people import Person
from signaling import ticket, turn
from signaling.messages import Seat as SeatName

__all__ = ["CallSettings", "Ice", "IceTransportPolicy", "SeatName", "SeatOffer", "ice_for", "offer_seat", "seat_name"]

# W3C RTCIceTransportPolicy.
IceTransportPolicy = Literal["all", "relay"]


class Ice(msgspec.Struct, frozen=True, kw_only=True):
    """What a peer connection is configured with. `servers` are W3C RTCIceServer objects, good for `seconds`."""

    servers: list[dict[str, object]]
    seconds: int | None
    transport_policy: IceTransportPolicy


class SeatOffer(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket and what its holder needs beside it."""

    ticket: str
    ice: Ice
    call: str


class CallSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Keys and addresses that tickets and ICE servers are made of."""

    ticket_key: bytes
    turn_urls: tuple[str, ...] = ()
    turn_secret: str = ""
    turn_seconds: int = turn.CREDENTIAL_SECONDS
    relay_only: bool = False


def offer_seat(
    settings: CallSettings, call: str, seat: Seat, who: Person, login: str, ticket_id: str, now: datetime
) -> SeatOffer:
    """The offer, good for `ticket.TICKET_SECONDS` from `now`; the same arguments make the same offer."""
    claims = ticket.Claims(
        call=call,
        seat=seat_name(seat),
        who=who.actor,
        login=login,
        relay_only=settings.relay_only,
        id=ticket_id,
        expires=int(now.timestamp()) + ticket.TICKET_SECONDS,
    )
    return SeatOffer(ticket=ticket.mint(claims, settings.ticket_key), ice=ice_for(settings, seat, now), call=call)


def ice_for(settings: CallSettings, seat: Seat, now: datetime) -> Ice:
    """ICE servers with credentials that are good for `turn_seconds` from `now`; for ever where none needs any."""
    servers = turn.ice_servers(settings.turn_urls, settings.turn_secret, str(seat), int(now.timestamp()), settings.turn_seconds)
    return Ice(
        servers=turn.as_json(servers),
        seconds=settings.turn_seconds if any(server.credential for server in servers) else None,
        transport_policy="relay" if settings.relay_only else "all",
    )


def seat_name(seat: Seat) -> SeatName:
    """The seat as signaling writes it; mypy compares the two lists."""
    return seat.value
