"""What may be prepared before a claim: only by whom it is waiting for, and never where only relays may be used."""

from msgspec import structs

from etapalvelu.domain.codes import ReleaseReason
from etapalvelu.seats import CallSettings
from etapalvelu.upcoming import Preparing, Upcoming
from tests.conftest import EXPERT, EXPERT2, Service
from tests.deeds import connected, has_account
from tests.signaling.samples import offer_from

OFFER = offer_from("room")
SETTINGS = CallSettings(ticket_key=b"k" * 32, turn_urls=("turn:turn.example.org",), turn_secret="secret")


def preparing(service: Service, settings: CallSettings = SETTINGS) -> Preparing:
    service.calls.offers.append(OFFER)
    return Preparing(sessions=service.sessions, calls=service.calls, settings=settings, clock=service.clock)


def what(upcoming: Upcoming) -> tuple[str | None, list[object]]:
    return upcoming.call, list(upcoming.offers)


async def test_the_session_that_take_next_would_give_is_prepared(service: Service) -> None:
    first = await service.opened()
    service.clock.advance(seconds=1)
    await service.opened(room="rantala-2")

    upcoming = await preparing(service).upcoming(EXPERT)

    assert what(upcoming) == (first.id, [OFFER])
    assert [server["urls"] for server in upcoming.ice.servers] == [["turn:turn.example.org"]]


async def test_nothing_is_prepared_where_nothing_waits(service: Service) -> None:
    assert what(await preparing(service).upcoming(EXPERT)) == (None, [])


async def test_nothing_is_given_out_before_the_claim_where_only_relays_may_be_used(service: Service) -> None:
    await service.opened()
    settings = structs.replace(SETTINGS, relay_only=True)

    upcoming = await preparing(service, settings).upcoming(EXPERT)

    assert (what(upcoming), upcoming.ice.transport_policy) == ((None, []), "relay")


async def test_a_seat_beside_a_colleague_is_not_prepared(service: Service) -> None:
    await has_account(service, EXPERT2)
    session = await connected(service)
    await service.desk.transfer(EXPERT, session, theme=None, expert=EXPERT2.account, code=ReleaseReason.CANNOT_SERVE)

    assert what(await preparing(service).upcoming(EXPERT2)) == (None, [])
