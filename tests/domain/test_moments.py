"""Moments are written as RFC 3339 in UTC with whole milliseconds."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from etapalvelu.domain.moments import HELSINKI, timestamp, whole_ms


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 8, 17, 6, 12, 3, 250_999, tzinfo=UTC), "2026-08-17T06:12:03.250Z"),
        (datetime(2026, 8, 17, 9, 12, tzinfo=HELSINKI), "2026-08-17T06:12:00.000Z"),
        (datetime(2026, 1, 1, 1, 0, tzinfo=HELSINKI), "2025-12-31T23:00:00.000Z"),
        (datetime(2026, 10, 25, 3, 30, tzinfo=HELSINKI, fold=1), "2026-10-25T01:30:00.000Z"),
        (datetime(2026, 8, 17, 6, 12, 3, 7_000, tzinfo=timezone(timedelta(hours=-5))), "2026-08-17T11:12:03.007Z"),
    ],
)
def test_a_moment_is_written_in_utc(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text
    assert datetime.fromisoformat(text) == whole_ms(moment).astimezone(UTC)


def test_what_is_finer_than_a_millisecond_is_cut_off() -> None:
    assert whole_ms(datetime(2026, 8, 17, 6, 0, 0, 1_999, tzinfo=UTC)) == datetime(2026, 8, 17, 6, 0, 0, 1_000, tzinfo=UTC)
