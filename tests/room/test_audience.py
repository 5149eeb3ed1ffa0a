import asyncio
import re
from collections.abc import Callable
from typing import cast

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from etapalvelu.room import audience as audience_module
from etapalvelu.room.audience import Audience, Place
from etapalvelu.room.camera import Camera
from etapalvelu.room.relay import RelayError, Relays
from etapalvelu.room.server import IceServer
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.track import LiveView
from etapalvelu.room.viewer import Viewer, ViewerState
from signaling.messages import (
    Description,
    DescriptionFrom,
    LineSecured,
    Noted,
    Quality,
    Seat,
    SessionDescription,
    Welcome,
)
from tests.room.cameras import until

UDP, TCP = "turn:t", "turn:t?transport=tcp"


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


class FakeViewer:
    """A connection that a test brings up, lets break, and lets grow old."""

    relay = ends = None
    lacks_relay = has_relay = was_connected = False
    # So no offer is told to anybody.
    is_relay_only = is_relayed = True
    way = "udp"

    def __init__(self, seat: Seat, generation: int, changed: Callable[[Viewer], None]) -> None:
        self.seat, self.generation = seat, generation
        self.state: ViewerState = "offered"
        self.answered = self.is_closed = False
        self.age = 0.0
        self._changed = changed

    async def offer(self) -> str:
        return "v=0\r\n"

    async def close(self) -> None:
        self.is_closed = True

    async def turns(self, state: ViewerState) -> None:
        self.state, self.answered = state, True
        self._changed(cast(Viewer, self))
        await asyncio.sleep(0)


class FakeAudience(Audience):
    """Makes pretended connections, and keeps them."""

    def __init__(self, relays: Relays | None = None) -> None:
        super().__init__(view=LiveView(Camera(Source(Kind.TEST))), send=self._keep, furnish=lambda _: None, relays=relays)
        self.made: list[FakeViewer] = []

    def viewer(self, seat: Seat, generation: int, changed: Callable[[Viewer], None]) -> Viewer:
        self.made.append(FakeViewer(seat, generation, changed))
        return cast(Viewer, self.made[-1])

    async def _keep(self, message: Description | Quality | Noted) -> None: ...


async def test_the_old_connection_stays_until_who_looks_closes_it_or_has_had_the_time_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(audience_module, "OVERLAP_SECONDS", 0.05)
    audience = FakeAudience()
    place = Place("expert", audience)
    for _ in range(3):
        place.begin()
        await audience.made[-1].turns("connected")
    first, second, third = audience.made
    assert (first.is_closed, second.is_closed, third.is_closed) == (True, False, False)

    await second.turns("broken")
    assert second.is_closed
    assert place.shown is cast(Viewer, third)

    place.begin()
    await audience.made[-1].turns("connected")
    await until(lambda: third.is_closed)
    assert place.shown is cast(Viewer, audience.made[-1])

    place.begin()
    await audience.made[-1].turns("connected")
    place.close()
    await asyncio.sleep(0)
    assert all(viewer.is_closed for viewer in audience.made)
    await audience.close()


async def test_a_line_that_is_said_to_have_failed_is_made_anew_when_the_relays_are_seen() -> None:
    may_answer = asyncio.Event()

    async def attempt(url: str, _username: str, _password: str) -> float:
        await may_answer.wait()
        if url == UDP:
            raise RelayError(url, "silent")
        return 1.0

    relays = Relays(attempt)
    relays.worked(UDP)
    audience = FakeAudience(relays)
    audience.ice_servers = [IceServer(urls=[UDP, TCP], username="u", credential="c")]
    expert, gone, room = (Place(seat, audience) for seat in ("expert", "expert2", "room"))
    for place in (expert, gone, room):
        place.begin()
        await audience.made[-1].turns("connected")

    for place in (expert, expert, gone, room):
        place.restart(1)
    await asyncio.sleep(0.05)
    # The room's screen needs no relay.
    at_once = [viewer.seat for viewer in audience.made[3:]]
    gone.close()
    may_answer.set()
    await until(lambda: len(audience.made) == 5)
    await asyncio.sleep(0.05)
    await audience.close()

    assert at_once == ["room"]
    assert [viewer.seat for viewer in audience.made[3:]] == ["room", "expert"]
    assert relays.first(audience.ice_servers) == TCP


async def test_a_successor_with_fresh_credentials_is_given_the_time_it_takes_to_come_up() -> None:
    audience = FakeAudience()
    place = Place("expert", audience)
    place.begin()
    await audience.made[0].turns("connected")
    audience.made[0].age = 5.0

    made = [len(audience.made)]
    for _ in range(2):
        place.renew(5.0)
        made.append(len(audience.made))
    # A server that forgot the offer needs it anew, however fresh it is; and one that is old itself is made anew too.
    place.renew_offer()
    audience.made[-1].answered, audience.made[-1].age = True, 5.0
    place.renew_offer()
    made.append(len(audience.made))
    place.renew(5.0)
    made.append(len(audience.made))
    await audience.close()

    assert made == [1, 2, 2, 3, 4]
