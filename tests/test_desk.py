"""The deeds on a real database: who may open, take and release when, and that a deed done twice is done once."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock

import pytest

from etapalvelu.desk import CloseRequest, OpenRequest
from etapalvelu.domain.codes import (
    CloseCause,
    Language,
    Reason,
    ReleaseReason,
    Seat,
    State,
)
from etapalvelu.domain.errors import (
    AlreadyTakenError,
    ConflictError,
    InvalidFieldError,
    KeyReusedError,
    NotAllowedError,
    NotFoundError,
    NotOfferedError,
    OutsideHoursError,
    RoomInUseError,
    RoomNotFitError,
    TryAgainError,
    WrongStateError,
)
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.places import Room
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import THEMES
from signaling import ticket
from signaling.errors import RefusedError
from signaling.messages import Decoded
from tests.conftest import ADVISOR, AGENT, EXPERT, EXPERT2, SCREEN, SUPERVISOR, Service
from tests.deeds import connected, key

PENSIONS = OpenRequest(room="rantala-1", theme="pensions", language=Language.FI, reason=Reason.APPLICATION)


async def test_an_advisor_opens_a_session_that_waits(service: Service) -> None:
    session = await service.desk.open(ADVISOR, PENSIONS)

    assert (session.state, session.room, session.advisor, session.seq) == (State.WAITING, "rantala-1", "aino", 1)
    assert await service.session(session.id) == session


async def test_a_room_serves_one_customer_at_a_time(service: Service) -> None:
    first = await service.desk.open(ADVISOR, PENSIONS)

    with pytest.raises(RoomInUseError):
        await service.desk.open(ADVISOR, PENSIONS)

    await service.desk.close(ADVISOR, first.id, CloseRequest(cause=CloseCause.CANCELLED))
    assert (await service.desk.open(ADVISOR, PENSIONS)).state is State.WAITING


@pytest.mark.parametrize(
    ("now", "opens_at"),
    [
        (datetime(2026, 8, 17, 5, 59, tzinfo=UTC), "2026-08-17T06:00:00.000Z"),
        (datetime(2026, 8, 17, 13, 0, tzinfo=UTC), "2026-08-18T06:00:00.000Z"),
        (datetime(2026, 8, 22, 9, 0, tzinfo=UTC), "2026-08-24T06:00:00.000Z"),
        (datetime(2026, 1, 5, 9, 0, tzinfo=UTC), "2026-08-03T06:00:00.000Z"),
    ],
)
async def test_outside_hours_the_refusal_says_when_it_can_be_opened(service: Service, now: datetime, opens_at: str) -> None:
    service.clock.now = now

    with pytest.raises(OutsideHoursError) as refusal:
        await service.desk.open(ADVISOR, PENSIONS)

    assert refusal.value.facts == {"opens_at": opens_at}


async def test_non_disclosure_has_no_line_of_its_own_yet(service: Service) -> None:
    with pytest.raises(NotOfferedError):
        await service.opened(theme="restricted")


@pytest.mark.parametrize(("room", "theme", "field"), [("cellar", "pensions", "room"), ("rantala-1", "taxes", "theme")])
async def test_an_unknown_room_or_theme_is_named(service: Service, room: str, theme: str, field: str) -> None:
    with pytest.raises(InvalidFieldError) as refusal:
        await service.opened(room=room, theme=theme)

    assert refusal.value.field == field


async def test_a_room_that_is_not_fit_yet_cannot_be_used(service: Service) -> None:
    await service.places.add_room(Room(id="cold", name="Kylmä", point="rantala", fit_from=date(2026, 9, 1)))

    with pytest.raises(RoomNotFitError) as refusal:
        await service.opened(room="cold")

    assert refusal.value.facts == {"room": "cold", "fit_from": "2026-09-01"}


async def test_an_advisor_of_another_point_cannot_use_the_room(service: Service) -> None:
    stranger = Staff(account="veera", role=Role.ADVISOR, point="elsewhere")

    with pytest.raises(InvalidFieldError):
        await service.desk.open(stranger, PENSIONS)


async def test_only_advisors_open(service: Service) -> None:
    with pytest.raises(NotAllowedError):
        await service.desk.open(EXPERT, PENSIONS)


async def test_take_gives_the_oldest_that_the_expert_serves(service: Service) -> None:
    await service.opened("rantala-1", theme="sickness")
    second = await service.opened("rantala-2")
    service.clock.advance(seconds=5)
    third = await service.opened("rantala-3")

    first_taken = await service.desk.take(EXPERT, None)
    second_taken = await service.desk.take(EXPERT, ["pensions"])
    nothing = await service.desk.take(EXPERT, None)

    assert first_taken is not None
    assert second_taken is not None
    assert (first_taken.id, second_taken.id, nothing) == (second.id, third.id, None)
    assert (first_taken.state, first_taken.expert, first_taken.claimed_at) == (
        State.CLAIMED,
        "eero",
        service.clock.now - timedelta(seconds=0),
    )


async def test_experts_who_take_in_the_same_moment_claim_no_session_twice(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each tries one session, not all those before it in vain: with hundreds of experts that would be a storm of writing."""
    waiting = [await service.opened(f"rantala-{number}") for number in (1, 2, 3)]
    tried, change = list[str](), service.ledger.change

    async def counted(session: Session | str, *about: Any) -> Session:
        tried.append(session if isinstance(session, str) else session.id)
        return await change(session, *about)

    monkeypatch.setattr(service.ledger, "change", counted)
    experts = [Staff(account=f"e{n}", role=Role.EXPERT, themes=EXPERT.themes, languages=EXPERT.languages) for n in range(5)]

    taken = await asyncio.gather(*(service.desk.take(expert, None) for expert in experts))

    assert sorted(tried) == sorted(session.id for session in waiting)
    assert {session.id for session in taken if session} == {session.id for session in waiting}
    assert [taken.count(None), len({session.expert for session in taken if session})] == [2, 3]


