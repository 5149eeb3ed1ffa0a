"""One connection that shows the document to one seat: a send-only picture and the data channel `document`.

A connection lives through one generation. When it breaks, a new one is made beside it; nothing here is ever restarted.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Final, Literal

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.exceptions import InvalidStateError, OperationError
from aiortc.sdp import candidate_from_sdp
from msgspec import structs

from etapalvelu.room.encoder import (
    agreed_codec,
    ask_key_frame,
    hear_key_frame_requests,
    is_relayed,
    offered_codecs,
    send_through,
)
from etapalvelu.room.ends import line_ends
from etapalvelu.room.gauge import Gauge
from etapalvelu.room.line import Carried, Line
from etapalvelu.room.pacer import Pacer
from etapalvelu.room.rate import KnownRates
from etapalvelu.room.relay import turn_urls, way
from etapalvelu.room.server import IceServer
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import DocumentTrack
from etapalvelu.tasks import spawn
from signaling.messages import ROOM_SEATS, IceCandidate, LineSecured, Seat, Stats

log = logging.getLogger(__name__)

CHANNEL: Final = "document"
# A viewer may ask again and again while it has no picture; each key frame costs the line a whole page.
KEY_FRAME_SECONDS: Final = 0.5

READING_SECONDS: Final = 1.0
MOST_EARLY_CANDIDATES: Final = 64

ViewerState = Literal["offered", "connected", "broken"]


class BadAnswerError(Exception):
    """The other side's answer cannot be used."""


