"""A real server's front: doors, API and stand-in pages over a real store, and people with logins to knock with."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher

from etapalvelu.access import Access, Revoked, SignedIn
from etapalvelu.api.checks import Checks
from etapalvelu.api.problems import Words, tell_problems
from etapalvelu.api.routes import attach
from etapalvelu.app import make_app
from etapalvelu.attempts import Knocks
from etapalvelu.config import Config, Secrets, StoreSettings
from etapalvelu.cookies import cookie_name_at
from etapalvelu.domain.codes import Path, Seat
from etapalvelu.domain.errors import NotAllowedError, RefusalError
from etapalvelu.domain.events import Connected, Event, Joined
from etapalvelu.domain.people import Device, Person, Role, Staff, StaffRequest
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import THEMES, weekdays
from etapalvelu.doors import DOORS, MAX_BODY_BYTES, guard
from etapalvelu.headers import add_security_headers
from etapalvelu.keys import load_keys
from etapalvelu.origin import behind_proxies, networks
from etapalvelu.pages.site import SITE
from etapalvelu.passwords import Passwords
from etapalvelu.reports import Reports
from etapalvelu.seats import CallSettings
from etapalvelu.setups import CameraSetups
from etapalvelu.upcoming import Preparing
from tests.conftest import ADVISOR, EXPERT, EXPERT2, SUPERVISOR, Service
from tests.samples import OPENS_ON

PASSWORD = "a long password"
# Where who knocks comes from, where it matters.
ADDRESS = "203.0.113.9"
ADMIN = Staff(account="anni", role=Role.ADMIN)
# Of another point than the sessions of these tests.
FAR_ADVISOR = Staff(account="kaija", role=Role.ADVISOR, point="kaukola")
FAR_SUPERVISOR = Staff(account="kalle", role=Role.SUPERVISOR, point="kaukola")
STAFF = (ADVISOR, EXPERT, EXPERT2, SUPERVISOR, ADMIN, FAR_ADVISOR, FAR_SUPERVISOR)

Client = TestClient[web.Request, web.Application]


def cheap_passwords() -> Passwords:
    """Argon2 as weak as it goes: these tests are not about its cost."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass(frozen=True, kw_only=True)
class Doorstep:
    """The running front and its people."""

    service: Service
    access: Access
    client: Client
    revoked: list[str]
    setups: CameraSetups
    _signed_in: dict[str, SignedIn] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return str(self.client.make_url("/")).rstrip("/")

    async def bearer(self, who: Person) -> dict[str, str]:
        """Headers of a program that acts as this person."""
        if isinstance(who, Device):
            return {"Authorization": f"Bearer {(await self.login(who)).secret}"}
        return {"Authorization": f"Bearer {await self.access.add_token(who.account)}"}

    async def login(self, who: Person) -> SignedIn:
        if who.account not in self._signed_in:
            self._signed_in[who.account] = await self._sign_in(who)
        return self._signed_in[who.account]

    async def _sign_in(self, who: Person) -> SignedIn:
        if isinstance(who, Staff):
            return await self.access.sign_in(who.account, PASSWORD, "198.51.100.1")
        code = await self.access.add_pairing_code(who.room, who.role)
        return await self.access.pair(code, who.role, "198.51.100.1")

    async def cookies(self, *people: Person) -> dict[str, str]:
        """The Cookie header of one browser in which all these have signed in."""
        port = self.client.port
        pairs = [f"{cookie_name_at('127.0.0.1', port, who.role)}={(await self.login(who)).secret}" for who in people]
        return {"Cookie": "; ".join(pairs)} if pairs else {}

    async def browser(self, who: Person) -> dict[str, str]:
        """Headers of a page's own script."""
        return await self.cookies(who) | {"X-CSRF-Token": (await self.login(who)).visitor.csrf_token}

    async def post(
        self, path: str, who: Person, body: object = None, headers: Mapping[str, str] | None = None
    ) -> ClientResponse:
        all_headers = await self.bearer(who) | dict(headers or {})
        return await self.client.post(f"/api/v1{path}", json={} if body is None else body, headers=all_headers)

    async def get(self, path: str, who: Person) -> ClientResponse:
        return await self.client.get(f"/api/v1{path}", headers=await self.bearer(who))

    async def connected(self, session: Session, expert: Staff = EXPERT) -> Session:
        """The session after its expert took it and picture and sound went both ways."""
        desk, ledger = self.service.desk, self.service.ledger
        await desk.claim(expert, session.id)
        events: list[Event] = [Joined(seat=Seat.ROOM), Joined(seat=Seat.EXPERT), Connected(path=Path.HOST, setup_ms=400)]
        return await ledger.change(session.id, "system", lambda _session: events)