async def test_a_session_that_was_not_taken_after_all_is_there_for_the_next(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await service.opened()
    with monkeypatch.context() as away:
        away.setattr(service.sessions, "save", AsyncMock(side_effect=TryAgainError))
        with pytest.raises(TryAgainError):
            await service.desk.take(EXPERT, None)

    taken = await service.desk.take(EXPERT, None)

    assert taken is not None
    assert taken.id == session.id


async def test_take_of_an_unknown_theme_names_the_field(service: Service) -> None:
    with pytest.raises(InvalidFieldError):
        await service.desk.take(EXPERT, ["taxes"])


async def test_only_experts_take(service: Service) -> None:
    with pytest.raises(NotAllowedError):
        await service.desk.take(ADVISOR, None)


async def test_of_two_experts_one_hears_already_taken(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)

    with pytest.raises(AlreadyTakenError):
        await service.desk.claim(EXPERT2, session.id)
    with pytest.raises(WrongStateError):
        await service.desk.claim(EXPERT, session.id)


async def test_an_expert_of_other_themes_knows_nothing_of_the_session(service: Service) -> None:
    session = await service.opened(theme="families")

    with pytest.raises(NotFoundError):
        await service.desk.claim(EXPERT2, session.id)


async def test_a_supervisor_knows_but_does_no_deeds(service: Service) -> None:
    session = await service.opened()

    with pytest.raises(NotAllowedError):
        await service.desk.claim(SUPERVISOR, session.id)
    with pytest.raises(NotAllowedError):
        await service.desk.close(SUPERVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))


async def test_a_released_session_keeps_its_place(service: Service) -> None:
    first = await service.opened("rantala-1")
    service.clock.advance(seconds=5)
    await service.opened("rantala-2")
    await service.desk.claim(EXPERT, first.id)

    released = await service.desk.release(EXPERT, first.id, ReleaseReason.WRONG_THEME)
    taken = await service.desk.take(EXPERT2, None)

    assert (released.state, released.expert, released.claimed_at) == (State.WAITING, None, None)
    assert taken is not None
    assert taken.id == first.id
    assert ("unseat", first.id, "expert", "released", EXPERT.actor) in service.calls.asked


async def test_the_room_hears_of_a_claim_whichever_way_it_was_made_and_once(service: Service) -> None:
    first = await service.opened("rantala-1")
    service.clock.advance(seconds=1)
    second = await service.opened("rantala-2")

    await service.desk.take(EXPERT, None, key=key("take"))
    await service.desk.take(EXPERT, None, key=key("take"))
    await service.desk.claim(EXPERT2, second.id)
    with pytest.raises(AlreadyTakenError):
        await service.desk.claim(EXPERT, second.id)

    assert service.calls.promised == [(first.id, "expert", EXPERT.actor), (second.id, "expert", EXPERT2.actor)]


async def test_a_repeated_release_does_not_unseat_the_next_expert(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)
    reason = ReleaseReason.CANNOT_SERVE
    await service.desk.release(EXPERT, session.id, reason, key=key("k"))
    await service.desk.claim(EXPERT2, session.id)
    service.calls.asked.clear()

    repeated = await service.desk.release(EXPERT, session.id, reason, key=key("k"))

    assert (repeated.state, service.calls.asked) == (State.WAITING, [])


async def test_release_takes_only_a_persons_reasons(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)

    with pytest.raises(InvalidFieldError):
        await service.desk.release(EXPERT, session.id, ReleaseReason.LEASE)


async def test_both_sides_word_makes_it_connected(service: Service) -> None:
    session_id = await connected(service)

    session = await service.session(session_id)
    assert (session.state, session.path, session.connected_at) == (State.CONNECTED, "host", service.clock.now)
    assert await service.types(session_id) == ["opened", "joined", "joined", "claimed", "joined", "connected"]


