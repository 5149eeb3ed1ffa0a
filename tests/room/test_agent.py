import hashlib
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from etapalvelu.room import agent as agent_module
from etapalvelu.room import audience, call
from etapalvelu.room import camera as camera_module
from etapalvelu.room.clock import read_clock
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.viewer import Viewer
from signaling import stills
from signaling.document import StillFailed
from signaling.messages import (
    Candidate,
    Description,
    IceCandidate,
    SessionDescription,
    StillTaken,
)
from tests.room.agents import Running
from tests.room.cameras import until
from tests.room.conftest import Watch
from tests.room.service import Service
from tests.room.watcher import ask_key_frame, capture


async def test_the_expert_sees_the_letter_and_gets_a_still_that_is_noted_once(
    service: Service, watch: Watch, agent: Running
) -> None:
    service.turn_to("s1")
    await until(lambda: ("joined", "camera", "x:room:r1:agent") in service.record.said)
    expert = watch("expert")

    await until(lambda: len(expert.showings) == 1 and len(expert.showing.clocks) >= 10)
    capture(expert.showing, "page-1")
    await until(lambda: len(expert.showing.stills) == 2)
    await until(lambda: any(said[0] == "noted" for said in service.record.said))

    showing = expert.showing
    assert showing.clocks == sorted(showing.clocks)
    assert {size for size in showing.frames} == {(1920, 1080)}
    page, raw = showing.stills
    assert [(still.begin.id, still.begin.part) for still in showing.stills] == [("page-1", "page"), ("page-1-raw", "raw")]
    for still in showing.stills:
        assert hashlib.sha256(still.data).hexdigest() == still.begin.sha256
        assert b"Exif" not in still.data
    picture = picture_of(raw)
    assert (picture.shape, raw.begin.width, raw.begin.height) == ((2160, 3840, 3), 3840, 2160)
    assert picture_of(page).shape == (page.begin.height, page.begin.width, 3)
    assert page.begin.height / page.begin.width == pytest.approx(2**0.5, rel=0.01)
    seen = read_clock(picture)
    assert seen is not None
    assert (time.time_ns() // 1_000_000 - seen) % 2**32 < 5000
    assert page.begin.verdict is not None
    note = StillTaken(
        sha256=page.begin.sha256,
        size=len(page.data),
        width=page.begin.width,
        height=page.begin.height,
        verdict=page.begin.verdict.code,
        raw_sha256=raw.begin.sha256,
    )
    assert [said for said in service.record.said if said[0] == "noted"] == [("noted", "camera", note)]
    assert [(status.camera, status.width, status.height) for status in showing.statuses][:1] == [("ok", 3840, 2160)]


def picture_of(still: stills.Still) -> Bgr:
    picture = cv2.imdecode(np.frombuffer(still.data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


async def test_screen_and_expert_see_it_and_only_experts_may_capture(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    screen, expert, advisor = watch("room"), watch("expert"), watch("advisor")
    await until(lambda: all(one.showings and len(one.showing.clocks) > 2 for one in (screen, expert)))
    second = watch("expert2")
    await until(lambda: bool(second.showings) and bool(second.showing.statuses))

    capture(screen.showing, "from-the-room")
    await until(lambda: bool(screen.showing.others))
    capture(second.showing, "from-expert2")
    await until(lambda: bool(second.showing.stills))

    assert screen.showing.others == [StillFailed(id="from-the-room", code="not_allowed")]
    assert advisor.showings == []


async def test_after_a_fault_of_ours_the_camera_takes_its_seat_again(
    service: Service, agent: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_module, "SEAT_RETRY_SECONDS", 0.05)
    run, faults = call.DocumentCall.run, iter([ZeroDivisionError()])

    async def run_at_the_second_time(self: call.DocumentCall) -> None:
        for fault in faults:
            raise fault
        await run(self)

    monkeypatch.setattr(call.DocumentCall, "run", run_at_the_second_time)
    service.turn_to("s1")

    await until(lambda: ("joined", "camera", "x:room:r1:agent") in service.record.said)


async def test_a_lost_camera_is_told_everybody_and_comes_back(
    service: Service, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_module, "LOST_AFTER_SECONDS", 0.5)
    sheet, away = tmp_path / "sheet.png", tmp_path / "away.png"
    cv2.imwrite(str(sheet), np.full((480, 640), 180, np.uint8))
    running = Running(service, tmp_path / "state", camera=f"file:{sheet}")
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.frames) > 3)
    showing = expert.showing

    sheet.rename(away)
    await until(lambda: showing.statuses[-1].camera == "lost")
    capture(showing, "nothing-there")
    await until(lambda: bool(showing.others))
    away.rename(sheet)
    await until(lambda: showing.statuses[-1].camera == "ok")
    seen = len(showing.frames)
    await until(lambda: len(showing.frames) > seen + 3)

    assert showing.others == [StillFailed(id="nothing-there", code="camera_lost")]
    assert [(status["document_camera"], status.get("width")) for status in service.statuses[-3:]] == [
        ("ok", 640),
        ("lost", 640),
        ("ok", 640),
    ]
    await running.end()


async def test_a_reloaded_page_gets_a_new_connection(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)
    await expert.vanish()

    reloaded = watch("expert")
    await until(lambda: bool(reloaded.showings) and len(reloaded.showing.clocks) > 2)

    assert reloaded.showing.generation > expert.showing.generation


async def test_a_next_expert_finds_an_offer_too(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    first = watch("expert", "first")
    await until(lambda: bool(first.showings) and len(first.showing.clocks) > 2)
    await first.leave()

    second = watch("expert", "second")
    await until(lambda: bool(second.showings) and len(second.showing.clocks) > 2)


async def test_a_restart_brings_a_new_connection_beside_the_old(
    service: Service, watch: Watch, agent: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "OVERLAP_SECONDS", 3.0)
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)
    old = expert.showing
    expert.answers_offers = False

    await expert.restart(old.generation)
    await expert.restart(old.generation)
    await until(lambda: len(expert.unanswered) == 1)
    seen = len(old.clocks)
    await until(lambda: len(old.clocks) > seen + 5)
    expert.answers_offers = True
    await expert.restart(old.generation + 1)
    await until(lambda: len(expert.showings) == 2 and len(expert.showing.clocks) > 2)
    both = len(old.clocks)
    # Only who looks knows when the new one shows a picture: until then, or for some seconds, the old one goes on.
    await until(lambda: len(old.clocks) > both + 5)
    await until(lambda: old.connection.connectionState == "closed")

    assert expert.showing.generation == old.generation + 2


async def test_a_broken_connection_is_made_anew(
    service: Service, watch: Watch, agent: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audience, "FIRST_RETRY_SECONDS", 0.1)
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)

    await expert.showing.connection.close()
    await until(lambda: len(expert.showings) == 2 and len(expert.showing.clocks) > 2)


async def test_an_answer_that_leads_nowhere_is_followed_by_a_new_offer(
    service: Service, watch: Watch, agent: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(audience, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(audience, "FIRST_RETRY_SECONDS", 0.1)
    service.turn_to("s1")
    expert = watch("expert")
    expert.answers_offers = False
    await until(lambda: len(expert.unanswered) == 1)
    offer = expert.unanswered[0]
    nonsense = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
    answer = SessionDescription(type="answer", sdp=nonsense)
    candidate = IceCandidate(candidate="candidate:1 1 udp 1 192.0.2.77 9 typ host", sdp_mid="0")

    await expert.client.send(Description(to="camera", generation=77, description=answer))
    await expert.client.send(Candidate(to="camera", generation=offer.generation, candidate=candidate))
    await expert.client.send(Description(to="camera", generation=offer.generation, description=answer))
    expert.answers_offers = True
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)

    assert "expert sent an answer that cannot be used" in caplog.messages


async def test_a_closed_call_closes_everything_within_a_second(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)
    connection = expert.showing.connection

    await service.endpoint.end("s1", "completed")
    await until(lambda: connection.connectionState == "closed", 1)

    service.turn_to(None)
    await expert.vanish()


async def test_no_session_means_bye_and_the_next_one_is_attended(service: Service, agent: Running) -> None:
    service.turn_to("s1")
    await until(lambda: ("joined", "camera", "x:room:r1:agent") in service.record.said)

    service.turn_to(None)
    await until(lambda: ("left", "camera", "bye") in service.record.said, 1)
    service.turn_to("s2")
    await until(lambda: service.record.said.count(("joined", "camera", "x:room:r1:agent")) == 2)

    assert service.tickets == ["camera", "camera"]


async def test_the_picture_goes_on_while_the_server_is_away(service: Service, watch: Watch, agent: Running) -> None:
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)

    await service.stop()
    seen = len(expert.showing.clocks)
    await until(lambda: len(expert.showing.clocks) > seen + 15)
    await service.start()
    await until(lambda: any(said[0] == "joined" and said[1] == "camera" for said in service.record.said[2:]))
    capture(expert.showing, "after")
    await until(lambda: any(said[0] == "noted" for said in service.record.said))

    assert len(expert.showings) == 1


async def test_a_refused_ticket_is_asked_for_again(service: Service, agent: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "SEAT_RETRY_SECONDS", 0.1)
    service.trouble["/api/v1/sessions/s1/ticket"] = [(409, {"code": "wrong_state"}), (503, {}), (200, {"odd": 1})]

    service.turn_to("s1")

    await until(lambda: ("joined", "camera", "x:room:r1:agent") in service.record.said)


async def test_another_agent_of_the_room_takes_over_without_a_fight(
    service: Service, watch: Watch, agent: Running, tmp_path: Path
) -> None:
    service.turn_to("s1")
    await until(lambda: ("joined", "camera", "x:room:r1:agent") in service.record.said)
    service.codes["second"] = "agent"
    other = Running(service, tmp_path / "other", pair="second")
    await until(lambda: len(service.tickets) == 2)
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)

    assert service.tickets == ["camera", "camera"]
    await other.end()


