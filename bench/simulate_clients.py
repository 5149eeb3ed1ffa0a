"""What every simulated person and device does over the wire: requests with keys, the stream `/live`, a seat in a call.

Real sockets and the project's own client; only media is stubbed, with the times that were measured between real browsers.
"""

import asyncio
import itertools
import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import msgspec

from bench.simulate_server import Service
from etapalvelu.room.live import EventReader
from etapalvelu.tasks import spawn, stop
from signaling.client import Backoff, CallClient, asked_seconds
from signaling.errors import RefusedError
from signaling.messages import (
    CallClosed,
    Decoded,
    Description,
    DescriptionFrom,
    FromServer,
    MediaInterrupted,
    MediaResumed,
    Note,
    Noted,
    Seat,
    SeatJoined,
    SessionDescription,
    Welcome,
)
from tests.faults.people import Transcript

API: Final = "/api/v1"
ANSWER: Final = aiohttp.ClientTimeout(total=8)
STREAM: Final = aiohttp.ClientTimeout(total=None, sock_connect=6, sock_read=25)
DEED_SECONDS: Final = 60.0
BACKOFF: Final = Backoff()
EXPERT_SEATS: Final[frozenset[Seat]] = frozenset({"expert", "expert2"})
OFFERS: Final[Mapping[Seat, frozenset[Seat]]] = {"room": EXPERT_SEATS, "camera": EXPERT_SEATS | {"room"}}
# Clients stand behind this many addresses: a server has limits for each.
ADDRESSES: Final = 50
SDP: Final = "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\n"
# Seconds from an answered offer to the first decoded frame of both, as measured between two browsers on one machine and over
# 50 ms lines; and how long a gap lasts that is mended by a key frame, or by an ICE restart.
FIRST_FRAME: Final = (0.13, 0.75)
GAPS: Final = ((0.3, 1.0), (2.0, 4.0))
LEFT_OUT: Final = frozenset({"ticket", "ice_servers", "resume", "description", "candidate", "offers"})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back to a request, or status 0 when nothing did."""

    status: int = 0
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def is_ok(self) -> bool:
        return self.status in (HTTPStatus.OK, HTTPStatus.CREATED)


@dataclass(frozen=True, kw_only=True)
class World:
    """What all clients share. `counts` are the figures, by name; `setups` the seconds from a claim to the first frame,
    `returns` those from a restarted server's listening to a seat's welcome, `starts` those that it took to listen."""

    service: Service
    transcript: Transcript
    https: list[aiohttp.ClientSession]
    seed: int
    counts: Counter[str] = field(default_factory=Counter)
    setups: list[float] = field(default_factory=list)
    returns: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def dice(self, name: str) -> random.Random:
        """The same for the same seed and name."""
        return random.Random(f"{self.seed} {name}")  # noqa: S311 - repeatable on purpose

    def fault(self, client: str, what: str) -> None:
        """Note a fault that is put in just now."""
        self.counts[f"fault: {what}"] += 1
        self.tell(client, "fault", what=what)

    def tell(self, client: str, kind: str, **facts: Any) -> None:
        """Write down what a client did or was told, for the checker. What the log says nothing of is left out."""
        self.transcript.add(kind, client=client, **{name: _told(fact) for name, fact in facts.items()})


async def open_sessions(stack: AsyncExitStack, address: str) -> list[aiohttp.ClientSession]:
    """HTTP sessions from as many addresses of this machine, none with a limit of its own."""
    found = []
    for number in range(ADDRESSES):
        connector = aiohttp.TCPConnector(limit=0, local_addr=(f"127.0.1.{number + 1}", 0))
        found.append(await stack.enter_async_context(aiohttp.ClientSession(address, connector=connector)))
    return found


class Client:
    """One person's or device's program."""

    def __init__(self, world: World, name: str, token: str, actor: str) -> None:
        self.world = world
        self.name = name
        self.actor = actor
        self.dice = world.dice(name)
        self.http = world.https[sum(name.encode()) % len(world.https)]
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> Answer:
        return await self._ask("GET", path, None, {})

    async def read(self, session: str) -> Answer:
        """The session with its log."""
        answer = await self.get(f"/sessions/{session}")
        if answer.is_ok:
            self.world.tell(self.name, "read", session=session, body=answer.body)
        return answer

    async def once(self, path: str, body: Mapping[str, Any], key: str) -> Answer:
        """One attempt at a deed."""
        session, deed = (path.split("/")[2], path.split("/")[3]) if path.count("/") > 2 else (None, path.split("/")[-1])
        deed = "open" if deed == "sessions" else deed
        facts = {"key": key, "actor": self.actor, "deed": deed, "session": session, "outcomes": body.get("outcomes")}
        self.world.tell(self.name, "deed", **{name: fact for name, fact in facts.items() if fact is not None})
        answer = await self._ask("POST", path, body, {"Idempotency-Key": key})
        if answer.status:
            self.world.tell(self.name, "answer", key=key, status=answer.status, body=answer.body or None)
        return answer

    async def deed(self, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """A deed, tried under one key until the server has answered it; status 0 when it never did."""
        key, attempt = f"{self.name}-{next(self.world.numbers)}", 0
        answer = Answer()
        with suppress(TimeoutError):
            async with asyncio.timeout(DEED_SECONDS):
                while not (answer := await self.once(path, body or {}, key)).status or answer.status in (429, 500, 502, 503):
                    attempt += 1
                    await asyncio.sleep(BACKOFF.seconds(attempt, float(answer.body.get("retry_after", 0))))
        if answer.status:
            self.world.counts["deeds answered"] += 1
        return answer

    async def ticket(self, session: str, seat: str) -> str:
        """A fresh ticket; raises what CallClient wants to know of a failure."""
        answer = await self._ask("POST", f"/sessions/{session}/ticket", {"seat": seat}, {})
        if answer.is_ok:
            return str(answer.body["ticket"])
        if answer.status in (401, 403, 404, 409):
            raise RefusedError(str(answer.body.get("code", "refused")), "no ticket")
        raise aiohttp.ClientError(f"no ticket: {answer.status}")

    async def follow(self, page: str, hear: Callable[[str, dict[str, Any]], None]) -> None:
        """Tell the events of the stream, which is opened again whenever it ends, until cancelled."""
        attempt = 0
        while True:
            asked = 0.0
            with suppress(aiohttp.ClientError, TimeoutError, OSError, ValueError):
                async with self.http.get(f"/live?page={page}", headers=self.headers, timeout=STREAM) as response:
                    asked = asked_seconds(response.headers)
                    response.raise_for_status()
                    reader = EventReader()
                    while line := await response.content.readline():
                        event = reader.feed(line.decode().rstrip("\r\n"))
                        if event is not None and event.name != "fragment":
                            attempt = 0
                            data = json.loads(event.data)
                            asked = float(data.get("retry_after", 0))
                            self.world.tell(self.name, "live", event=event.name, data=data)
                            hear(event.name, data)
            attempt += 1
            await asyncio.sleep(BACKOFF.seconds(attempt, asked))

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Answer:
        try:
            async with self.http.request(
                method, API + path, json=body, headers={**self.headers, **headers}, timeout=ANSWER
            ) as response:
                text = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Answer()
        return Answer(status=response.status, body=json.loads(text) if text else {})


class _Line(CallClient):
    """The project's client, whose line can be cut from outside, as a network would."""

    def cut(self) -> None:
        if self._socket is not None:
            raw = self._socket.get_extra_info("socket")
            if raw is not None:
                with suppress(OSError):
                    raw.shutdown(socket.SHUT_RDWR)


