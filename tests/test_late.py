"""Deeds that were done while the server was away: applied once with their own time, or kept beside the log as refused."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CloseCause, FollowUp, Outcome, ReleaseReason
from etapalvelu.domain.errors import (
    ConflictError,
    InvalidFieldError,
    LateReportError,
    NotAllowedError,
    RefusalError,
    WrongStateError,
)
from etapalvelu.domain.events import Closed, Noted
from etapalvelu.domain.log import verify
from etapalvelu.ports import DeedKey, RefusedReport
from tests.conftest import EXPERT, EXPERT2, Service

CLOSE = CloseRequest(cause=CloseCause.COMPLETED, outcomes=(Outcome.ADVISED,))
SAID = {"cause": "completed", "cause_class": None, "outcomes": ["advised"], "follow_up": "none"}
KEY = DeedKey(account="eero", key="k-1", digest="d", at=datetime(2026, 8, 17, 7, tzinfo=UTC))


async def claimed(service: Service) -> str:
    session = await service.opened()
    service.clock.advance(minutes=1)
    await service.desk.claim(EXPERT, session.id)
    service.clock.advance(minutes=1)
    return session.id


async def test_a_close_that_is_reported_late_has_both_times(service: Service) -> None:
    session_id = await claimed(service)
    done, reported = service.clock.now, service.clock.now + timedelta(seconds=50)
    service.clock.now = reported

    session = await service.desk.close(EXPERT, session_id, CLOSE, key=KEY, since=done)

    entries = await service.sessions.entries(session_id)
    assert [(entry.at, entry.event) for entry in entries[-2:]] == [
        (reported, Noted(outcomes=(Outcome.ADVISED,), since=done)),
        (reported, Closed(cause=CloseCause.COMPLETED, since=done)),
    ]
    assert (session.closed_at, verify(entries)) == (reported, None)
    assert await service.sessions.refused_reports(session_id) == []


async def test_a_late_report_is_applied_once_however_often_it_comes(service: Service) -> None:
    session_id = await claimed(service)
    since = service.clock.now

    told = await asyncio.gather(*(service.desk.close(EXPERT, session_id, CLOSE, key=KEY, since=since) for _ in range(3)))
    again = await service.desk.close(EXPERT, session_id, CLOSE, key=KEY)

    assert [session.closed_at for session in (*told, again)] == [since] * 4
    assert (await service.types(session_id))[-2:] == ["noted", "closed"]
    assert await service.sessions.refused_reports(session_id) == []


async def test_a_deed_that_had_been_done_after_all_is_answered_as_then(service: Service) -> None:
    session_id = await claimed(service)
    done = service.clock.now
    first = await service.desk.close(EXPERT, session_id, CLOSE, key=KEY)
    service.clock.advance(seconds=50)

    late = await service.desk.close(EXPERT, session_id, CLOSE, key=KEY, since=done)

    assert late == first
    assert (await service.sessions.entries(session_id))[-1].event == Closed(cause=CloseCause.COMPLETED)


async def test_a_note_that_is_reported_late_says_when_it_was_made(service: Service) -> None:
    session_id = await claimed(service)
    since = service.clock.now - timedelta(seconds=5)

    await service.desk.note(EXPERT, session_id, [Outcome.ADVISED], FollowUp.NEW_SESSION, key=KEY, since=since)

    noted = Noted(outcomes=(Outcome.ADVISED,), follow_up=FollowUp.NEW_SESSION, since=since)
    assert (await service.sessions.entries(session_id))[-1].event == noted


@pytest.mark.parametrize(("seconds", "reason"), [(-121, "before_opening"), (1, "after_now")])
async def test_what_cannot_have_been_done_then_is_kept_as_refused(service: Service, seconds: int, reason: str) -> None:
    session_id = await claimed(service)
    since = service.clock.now + timedelta(seconds=seconds)
    before = await service.types(session_id)

    for _ in range(2):
        with pytest.raises(ConflictError) as refusal:
            await service.desk.close(EXPERT, session_id, CLOSE, key=KEY, since=since)
        assert (refusal.value.code, refusal.value.facts) == (LateReportError.code, {"reason": reason})

    assert await service.types(session_id) == before
    assert await service.sessions.refused_reports(session_id) == [
        RefusedReport(
            session=session_id,
            at=service.clock.now,
            account="eero",
            key="k-1",
            deed="close",
            since=since,
            code=reason,
            said=SAID,
        )
    ]


async def test_a_report_to_a_closed_session_changes_nothing_and_is_kept(service: Service) -> None:
    session_id = await claimed(service)
    since = service.clock.now
    await service.desk.close(EXPERT, session_id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))
    before = await service.types(session_id)

    with pytest.raises(WrongStateError):
        await service.desk.close(EXPERT, session_id, CLOSE, key=KEY, since=since)

    assert await service.types(session_id) == before
    assert [one.code for one in await service.sessions.refused_reports(session_id)] == ["session_closed"]


async def test_a_note_to_a_session_that_went_back_to_the_queue_or_to_another_is_kept(service: Service) -> None:
    session_id = await claimed(service)
    since = service.clock.now
    refusals: list[type[RefusalError]] = []
    await service.desk.release(EXPERT, session_id, ReleaseReason.CANNOT_SERVE)
    for number in (1, 2):
        key = DeedKey(account="eero", key=f"k-{number}", digest="d", at=since)
        with pytest.raises(RefusalError) as refusal:
            await service.desk.note(EXPERT, session_id, [Outcome.ADVISED], key=key, since=since)
        refusals.append(type(refusal.value))
        if number == 1:
            await service.desk.claim(EXPERT2, session_id)

    assert refusals == [WrongStateError, NotAllowedError]
    found = await service.sessions.refused_reports(session_id)
    assert [(one.deed, one.code) for one in found] == [("note", "session_waiting"), ("note", "forbidden")]


async def test_a_late_report_needs_a_key_and_a_deed_in_time_is_never_kept(service: Service) -> None:
    session_id = await claimed(service)

    with pytest.raises(InvalidFieldError):
        await service.desk.close(EXPERT, session_id, CLOSE, since=service.clock.now)
    with pytest.raises(NotAllowedError):
        await service.desk.close(EXPERT2, session_id, CLOSE, key=KEY)

    assert await service.sessions.refused_reports(session_id) == []