async def test_an_agent_that_is_started_anew_uses_no_generation_again(
    service: Service, watch: Watch, agent: Running, tmp_path: Path
) -> None:
    """The service knows each by its certificates: another one under the same number is a stranger's."""
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)
    first = expert.showing.generation
    service.codes["second"] = "agent"
    other = Running(service, tmp_path / "other", pair="second")
    await until(lambda: len(expert.showings) == 2 and len(expert.showing.clocks) > 2)

    assert expert.showing.generation > first
    await other.end()


async def test_waiting_offers_are_renewed_before_relay_credentials_end(
    service: Service, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(call, "RENEW_SECONDS", 0.3)
    service.ice_servers = [{"urls": ["turn:127.0.0.1?transport=carrier-pigeon"], "username": "u", "credential": "c"}]
    running = Running(service, tmp_path / "state")
    service.turn_to("s1")
    await until(lambda: len(service.tickets) >= 3)
    monkeypatch.setattr(call, "RENEW_SECONDS", 60)

    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2, 20)

    assert expert.showing.generation > 1
    assert "the TURN server gave no relay address: check its address, clock and secret" in caplog.messages
    await running.end()


async def test_short_lived_credentials_are_renewed_in_their_own_time(service: Service, tmp_path: Path) -> None:
    service.ice_servers = [{"urls": ["turn:127.0.0.1?transport=carrier-pigeon"], "username": "u", "credential": "c"}]
    service.ice_seconds = 1
    running = Running(service, tmp_path / "state")

    service.turn_to("s1")

    await until(lambda: len(service.tickets) >= 3, 10)
    await running.end()