class Sitting:
    """A client in a seat of a call: the socket, what it hears there, and the stubbed media of its connections."""

    def __init__(self, client: Client, session: str, seat: Seat, ticket: str | None = None) -> None:
        """`ticket` is used first, when there is one; afterwards fresh ones are asked for."""
        self.client = client
        self.session = session
        self.seat: Seat = seat
        # Seated, or refused for good.
        self.settled = asyncio.Event()
        self.welcomed = asyncio.Event()
        self.decoded = asyncio.Event()
        self.successor = asyncio.Event()
        self.why = ""
        self._ticket = ticket
        self.welcomed_at = 0.0
        self._line = _Line(client.world.service.address + "/call", self._next_ticket, client.http, backoff=BACKOFF)
        self._generations: dict[Seat, int] = {}
        self._epochs: dict[Seat, int] = {}
        self._media: list[asyncio.Task[None]] = []
        self._running = spawn(self._run(), f"seat {client.name}")

    @property
    def is_over(self) -> bool:
        return self._running.done()

    async def over(self) -> str:
        """Why it ended: the call's close reason, or a refusal's code."""
        await asyncio.wait([self._running])
        return self.why

    def cut(self) -> None:
        """The socket is gone; the client comes back by itself."""
        self._line.cut()

    async def die(self) -> None:
        """Without a word: the program is gone, and its media with it."""
        await stop(self._running, *self._media)
        self._line.cut()

    async def bye(self) -> None:
        """Leave for good."""
        await self._line.close()
        await stop(self._running, *self._media)

    def lose_media(self, seconds: float | None = None) -> None:
        """Media of one connection stops and comes back, and this end says so."""
        if self._generations:
            self._media.append(spawn(self._gap(self.client.dice.choice(list(self._generations)), seconds), "gap"))

    async def _next_ticket(self) -> str:
        ticket, self._ticket = self._ticket, None
        return ticket or await self.client.ticket(self.session, self.seat)

    async def _run(self) -> None:
        try:
            async for message in self._line:
                told = msgspec.to_builtins(message)
                self.client.world.tell(self.client.name, "heard", session=self.session, seat=self.seat, message=told)
                await self._hear(message)
        except RefusedError as refusal:
            self.why = refusal.code
        finally:
            self.settled.set()
            for task in self._media:
                task.cancel()

    async def _hear(self, message: FromServer) -> None:
        match message:
            case Welcome():
                self.seat = message.seat
                self._count_return()
                self.welcomed.set()
                self.settled.set()
                for other in message.present:
                    await self._meet(other.seat, other.epoch)
            case SeatJoined():
                await self._meet(message.seat, message.epoch)
            case DescriptionFrom():
                await self._described(message)
            case CallClosed():
                self.why = message.reason
            case _:
                pass

    def _count_return(self) -> None:
        """How long after a restarted server listened again this seat, which was taken before, is back."""
        now, up_at = time.monotonic(), self.client.world.service.up_at
        if 0 < self.welcomed_at < up_at:
            self.client.world.returns.append(now - up_at)
        self.welcomed_at = now

    async def _meet(self, seat: Seat, epoch: int) -> None:
        if self.seat in EXPERT_SEATS and seat in EXPERT_SEATS:
            self.successor.set()
        if seat in OFFERS.get(self.seat, frozenset()) and self._epochs.get(seat) != epoch:
            self._generations[seat] = generation = self._generations.get(seat, 0) + 1
            offer = SessionDescription(type="offer", sdp=SDP)
            await self._line.send(Description(to=seat, generation=generation, description=offer))
        self._epochs[seat] = epoch

    async def _described(self, message: DescriptionFrom) -> None:
        seat, generation = message.from_, message.generation
        if message.description.type == "offer":
            self._generations[seat] = generation
            answer = SessionDescription(type="answer", sdp=SDP)
            await self._line.send(Description(to=seat, generation=generation, description=answer))
        elif self._generations.get(seat) != generation:
            return
        if self.seat == "camera":
            # It sends only, and so sees nothing.
            return
        self._media.append(spawn(self._first_frame(seat, generation), "first frame"))

    async def _first_frame(self, seat: Seat, generation: int) -> None:
        seconds = self.client.dice.uniform(*FIRST_FRAME)
        await asyncio.sleep(seconds)
        await self._note(Decoded(peer=seat, generation=generation, path="host", setup_ms=round(seconds * 1000)))
        self.decoded.set()

    async def _gap(self, seat: Seat, seconds: float | None) -> None:
        gap = self.client.dice.uniform(*self.client.dice.choice(GAPS)) if seconds is None else seconds
        await self._note(MediaInterrupted(peer=seat, cause="site_network", since_ms=self.client.dice.randrange(250, 1000)))
        await asyncio.sleep(gap)
        await self._note(MediaResumed(peer=seat, gap_ms=round(gap * 1000)))

    async def _note(self, note: Note) -> None:
        await self._line.send(Noted(note=note))


def _told(fact: Any) -> Any:
    if isinstance(fact, Mapping):
        return {name: _told(value) for name, value in fact.items() if name not in LEFT_OUT}
    return [_told(value) for value in fact] if isinstance(fact, list) else fact
