"""What happens in a call, as the log tells it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from etapalvelu.attendance import SessionAttendance
from etapalvelu.desk import CloseRequest
from etapalvelu.domain.codes import CloseCause, DocumentCamera, ReleaseReason, Seat, State
from etapalvelu.domain.people import Person
from etapalvelu.ports import Sample
from signaling.errors import RefusedError
from signaling.messages import Decoded, LineSecured, MediaInterrupted, MediaResumed, Quality, Stats, StillTaken
from signaling.messages import Seat as SeatName
from tests.conftest import ADVISOR, AGENT, EXPERT, EXPERT2, SCREEN, Service
from tests.deeds import seated

STILL = StillTaken(sha256="ab" * 32, size=1_900_000, width=3840, height=2160, verdict="readable")


async def last(service: Service, session_id: str) -> tuple[str, str, dict[str, object]]:
    entry = (await service.sessions.entries(session_id))[-1]
    return entry.type, entry.actor, entry.data


async def connected(service: Service) -> str:
    session_id = await seated(service)
    await service.attendance.noted(session_id, "room", "-", Decoded(peer="expert", generation=1, path="host", setup_ms=90))
    await service.attendance.noted(session_id, "expert", "-", Decoded(peer="room", generation=1, path="relay", setup_ms=120))
    return session_id


async def test_a_first_seating_is_logged_with_who_it_was(service: Service) -> None:
    session = await service.opened()

    await service.attendance.joined(session.id, "room", SCREEN.actor)

    assert await last(service, session.id) == ("joined", "device:rantala-1", {"seat": "room"})


async def test_only_the_sessions_expert_sits_in_the_experts_seat(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)

    with pytest.raises(RefusedError, match="released"):
        await service.attendance.joined(session.id, "expert", EXPERT2.actor)

    assert await service.types(session.id) == ["opened", "claimed"]


async def test_a_seat_that_the_rules_do_not_give_is_refused(service: Service) -> None:
    session = await service.opened()
    await service.desk.claim(EXPERT, session.id)

    with pytest.raises(RefusedError, match="call_over"):
        await service.attendance.joined(session.id, "expert2", EXPERT.actor)


async def test_a_connection_is_as_slow_as_its_slower_side_and_goes_the_experts_path(service: Service) -> None:
    session_id = await connected(service)

    assert await last(service, session_id) == ("connected", "system", {"path": "relay", "setup_ms": 120})


async def test_both_ends_of_a_line_are_logged_as_they_say(service: Service) -> None:
    session_id = await connected(service)
    ends = LineSecured(peer="room", generation=1, own="b" * 64, met="a" * 64)

    for _ in range(2):
        await service.attendance.noted(session_id, "expert", EXPERT.actor, ends)

    said = {"seat": "expert", "peer": "room", "generation": 1, "own": "b" * 64, "met": "a" * 64}
    assert await last(service, session_id) == ("secured", EXPERT.actor, said)
    assert (await service.types(session_id)).count("secured") == 1


async def test_two_words_that_cannot_be_of_one_line_are_a_stranger_between(service: Service) -> None:
    session_id = await connected(service)
    room = LineSecured(peer="expert", generation=1, own="a" * 64, met="c" * 64)
    expert = LineSecured(peer="room", generation=1, own="b" * 64, met="d" * 64)

    await service.attendance.noted(session_id, "room", SCREEN.actor, room)
    await service.attendance.noted(session_id, "expert", EXPERT.actor, expert)

    since = "2026-08-17T07:00:00.000Z"
    assert await last(service, session_id) == (
        "interrupted",
        EXPERT.actor,
        {"seat": "room", "cause_class": "identity", "since": since},
    )
    assert (await service.session(session_id)).distrusted == (Seat.ROOM,)


async def test_a_stranger_whom_both_ends_find_is_logged_once_even_by_one_whose_own_media_are_lost(service: Service) -> None:
    session_id = await connected(service)
    lost = MediaInterrupted(peer="expert", cause="unknown", since_ms=4000)
    await service.attendance.noted(session_id, "room", SCREEN.actor, lost)

    for _ in range(2):
        room = MediaInterrupted(peer="room", cause="identity", since_ms=0)
        await service.attendance.noted(session_id, "expert", EXPERT.actor, room)
        await service.attendance.noted(session_id, "room", SCREEN.actor, replace(room, peer="expert"))

    assert (await service.types(session_id)).count("interrupted") == 2
    assert (await service.session(session_id)).distrusted == (Seat.ROOM,)


async def test_word_of_an_earlier_claim_connects_nothing(service: Service) -> None:
    session_id = await seated(service)
    await service.attendance.noted(session_id, "room", "-", Decoded(peer="expert", generation=1, path="host", setup_ms=90))
    await service.desk.release(EXPERT, session_id, ReleaseReason.CANNOT_SERVE)
    service.clock.advance(seconds=1)
    await service.desk.claim(EXPERT, session_id)
    await service.attendance.joined(session_id, "expert", EXPERT.actor)

    await service.attendance.noted(session_id, "expert", "-", Decoded(peer="room", generation=1, path="host", setup_ms=90))

    assert (await service.session(session_id)).state is State.CLAIMED


async def test_word_about_a_session_that_nobody_claimed_or_that_is_not_there_is_dropped(service: Service) -> None:
    session = await service.opened()
    word = Decoded(peer="expert", generation=1, path="host", setup_ms=90)

    await service.attendance.noted(session.id, "room", "-", word)
    await service.attendance.noted("nowhere", "room", "-", word)

    assert await service.types(session.id) == ["opened"]


async def test_who_says_good_bye_left_by_themselves_and_who_is_lost_did_not(service: Service) -> None:
    session_id = await connected(service)

    await service.attendance.left(session_id, "camera", AGENT.actor, "lost")
    lost = await last(service, session_id)
    await service.attendance.left(session_id, "room", SCREEN.actor, "bye")

    assert lost == ("left", "system", {"seat": "camera"})
    assert await last(service, session_id) == ("left", "device:rantala-1", {"seat": "room"})


async def test_leaving_twice_is_leaving_once(service: Service) -> None:
    session_id = await connected(service)
    await service.attendance.left(session_id, "camera", AGENT.actor, "bye")
    before = await service.types(session_id)

    await service.attendance.left(session_id, "camera", AGENT.actor, "bye")
    await service.attendance.left("nowhere", "camera", AGENT.actor, "bye")

    assert await service.types(session_id) == before


async def test_a_successor_who_leaves_again_takes_nothing_away(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.transfer(EXPERT, session_id, theme="pensions", expert=None, code=ReleaseReason.WRONG_THEME)
    await service.desk.claim(EXPERT2, session_id)
    await service.attendance.joined(session_id, "expert2", EXPERT2.actor)

    await service.attendance.left(session_id, "expert2", EXPERT2.actor, "bye")

    session = await service.session(session_id)
    assert (session.state, session.expert, session.successor) == (State.CONNECTED, "eero", None)


async def test_an_interruption_began_when_it_began_and_within_the_session(service: Service) -> None:
    session_id = await connected(service)
    service.clock.advance(seconds=60)
    since = service.clock.now - timedelta(seconds=20)

    await service.attendance.interrupted(session_id, "room", SCREEN.actor, since)
    first = await last(service, session_id)
    await service.attendance.resumed(session_id, "room", SCREEN.actor, -5)
    resumed = await last(service, session_id)
    await service.attendance.interrupted(session_id, "expert", EXPERT.actor, since - timedelta(days=1))

    assert first == (
        "interrupted",
        "system",
        {"seat": "room", "cause_class": "site_network", "since": "2026-08-17T07:00:40.000Z"},
    )
    assert resumed == ("resumed", "system", {"seat": "room", "gap_ms": 0})
    assert await last(service, session_id) == (
        "interrupted",
        "system",
        {"seat": "expert", "cause_class": "expert_side", "since": "2026-08-17T07:00:00.000Z"},
    )


@pytest.mark.parametrize(("cause", "cause_class"), [("document_camera", "document_camera"), ("gremlins", "server")])
async def test_lost_media_is_logged_with_its_cause_as_its_witness_saw_it(
    service: Service, cause: str, cause_class: str
) -> None:
    """A word nobody knows leaves it to the service: all are heard, and only its relay stands between them."""
    session_id = await connected(service)
    service.clock.advance(seconds=10)

    await service.attendance.noted(
        session_id, "expert", EXPERT.actor, MediaInterrupted(peer="camera", cause=cause, since_ms=2500)
    )
    lost = await last(service, session_id)
    await service.attendance.noted(session_id, "expert", EXPERT.actor, MediaResumed(peer="camera", gap_ms=4000))

    assert lost == (
        "interrupted",
        "staff:eero",
        {"seat": "camera", "cause_class": cause_class, "since": "2026-08-17T07:00:07.500Z"},
    )
    assert await last(service, session_id) == ("resumed", "staff:eero", {"seat": "camera", "gap_ms": 4000})


async def test_one_gap_seen_from_both_ends_is_logged_once(service: Service) -> None:
    session_id = await connected(service)
    before = len(await service.types(session_id))
    service.clock.advance(seconds=10)

    told: tuple[tuple[SeatName, Person, SeatName], ...] = (
        ("expert", EXPERT, "room"),
        ("room", SCREEN, "expert"),
        ("room", SCREEN, "camera"),
    )
    for seat, who, peer in told:
        note = MediaInterrupted(peer=peer, cause="site_network", since_ms=3500)
        await service.attendance.noted(session_id, seat, who.actor, note)
    for seat, who, peer in (told[1], told[0]):
        await service.attendance.noted(session_id, seat, who.actor, MediaResumed(peer=peer, gap_ms=4000))

    entries = (await service.sessions.entries(session_id))[before:]
    assert [(entry.type, entry.data["seat"]) for entry in entries] == [("interrupted", "room"), ("resumed", "room")]


async def test_whose_socket_fell_silent_is_the_cause_of_a_gap(service: Service) -> None:
    session_id = await connected(service)
    asked: list[tuple[str, float]] = []

    def unheard(call: str, seconds: float) -> list[str]:
        asked.append((call, seconds))
        return ["expert"]

    attendance = SessionAttendance(service.ledger, service.sessions, service.clock, unheard)
    await attendance.noted(session_id, "room", SCREEN.actor, MediaInterrupted(peer="expert", cause="unknown", since_ms=0))

    assert (await last(service, session_id))[2]["cause_class"] == "expert_side"
    assert asked == [(session_id, 0.0)]


async def test_a_camera_that_sees_again_mends_no_line(service: Service) -> None:
    """Nor does it change anything where it does not sit, or where it was never lost."""
    session_id = await connected(service)
    await service.attendance.camera_is("rantala-1", DocumentCamera.OK)
    lost = MediaInterrupted(peer="camera", cause="site_network", since_ms=0)
    await service.attendance.noted(session_id, "expert", EXPERT.actor, lost)
    before = await service.types(session_id)

    await service.attendance.camera_is("rantala-1", DocumentCamera.OK)
    await service.attendance.camera_is("rantala-1", DocumentCamera.LOST)
    await service.attendance.camera_is("rantala-2", DocumentCamera.LOST)

    assert (before[-1], await service.types(session_id)) == ("interrupted", before)


async def test_what_does_not_fit_any_more_is_dropped(service: Service) -> None:
    session_id = await connected(service)
    await service.desk.close(ADVISOR, session_id, CloseRequest(cause=CloseCause.CUSTOMER_LEFT))
    before = await service.types(session_id)

    await service.attendance.left(session_id, "room", SCREEN.actor, "bye")
    await service.attendance.interrupted(session_id, "room", SCREEN.actor, service.clock.now)
    await service.attendance.resumed(session_id, "room", SCREEN.actor, 5)
    await service.attendance.noted(session_id, "camera", AGENT.actor, STILL)

    assert await service.types(session_id) == before


@pytest.mark.parametrize("raw", [None, "cd" * 32])
async def test_a_still_is_logged_as_the_camera_noted_it(service: Service, raw: str | None) -> None:
    session_id = await connected(service)

    await service.attendance.noted(session_id, "camera", AGENT.actor, replace(STILL, raw_sha256=raw))

    assert await last(service, session_id) == (
        "still_taken",
        "device:rantala-1",
        {"sha256": "ab" * 32, "size": 1_900_000, "width": 3840, "height": 2160, "verdict": "readable", "raw_sha256": raw},
    )


async def test_a_seat_that_nobody_came_back_to_is_given_up_at_the_second_look(service: Service) -> None:
    session_id = await connected(service)
    back = {session_id: {"room", "camera"}}

    await service.attendance.give_up_missing(back.__getitem__)
    after_one = (await service.session(session_id)).state
    await service.attendance.give_up_missing(back.__getitem__)

    assert after_one is State.CONNECTED
    assert (await service.types(session_id))[-2:] == ["left", "released"]
    assert (await service.session(session_id)).seats == (Seat.ROOM, Seat.CAMERA)


async def test_a_seat_that_is_taken_again_between_two_looks_stays(service: Service) -> None:
    session_id = await connected(service)
    before = await service.types(session_id)

    for present in ({"room", "camera"}, {"room", "camera", "expert"}, {"room", "expert"}):
        await service.attendance.give_up_missing({session_id: present}.__getitem__)

    assert await service.types(session_id) == before


async def test_line_statistics_are_kept_beside_the_log(service: Service) -> None:
    session_id = await connected(service)
    before = await service.types(session_id)

    quality = Quality(peer="room", generation=1, stats=(Stats(type="inbound-rtp", kind="video", frames_per_second=24.5),))
    await service.attendance.sampled(session_id, "expert", EXPERT.actor, quality)

    assert await service.types(session_id) == before
    assert await service.sessions.samples(session_id) == [
        Sample(
            session=session_id,
            at=service.clock.now,
            seat="expert",
            peer="room",
            stats=[{"type": "inbound-rtp", "kind": "video", "framesPerSecond": 24.5}],
        )
    ]


async def test_the_camera_and_the_room_may_sit_down_while_the_session_waits(service: Service) -> None:
    session = await service.opened()

    for seat, who in (("camera", AGENT), ("room", SCREEN)):
        await service.attendance.joined(session.id, seat, who.actor)

    assert (await service.session(session.id)).seats == (Seat.CAMERA, Seat.ROOM)