async def test_a_fault_with_one_message_does_not_end_the_picture(
    service: Service, watch: Watch, agent: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    service.turn_to("s1")
    expert = watch("expert")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)

    async def faulty(self: Viewer, candidate: IceCandidate | None) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Viewer, "candidate", faulty)
    await expert.client.send(Candidate(to="camera", generation=expert.showing.generation, candidate=None))
    await until(lambda: "a message of expert could not be handled" in caplog.messages)
    seen = len(expert.showing.clocks)
    await until(lambda: len(expert.showing.clocks) > seen + 3)

    assert len(expert.showings) == 1


async def test_messages_that_make_no_sense_are_passed_over(
    service: Service, watch: Watch, agent: Running, caplog: pytest.LogCaptureFixture
) -> None:
    service.turn_to("s1")
    expert, advisor = watch("expert"), watch("advisor")
    await until(lambda: bool(expert.showings) and len(expert.showing.clocks) > 2)
    channel = expert.showing.channel
    assert channel is not None

    channel.send(b"bytes")
    channel.send("not json")
    channel.send('{"type": "dance"}')
    await advisor.restart(1)
    description = SessionDescription(type="offer", sdp=expert.showing.connection.localDescription.sdp)
    await expert.client.send(Description(to="camera", generation=expert.showing.generation, description=description))
    ask_key_frame(expert.showing)
    capture(expert.showing, "after-all-that")
    await until(lambda: len(expert.showing.stills) == 1)
    await advisor.leave()
    await until(lambda: ("left", "advisor", "bye") in service.record.said)

    assert caplog.messages.count("expert sent bytes where messages are expected") == 1
    assert caplog.messages.count("expert sent a message that is not known") == 2
    assert len(expert.showings) == 1


async def test_a_line_that_the_service_cut_gets_no_picture_even_from_a_page_that_keeps_it_open(
    service: Service, watch: Watch, agent: Running
) -> None:
    """The viewer here goes on as if nothing was said, asks for more, and is answered when it is trusted again."""
    service.turn_to("s1")
    await until(lambda: ("joined", "camera", "x:room:r1:agent") in service.record.said)
    screen, expert = watch("room"), watch("expert")
    await until(lambda: all(one.showings and len(one.showing.frames) > 2 for one in (screen, expert)))

    await service.endpoint.keep_apart("s1", frozenset({"expert"}))
    await until(lambda: expert.showing.connection.connectionState == "closed")
    seen, generation = len(expert.showing.frames), expert.showing.generation
    await expert.restart(generation)
    goes_on = len(screen.showing.frames)
    await until(lambda: len(screen.showing.frames) > goes_on + 10)
    assert (len(expert.showing.frames), expert.showing.generation, len(expert.showings)) == (seen, generation, 1)

    await service.endpoint.keep_apart("s1", frozenset())
    await until(lambda: len(expert.showings) > 1 and len(expert.showing.frames) > 2)
