"""A line that takes its time: a small UDP relay between two WebRTC peers on one machine, for kernels without `tc netem`.

Both peers are told the relay's addresses in place of each other's, so that nothing goes straight.
"""

import asyncio
import re
import socket
from types import TracebackType
from typing import Self, cast

Address = tuple[str, int]
_CANDIDATE = re.compile(r"^a=candidate:.*\r?\n", re.MULTILINE)
_UDP = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\d+\.\d+\.\d+\.\d+) (\d+) typ host", re.MULTILINE | re.IGNORECASE)


class _End(asyncio.DatagramProtocol):
    """One side's socket: what it gets goes out at the other side, later."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.peer: Address | None = None
        self.other: _End | None = None
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self.peer = addr
        asyncio.get_running_loop().call_later(self.delay, self._pass_on, data)

    def _pass_on(self, data: bytes) -> None:
        other = self.other
        if other is not None and other.peer is not None and other.transport is not None and not other.transport.is_closing():
            other.transport.sendto(data, other.peer)


class FarLine:
    """Delays each packet by `delay` seconds in each direction. `offer` and `answer` are the descriptions to hand on."""

    def __init__(self, delay: float) -> None:
        self._ends = _End(delay), _End(delay)
        self._ends[0].other, self._ends[1].other = self._ends[1], self._ends[0]
        self._host = "127.0.0.1"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        for end in self._ends:
            transport, _ = await loop.create_datagram_endpoint(lambda end=end: end, local_addr=("0.0.0.0", 0))  # type: ignore[misc]  # noqa: S104
            raw: socket.socket = transport.get_extra_info("socket")
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in self._ends:
            if end.transport is not None:
                end.transport.close()

    def offer(self, sdp: str) -> str:
        """What the answering side is given: it finds the offering one at the first socket."""
        return self._replaced(sdp, told=self._ends[0], knows=self._ends[1])

    def answer(self, sdp: str) -> str:
        """What the offering side is given."""
        return self._replaced(sdp, told=self._ends[1], knows=self._ends[0])

    def _replaced(self, sdp: str, *, told: _End, knows: _End) -> str:
        found = _UDP.search(sdp)
        if found is None:
            raise ValueError("the description has no address to go to")
        knows.peer = (found[1], int(found[2]))
        if told.transport is None:
            raise ValueError("the line is not open")
        port = told.transport.get_extra_info("sockname")[1]
        mine = f"a=candidate:1 1 udp 2130706431 {found[1]} {port} typ host\r\n"
        bare = _CANDIDATE.sub("", sdp).replace("a=end-of-candidates\r\n", "")
        # One candidate in each section that carries media; they share one transport.
        return re.sub(r"(^a=mid:[^\r\n]*\r\n)", lambda mid: mid[1] + mine, bare, flags=re.MULTILINE)
