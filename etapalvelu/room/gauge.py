"""Reads one sender's public statistics: for the rate of its line, and as a sample for the session's timeline."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from aiortc import RTCRtpSender
from aiortc.stats import RTCOutboundRtpStreamStats, RTCRemoteInboundRtpStreamStats, RTCStatsReport

from etapalvelu.room.h264 import TICKS_PER_SECOND
from etapalvelu.room.rate import Reading
from signaling.messages import Stats

# aiortc hands out a mean in which the newest round trip has this share: too slow to see a queue grow.
NEWEST_SHARE: Final = 0.15
# RFC 3550, 6.4.1: the share is told in 256th.
_LOSS_PARTS: Final = 256


class Gauge:
    """Of one sender; to be read about once a second."""

    def __init__(self, sender: RTCRtpSender, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sender = sender
        self._clock = clock
        self._reported: datetime | None = None
        self._mean: float | None = None
        self._sent: tuple[float, int] | None = None
        self._reports = 0

    async def read(self) -> Reading | None:
        """What the receiver has reported since the last time; None when it has reported nothing."""
        outbound, remote = _of_report(await self._sender.getStats())
        if outbound is None or remote is None or remote.timestamp == self._reported:
            return None
        self._reported = remote.timestamp
        now = self._clock()
        return Reading(
            at=now,
            round_trip=self._newest(remote.roundTripTime),
            loss=remote.fractionLost / _LOSS_PARTS,
            bits_per_second=self._speed(now, outbound.bytesSent),
        )

    async def samples(self) -> tuple[Stats, ...]:
        """The line under its W3C names."""
        outbound, remote = _of_report(await self._sender.getStats())
        samples = []
        if outbound is not None:
            samples.append(
                Stats(type="outbound-rtp", kind="video", packets_sent=outbound.packetsSent, bytes_sent=outbound.bytesSent)
            )
        if remote is not None:
            samples.append(
                Stats(
                    type="remote-inbound-rtp",
                    kind="video",
                    packets_received=max(0, remote.packetsReceived),
                    packets_lost=remote.packetsLost,
                    jitter=remote.jitter / TICKS_PER_SECOND,
                    fraction_lost=remote.fractionLost / _LOSS_PARTS,
                    round_trip_time=remote.roundTripTime,
                )
            )
        return tuple(samples)

    def _newest(self, mean: float | None) -> float | None:
        """The newest round trip, taken out of the mean; None when the report brought none."""
        before, self._mean = self._mean, mean
        if mean is None or mean == before:
            return None
        return mean if before is None else max(0.0, before + (mean - before) / NEWEST_SHARE)

    def _speed(self, now: float, sent: int) -> float:
        before, self._sent = self._sent, (now, sent)
        if before is None or now <= before[0]:
            return 0.0
        return (sent - before[1]) * 8 / (now - before[0])


def _of_report(
    report: RTCStatsReport,
) -> tuple[RTCOutboundRtpStreamStats | None, RTCRemoteInboundRtpStreamStats | None]:
    outbound = remote = None
    for entry in report.values():
        match entry:
            case RTCOutboundRtpStreamStats():
                outbound = entry
            case RTCRemoteInboundRtpStreamStats():
                remote = entry
            case _:
                pass
    return outbound, remote
