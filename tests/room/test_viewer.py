from collections.abc import AsyncIterator
from unittest.mock import AsyncMock

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av import VideoFrame

from etapalvelu.room import viewer as viewer_module
from etapalvelu.room.audience import Audience
from etapalvelu.room.camera import Camera
from etapalvelu.room.line import Carried
from etapalvelu.room.rate import KnownRates, Reading
from etapalvelu.room.server import IceServer
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import LiveView
from etapalvelu.room.viewer import BadAnswerError, Viewer, resolvable
from signaling.messages import IceCandidate, Seat
from tests.room.cameras import until

NAME = "candidate:1 1 udp 2113937151 5a0c1d5e-0c5e-4a55-b9f1-5e3d1a2b3c4d.local 50000 typ host"
ADDRESS = "candidate:2 1 udp 2113937150 192.0.2.7 50001 typ host"


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    yield camera
    await camera.stop()


@pytest.fixture
async def viewer(loopback: None, camera: Camera) -> AsyncIterator[Viewer]:
    viewer = Viewer("expert", 1, stream=DocumentStream(LiveView(camera)), ice_servers=[], changed=lambda _: None)
    yield viewer
    await viewer.close()


async def answer_to(offer: str) -> tuple[RTCPeerConnection, str]:
    other = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    await other.setRemoteDescription(RTCSessionDescription(sdp=offer, type="offer"))
    await other.setLocalDescription(await other.createAnswer())
    return other, other.localDescription.sdp


def test_names_are_left_out_and_then_the_list_is_not_at_its_end() -> None:
    sdp = f"v=0\r\na={NAME}\r\na={ADDRESS}\r\na=end-of-candidates\r\na=mid:0\r\n"

    assert resolvable(sdp) == f"v=0\r\na={ADDRESS}\r\na=mid:0\r\n"
    assert resolvable(sdp.replace(f"a={NAME}\r\n", "")) == f"v=0\r\na={ADDRESS}\r\na=end-of-candidates\r\na=mid:0\r\n"


async def test_the_offer_is_whole_and_send_only_with_h264_before_vp8(viewer: Viewer) -> None:
    lines = (await viewer.offer()).splitlines()
    codecs = [line.split()[1] for line in lines if line.startswith("a=rtpmap") and "rtx" not in line]

    assert [line.split()[0] for line in lines if line.startswith("m=")] == ["m=video", "m=application"]
    assert codecs == ["H264/90000", "H264/90000", "VP8/90000"]
    profiles = [line.rpartition("profile-level-id=")[2] for line in lines if "profile-level-id" in line]
    assert profiles == ["42e01f", "42001f"]
    assert "a=sendonly" in lines
    assert "a=end-of-candidates" in lines
    assert any(line.startswith("a=candidate:") for line in lines)


