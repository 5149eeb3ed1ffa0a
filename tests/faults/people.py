"""Clients that do deeds and sit in calls as programs do, and write down all they are told, for the checker.

A deed that is not answered is asked again under the same key until it is: that is what an idempotency key is for.
"""

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from etapalvelu.domain.codes import Seat
from signaling.client import Backoff, CallClient
from signaling.messages import Bye, CallClosed, Decoded, FromServer, Note, Noted, SeatJoined, Welcome, encode
from tests.faults.checker import Json
from tests.faults.rig import Rig

# How long a client goes on asking before the test fails: longer than any fault lasts.
PATIENCE_SECONDS = 75.0
ASK_SECONDS = 8.0
AGAIN_SECONDS = 0.1
BACKOFF = Backoff(first=0.1, longest=0.5)


class Transcript:
    """What one client sent and was told, written line by line so that nothing is lost with it."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")

    def add(self, kind: str, **fields: Any) -> None:
        line = {"kind": kind, "steady": round(time.monotonic(), 4), **fields}
        self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class RefusedDeedError(Exception):
    """The service answered with a refusal; `code` is its problem's."""

    def __init__(self, status: int, problem: Json, headers: dict[str, str]) -> None:
        super().__init__(f"{status} {problem.get('code')}")
        self.status = status
        self.code = problem.get("code")
        self.problem = problem
        self.headers = headers


class Person:
    """One token's deeds. `actor` is how the log names whoever holds it."""

    def __init__(self, name: str, actor: str, token: str, http: aiohttp.ClientSession, transcript: Transcript) -> None:
        self.name = name
        self.actor = actor
        self.transcript = transcript
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}"}

    # Deeds

    async def open(self, room: str = "rantala-1", theme: str = "pensions", *, patient: bool = True, **fields: Any) -> Json:
        body = {"room": room, "theme": theme, "language": "fi", "reason": "advice", **fields}
        return await self._told("open", "/sessions", body, None, patient)

    async def take(self, *, patient: bool = True) -> Json | None:
        return await self.deed("take", "/sessions/take", {}, patient=patient)

    async def claim(self, session: str, *, patient: bool = True) -> Json:
        return await self._told("claim", f"/sessions/{session}/claim", {}, session, patient)

    async def release(self, session: str, *, patient: bool = True) -> Json:
        return await self._told("release", f"/sessions/{session}/release", {}, session, patient)

    async def note(self, session: str, *outcomes: str, patient: bool = True) -> Json:
        return await self._told("note", f"/sessions/{session}/note", {"outcomes": list(outcomes)}, session, patient)

    async def close(self, session: str, cause: str = "completed", *, patient: bool = True, **fields: Any) -> Json:
        return await self._told("close", f"/sessions/{session}/close", {"cause": cause, **fields}, session, patient)

    async def _told(self, name: str, path: str, body: Json, session: str | None, patient: bool) -> Json:
        answer = await self.deed(name, path, body, session=session, patient=patient)
        assert answer is not None
        return answer

    async def deed(
        self, name: str, path: str, body: Json, *, session: str | None = None, patient: bool = True, key: str | None = None
    ) -> Json | None:
        """Ask until answered; a patient one asks again too when told that nothing was done. Raises `RefusedDeedError`."""
        key = key or f"{self.name}-{secrets.token_hex(8)}"
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.transcript.add(
                "deed", key=key, actor=self.actor, deed=name, session=session, outcomes=body.get("outcomes"), body=body
            )
            try:
                status, answer, headers = await self._post(path, body, {"Idempotency-Key": key})
            except (aiohttp.ClientError, TimeoutError, OSError):
                if not patient or time.monotonic() > end:
                    raise
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.transcript.add("answer", key=key, status=status, body=answer)
            if status < 400:
                return answer
            if status != 503 or not patient or time.monotonic() > end:
                raise RefusedDeedError(status, answer or {}, headers)
            await asyncio.sleep(AGAIN_SECONDS)

    async def ticket(self, session: str, seat: str) -> str:
        """A fresh ticket to the seat. Raises `RefusedDeedError`, and network errors as they come."""
        status, answer, headers = await self._post(f"/sessions/{session}/ticket", {"seat": seat}, {})
        if status != 200 or answer is None:
            raise RefusedDeedError(status, answer or {}, headers)
        return str(answer["ticket"])

    async def read(self, session: str) -> Json:
        """The session with its events, as this person may see it."""
        url = f"/api/v1/sessions/{session}"
        async with self.http.get(url, headers=self.headers, timeout=aiohttp.ClientTimeout(ASK_SECONDS)) as response:
            body: Json = await response.json(content_type=None)
            if response.status != 200:
                raise RefusedDeedError(response.status, body, dict(response.headers))
        self.transcript.add("read", session=session, body=body)
        return body

    async def _post(self, path: str, body: Json, headers: dict[str, str]) -> tuple[int, Json | None, dict[str, str]]:
        limit = aiohttp.ClientTimeout(ASK_SECONDS)
        url, all_headers = f"/api/v1{path}", {**self.headers, **headers}
        async with self.http.post(url, json=body, headers=all_headers, timeout=limit) as response:
            text = await response.text()
            return response.status, json.loads(text) if text else None, dict(response.headers)

    # Seats

    def sit(self, session: str, seat: str, ticket: str | None = None) -> "Sitter":
        """Take the seat by the product's own client, and come back by itself whenever the line is lost."""
        return Sitter(self, session, seat, ticket)

    async def hear_state(self) -> AsyncIterator[Json]:
        """What the stream of fresh state says, event by event, until it ends. Coming back is the caller's affair."""
        limit = aiohttp.ClientTimeout(total=None, sock_read=30)
        async with self.http.get("/live", headers=self.headers, timeout=limit) as response:
            event = ""
            async for raw in response.content:
                field, _, text = raw.decode().rstrip("\n").partition(": ")
                if field == "event":
                    event = text
                elif field == "data":
                    line = {"event": event, "data": json.loads(text)}
                    if event in ("state", "bye", "session", "none"):
                        self.transcript.add("live", **line)
                    yield line


