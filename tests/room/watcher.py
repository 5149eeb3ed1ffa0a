"""A viewer for tests: sits in a seat, answers the agent's offers with a real connection, and keeps what it is shown."""

import asyncio
import contextlib

import aiohttp
import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from etapalvelu.room.clock import read_clock
from etapalvelu.room.pixels import Bgr
from etapalvelu.tasks import spawn
from signaling import document
from signaling.document import (
    Capture,
    FromAgent,
    FromViewer,
    KeyFrame,
    Line,
    Marks,
    Page,
    Status,
    StillBegin,
    StillEnd,
    StillProgress,
)
from signaling.messages import (
    Description,
    DescriptionFrom,
    Restart,
    Seat,
    SessionDescription,
)
from signaling.stills import Joiner, Still, ack
from tests.room.service import Service


class Showing:
    """One connection from the agent."""

    def __init__(self, generation: int) -> None:
        self.generation = generation
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.frames: list[tuple[int, int]] = []
        self.newest: VideoFrame | None = None
        self.clocks: list[int] = []
        self.told: list[FromAgent] = []
        self.stills: list[Still] = []
        self.channel: RTCDataChannel | None = None
        # Chunk indexes thrown away when they come first.
        self.lose: set[int] = set()
        self.answers_stills = True
        self._joiner = Joiner()
        self._looking: asyncio.Task[None] | None = None
        self.connection.on("track", self._look_at)
        self.connection.on("datachannel", self._listen_to)

    async def answer(self, sdp: str) -> str:
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        return self.connection.localDescription.sdp

    def say(self, message: FromViewer) -> None:
        assert self.channel is not None
        self.channel.send(document.encode(message))

    @property
    def statuses(self) -> list[Status]:
        return [message for message in self.told if isinstance(message, Status)]

    @property
    def others(self) -> list[FromAgent]:
        """What was said of stills, and what was refused."""
        return [message for message in self.told if not isinstance(message, Status | Page | Marks | Line | StillProgress)]

    @property
    def pages(self) -> list[Page]:
        return [message for message in self.told if isinstance(message, Page)]

    @property
    def marks(self) -> list[Marks]:
        return [message for message in self.told if isinstance(message, Marks)]

    def picture(self) -> Bgr:
        """What is seen now."""
        assert self.newest is not None
        return np.asarray(self.newest.to_ndarray(format="bgr24"), np.uint8)

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        await self.connection.close()

    def _look_at(self, track: MediaStreamTrack) -> None:
        self._looking = spawn(self._look(track), name="look")

    async def _look(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, VideoFrame)
                self.newest = frame
                self.frames.append((frame.width, frame.height))
                if frame.width == 1920:
                    clock = read_clock(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8))
                    if clock is not None:
                        self.clocks.append(clock)

    def _listen_to(self, channel: RTCDataChannel) -> None:
        assert (channel.label, channel.ordered) == ("document", True)
        self.channel = channel
        channel.on("message", self._hear)

    def _hear(self, data: str | bytes) -> None:
        if isinstance(data, bytes):
            index = int.from_bytes(data[4:8], "big")
            if index in self.lose:
                self.lose.discard(index)
                return
            self._joiner.chunk(data)
            return
        message = document.decode_from_agent(data)
        self.told.append(message)
        match message:
            case StillBegin():
                self._joiner.begin(message)
            case StillEnd() if self.answers_stills:
                self._end(message)
            case _:
                pass

    def _end(self, message: StillEnd) -> None:
        result = self._joiner.end(message.id)
        if isinstance(result, Still):
            self.stills.append(result)
            self.say(ack(result))
        elif result is not None:
            self.say(result)


class Watcher:
    """Somebody in a seat of the call who looks at the document."""

    def __init__(self, service: Service, seat: Seat, login: str = "someone") -> None:
        self._http = aiohttp.ClientSession()
        self.client = service.client(self._http, seat, login)
        self.showings: list[Showing] = []
        self.unanswered: list[DescriptionFrom] = []
        self.answers_offers = True
        self._sitting = spawn(self._sit(), name=f"watcher {seat}")

    @property
    def showing(self) -> Showing:
        """The newest connection."""
        return self.showings[-1]

    async def restart(self, generation: int) -> None:
        await self.client.send(Restart(to="camera", generation=generation))

    async def leave(self) -> None:
        """With a bye."""
        await self.client.close()
        await self.vanish()

    async def vanish(self) -> None:
        """Without a word, as when a page is reloaded."""
        self._sitting.cancel()
        await asyncio.wait([self._sitting])
        for showing in self.showings:
            await showing.close()
        await self._http.close()

    async def _sit(self) -> None:
        async for message in self.client:
            match message:
                case DescriptionFrom() if self.answers_offers:
                    await self._answer(message)
                case DescriptionFrom():
                    self.unanswered.append(message)
                case _:
                    pass

    async def _answer(self, message: DescriptionFrom) -> None:
        assert (message.from_, message.description.type) == ("camera", "offer")
        showing = Showing(message.generation)
        self.showings.append(showing)
        description = SessionDescription(type="answer", sdp=await showing.answer(message.description.sdp))
        await self.client.send(Description(to="camera", generation=message.generation, description=description))


def capture(showing: Showing, still_id: str) -> None:
    showing.say(Capture(id=still_id))


def ask_key_frame(showing: Showing) -> None:
    showing.say(KeyFrame())
