"""A client written from `docs/protocol.md` alone, as a stranger would write it, against a running demo."""

import asyncio
import hashlib
import io
import json
import sys
import time
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiohttp
import av
import pytest
from aiortc import (
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.sdp import candidate_from_sdp

pytestmark = pytest.mark.e2e

LIMIT = 30.0
FRAMES = 20
SIZE = (1920, 1080)
SUBPROTOCOL = "etapalvelu.call.v1"

Json = dict[str, Any]
T = TypeVar("T")


class Demo(Protocol):
    """What this test knows of the demo."""

    @property
    def address(self) -> str:
        """Where its server listens."""

    @property
    def data(self) -> Path:
        """Where its data is."""


async def soon(queue: asyncio.Queue[T]) -> T:
    """The next of what comes, within the time limit."""
    return await asyncio.wait_for(queue.get(), LIMIT)


class Still:
    """One still as it arrives over the data channel `document`."""

    def __init__(self, begin: Json) -> None:
        """Take the measures from `still_begin`."""
        self.begin = begin
        self.chunks: dict[int, bytes] = {}

    def take(self, message: bytes) -> None:
        """Keep a chunk, when it is of this still."""
        if int.from_bytes(message[0:4], "big") == self.begin["number"]:
            self.chunks[int.from_bytes(message[4:8], "big")] = message[8:]

    def picture(self) -> bytes:
        """The whole picture, after all its measures were checked."""
        begin = self.begin
        assert begin["chunks"] == -(-begin["size"] // begin["chunk_size"])
        assert sorted(self.chunks) == list(range(begin["chunks"]))
        picture = b"".join(self.chunks[index] for index in range(begin["chunks"]))
        assert len(picture) == begin["size"]
        assert hashlib.sha256(picture).hexdigest() == begin["sha256"]
        return picture


class Stranger:
    """A seat in a call: one websocket, and one peer connection with each seat that offers one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, seat: Json, group: asyncio.TaskGroup) -> None:
        """Take the seat's ICE servers and policy as they are; the group runs what reads media."""
        self.welcome: asyncio.Queue[Json] = asyncio.Queue()
        self.closed: asyncio.Queue[Json] = asyncio.Queue()
        self.frames: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self.status: asyncio.Queue[Json] = asyncio.Queue()
        self._channels: asyncio.Queue[RTCDataChannel] = asyncio.Queue()
        self._stills: asyncio.Queue[Still | Json] = asyncio.Queue()
        self._still: Still | None = None
        self._socket = socket
        self._configuration = RTCConfiguration(
            iceServers=[RTCIceServer(**server) for server in seat["ice_servers"]],
            iceTransportPolicy=RTCIceTransportPolicy(seat["ice_transport_policy"]),
        )
        self._group = group
        self._peers: dict[str, tuple[int, RTCPeerConnection]] = {}
        self._seated = time.monotonic()

    async def listen(self, ticket: str) -> int | None:
        """Say hello and follow the call until the server closes the socket; the answer is the close code."""
        try:
            await self._socket.send_json({"type": "hello", "ticket": ticket})
            async for frame in self._socket:
                assert frame.type is aiohttp.WSMsgType.TEXT, frame
                await self._dispatch(json.loads(frame.data))
        finally:
            for seat in list(self._peers):
                await self._drop(seat)
        return self._socket.close_code

    async def still(self, name: str) -> tuple[Json, bytes]:
        """Take a still when the camera is well, check it, and acknowledge it: its `still_begin` and the picture."""
        channel = await soon(self._channels)
        while (await soon(self.status))["camera"] != "ok":
            continue
        channel.send(json.dumps({"type": "capture", "id": name}))
        still = await soon(self._stills)
        assert isinstance(still, Still), still
        picture = still.picture()
        channel.send(json.dumps({"type": "still_ack", "id": name, "sha256": hashlib.sha256(picture).hexdigest()}))
        return still.begin, picture

    async def _dispatch(self, message: Json) -> None:
        """Do what a message of the server asks for, and pass over unknown ones."""
        match message["type"]:
            case "welcome":
                self._seated = time.monotonic()
                self.welcome.put_nowait(message)
            case "description" if message["description"]["type"] == "offer":
                await self._answer(message["from"], message["generation"], message["description"])
            case "candidate":
                await self._candidate(message)
            case "seat_left":
                await self._drop(message["seat"])
            case "call_closed":
                self.closed.put_nowait(message)
            case "error":
                pytest.fail(f"the server refused: {message}")
            case _:
                pass

    async def _answer(self, seat: str, generation: int, offer: Json) -> None:
        """Answer an offer with a new peer connection; all candidates are in the answer."""
        await self._drop(seat)
        peer = RTCPeerConnection(self._configuration)
        self._peers[seat] = (generation, peer)
        if seat == "camera":
            peer.on("track", lambda track: self._group.create_task(self._watch(generation, track)))
            peer.on("datachannel", self._open)
        await peer.setRemoteDescription(RTCSessionDescription(sdp=offer["sdp"], type=offer["type"]))
        await peer.setLocalDescription(await peer.createAnswer())
        answer = {"type": peer.localDescription.type, "sdp": peer.localDescription.sdp}
        message = {"type": "description", "to": seat, "generation": generation, "description": answer}
        await self._socket.send_json(message)

    async def _candidate(self, message: Json) -> None:
        """Give a trickled candidate to the connection it belongs to."""
        generation, peer = self._peers.get(message["from"], (0, None))
        fields = message["candidate"]
        if peer is None or generation != message["generation"] or not fields or not fields["candidate"]:
            return
        candidate = candidate_from_sdp(fields["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = fields.get("sdpMid"), fields.get("sdpMLineIndex")
        await peer.addIceCandidate(candidate)

    async def _drop(self, seat: str) -> None:
        """Close the connection with a seat."""
        _, peer = self._peers.pop(seat, (0, None))
        if peer is not None:
            await peer.close()

    async def _watch(self, generation: int, track: MediaStreamTrack) -> None:
        """Count the decoded frames of the document, and tell the service of the first."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            assert isinstance(frame, av.VideoFrame)
            if self.frames.empty() and generation:
                spent = round((time.monotonic() - self._seated) * 1000)
                note = {"kind": "decoded", "peer": "camera", "generation": generation, "path": "host", "setup_ms": spent}
                generation = 0
                await self._socket.send_json({"type": "noted", "note": note})
            self.frames.put_nowait((frame.width, frame.height))

    def _open(self, channel: RTCDataChannel) -> None:
        """Listen to the data channel `document`."""
        if channel.label == "document":
            channel.on("message", self._hear)
            self._channels.put_nowait(channel)

    def _hear(self, data: str | bytes) -> None:
        """Sort out what the camera says and sends."""
        if isinstance(data, bytes):
            if self._still is not None:
                self._still.take(data)
            return
        message: Json = json.loads(data)
        match message["type"]:
            case "status":
                self.status.put_nowait(message)
            case "still_begin":
                self._still = Still(message)
            case "still_end" if self._still is not None and self._still.begin["id"] == message["id"]:
                self._stills.put_nowait(self._still)
            case "still_failed":
                self._stills.put_nowait(message)
            case _:
                pass


class Api:
    """The HTTP API as one account."""

    def __init__(self, http: aiohttp.ClientSession, token: str) -> None:
        """Call it with this bearer token."""
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> Json:
        """Read something."""
        async with self._http.get(f"/api/v1{path}", headers=self._headers) as response:
            assert response.status == 200, await response.text()
            answer: Json = await response.json()
            return answer

    async def post(self, path: str, body: Json, status: int = 200) -> Json:
        """Do something."""
        async with self._http.post(f"/api/v1{path}", headers=self._headers, json=body) as response:
            assert response.status == status, await response.text()
            answer: Json = await response.json()
            return answer


async def new_token(demo: Demo, account: str) -> str:
    """A bearer token for an account, as the operator makes it."""
    command = (sys.executable, "-m", "etapalvelu", "token", "add", account, "--data", str(demo.data))
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await asyncio.wait_for(process.communicate(), LIMIT)
    assert process.returncode == 0
    return output.decode().strip()


async def call(http: aiohttp.ClientSession, expert: Api, session: str, seat: Json) -> None:
    """Sit down in the expert's seat, see the document, take a still, and close the session."""
    async with asyncio.TaskGroup() as group, http.ws_connect("/call", protocols=[SUBPROTOCOL], heartbeat=6.0) as socket:
        assert socket.protocol == SUBPROTOCOL
        client = Stranger(socket, seat, group)
        listening = group.create_task(client.listen(seat["ticket"]))
        assert (await soon(client.welcome))["seat"] == "expert"

        assert [await soon(client.frames) for _ in range(FRAMES)] == [SIZE] * FRAMES

        begin, picture = await client.still("kuva-1")
        with av.open(io.BytesIO(picture), "r") as opened:
            image = next(opened.decode(video=0))
            assert (image.width, image.height) == (begin["width"], begin["height"])

        # The camera tells the service of the still by its own way; look again with each heartbeat of the document.
        while "still_taken" not in [event["type"] for event in (await expert.get(f"/sessions/{session}"))["events"]]:
            await soon(client.status)

        closed = await expert.post(f"/sessions/{session}/close", {"cause": "completed", "outcomes": ["advised"]})
        assert (closed["state"], closed["close_cause"], closed["outcomes"]) == ("closed", "completed", ["advised"])
        assert (await soon(client.closed))["reason"] == "completed"
        assert await asyncio.wait_for(listening, LIMIT) == aiohttp.WSCloseCode.OK


async def test_a_stranger_sees_the_document_and_takes_a_still(demo: Demo) -> None:
    """From the advisor's request to the session's events, with nothing of this project's code."""
    async with aiohttp.ClientSession(demo.address) as http:
        advisor, expert = Api(http, await new_token(demo, "advisor")), Api(http, await new_token(demo, "expert"))
        request = {"room": "rantala-1", "theme": "pensions", "language": "fi", "reason": "other"}
        session: str = (await advisor.post("/sessions", request, 201))["id"]
        taken = await expert.post("/sessions/take", {})
        assert taken["id"] == session

        await call(http, expert, session, taken)

        events = (await expert.get(f"/sessions/{session}"))["events"]
        # The agent sits down by its own clock, before or after the session is taken.
        types = [event["type"] for event in events if event["data"].get("seat") == "camera"]
        assert (types[0], {*types[1:]} <= {"secured"}) == ("joined", True)
        others = [event["type"] for event in events if event["data"].get("seat") != "camera"]
        assert others == ["opened", "claimed", "joined", "still_taken", "noted", "closed"]