class Sitter:
    """One seat, held for the length of the block; what it hears is written down. `ended` has the reason of `call_closed`."""

    def __init__(self, person: Person, session: str, seat: str, ticket: str | None) -> None:
        self.session = session
        self.seat = seat
        self.heard: asyncio.Queue[FromServer] = asyncio.Queue()
        self.welcomes: list[tuple[float, Welcome]] = []
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._person = person
        self._first = ticket
        self._task: asyncio.Task[None] | None = None
        self.client = CallClient("/call", self._ticket, person.http, backoff=BACKOFF)

    async def _ticket(self) -> str:
        ticket, self._first = self._first, None
        return ticket or await self._person.ticket(self.session, self.seat)

    async def __aenter__(self) -> "Sitter":
        self._task = asyncio.ensure_future(self._listen())
        await self.seated()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def leave(self) -> None:
        """Give the seat up for good."""
        await self.client.send(Bye())

    async def say(self, note: Note) -> None:
        await self.client.send(Noted(note=note))

    async def seated(self, times: int = 1, seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until the seat was taken (again) this many times in all; the steady time of the last."""
        async with asyncio.timeout(seconds):
            while len(self.welcomes) < times:
                self._check()
                await asyncio.sleep(0.01)
        return self.welcomes[times - 1][0]

    async def sees(self, seat: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until another seat is known to be taken."""
        async with asyncio.timeout(seconds):
            while not any(other.seat == seat for _, welcome in self.welcomes for other in welcome.present):
                message = await self.heard.get()
                if isinstance(message, SeatJoined) and message.seat == seat:
                    return

    async def over(self, seconds: float = PATIENCE_SECONDS) -> str:
        """Wait for the end of the call; its reason."""
        async with asyncio.timeout(seconds):
            return await asyncio.shield(self.ended)

    def _check(self) -> None:
        if self._task is not None and self._task.done() and not self._task.cancelled():
            self._task.result()

    async def _listen(self) -> None:
        async for message in self.client:
            said = json.loads(encode(message))
            said.pop("resume", None)
            self._person.transcript.add("heard", session=self.session, seat=self.seat, message=said)
            if isinstance(message, Welcome):
                self.welcomes.append((time.monotonic(), message))
            elif isinstance(message, CallClosed) and not self.ended.done():
                self.ended.set_result(message.reason)
            self.heard.put_nowait(message)


class People:
    """Everybody of a rig, each by the token prepared for them."""

    def __init__(self, rig: Rig, http: aiohttp.ClientSession) -> None:
        self._rig = rig
        self._http = http
        self._known: dict[str, Person] = {}

    def staff(self, account: str) -> Person:
        return self._person(account, f"staff:{account}", account)

    @property
    def advisor(self) -> Person:
        return self.staff("advisor")

    @property
    def expert(self) -> Person:
        return self.staff("expert")

    @property
    def expert2(self) -> Person:
        return self.staff("expert2")

    def screen(self, room: str = "rantala-1") -> Person:
        return self._person(f"{room}-screen", f"device:{room}", f"{room}:room")

    def agent(self, room: str = "rantala-1") -> Person:
        return self._person(f"{room}-agent", f"device:{room}", f"{room}:agent")

    def close(self) -> None:
        for person in self._known.values():
            person.transcript.close()

    def _person(self, name: str, actor: str, token: str) -> Person:
        if name not in self._known:
            transcript = Transcript(self._rig.transcript(name))
            self._known[name] = Person(name, actor, self._rig.tokens[token], self._http, transcript)
        return self._known[name]


@asynccontextmanager
async def people_of(rig: Rig) -> AsyncIterator[People]:
    """Clients of the rig's server, for the length of the block."""
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    async with aiohttp.ClientSession(rig.address, connector=connector) as http:
        people = People(rig, http)
        try:
            yield people
        finally:
            people.close()


@asynccontextmanager
async def in_service(rig: Rig, people: People, room: str = "rantala-1") -> AsyncIterator[tuple[str, Sitter, Sitter]]:
    """A session with its room and its expert seated and connected: its id, the room's sitter, the expert's."""
    session = (await people.advisor.open(room))["id"]
    async with people.screen(room).sit(session, "room") as screen:
        await people.expert.claim(session)
        async with people.expert.sit(session, "expert") as expert:
            for sitter, other in ((screen, Seat.EXPERT), (expert, Seat.ROOM)):
                await sitter.say(Decoded(peer=other.value, generation=1, path="host", setup_ms=100))
            await until(lambda: "connected" in rig.types(session))
            yield session, screen, expert


async def until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for `holds()` to be true, or fail."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.02)
