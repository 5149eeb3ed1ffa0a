"""Claims, descriptions and candidates that the signaling tests share."""

import json
from pathlib import Path

from signaling.messages import (
    Candidate,
    CandidateFrom,
    Description,
    DescriptionFrom,
    IceCandidate,
    Seat,
    SessionDescription,
)
from signaling.ticket import Claims, ResumeClaims

KEY = b"k" * 32
WIRE = Path(__file__).parent.parent / "wire"
NOW = 1_790_000_000

HOST = "candidate:1 1 udp 2122260223 192.0.2.10 50400 typ host generation 0 ufrag 4ZcD"
RELAY = "candidate:2 1 udp 41885439 198.51.100.7 60123 typ relay raddr 203.0.113.9 rport 50400 generation 0"
HIDDEN_RELAY = "candidate:2 1 udp 41885439 198.51.100.7 60123 typ relay raddr 0.0.0.0 rport 9 generation 0"

SDP = "\r\n".join(
    [
        "v=0",
        "o=- 46117 2 IN IP4 192.0.2.10",
        "s=-",
        "t=0 0",
        "m=video 50400 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 192.0.2.10",
        "a=rtcp:50401 IN IP4 192.0.2.10",
        f"a={HOST}",
        f"a={RELAY}",
        "a=ice-ufrag:4ZcD",
        "a=rtpmap:96 VP8/90000",
        "m=audio 0 UDP/TLS/RTP/SAVPF 111",
        "",
    ]
)
RELAY_SDP = "\r\n".join(
    [
        "v=0",
        "o=- 46117 2 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a={HIDDEN_RELAY}",
        "a=ice-ufrag:4ZcD",
        "a=rtpmap:96 VP8/90000",
        "m=audio 0 UDP/TLS/RTP/SAVPF 111",
        "",
    ]
)


def wire(name: str) -> str:
    """The sample message of that name."""
    return (WIRE / f"{name}.json").read_text(encoding="utf-8").strip()


def same_json(one: str, other: str) -> bool:
    return bool(json.loads(one) == json.loads(other))


def claims(
    seat: Seat = "room",
    *,
    call: str = "call-1",
    login: str | None = None,
    id: str = "ticket-1",
    relay_only: bool = False,
    expires: int = NOW + 60,
) -> Claims:
    login = login or f"login-{seat}"
    return Claims(call=call, seat=seat, who=f"who:{login}", login=login, id=id, relay_only=relay_only, expires=expires)


def resume_claims(ticket: Claims, epoch: int = 1, expires: int = NOW + 43_200) -> ResumeClaims:
    return ResumeClaims(
        call=ticket.call,
        seat=ticket.seat,
        who=ticket.who,
        login=ticket.login,
        id=ticket.id,
        epoch=epoch,
        relay_only=ticket.relay_only,
        expires=expires,
    )


def offer(to: Seat, generation: int = 1, sdp: str = SDP) -> Description:
    return Description(to=to, generation=generation, description=SessionDescription(type="offer", sdp=sdp))


def answer(to: Seat, generation: int = 1) -> Description:
    return Description(to=to, generation=generation, description=SessionDescription(type="answer", sdp=SDP))


def candidate(to: Seat, generation: int = 1, text: str = HOST) -> Candidate:
    return Candidate(to=to, generation=generation, candidate=IceCandidate(candidate=text, sdp_mid="0"))


def offer_from(seat: Seat, generation: int = 1, sdp: str = SDP) -> DescriptionFrom:
    return DescriptionFrom(from_=seat, generation=generation, description=SessionDescription(type="offer", sdp=sdp))


def answer_from(seat: Seat, generation: int = 1) -> DescriptionFrom:
    return DescriptionFrom(from_=seat, generation=generation, description=SessionDescription(type="answer", sdp=SDP))


def candidate_from(seat: Seat, generation: int = 1, text: str = HOST) -> CandidateFrom:
    return CandidateFrom(from_=seat, generation=generation, candidate=IceCandidate(candidate=text, sdp_mid="0"))