@pytest.fixture
async def doorstep(service: Service) -> AsyncIterator[Doorstep]:
    made = await make_doorstep(service)
    yield made
    await made.client.close()


@pytest.fixture
async def whole(service: Service, tmp_path: FilePath) -> AsyncIterator[Doorstep]:
    made = await make_whole(service, tmp_path)
    yield made
    await made.client.close()


@pytest.fixture
def access(doorstep: Doorstep) -> Access:
    return doorstep.access


async def make_doorstep(service: Service, words: Words | None = None, knocks: Knocks | None = None) -> Doorstep:
    """The doors and the API with stand-in pages, on a loopback port. The caller closes `client`."""
    revoked: list[str] = []

    async def on_revoked(login: str) -> None:
        revoked.append(login)

    access = await _access(service, b"c" * 32, on_revoked)
    app = web.Application(
        client_max_size=MAX_BODY_BYTES,
        middlewares=[behind_proxies(networks(["127.0.0.1"])), tell_problems(words), _tell_pages, guard(access, knocks=knocks)],
    )
    app.on_response_prepare.append(add_security_headers)
    reports = Reports(sessions=service.sessions, places=service.places, clock=service.clock)
    calls = CallSettings(ticket_key=b"k" * 32)
    setups = CameraSetups(board=service.board, clock=service.clock)
    attach(
        app,
        checks=Checks(dawn=service.dawn, settings=calls, clock=service.clock),
        desk=service.desk,
        reports=reports,
        preparing=Preparing(sessions=service.sessions, calls=service.calls, settings=calls, clock=service.clock),
        access=access,
        places=service.places,
        board=service.board,
        setups=setups,
        clock=service.clock,
        camera_is=service.attendance.camera_is,
    )
    _add_pages(app)
    return await _started(app, service, access, revoked, setups)


async def make_whole(service: Service, folder: FilePath) -> Doorstep:
    """The whole server as `app` puts it together, on the service's own database file in `folder`."""
    config = Config(
        store=StoreSettings(url=f"sqlite+aiosqlite:///{folder}/etapalvelu.sqlite"), secrets=Secrets(file=f"{folder}/keys")
    )
    access = await _access(service, load_keys(folder / "keys").csrf, None)
    app = make_app(config, service.clock, cheap_passwords())
    return await _started(app, service, access, [], app[SITE].setups)


async def _access(service: Service, key: bytes, revoked: Revoked | None) -> Access:
    access = Access(
        accounts=service.accounts,
        places=service.places,
        board=service.board,
        themes=THEMES,
        key=key,
        clock=service.clock,
        passwords=cheap_passwords(),
        revoked=revoked,
    )
    await service.places.add_point(
        ServicePoint(id="kaukola", name="Kaukola", municipality="Kaukola", hours=weekdays(9, 17), opens_on=OPENS_ON)
    )
    await service.places.add_room(Room(id="kaukola-1", name="Huone 1", point="kaukola", fit_from=OPENS_ON))
    for staff in STAFF:
        await access.create_account(_request(staff))
    return access


async def _started(
    app: web.Application, service: Service, access: Access, revoked: list[str], setups: CameraSetups
) -> Doorstep:
    client: Client = TestClient(TestServer(app))
    await client.start_server()
    return Doorstep(service=service, access=access, client=client, revoked=revoked, setups=setups)


def _request(staff: Staff) -> StaffRequest:
    return StaffRequest(
        account=staff.account,
        role=staff.role,
        password=PASSWORD,
        name=staff.name,
        title=staff.title,
        point=staff.point,
        themes=staff.themes,
        languages=staff.languages,
    )


def _add_pages(app: web.Application) -> None:
    """A stand-in behind every door that is not the API's, and one behind no door at all."""

    async def inside(request: web.Request) -> web.Response:
        return web.Response(text=f"inside {request.remote} {request.scheme}")

    for door in DOORS:
        if not door.path.startswith("/api/"):
            app.router.add_route(door.method, door.path.replace("*", "{path}"), inside)
    app.router.add_get("/forgotten", inside)


@web.middleware
async def _tell_pages(request: web.Request, handler: Any) -> web.StreamResponse:
    """What pages/failures does, in fewer words."""
    if request.path.startswith("/api/"):
        response: web.StreamResponse = await handler(request)
        return response
    try:
        response = await handler(request)
    except RefusalError as refusal:
        return web.Response(status=403 if isinstance(refusal, NotAllowedError) else 401, text=refusal.code)
    return response
