import asyncio

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, rtcrtpsender
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket

from etapalvelu.room.camera import Camera
from etapalvelu.room.gauge import NEWEST_SHARE, Gauge
from etapalvelu.room.line import Line
from etapalvelu.room.rate import Reading
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.track import DocumentTrack, LiveView
from signaling.messages import Stats
from tests.room.cameras import until


def report(ssrc: int, *, lost: int = 0, fraction: int = 0, jitter: int = 0) -> RtcpRrPacket:
    """What a receiver reports that has heard of no sender report yet: no round trip is known from it."""
    info = RtcpReceiverInfo(
        ssrc=ssrc, fraction_lost=fraction, packets_lost=lost, highest_sequence=0, jitter=jitter, lsr=1, dlsr=0
    )
    return RtcpRrPacket(ssrc=7, reports=[info])


def test_the_share_of_the_newest_round_trip_is_that_of_aiortc() -> None:
    assert round(1 - rtcrtpsender.RTT_ALPHA, 6) == NEWEST_SHARE


async def test_each_report_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender = connection.addTransceiver("video", direction="sendonly").sender
    now = 10.0
    gauge = Gauge(sender, clock=lambda: now)

    nothing = await gauge.read()
    await sender._handle_rtcp_packet(report(sender._ssrc, lost=3, fraction=64))
    first, again = await gauge.read(), await gauge.read()
    await connection.close()

    assert nothing is None
    assert first == Reading(at=10.0, round_trip=None, loss=0.25, bits_per_second=0.0)
    assert again is None


def test_the_newest_round_trip_is_taken_out_of_the_mean() -> None:
    connection_less = Gauge.__new__(Gauge)
    connection_less._mean = None
    means = [0.1, 0.1 * 0.85 + 0.5 * 0.15]

    read = [connection_less._newest(mean) for mean in (None, means[0], means[0], means[1])]

    assert [value if value is None else round(value, 6) for value in read] == [None, 0.1, None, 0.5]


async def test_a_real_connection_is_read_and_sampled(loopback: None) -> None:
    """Two real ends: the figures are those of packets really sent and reported."""
    camera = Camera(Source(Kind.TEST))
    await camera.start()
    stream, line = DocumentStream(LiveView(camera)), Line()
    track = DocumentTrack(stream, line)
    ours, theirs = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
    sender = ours.addTrack(track)
    track.agree("VP8")
    await ours.setLocalDescription(await ours.createOffer())
    await theirs.setRemoteDescription(ours.localDescription)
    await theirs.setLocalDescription(await theirs.createAnswer())
    await ours.setRemoteDescription(theirs.localDescription)
    gauge = Gauge(sender)
    readings: list[Reading] = []

    async def read() -> None:
        while not readings or readings[-1].round_trip is None:
            reading = await gauge.read()
            if reading is not None:
                readings.append(reading)
            await asyncio.sleep(0.1)

    async with asyncio.timeout(15):
        await read()
    samples = await gauge.samples()
    await ours.close()
    await theirs.close()
    stream.close()
    await camera.stop()

    assert 0 < (readings[-1].round_trip or 0) < 1
    assert readings[-1].loss == 0
    assert [(sample.type, sample.kind) for sample in samples] == [("outbound-rtp", "video"), ("remote-inbound-rtp", "video")]
    assert (samples[0].packets_sent or 0) > 10
    assert samples[1].fraction_lost == 0
    assert isinstance(samples[0], Stats)
    await until(lambda: track.readyState == "ended")
