"""Measures the way to the server: reached at all, how fast, how much is lost, and how far the clocks differ.

Loss is what the kernel had to send again on the connection that carries the measurement up (Linux, `TCP_INFO`).
"""

import asyncio
import os
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from statistics import median
from typing import Any, Final

import aiohttp

from etapalvelu.room.finding import Finding, at_least, at_most
from etapalvelu.room.server import CheckSheet, Server, ServerAwayError, ServerRefusedError
from signaling.messages import SUBPROTOCOL

# Milliseconds to an answer of the server.
GOOD_ANSWER: Final = 500.0
ENOUGH_ANSWER: Final = 3000.0
SOCKET_SECONDS: Final = 5.0
ASKED_TIMES: Final = 5
# Kilobits a second: picture and sound of two people and the document; and what carries sound and stills.
GOOD_SPEED: Final = 1000.0
ENOUGH_SPEED: Final = 250.0
# Percent, and milliseconds.
GOOD_LOSS: Final = 1.0
ENOUGH_LOSS: Final = 10.0
GOOD_ROUND_TRIP: Final = 200.0
ENOUGH_ROUND_TRIP: Final = 1000.0
# Seconds.
GOOD_CLOCK: Final = 2.0
ENOUGH_CLOCK: Final = 300.0
# A measurement ends after so long, or so many bytes.
MEASURED_SECONDS: Final = 2.5
MEASURED_BYTES: Final = 4_000_000
_PIECE_BYTES: Final = 16 * 1024
_LEAST_BYTES: Final = 2_000
# From the beginning of Linux's struct tcp_info: all retransmissions, all segments sent.
_RETRANSMITTED_AT, _SENT_AT = 100, 136
_TCP_INFO_BYTES: Final = 192

Now = Callable[[], datetime]


