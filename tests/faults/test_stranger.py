"""Somebody stands between the people, in real browsers: media stop at both ends, both read why, and the log says `identity`."""

import asyncio
import json
import time
from typing import Any

import pytest
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp
from playwright.async_api import Route, WebSocketRoute

from tests.e2e.browsers import until
from tests.faults.desks import WORDS, Desks, desks
from tests.faults.people import People
from tests.faults.rig import Rig

pytestmark = [pytest.mark.alone, pytest.mark.timeout(200)]

Json = dict[str, Any]

# From the moment both see a picture, until nothing flows to the one between any more.
STOP_SECONDS = 6.0
QUIET_SECONDS = 3.0
NOTICE = "words => document.getElementById('notices').innerText.includes(words)"
COVER = "words => document.getElementById('expert-words').innerText.includes(words)"
DARK = "name => !document.querySelector(`video[data-stream=${name}]`).srcObject"


class Between:
    """Terminates the expert's line to the room: two connections of its own, each with its own certificate and pictures."""

    def __init__(self) -> None:
        self.to_room = self._connection()
        self.to_expert = self._connection()
        self._server: WebSocketRoute | None = None
        self._page: WebSocketRoute | None = None

    def stand(self, page: WebSocketRoute) -> None:
        self._page, self._server = page, page.connect_to_server()
        self._server.on_message(lambda text: asyncio.ensure_future(self._from_server(str(text))))
        page.on_message(lambda text: asyncio.ensure_future(self._from_page(str(text))))

    async def close(self) -> None:
        await asyncio.gather(self.to_room.close(), self.to_expert.close())

    async def packets(self) -> tuple[int, int]:
        """What came from the room, and from the expert."""
        return await _packets(self.to_room), await _packets(self.to_expert)

    @staticmethod
    def _connection() -> RTCPeerConnection:
        return RTCPeerConnection(RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE))

    async def _from_server(self, text: str) -> None:
        assert self._page is not None
        assert self._server is not None
        message = json.loads(text)
        if message.get("from") != "room":
            self._page.send(text)
        elif message["type"] == "description":
            answer = await self._meet_room(message)
            self._server.send(json.dumps({**_sent(message, "room"), "description": answer}))
            self._page.send(json.dumps({**message, "description": await self._offer()}))
        elif message["type"] == "candidate":
            await _add(self.to_room, message["candidate"])

    async def _from_page(self, text: str) -> None:
        assert self._server is not None
        message = json.loads(text)
        if message.get("to") != "room":
            self._server.send(text)
        elif message["type"] == "description":
            await self.to_expert.setRemoteDescription(RTCSessionDescription(**message["description"]))
        elif message["type"] == "candidate":
            await _add(self.to_expert, message["candidate"])

    async def _meet_room(self, message: Json) -> Json:
        await self.to_room.setRemoteDescription(RTCSessionDescription(**message["description"]))
        self.to_room.addTrack(AudioStreamTrack())
        self.to_room.addTrack(VideoStreamTrack())
        await self.to_room.setLocalDescription(await self.to_room.createAnswer())
        return {"type": "answer", "sdp": self.to_room.localDescription.sdp}

    async def _offer(self) -> Json:
        self.to_expert.addTransceiver(AudioStreamTrack(), direction="sendrecv")
        self.to_expert.addTransceiver(VideoStreamTrack(), direction="sendrecv")
        self.to_expert.addTransceiver("video", direction="inactive")
        self.to_expert.createDataChannel("text")
        await self.to_expert.setLocalDescription(await self.to_expert.createOffer())
        return {"type": "offer", "sdp": self.to_expert.localDescription.sdp}


def _sent(message: Json, to: str) -> Json:
    return {"type": message["type"], "to": to, "generation": message["generation"]}


async def _add(connection: RTCPeerConnection, told: Json | None) -> None:
    if not told or not told["candidate"] or ".local" in told["candidate"]:
        return
    candidate = candidate_from_sdp(told["candidate"].removeprefix("candidate:"))
    candidate.sdpMid, candidate.sdpMLineIndex = told["sdpMid"], told["sdpMLineIndex"]
    await connection.addIceCandidate(candidate)


