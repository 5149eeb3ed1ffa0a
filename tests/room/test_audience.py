import re

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from etapalvelu.room import audience as audience_module
from etapalvelu.room.audience import Audience
from etapalvelu.room.camera import Camera
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.track import LiveView
from signaling.messages import (
    Description,
    DescriptionFrom,
    LineSecured,
    Noted,
    Quality,
    SessionDescription,
    Welcome,
)
from tests.room.cameras import until


def fingerprint(sdp: str) -> str:
    found = re.search("a=fingerprint:sha-256 (\\S+)", sdp)
    assert found is not None
    return found[1].replace(":", "").lower()


async def test_each_line_that_works_is_told_of_under_w3c_names(loopback: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_module, "SAMPLE_SECONDS", 0.1)
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    offers: list[Description] = []
    samples: list[Quality] = []

    secured: list[Noted] = []

    async def send(message: Description | Quality | Noted) -> None:
        match message:
            case Description():
                offers.append(message)
            case Quality():
                samples.append(message)
            case Noted():
                secured.append(message)

    audience = Audience(view=LiveView(camera), send=send, furnish=lambda _: None)
    expert = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    audience.welcome(Welcome(seat="camera", epoch=1, present=(), heartbeat_seconds=3, resume="token"))
    await until(lambda: len(offers) == 2)
    offer = next(offer for offer in offers if offer.to == "expert")
    await expert.setRemoteDescription(RTCSessionDescription(sdp=offer.description.sdp, type="offer"))
    await expert.setLocalDescription(await expert.createAnswer())
    answer = SessionDescription(type="answer", sdp=expert.localDescription.sdp)
    await audience.receive(DescriptionFrom(from_="expert", generation=offer.generation, description=answer))
    await until(lambda: bool(samples) and (samples[-1].stats[0].frames_sent or 0) > 0)
    ends = LineSecured(
        peer="expert",
        generation=offer.generation,
        own=fingerprint(offer.description.sdp),
        met=fingerprint(expert.localDescription.sdp),
    )
    assert secured == [Noted(note=ends)]
    await audience.close()
    await expert.close()
    await camera.stop()

    assert {(sample.peer, sample.generation) for sample in samples} == {("expert", offer.generation)}
    assert samples[-1].stats[0].type == "outbound-rtp"
    assert (samples[-1].stats[0].bytes_sent or 0) > 1000