class LineCheck:
    """One measurement of the way to `server`. `trust` is what its connections trust, as for the server's own."""

    def __init__(self, server: Server, *, trust: ssl.SSLContext | None, now: Now) -> None:
        self._server = server
        self._trust = trust
        self._now = now
        self._sockets: list[socket.socket] = []

    async def reached(self) -> tuple[CheckSheet | None, list[Finding]]:
        """What the server says of this check, None where it does not answer; and how fast, and how late its clock is."""
        try:
            began, here = time.monotonic(), self._now()
            sheet = await self._server.check_sheet()
            took = time.monotonic() - began
        except (ServerAwayError, ServerRefusedError):
            return None, [Finding(code="server_http", result="failed", note="no_answer")]
        apart = round(abs((here - sheet.now).total_seconds() + took / 2), 1)
        return sheet, [
            at_most("server_http", round(took * 1000), good=GOOD_ANSWER, enough=ENOUGH_ANSWER),
            at_most("clock", apart, good=GOOD_CLOCK, enough=ENOUGH_CLOCK),
        ]

    async def measured(self) -> list[Finding]:
        """The websocket, then the line down and up; whatever fails of it is one finding."""
        connector: Any = aiohttp.TCPConnector(ssl=self._trust if self._trust is not None else True, socket_factory=self._socket)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as http:
            return [
                await self._socket_opens(http),
                await self._measure("bandwidth_down", self._down(http)),
                await self._measure("bandwidth_up", self._up(http)),
                *await self._segments(http),
            ]

    async def _socket_opens(self, http: aiohttp.ClientSession) -> Finding:
        began = time.monotonic()
        try:
            async with (
                asyncio.timeout(SOCKET_SECONDS),
                http.ws_connect(self._server.call_address, protocols=(SUBPROTOCOL,)) as opened,
            ):
                is_ours = opened.protocol == SUBPROTOCOL
        except (aiohttp.ClientError, TimeoutError, OSError):
            is_ours = False
        if not is_ours:
            return Finding(code="server_socket", result="failed", note="no_answer")
        took = round((time.monotonic() - began) * 1000)
        return at_most("server_socket", took, good=GOOD_ANSWER, enough=ENOUGH_ANSWER)

    async def _measure(self, code: str, measuring: Awaitable[tuple[int, float]]) -> Finding:
        try:
            count, seconds = await measuring
        except aiohttp.ClientResponseError as error:
            # Measured too often of late says nothing of the line.
            is_limited = error.status == HTTPStatus.TOO_MANY_REQUESTS
            return Finding(code=code, result="skipped" if is_limited else "failed", note="not_measured")
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Finding(code=code, result="failed", note="no_answer")
        if count < _LEAST_BYTES or seconds <= 0:
            return Finding(code=code, result="failed", note="not_measured")
        return at_least(code, round(count * 8 / 1000 / seconds), good=GOOD_SPEED, enough=ENOUGH_SPEED)

    async def _down(self, http: aiohttp.ClientSession) -> tuple[int, float]:
        """Bytes and seconds from the first of them to the last."""
        count, began, now = 0, 0.0, 0.0
        limit = aiohttp.ClientTimeout(total=MEASURED_SECONDS * 4)
        query = {"bytes": str(MEASURED_BYTES)}
        async with http.get(self._address, params=query, headers=self._server.headers, timeout=limit) as answer:
            answer.raise_for_status()
            async for piece in answer.content.iter_any():
                now = time.monotonic()
                began = began or now
                count += len(piece)
                if now - began >= MEASURED_SECONDS:
                    # The rest is not wanted: the connection ends with it.
                    answer.close()
                    break
        return count, max(now - began, 0.001)

    async def _up(self, http: aiohttp.ClientSession) -> tuple[int, float]:
        """The same upwards, by the server's own clock: what lies in this machine's buffers has not been sent."""
        limit = aiohttp.ClientTimeout(total=MEASURED_SECONDS * 4)
        headers = {**self._server.headers, "Content-Type": "application/octet-stream"}
        async with http.post(self._address, data=_pieces(), headers=headers, timeout=limit) as answer:
            answer.raise_for_status()
            said = await answer.json()
        return int(said["bytes"]), max(int(said["milliseconds"]) / 1000, 0.001)

    async def _segments(self, http: aiohttp.ClientSession) -> list[Finding]:
        counted = [one for one in map(_counted, self._sockets) if one is not None]
        sent, again = sum(one[0] for one in counted), sum(one[1] for one in counted)
        if not sent:
            loss = Finding(code="loss", result="skipped", note="not_measured")
        else:
            loss = at_most("loss", round(100 * again / sent, 1), good=GOOD_LOSS, enough=ENOUGH_LOSS)
        return [loss, await self._round_trip(http)]

    async def _round_trip(self, http: aiohttp.ClientSession) -> Finding:
        """The middle of some short questions on a connection that is open."""
        took = []
        limit = aiohttp.ClientTimeout(total=SOCKET_SECONDS)
        try:
            for _ in range(ASKED_TIMES):
                began = time.monotonic()
                async with http.get(f"{self._server.address}/healthz", timeout=limit) as answer:
                    await answer.read()
                took.append((time.monotonic() - began) * 1000)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Finding(code="round_trip", result="failed", note="no_answer")
        return at_most("round_trip", round(median(took)), good=GOOD_ROUND_TRIP, enough=ENOUGH_ROUND_TRIP)

    @property
    def _address(self) -> str:
        return f"{self._server.address}/api/v1/devices/speed"

    def _socket(self, address: Any) -> socket.socket:
        """A socket as aiohttp would make it, and remembered: its kernel counts what is lost."""
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        self._sockets.append(made)
        return made


async def _pieces() -> AsyncIterator[bytes]:
    piece, ends = os.urandom(_PIECE_BYTES), time.monotonic() + MEASURED_SECONDS
    for _ in range(0, MEASURED_BYTES - _PIECE_BYTES, _PIECE_BYTES):
        yield piece
        if time.monotonic() >= ends:
            return


def _counted(connected: socket.socket) -> tuple[int, int] | None:
    """Segments sent, and how many of them again; None where the connection is closed, or this is no Linux."""
    try:
        info = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        return struct.unpack_from("=I", info, _SENT_AT)[0], struct.unpack_from("=I", info, _RETRANSMITTED_AT)[0]
    except (OSError, AttributeError, struct.error):
        return None