async def test_one_sides_word_is_not_enough_and_generations_must_agree(service: Service) -> None:
    session = await service.opened()
    await service.attendance.joined(session.id, "room", SCREEN.actor)
    await service.desk.claim(EXPERT, session.id)
    await service.attendance.joined(session.id, "expert", EXPERT.actor)

    await service.attendance.noted(session.id, "room", "-", Decoded(peer="expert", generation=1, path="host", setup_ms=1))
    await service.attendance.noted(session.id, "expert", "-", Decoded(peer="room", generation=2, path="host", setup_ms=1))
    await service.attendance.noted(session.id, "expert", "-", Decoded(peer="camera", generation=1, path="host", setup_ms=1))
    still_claimed = (await service.session(session.id)).state
    await service.attendance.noted(session.id, "room", "-", Decoded(peer="expert", generation=2, path="host", setup_ms=9))

    assert still_claimed is State.CLAIMED
    assert (await service.session(session.id)).state is State.CONNECTED


async def test_a_reload_never_joins_twice(service: Service) -> None:
    session_id = await connected(service)
    before = await service.types(session_id)

    await service.attendance.joined(session_id, "room", SCREEN.actor)
    await service.attendance.interrupted(session_id, "room", SCREEN.actor, service.clock.now)
    await service.attendance.resumed(session_id, "room", SCREEN.actor, 800)

    assert await service.types(session_id) == [*before, "interrupted", "resumed"]


async def test_nobody_sits_down_in_a_closed_or_released_session(service: Service) -> None:
    session = await service.opened()
    with pytest.raises(RefusedError, match="released"):
        await service.attendance.joined(session.id, "expert", EXPERT.actor)
    await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))

    for session_id in (session.id, "no-such-session"):
        with pytest.raises(RefusedError, match="call_over"):
            await service.attendance.joined(session_id, "room", SCREEN.actor)


async def test_a_repeated_deed_answers_as_the_first_time(service: Service) -> None:
    session = await service.opened()

    first = await service.desk.claim(EXPERT, session.id, key=key("a"))
    await service.desk.release(EXPERT, session.id, ReleaseReason.CANNOT_SERVE)
    again = await service.desk.claim(EXPERT, session.id, key=key("a"))

    assert again == first
    assert (await service.session(session.id)).state is State.WAITING
    with pytest.raises(KeyReusedError):
        await service.desk.claim(EXPERT, session.id, key=key("a", digest="other"))


async def test_a_refusal_is_repeated_too(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)
    with pytest.raises(AlreadyTakenError):
        await service.desk.claim(EXPERT2, session.id, key=key("b"))
    await service.desk.release(EXPERT, session.id, ReleaseReason.CANNOT_SERVE)

    with pytest.raises(ConflictError) as refusal:
        await service.desk.claim(EXPERT2, session.id, key=key("b"))

    assert refusal.value.code == "already_taken"


async def test_taking_nothing_is_repeated_too(service: Service) -> None:
    assert await service.desk.take(EXPERT, None, key=key("c")) is None
    await service.opened()

    assert await service.desk.take(EXPERT, None, key=key("c")) is None
    assert await service.desk.take(EXPERT, None, key=key("d")) is not None


async def test_the_ticket_of_a_claim_is_the_same_every_time(service: Service) -> None:
    await service.opened()
    session = await service.desk.take(EXPERT, None)
    assert session is not None

    offer = service.desk.ticket_of_claim(EXPERT, "login-1", session)

    assert offer == service.desk.ticket_of_claim(EXPERT, "login-1", session)
    claims = ticket.check(offer.ticket, b"k" * 32, service.clock.now.timestamp())
    assert (claims.call, claims.seat, claims.who, claims.login) == (session.id, "expert", "staff:eero", "login-1")


async def test_tickets_go_to_those_who_may_sit_there(service: Service) -> None:
    session = await service.opened()

    offers = [
        await service.desk.ticket(SCREEN, "s", session.id, Seat.ROOM),
        await service.desk.ticket(AGENT, "a", session.id, Seat.CAMERA),
    ]
    for who, seat in ((SCREEN, Seat.CAMERA), (ADVISOR, Seat.ADVISOR), (SUPERVISOR, Seat.ROOM), (EXPERT, Seat.EXPERT)):
        with pytest.raises(NotAllowedError):
            await service.desk.ticket(who, "x", session.id, seat)

    assert [offer.call for offer in offers] == [session.id, session.id]


async def test_no_ticket_to_a_closed_session(service: Service) -> None:
    session = await service.opened()
    await service.desk.close(ADVISOR, session.id, CloseRequest(cause=CloseCause.CANCELLED))

    with pytest.raises(WrongStateError):
        await service.desk.ticket(SCREEN, "s", session.id, Seat.ROOM)


async def test_take_passes_over_what_was_not_asked_for(service: Service) -> None:
    await service.opened("rantala-1")
    families = await service.opened("rantala-2", theme="families")

    first, second = [await service.desk.take(EXPERT, ["families"]) for _ in range(2)]

    assert first is not None
    assert (first.id, second) == (families.id, None)


def test_the_desk_tells_its_themes(service: Service) -> None:
    assert service.desk.themes == THEMES
