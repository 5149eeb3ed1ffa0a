"""What time alone demands, on a real database."""

import asyncio
from datetime import UTC, datetime

import pytest
from structlog.testing import capture_logs

from etapalvelu.domain.codes import CloseCause, ReleaseReason, State
from etapalvelu.domain.errors import TryAgainError, WrongStateError
from etapalvelu.domain.people import Staff
from etapalvelu.domain.session import Session
from etapalvelu.ledger import Decide, Ledger
from etapalvelu.ports import QUEUE, Notices
from signaling.messages import MediaInterrupted
from tests.conftest import EXPERT, EXPERT2, SCREEN, Service
from tests.deeds import connected, has_account, key


async def test_a_claim_that_is_not_used_ends_with_its_lease(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)
    service.clock.advance(seconds=19)
    await service.timers.sweep()
    held = (await service.session(session.id)).state

    service.clock.advance(seconds=1)
    await service.timers.sweep()

    assert held is State.CLAIMED
    assert (await service.session(session.id)).state is State.WAITING
    released = (await service.sessions.entries(session.id))[-1]
    assert (released.actor, released.data) == ("system", {"expert": "eero", "reason": "lease"})


async def test_waiting_ends_when_the_theme_closes(service: Service) -> None:
    waiting = await service.opened("rantala-1")
    served = await service.opened("rantala-2")
    await service.desk.claim(EXPERT, served.id)
    await service.attendance.joined(served.id, "expert", EXPERT.actor)
    service.clock.now = datetime(2026, 8, 17, 13, 0, tzinfo=UTC)

    await service.timers.sweep()

    assert (await service.session(waiting.id)).close_cause is CloseCause.HOURS_ENDED
    assert ("end", waiting.id, "hours_ended") in service.calls.asked


async def test_a_session_that_everybody_left_ends_and_its_room_is_free_again(service: Service) -> None:
    session = await service.opened()
    await service.attendance.joined(session.id, "room", SCREEN.actor)
    service.clock.advance(minutes=30)
    await service.timers.sweep()
    waits = await service.session(session.id)
    await service.attendance.left(session.id, "room", SCREEN.actor, "lost")

    service.clock.advance(minutes=10)
    await service.timers.sweep()

    assert waits.is_open
    assert (await service.session(session.id)).close_cause is CloseCause.LOST
    assert (await service.sessions.entries(session.id))[-1].actor == "system"
    assert service.calls.asked == [("end", session.id, "lost")]
    assert (await service.opened()).state is State.WAITING


async def test_lines_that_are_not_to_be_trusted_are_kept_cut_until_the_seat_is_taken_anew(service: Service) -> None:
    session_id = await connected(service)
    await service.attendance.noted(
        session_id, "expert", EXPERT.actor, MediaInterrupted(peer="room", cause="identity", since_ms=0)
    )

    await service.timers.sweep()
    await service.timers.sweep()
    await service.attendance.resumed(session_id, "room", SCREEN.actor, 0)
    await service.timers.sweep()
    await service.timers.sweep()

    assert service.calls.asked == [("keep_apart", session_id, "expert")] * 2 + [("keep_apart", session_id)]


async def test_a_session_that_fails_keeps_no_other_waiting(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = await service.opened("rantala-1"), await service.opened("rantala-2")
    change = Ledger.change_if_true

    async def fails(ledger: Ledger, session_id: str, actor: str, decide: Decide) -> Session | None:
        if session_id == broken.id:
            raise ZeroDivisionError
        return await change(ledger, session_id, actor, decide)

    monkeypatch.setattr(Ledger, "change_if_true", fails)
    service.clock.advance(minutes=10)
    with capture_logs() as lines:
        await service.timers.sweep()

    assert [(line["event"], line["session"]) for line in lines] == [("session_not_swept", broken.id)]
    assert not (await service.session(sound.id)).is_open


async def test_a_database_that_is_away_ends_the_round(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def away(_ledger: Ledger, session_id: str, _actor: str, _decide: Decide) -> None:
        asked.append(session_id)
        raise TryAgainError

    for room in ("rantala-1", "rantala-2"):
        await service.opened(room)
    monkeypatch.setattr(Ledger, "change_if_true", away)
    service.clock.advance(minutes=10)

    with pytest.raises(TryAgainError):
        await service.timers.sweep()
    assert len(asked) == 1


async def test_a_key_is_forgotten_after_a_day(service: Service) -> None:
    session = await service.opened()
    first = await service.desk.claim(EXPERT, session.id, key=key("a"))

    service.clock.advance(hours=24)
    await service.timers.forget_keys()
    within_the_day = await service.desk.claim(EXPERT, session.id, key=key("a"))
    service.clock.advance(seconds=1)
    await service.timers.forget_keys()

    assert within_the_day == first
    with pytest.raises(WrongStateError):
        await service.desk.claim(EXPERT, session.id, key=key("a"))


async def test_a_customer_whose_new_expert_never_comes_goes_back_to_the_queue(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, EXPERT2)
    await service.desk.transfer(EXPERT, session_id, theme=None, expert="elsa", code=ReleaseReason.CANNOT_SERVE)
    await service.desk.claim(EXPERT2, session_id)
    await service.attendance.left(session_id, "expert", EXPERT.actor, "bye")
    service.clock.advance(seconds=20)

    await service.timers.sweep()

    released = (await service.sessions.entries(session_id))[-1]
    assert (released.type, released.data) == ("released", {"expert": "elsa", "reason": "lease"})
    assert (await service.session(session_id)).state is State.WAITING


async def seated(service: Service, session_id: str, expert: Staff = EXPERT) -> None:
    """The expert took the session and sits in it; nobody sees anybody yet."""
    await service.desk.claim(expert, session_id)
    await service.attendance.joined(session_id, "expert", expert.actor)


async def test_a_call_without_a_picture_goes_back_to_the_queue_once_and_then_ends_as_a_fault(service: Service) -> None:
    session = await service.opened()
    await service.attendance.joined(session.id, "room", SCREEN.actor)
    await seated(service, session.id)
    service.clock.advance(seconds=59)
    await service.timers.sweep()
    tried = (await service.session(session.id)).state
    service.clock.advance(seconds=1)
    await service.timers.sweep()
    released = (await service.sessions.entries(session.id))[-1]
    await seated(service, session.id, EXPERT2)

    service.clock.advance(seconds=60)
    await service.timers.sweep()

    assert tried is State.CLAIMED
    assert (released.type, released.data) == ("released", {"expert": "eero", "reason": "expert_lost"})
    closed = (await service.sessions.entries(session.id))[-1]
    assert (closed.actor, closed.data) == ("system", {"cause": "technical", "cause_class": "unknown"})
    assert service.calls.asked[-1] == ("end", session.id, "technical")


async def test_pages_are_told_once_that_picture_and_sound_take_long(service: Service) -> None:
    session = await service.opened()
    await seated(service, session.id)
    service.clock.advance(seconds=29)
    async with service.board.listen({QUEUE}) as notices:
        await service.timers.sweep()
        too_early = (await heard(notices), service.timers.is_slow(await service.session(session.id)))
        service.clock.advance(seconds=1)

        await service.timers.sweep()
        in_time = (await heard(notices), service.timers.is_slow(await service.session(session.id)))
        await service.timers.sweep()
        again = await heard(notices)

    assert (too_early, in_time, again) == ((False, False), (True, True), False)


async def heard(notices: Notices) -> bool:
    try:
        async with asyncio.timeout(0.02):
            await notices.wait()
    except TimeoutError:
        return False
    return True