async def _packets(connection: RTCPeerConnection) -> int:
    report = await connection.getStats()
    return sum(one.packetsReceived for one in report.values() if one.type == "inbound-rtp")


async def _nothing_in_advance(route: Route) -> None:
    """The page reads no offer before it has its seat: it would be the room's own."""
    await route.fulfill(json={"call": None, "ice_servers": [], "ice_transport_policy": "all", "offers": []})


async def both_read_why(at: Desks) -> None:
    await until(at.expert, NOTICE, WORDS["js.identity.stopped_expert"])
    await until(at.room, COVER, WORDS["js.identity.stopped_room"])
    for page, stream in ((at.expert, "room"), (at.room, "expert")):
        await until(page, DARK, stream)


def logged_once(at: Desks) -> None:
    causes = [one["data"]["cause_class"] for one in at.log() if one["type"] == "interrupted"]
    # On a busy machine a picture may have stood still for another cause before.
    assert causes.count("identity") == 1


async def ended(at: Desks) -> None:
    await at.people.advisor.close(at.session, "technical", cause_class="identity")
    at.rig.agrees(all_ended=True)


@pytest.mark.slow
async def test_who_stands_between_is_found_and_gets_nothing_more(rig: Rig, people: People) -> None:
    rig.start()
    between = Between()
    async with desks(rig, people) as at:
        await at.expert.route("**/api/v1/queue/next", _nothing_in_advance)
        await at.expert.route_web_socket("**/call", between.stand)
        await _taken(at)

        began = time.monotonic()
        begun, last, before = 0.0, 0.0, (0, 0)
        while not last or time.monotonic() < last + QUIET_SECONDS:
            now, packets = time.monotonic(), await between.packets()
            # Silence alone is no stop while nobody has seen anything yet.
            if not begun and "connected" in rig.types(at.session):
                begun = last = now
            elif begun and packets != before:
                last = now
            before = packets
            assert now < began + 10 * STOP_SECONDS
            await asyncio.sleep(0.1)
        print(f"stopped {last - begun:.1f} s after both saw a picture")  # noqa: T201

        assert min(before) > 0
        assert last - begun <= STOP_SECONDS
        await both_read_why(at)
        logged_once(at)
        await ended(at)
    await between.close()


async def test_a_description_that_was_changed_on_its_way_to_the_server_stops_both(rig: Rig, people: People) -> None:
    """Another certificate in the midst of a connection: it is not even carried to the other end."""
    rig.start()
    said: list[Json] = []
    servers: list[WebSocketRoute] = []

    def stand(page: WebSocketRoute) -> None:
        server = page.connect_to_server()
        servers.append(server)

        def from_page(text: str | bytes) -> None:
            message = json.loads(text)
            if message["type"] == "description" and message["to"] == "room":
                said.append(message)
            server.send(text)

        page.on_message(from_page)

    async with desks(rig, people) as at:
        await at.expert.route_web_socket("**/call", stand)
        await at.call()
        answer = said[-1]

        sdp = answer["description"]["sdp"].splitlines(keepends=True)
        other = "".join(f"a=fingerprint:sha-256 {':'.join(['AA'] * 32)}\r\n" if "a=fingerprint" in one else one for one in sdp)
        servers[-1].send(json.dumps({**answer, "description": {"type": "answer", "sdp": other}}))
        begun = time.monotonic()

        await both_read_why(at)
        stopped = time.monotonic() - begun
        print(f"stopped {stopped:.1f} s after the change")  # noqa: T201
        assert stopped <= STOP_SECONDS
        logged_once(at)
        await ended(at)


async def _taken(at: Desks) -> None:
    at.session = str((await at.people.advisor.open("rantala-1"))["id"])
    await until(at.room, "() => document.body.dataset.state === 'waiting'")
    await at.expert.get_by_role("button", name=WORDS["expert.take_next"], exact=True).click()
