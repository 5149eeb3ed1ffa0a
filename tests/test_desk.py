"""The deeds on a real database: who may do what when, and what the log says of it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from etapalvelu.desk import CloseRequest, OpenRequest
from etapalvelu.domain.codes import (
    ActingFor,
    CauseClass,
    CloseCause,
    IdentifiedBy,
    Language,
    Outcome,
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
    WrongStateError,
)
from etapalvelu.domain.log import verify
from etapalvelu.domain.people import Role, Staff
from etapalvelu.domain.places import Room
from etapalvelu.domain.themes import THEMES
from etapalvelu.ports import Account, DeedKey
from signaling import ticket
from signaling.errors import RefusedError
from signaling.messages import Decoded
from signaling.messages import Seat as SeatName
from tests.conftest import ADVISOR, AGENT, EXPERT, EXPERT2, SCREEN, SUPERVISOR, Service

PENSIONS = OpenRequest(room="rantala-1", theme="pensions", language=Language.FI, reason=Reason.APPLICATION)


def key(text: str, digest: str = "d", account: str = "eero") -> DeedKey:
    return DeedKey(account=account, key=text, digest=digest, at=datetime(2026, 8, 17, 7, tzinfo=UTC))


async def has_account(service: Service, staff: Staff, *, active: bool = True) -> None:
    await service.accounts.add_account(Account(staff=staff, password_hash="-", active=active))


async def connected(service: Service) -> str:
    """A session in which everybody sits and sees each other."""
    session = await service.opened()
    for seat, who in (("room", SCREEN), ("camera", AGENT)):
        await service.attendance.joined(session.id, seat, who.actor)
    await service.desk.claim(EXPERT, session.id)
    await service.attendance.joined(session.id, "expert", EXPERT.actor)
    pair: tuple[SeatName, SeatName] = ("room", "expert")
    for seat, peer in (pair, pair[::-1]):
        note = Decoded(peer=peer, generation=1, path="host", setup_ms=120)
        await service.attendance.noted(session.id, seat, "-", note)
    return session.id


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


async def test_an_expert_closes_with_outcomes_in_one_transaction(service: Service) -> None:
    session_id = await connected(service)
    service.clock.advance(seconds=90)

    request = CloseRequest(cause=CloseCause.COMPLETED, outcomes=(Outcome.ADVISED, Outcome.ADVISED))
    session = await service.desk.close(EXPERT, session_id, request)

    assert (session.state, session.close_cause, session.outcomes) == (State.CLOSED, "completed", (Outcome.ADVISED,))
    assert (session.waiting_seconds, session.service_seconds, session.seats) == (0, 90, ())
    assert (await service.types(session_id))[-2:] == ["noted", "closed"]
    assert service.calls.asked[-1] == ("end", session_id, "completed")
    assert verify(await service.sessions.entries(session_id)) is None


async def test_a_closed_session_cannot_be_closed_again(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.close(EXPERT, session_id, CloseRequest(cause=CloseCause.COMPLETED))

    for who in (EXPERT, ADVISOR):
        with pytest.raises(WrongStateError):
            await service.desk.close(who, session_id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))


async def test_who_may_close_with_which_cause(service: Service) -> None:
    session_id = await connected(service)

    for who, cause in ((ADVISOR, CloseCause.COMPLETED), (SCREEN, CloseCause.CANCELLED), (EXPERT, CloseCause.LOST)):
        with pytest.raises(NotAllowedError):
            await service.desk.close(who, session_id, CloseRequest(cause=cause))
    session = await service.desk.close(SCREEN, session_id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))

    assert session.close_cause is CloseCause.CUSTOMER_LEFT


async def test_outcomes_stay_what_was_noted_when_somebody_else_closes(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.note(EXPERT, session_id, [Outcome.REFERRED])

    request = CloseRequest(cause=CloseCause.CANCELLED, outcomes=(Outcome.ADVISED,))
    session = await service.desk.close(ADVISOR, session_id, request)

    assert (session.close_cause, session.outcomes) == ("cancelled", (Outcome.REFERRED,))
    assert (await service.types(session_id))[-2:] == ["noted", "closed"]


async def test_a_technical_close_has_a_cause_class_and_no_other_has(service: Service) -> None:
    session_id = await connected(service)

    with pytest.raises(InvalidFieldError):
        await service.desk.close(ADVISOR, session_id, CloseRequest(cause=CloseCause.CANCELLED, cause_class=CauseClass.CAMERA))
    session = await service.desk.close(ADVISOR, session_id, CloseRequest(cause=CloseCause.TECHNICAL))

    assert session.cause_class is CauseClass.UNKNOWN


async def test_a_transfer_keeps_the_customer_until_the_new_expert_has_come(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.transfer(EXPERT, session_id, theme="pensions", expert=None, code=ReleaseReason.WRONG_THEME)

    await service.desk.claim(EXPERT2, session_id)
    await service.attendance.joined(session_id, "expert2", EXPERT2.actor)
    await service.attendance.left(session_id, "expert", EXPERT.actor, "bye")
    session = await service.session(session_id)

    assert (session.state, session.expert, session.expert_seat, session.successor) == (
        State.CONNECTED,
        "elsa",
        Seat.EXPERT2,
        None,
    )


async def test_a_transfer_names_a_theme_or_an_expert(service: Service) -> None:
    session_id = await connected(service)

    for theme, expert in ((None, None), ("pensions", "elsa"), ("taxes", None)):
        with pytest.raises(InvalidFieldError):
            await service.desk.transfer(EXPERT, session_id, theme=theme, expert=expert, code=ReleaseReason.WRONG_THEME)


async def test_a_transfer_names_somebody_who_can_come(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, ADVISOR)
    await has_account(service, EXPERT2, active=False)

    for expert in ("nobody", ADVISOR.account, EXPERT2.account):
        with pytest.raises(InvalidFieldError) as told:
            await service.desk.transfer(EXPERT, session_id, theme=None, expert=expert, code=ReleaseReason.WRONG_THEME)
        assert told.value.field == "expert"
    with pytest.raises(NotOfferedError):
        await service.desk.transfer(EXPERT, session_id, theme="restricted", expert=None, code=ReleaseReason.WRONG_THEME)

    assert "transfer_requested" not in await service.types(session_id)


async def test_an_expert_who_leaves_without_a_successor_releases_the_session(service: Service) -> None:
    session_id = await connected(service)

    await service.attendance.left(session_id, "expert", EXPERT.actor, "lost")
    session = await service.session(session_id)

    assert (session.state, session.seats) == (State.WAITING, (Seat.ROOM, Seat.CAMERA))
    assert (await service.types(session_id))[-2:] == ["left", "released"]


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


async def test_notes_holds_identification_and_the_advisors_stay_are_logged(service: Service) -> None:
    session_id = await connected(service)

    await service.desk.identify(EXPERT, session_id, IdentifiedBy.ID_CARD, ActingFor.SELF)
    await service.desk.hold(EXPERT, session_id, True)
    await service.desk.hold(EXPERT, session_id, False)
    await service.desk.advisor_present(ADVISOR, session_id, True)
    await service.desk.note(EXPERT, session_id, [Outcome.REFERRED])

    assert (await service.types(session_id))[-5:] == ["identified", "held", "continued", "advisor_stays", "noted"]
    with pytest.raises(NotAllowedError):
        await service.desk.advisor_present(EXPERT, session_id, False)
    with pytest.raises(NotAllowedError):
        await service.desk.note(ADVISOR, session_id, [])


async def test_an_advisor_whom_the_customer_sends_away_loses_the_seat(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.advisor_present(ADVISOR, session_id, True)
    await service.attendance.joined(session_id, "advisor", ADVISOR.actor)

    await service.desk.advisor_present(ADVISOR, session_id, False)

    assert service.calls.asked == [("unseat", session_id, "advisor", "advisor_leaves")]
    with pytest.raises(RefusedError, match="unseated"):
        await service.attendance.joined(session_id, "advisor", ADVISOR.actor)


async def test_after_a_hand_over_the_old_expert_leaves_and_releases_nothing(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, EXPERT2)
    await service.desk.transfer(EXPERT, session_id, theme=None, expert="elsa", code=ReleaseReason.CANNOT_SERVE)
    await service.desk.claim(EXPERT2, session_id)

    for who in (EXPERT, EXPERT2):
        with pytest.raises(WrongStateError):
            await service.desk.release(who, session_id, ReleaseReason.CANNOT_SERVE)

    session = await service.session(session_id)
    assert (session.state, session.expert, session.successor) == (State.CONNECTED, "eero", "elsa")


async def test_an_expert_cannot_hand_over_to_themselves(service: Service) -> None:
    session_id = await connected(service)
    await has_account(service, EXPERT)

    with pytest.raises(WrongStateError):
        await service.desk.transfer(EXPERT, session_id, theme=None, expert="eero", code=ReleaseReason.CANNOT_SERVE)


async def test_take_passes_over_what_was_not_asked_for(service: Service) -> None:
    await service.opened("rantala-1")
    families = await service.opened("rantala-2", theme="families")

    first, second = [await service.desk.take(EXPERT, ["families"]) for _ in range(2)]

    assert first is not None
    assert (first.id, second) == (families.id, None)


def test_the_desk_tells_its_themes(service: Service) -> None:
    assert service.desk.themes == THEMES