class Viewer:
    """A peer connection with its generation. `changed` is called on the way to connected and to broken."""

    def __init__(
        self,
        seat: Seat,
        generation: int,
        *,
        stream: DocumentStream,
        rates: KnownRates | None = None,
        ice_servers: Sequence[IceServer],
        relay_only: bool = False,
        changed: Callable[["Viewer"], None],
    ) -> None:
        self.seat = seat
        self.generation = generation
        self.state: ViewerState = "offered"
        self.was_connected = False
        self.answered = False
        self._is_closed = False
        self._changed = changed
        self.is_relay_only = relay_only
        # The relay's address this connection was given, and whether the relay gave one of its own for it.
        self.relay = next(iter(turn_urls(ice_servers)), None)
        self.has_relay = False
        self._made_at = time.monotonic()
        # Without an explicit list aiortc would ask a public STUN server.
        self._connection = RTCPeerConnection(
            RTCConfiguration(
                iceServers=_servers(ice_servers),
                iceTransportPolicy=RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL,
                bundlePolicy=RTCBundlePolicy.MAX_BUNDLE,
            )
        )
        self._rates = rates or KnownRates()
        self.line = Line(self._rates.start(seat), is_in_room=seat in ROOM_SEATS)
        self.line.listen(self._log_line)
        self._track = DocumentTrack(stream, self.line)
        self._transceiver = self._connection.addTransceiver(self._track, direction="sendonly")
        self._transceiver.setCodecPreferences(offered_codecs())
        self._gauge = Gauge(self._transceiver.sender)
        self._reading: asyncio.Task[None] | None = None
        self.channel: RTCDataChannel = self._connection.createDataChannel(CHANNEL, ordered=True)
        self._early: list[IceCandidate | None] = []
        self._gathered = asyncio.Event()
        self._gathered.set()
        self._key_frame_at = -KEY_FRAME_SECONDS
        self._connection.on("connectionstatechange", self._look)

    async def offer(self) -> str:
        """The SDP of the offer with all candidates in it."""
        self._gathered.clear()
        try:
            await self._connection.setLocalDescription(await self._connection.createOffer())
        finally:
            self._gathered.set()
        sdp = self._connection.localDescription.sdp
        self.has_relay = " typ relay" in sdp
        if "a=candidate:" not in sdp and not self.is_relay_only:
            log.warning("no network interface but loopback: %s will see no picture", self.seat)
        elif self.lacks_relay:
            log.warning("the TURN server gave no relay address: check its address, clock and secret")
        return sdp

    async def answer(self, sdp: str) -> None:
        """Take the answer to the offer; raises BadAnswerError."""
        if self.answered:
            return
        self.answered = True
        try:
            await self._connection.setRemoteDescription(RTCSessionDescription(sdp=resolvable(sdp), type="answer"))
        except (ValueError, InvalidStateError, OperationError, AttributeError, KeyError, IndexError) as error:
            raise BadAnswerError(f"{self.seat} sent an answer that cannot be used") from error
        self._agree()
        for candidate in self._early:
            await self.candidate(candidate)
        self._early.clear()

    async def candidate(self, candidate: IceCandidate | None) -> None:
        """Take a candidate of the other side, also before its answer."""
        if not self.answered:
            if len(self._early) < MOST_EARLY_CANDIDATES:
                self._early.append(candidate)
            return
        if candidate is None or not candidate.candidate.removeprefix("a=").startswith("candidate:"):
            # The end is not passed on: names left out may still turn up as addresses, found by their own checks.
            return
        if _is_name(candidate.candidate):
            return
        parsed = candidate_from_sdp(candidate.candidate.removeprefix("a=").removeprefix("candidate:"))
        # Everything is bundled on the first m-line.
        parsed.sdpMid, parsed.sdpMLineIndex = candidate.sdp_mid or "0", candidate.sdp_m_line_index
        await self._connection.addIceCandidate(parsed)

    def send_key_frame(self) -> None:
        """Begin the picture anew for a viewer that has none; asked too often it does nothing."""
        now = time.monotonic()
        if now - self._key_frame_at >= KEY_FRAME_SECONDS:
            self._key_frame_at = now
            ask_key_frame(self._transceiver.sender)

    @property
    def lacks_relay(self) -> bool:
        """A relay was to be used, and gave no address."""
        return (self.relay is not None or self.is_relay_only) and not self.has_relay

    @property
    def is_relayed(self) -> bool:
        """The picture goes through the relay."""
        return self.state == "connected" and is_relayed(self._transceiver)

    @property
    def way(self) -> str:
        """`direct`, or the way to the relay: `udp`, `tcp` or `tls`."""
        return way(self.relay).kind if self.relay is not None and self.is_relayed else "direct"

    @property
    def age(self) -> float:
        """Seconds since it was made, with the relay credentials of that time."""
        return time.monotonic() - self._made_at

    @property
    def ends(self) -> LineSecured | None:
        """Between which certificates the line is encrypted, once it is connected."""
        if self.state != "connected":
            return None
        return line_ends(
            self.seat, self.generation, self._connection.localDescription.sdp, self._connection.remoteDescription.sdp
        )

    @property
    def is_closed(self) -> bool:
        """Given up, though it may take a moment more until its sockets are closed."""
        return self._is_closed

    async def close(self) -> None:
        """Close for good. Where addresses are still being looked for, that ends first: aioice cannot be stopped in it."""
        self._connection.remove_all_listeners()
        self.state, self._is_closed = "broken", True
        if self._reading is not None:
            self._reading.cancel()
        await self._gathered.wait()
        await self._connection.close()

    async def samples(self) -> tuple[Stats, ...]:
        """How the line is, under W3C names."""
        limited: Literal["none", "bandwidth"] = "none" if self.line.carried.step == "full" else "bandwidth"
        return tuple(
            structs.replace(
                sample,
                frames_sent=self._track.frames_sent,
                target_bitrate=self.line.bits_per_second,
                quality_limitation_reason=limited,
            )
            if sample.type == "outbound-rtp"
            else sample
            for sample in await self._gauge.samples()
        )

    async def _read(self) -> None:
        """Judge the line as long as it lasts; what it carried is known to the next call."""
        while True:
            await asyncio.sleep(READING_SECONDS)
            reading = await self._gauge.read()
            if reading is not None:
                self.line.take(reading)
                self._rates.remember(self.seat, self.line.bits_per_second)

    def _log_line(self, carried: Carried) -> None:
        rate = self.line.bits_per_second / 1000
        log.info("line to %s: %s, frames=%d, kbit=%d", self.seat, carried.step, carried.frames_per_second, rate)

    def _agree(self) -> None:
        codec = agreed_codec(self._transceiver)
        if codec is None:
            raise BadAnswerError(f"{self.seat} understands neither H264 nor VP8")
        if codec == "H264":
            hear_key_frame_requests(self._transceiver.sender, self._track.ask_key_frame)
        else:
            log.info("%s knows no H264, its picture is encoded apart", self.seat)
        send_through(self._transceiver.sender, Pacer(self.line))
        self._track.agree(codec)

    def _look(self) -> None:
        match self._connection.connectionState:
            case "connected":
                state: ViewerState = "connected"
            case "failed" | "closed":
                state = "broken"
            case _:
                return
        if state != self.state:
            self.state = state
            if state == "connected":
                self.was_connected = True
                self._reading = spawn(self._read(), name=f"line to {self.seat}")
            self._changed(self)


def resolvable(sdp: str) -> str:
    """The description without `.local` names: aiortc waits a second for each, and the checks find those addresses anyway."""
    lines = sdp.splitlines(keepends=True)
    kept = [line for line in lines if not (line.startswith("a=candidate:") and _is_name(line))]
    if len(kept) < len(lines):
        # More candidates are to be found, so the list is not at its end.
        kept = [line for line in kept if not line.startswith("a=end-of-candidates")]
    return "".join(kept)


def _is_name(candidate: str) -> bool:
    fields = candidate.split()
    return len(fields) > 4 and fields[4].endswith(".local")


def _servers(servers: Sequence[IceServer]) -> list[RTCIceServer]:
    return [RTCIceServer(urls=server.urls, username=server.username, credential=server.credential) for server in servers]