async def test_no_server_is_asked_for_addresses_unless_it_was_named(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    gatherers = {one.sender.transport.transport.iceGatherer for one in viewer._connection.getTransceivers()}

    assert [gatherer._connection.stun_server for gatherer in gatherers] == [None]


async def test_candidates_may_come_one_by_one_before_and_after_the_answer(viewer: Viewer) -> None:
    other, answer = await answer_to(await viewer.offer())
    own = next(line[2:] for line in answer.splitlines() if line.startswith("a=candidate:"))
    bare = "".join(line for line in answer.splitlines(keepends=True) if "candidate" not in line)

    await viewer.candidate(IceCandidate(candidate=NAME, sdp_mid="0"))
    await viewer.candidate(IceCandidate(candidate=own, sdp_m_line_index=0))
    await viewer.candidate(None)
    await viewer.answer(bare)
    await viewer.answer("a second answer is not looked at")
    await viewer.candidate(IceCandidate(candidate=ADDRESS, sdp_mid="0"))
    await viewer.candidate(IceCandidate(candidate=""))
    # Who closes before their own end is through says no goodbye.
    await until(lambda: viewer.state == other.connectionState == "connected")

    await other.close()
    await until(lambda: viewer.state == "broken")


async def test_a_viewer_whose_candidates_are_all_names_is_found_by_its_own_checks(viewer: Viewer) -> None:
    other, answer = await answer_to(await viewer.offer())
    hidden = "".join(f"a={NAME}\r\n" if line.startswith("a=candidate:") else line for line in answer.splitlines(keepends=True))

    await viewer.answer(hidden)
    await until(lambda: viewer.state == "connected")

    await other.close()


async def test_a_flood_of_early_candidates_is_not_kept(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewer_module, "MOST_EARLY_CANDIDATES", 2)

    for _ in range(3):
        await viewer.candidate(IceCandidate(candidate=NAME, sdp_mid="0"))

    assert len(viewer._early) == 2


async def test_what_cannot_be_used_is_told(viewer: Viewer) -> None:
    other, answer = await answer_to(await viewer.offer())

    with pytest.raises(BadAnswerError, match="expert sent an answer that cannot be used"):
        await viewer.answer(answer.replace("m=video", "m=audio"))
    await other.close()


async def test_a_closed_viewer_takes_no_answer(viewer: Viewer) -> None:
    other, answer = await answer_to(await viewer.offer())
    await viewer.close()

    with pytest.raises(BadAnswerError):
        await viewer.answer(answer)
    assert viewer.is_closed
    await other.close()


async def test_key_frames_asked_for_too_often_are_not_sent(viewer: Viewer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr(viewer_module, "ask_key_frame", asked.append)

    viewer.send_key_frame()
    viewer.send_key_frame()

    assert len(asked) == 1


async def test_a_machine_without_a_network_is_told(
    camera: Camera, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("aioice.ice.get_host_addresses", lambda use_ipv4, use_ipv6: [])
    viewer = Viewer("room", 1, stream=DocumentStream(LiveView(camera)), ice_servers=[], changed=lambda _: None)

    await viewer.offer()
    await viewer.close()

    assert caplog.messages == ["no network interface but loopback: room will see no picture"]


async def test_a_relay_that_gives_no_address_is_told(loopback: None, camera: Camera, caplog: pytest.LogCaptureFixture) -> None:
    relay = IceServer(urls=["turn:127.0.0.1?transport=carrier-pigeon"], username="u", credential="c")
    viewer = Viewer("room", 1, stream=DocumentStream(LiveView(camera)), ice_servers=[relay], changed=lambda _: None)

    await viewer.offer()
    await viewer.close()

    assert caplog.messages == ["the TURN server gave no relay address: check its address, clock and secret"]


async def test_a_relay_only_viewer_is_offered_no_address_of_the_room(
    loopback: None, camera: Camera, caplog: pytest.LogCaptureFixture
) -> None:
    viewer = Viewer(
        "expert", 1, stream=DocumentStream(LiveView(camera)), ice_servers=[], relay_only=True, changed=lambda _: None
    )

    sdp = await viewer.offer()
    await viewer.close()

    assert "a=candidate:" not in sdp
    assert caplog.messages == ["the TURN server gave no relay address: check its address, clock and secret"]


async def test_only_the_screen_in_the_room_is_offered_its_addresses_in_a_relay_only_call(
    loopback: None, camera: Camera
) -> None:
    audience = Audience(view=LiveView(camera), send=AsyncMock(), furnish=lambda _: None)
    audience.is_relay_only = True
    seats: tuple[Seat, ...] = ("room", "expert")
    screen, expert = (audience.viewer(seat, 1, lambda _: None) for seat in seats)

    offers = [await viewer.offer() for viewer in (screen, expert)]
    await screen.close()
    await expert.close()

    assert ["a=candidate:" in sdp for sdp in offers] == [True, False]


async def test_the_line_is_read_sampled_and_known_to_the_next_call(
    camera: Camera, loopback: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer_module, "READING_SECONDS", 0.05)
    rates = KnownRates()
    stream = DocumentStream(LiveView(camera))
    viewer = Viewer("expert", 1, stream=stream, rates=rates, ice_servers=[], changed=lambda _: None)
    taken: list[Reading] = []
    monkeypatch.setattr(viewer.line, "take", taken.append)
    rates.remember("expert", 900_000)
    other, answer = await answer_to(await viewer.offer())

    await viewer.answer(answer)
    await until(lambda: len(taken) > 1)
    samples = await viewer.samples()
    was_remembered = rates.start("expert")
    await viewer.close()
    await other.close()
    stream.close()

    assert [sample.type for sample in samples] == ["outbound-rtp", "remote-inbound-rtp"]
    assert (samples[0].target_bitrate, samples[0].quality_limitation_reason) == (600_000, "none")
    assert (samples[0].frames_sent or 0) > 1
    assert was_remembered == 600_000


async def test_a_step_of_the_line_is_logged(viewer: Viewer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "etapalvelu.room.viewer")

    viewer.line.say(Carried(step="few_frames", frames_per_second=4))
    viewer.line.say(Carried(step="few_frames", frames_per_second=4))

    assert caplog.messages == ["line to expert: few_frames, frames=4, kbit=600"]


async def test_an_answer_that_leaves_no_codec_is_told(viewer: Viewer) -> None:
    other, answer = await answer_to(await viewer.offer())

    with pytest.raises(BadAnswerError):
        await viewer.answer(answer.replace("H264/90000", "AV1/90000").replace("VP8/90000", "VP9/90000"))
    await other.close()


async def test_a_viewer_that_knows_no_h264_is_sent_vp8(viewer: Viewer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "etapalvelu.room.viewer")
    other, answer = await answer_to(await viewer.offer())

    await viewer.answer(answer.replace("H264/90000", "AV1/90000"))
    (receiver,) = other.getReceivers()
    frame = await receiver.track.recv()

    assert isinstance(frame, VideoFrame)
    assert (frame.width, frame.height) == (1920, 1080)
    assert caplog.messages == ["expert knows no H264, its picture is encoded apart"]
    await other.close()
