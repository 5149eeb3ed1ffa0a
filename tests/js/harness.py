"""A server with one session for trying the two people's pages: real signaling, real templates, a pretended service.

Run it by hand (`python -m tests.js.harness --port 8090`) or from the browser tests. `/open` opens a session in the room.
"""

import argparse
import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec
from aiohttp import web

from etapalvelu.domain.codes import Language, Reason, State
from etapalvelu.domain.people import Role
from etapalvelu.domain.themes import THEMES
from etapalvelu.pages.assets import STATIC
from etapalvelu.pages.expert_views import ExpertView, QueueLine, SessionFacts
from etapalvelu.pages.frame import PersonView, frame
from etapalvelu.pages.render import Renderer
from etapalvelu.pages.room_views import RoomView
from signaling import ticket
from signaling.endpoint import CallEndpoint
from signaling.messages import Description, Note, Quality, Seat

CALL = "trial"


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the clock of this little server


class Service:
    """The pretended service: one room, one session, everything allowed. `notes` keeps what signaling reported."""

    def __init__(self) -> None:
        self.key = secrets.token_bytes(32)
        self.renderer = Renderer()
        self.state = ""
        self.place = 2
        self.expert: str | None = None
        self.on_hold = False
        self.opened = now()
        self.notes: list[tuple[str, Note]] = []
        self.samples: list[tuple[str, Quality]] = []
        self.changed = asyncio.Condition()
        self.decoded: set[str] = set()
        self.endpoint = CallEndpoint(self, ticket_key=self.key, resume_key=self.key, clock=now)

    # Attendance

    async def joined(self, call: str, seat: Seat, who: str) -> None: ...

    async def left(self, call: str, seat: Seat, who: str, reason: str) -> None: ...

    async def interrupted(self, call: str, seat: Seat, who: str, since: datetime) -> None: ...

    async def resumed(self, call: str, seat: Seat, who: str, gap_ms: int) -> None: ...

    async def noted(self, call: str, seat: Seat, who: str, note: Note) -> None:
        self.notes.append((seat, note))
        if type(note).__name__ == "Decoded" and seat in ("room", "expert"):
            self.decoded.add(seat)
            if len(self.decoded) == 2 and self.state == "claimed":
                await self.move("connected")

    async def sampled(self, call: str, seat: Seat, who: str, quality: Quality) -> None:
        self.samples.append((seat, quality))

    # What pages see

    async def move(self, state: str) -> None:
        async with self.changed:
            self.state = state
            self.changed.notify_all()

    def offer(self, seat: str, login: str) -> dict[str, Any]:
        claims = ticket.Claims(
            call=CALL, seat=msgspec.convert(seat, Seat), who=f"test:{seat}", login=login, id=secrets.token_hex(8),
            expires=int(time.time()) + 60,
        )  # fmt: skip
        return {"ticket": ticket.mint(claims, self.key), "ice_servers": [], "ice_transport_policy": "all", "call": CALL}

    def expert_values(self) -> dict[str, object]:
        line = QueueLine(
            id=CALL, place=1, theme="social-assistance", language=Language.FI, reason=Reason.APPLICATION, needs=(),
            point="Kuopion yhteispalvelupiste", room="Etäpalvelutila 1", since=self.opened, transfer=False,
        )  # fmt: skip
        facts = SessionFacts(
            id=CALL, state=State.CLAIMED, theme=line.theme, language=line.language, reason=line.reason, needs=(),
            point=line.point, room=line.room, since=self.opened, advisor_stays=True, on_hold=self.on_hold, transfer=False,
            is_slow=False, last_try=False, handover="", colleague="",
        )  # fmt: skip
        view = ExpertView(
            lines=(line,) if self.state == "waiting" else (),
            themes=tuple(theme.key for theme in THEMES if theme.offered),
        )  # fmt: skip
        return {
            "view": view,
            "colleagues": (),
            "now": now(),
            "session": facts if self.state in ("claimed", "connected") else None,
        }

    def room_values(self) -> dict[str, object]:
        return {
            "room": RoomView(
                name="Etäpalvelutila 1", point="Kuopion yhteispalvelupiste", phone="017 123 456", state=self.state,
                session=CALL if self.state else "", theme="social-assistance", place=self.place, expert=self.expert or "",
                on_hold=self.on_hold,
            )
        }  # fmt: skip

    def page(self, request: web.Request, name: str, values: dict[str, object]) -> web.Response:
        lang = request.query.get("lang", request.cookies.get("lang", "fi"))
        person = PersonView(account="expert", name="asiantuntija", role=Role.EXPERT) if name == "expert" else None
        html = self.renderer.page(f"{name}.html", lang, frame(request.url, person, "token") | values)
        response = web.Response(text=html, content_type="text/html")
        response.set_cookie("lang", lang)
        return response

    async def expert_page(self, request: web.Request) -> web.Response:
        return self.page(request, "expert", self.expert_values())

    async def room_page(self, request: web.Request) -> web.Response:
        return self.page(request, "room", self.room_values())

    async def live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            await self.watch(response, request.cookies.get("lang", "fi"), request.query["page"] == "room")
        return response

    async def watch(self, response: web.StreamResponse, lang: str, room: bool) -> None:
        """Tells everything anew at every change."""
        while True:
            told = self.state
            own = told if room or told in ("claimed", "connected") else ""
            await self.tell(response, "state", {"state": own, "session": CALL if own else ""})
            values = self.room_values() if room else self.expert_values()
            parts = (
                {"calm": "room-words", "expert-name": "room-person"}
                if room
                else {"queue": "expert-queue", "session-facts": "expert-facts", "queue-words": "expert-count"}
            )
            for target, name in parts.items():
                html = self.renderer.page(f"{name}.html", lang, values)
                await self.tell(response, "fragment", {"target": target, "html": html})
            async with self.changed:
                await self.changed.wait()

    async def tell(self, response: web.StreamResponse, event: str, data: dict[str, str]) -> None:
        await response.write(f"event: {event}\ndata: {msgspec.json.encode(data).decode()}\n\n".encode())

    # Deeds

    async def open(self, request: web.Request) -> web.Response:
        self.decoded.clear()
        self.expert = None
        self.opened = now()
        self.place = int(request.query.get("place", "2"))
        await self.move("waiting")
        return web.Response(text="open")

    async def next(self, _request: web.Request) -> web.Response:
        call = CALL if self.state == State.WAITING else None
        offers = self.endpoint.waiting(CALL, "expert", "test:expert") if call else []
        answer = {"call": call, "ice_servers": [], "ice_transport_policy": "all", "offers": offers}
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json")

    async def answer(self, request: web.Request) -> web.Response:
        said = await request.json()
        answer = msgspec.convert({name: said[name] for name in ("to", "generation", "description")}, Description)
        return web.json_response({"awaited": await self.endpoint.answer(CALL, "expert", "test:expert", answer)})

    async def take(self, request: web.Request) -> web.Response:
        if self.state != "waiting":
            return web.Response(status=204)
        self.expert = "asiantuntija"
        await self.move("claimed")
        return web.json_response({"id": CALL, "state": "claimed"} | self.offer("expert", "expert"))

    async def sit(self, request: web.Request) -> web.Response:
        seat = (await request.json())["seat"]
        return web.json_response(self.offer(seat, seat))

    async def close(self, request: web.Request) -> web.Response:
        await self.move("")
        await self.endpoint.end(CALL, "completed")
        return web.json_response({"id": CALL, "state": "closed"})

    async def hold(self, request: web.Request) -> web.Response:
        self.on_hold = request.path.endswith("hold")
        await self.move(self.state)
        return web.json_response({"id": CALL, "state": self.state})

    async def said(self, request: web.Request) -> web.Response:
        notes = [[seat, msgspec.to_builtins(note)] for seat, note in self.notes]
        return web.json_response({"notes": notes, "samples": len(self.samples)})


def application(service: Service) -> web.Application:
    app = web.Application()
    app.add_routes(
        [
            web.get("/expert", service.expert_page),
            web.get("/room", service.room_page),
            web.get("/live", service.live),
            web.get("/open", service.open),
            web.get("/said", service.said),
            web.get("/api/v1/queue/next", service.next),
            web.post("/api/v1/queue/next/answer", service.answer),
            web.post("/api/v1/sessions/take", service.take),
            web.post(f"/api/v1/sessions/{CALL}/claim", service.take),
            web.post(f"/api/v1/sessions/{CALL}/ticket", service.sit),
            web.post(f"/api/v1/sessions/{CALL}/close", service.close),
            web.post(f"/api/v1/sessions/{CALL}/hold", service.hold),
            web.post(f"/api/v1/sessions/{CALL}/continue", service.hold),
        ]
    )
    app.router.add_static(f"/static/{service.renderer.version}", STATIC)
    service.endpoint.attach(app)
    return app


@asynccontextmanager
async def served(port: int) -> AsyncIterator[Service]:
    service = Service()
    runner = web.AppRunner(application(service), shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield service
    finally:
        await runner.cleanup()


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8090)
    async with served(parser.parse_args().port):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
