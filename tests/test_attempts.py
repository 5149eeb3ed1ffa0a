"""Who guesses is stopped: after a few failures by name or address, and after many knocks."""

import pytest
from limits import RateLimitItemPerMinute

from etapalvelu.attempts import Attempts, Knocks, address_group
from etapalvelu.domain.errors import TooManyAttemptsError


def test_who_knocks_without_a_pause_waits_for_the_next_minute() -> None:
    now = [120.0]
    knocks = Knocks(limit=2, monotonic=lambda: now[0])

    for _ in range(2):
        knocks.check("203.0.113.9")
    now[0] += 14.5
    with pytest.raises(TooManyAttemptsError) as refused:
        knocks.check("203.0.113.9")
    knocks.check("203.0.113.10")
    now[0] += 45.5
    knocks.check("203.0.113.9")

    assert refused.value.retry_after == 46


def test_failures_are_forgiven_after_their_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    attempts, now = Attempts("test", RateLimitItemPerMinute(1)), [1_000_000.0]
    monkeypatch.setattr("time.time", lambda: now[0])

    attempts.failed("somebody")
    now[0] += 45

    with pytest.raises(TooManyAttemptsError) as refused:
        attempts.check("somebody")
    attempts.check("somebody else")
    now[0] += 16
    attempts.check("somebody")
    assert refused.value.retry_after in (15, 16)


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("a socket", "unknown"),
        (None, "unknown"),
    ],
)
def test_who_is_counted_as_one_address(address: str | None, group: str) -> None:
    assert address_group(address) == group
