"""What is offered with a seat follows the settings, in the ticket and beside it."""

from datetime import UTC, datetime

import pytest

from etapalvelu.domain.codes import Seat
from etapalvelu.seats import CallSettings, ice_for, offer_seat
from signaling import ticket
from tests.conftest import EXPERT

NOW = datetime(2026, 8, 17, 7, tzinfo=UTC)
KEY = b"k" * 32


@pytest.mark.parametrize(("relay_only", "policy"), [(False, "all"), (True, "relay")])
def test_the_policy_beside_the_ticket_is_the_one_that_signaling_enforces(relay_only: bool, policy: str) -> None:
    settings = CallSettings(ticket_key=KEY, relay_only=relay_only)

    offer = offer_seat(settings, "s1", Seat.EXPERT, EXPERT, "login", "id", NOW)

    assert offer.ice.transport_policy == policy
    assert ticket.check(offer.ticket, KEY, NOW.timestamp()).relay_only is relay_only


def test_it_is_told_how_long_the_credentials_are_good() -> None:
    with_relay = CallSettings(ticket_key=KEY, turn_urls=("stun:s", "turn:t"), turn_secret="x", turn_seconds=600)
    without = CallSettings(ticket_key=KEY, turn_urls=("stun:s",))

    assert [ice_for(settings, Seat.EXPERT, NOW).seconds for settings in (with_relay, without)] == [600, None]
