"""How tests come to sessions that are under way."""

from datetime import UTC, datetime

from etapalvelu.domain.people import Staff
from etapalvelu.ports import Account, DeedKey
from signaling.messages import Decoded
from signaling.messages import Seat as SeatName
from tests.conftest import AGENT, EXPERT, SCREEN, Service


def key(text: str, digest: str = "d", account: str = "eero") -> DeedKey:
    return DeedKey(account=account, key=text, digest=digest, at=datetime(2026, 8, 17, 7, tzinfo=UTC))


async def has_account(service: Service, staff: Staff, *, active: bool = True) -> None:
    await service.accounts.add_account(Account(staff=staff, password_hash="-", active=active))


async def seated(service: Service) -> str:
    """A session in which room, camera and expert sit; nobody has seen anybody yet."""
    session = await service.opened()
    for seat, who in (("room", SCREEN), ("camera", AGENT)):
        await service.attendance.joined(session.id, seat, who.actor)
    await service.desk.claim(EXPERT, session.id)
    await service.attendance.joined(session.id, "expert", EXPERT.actor)
    return session.id


async def connected(service: Service) -> str:
    """A session in which everybody sits and sees each other."""
    session_id = await seated(service)
    pair: tuple[SeatName, SeatName] = ("room", "expert")
    for seat, peer in (pair, pair[::-1]):
        note = Decoded(peer=peer, generation=1, path="host", setup_ms=120)
        await service.attendance.noted(session_id, seat, "-", note)
    return session_id
