"""The server as the room agent sees it over HTTP: pairing, tickets, reports of the camera.

Says which of two things went wrong: the server is away (try again later) or it said no (a code).
"""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Final, Literal, TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from msgspec import Struct

from etapalvelu.room.camera import CameraStatus
from signaling.client import AwayError, asked_seconds

REQUEST_LIMIT: Final = aiohttp.ClientTimeout(total=10)


class ServerAwayError(AwayError):
    """The server did not answer, or cannot at the moment: worth another try, after `retry_after` seconds."""


class ServerRefusedError(Exception):
    """The server understood and said no; `code` is its code from the problem document, or the HTTP status in words."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"the server refused: {code}")
        self.status = status
        self.code = code


class Paired(Struct, frozen=True, kw_only=True):
    """Answer to a pairing code. The credential is the room's secret: it goes into a file of mode 0600 and nowhere else."""

    credential: str
    room: str
    kind: str


class IceServer(Struct, frozen=True, kw_only=True):
    """RTCIceServer of W3C."""

    urls: str | list[str]
    username: str | None = None
    credential: str | None = None


class Seating(Struct, frozen=True, kw_only=True):
    """A ticket for the seat `camera` with what the call needs."""

    ticket: str
    ice_servers: list[IceServer]
    # How long their credentials are good; None where they have none.
    ice_seconds: int | None = None
    ice_transport_policy: Literal["all", "relay"] = "all"
    call: str


class CheckSheet(Struct, frozen=True, kw_only=True):
    """What the agent needs to look at its room; `now` is the server's clock."""

    now: datetime
    ice_servers: list[IceServer]
    ice_transport_policy: Literal["all", "relay"] = "all"


class _CheckReport(Struct, frozen=True, kw_only=True):
    version: str
    checks: Sequence[Struct]


class _PairingCode(Struct, frozen=True):
    code: str


class _SeatWanted(Struct, frozen=True):
    seat: str


class _CameraReport(Struct, frozen=True, kw_only=True, omit_defaults=True):
    document_camera: str
    name: str = ""
    width: int = 0
    height: int = 0


class _Shown(Struct, frozen=True):
    wanted: bool


class _Problem(Struct, frozen=True):
    code: str = ""


Answer = TypeVar("Answer")


def checked_address(address: str) -> str:
    """The server's address without a closing slash; raises ValueError where the credential would travel unprotected."""
    try:
        parts = urlsplit(address)
        is_whole = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
        parts = urlsplit("")
    if not is_whole or parts.query or parts.fragment or parts.username:
        raise ValueError(f"server address {address!r} must look like https://HOST or https://HOST:PORT")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError(f"server address {address!r}: plain http is for this machine only, use https")
    return address.rstrip("/")


class Server:
    """Requests to one server. The credential is set after pairing or from the state directory."""

    def __init__(self, session: aiohttp.ClientSession, address: str, credential: str = "") -> None:
        self._session = session
        self.address = address
        self.credential = credential

    @property
    def call_address(self) -> str:
        """Where the signaling websocket is."""
        return f"ws{self.address.removeprefix('http')}/call"

    async def pair(self, code: str) -> Paired:
        """Give the one-time code for a credential."""
        return _read(await self._post("/api/v1/devices/pair", _PairingCode(code)), Paired)

    async def seating(self, session: str) -> Seating:
        """A fresh ticket for this room's camera in the session."""
        return _read(await self._post(f"/api/v1/sessions/{session}/ticket", _SeatWanted("camera")), Seating)

    async def report(self, status: CameraStatus, name: str = "") -> None:
        """Tell how the document camera is, and its name: the room's page leaves that one alone."""
        # A session can be held with a camera that sees or with none; why it does not see is told in the session.
        camera = "lost" if status.camera in ("frozen", "black") else status.camera
        report = _CameraReport(document_camera=camera, name=name, width=status.width, height=status.height)
        await self._post("/api/v1/devices/status", report)

    async def show(self, look: Struct) -> bool:
        """Show the table to whoever sets the camera up; False when nobody looks any more."""
        return _read(await self._post("/api/v1/devices/camera", look), _Shown).wanted

    async def check_sheet(self) -> CheckSheet:
        """What is needed to look at the room."""
        return _read(await self._get("/api/v1/devices/check"), CheckSheet)

    async def report_check(self, version: str, found: Sequence[Struct]) -> None:
        """Tell what was found in the room."""
        await self._post("/api/v1/devices/check", _CheckReport(version=version, checks=found))

    @property
    def headers(self) -> dict[str, str]:
        """What every request proves itself with."""
        return {"Authorization": f"Bearer {self.credential}"} if self.credential else {}

    @asynccontextmanager
    async def live(self, limit: aiohttp.ClientTimeout) -> AsyncIterator[aiohttp.StreamReader]:
        """The open stream of events for this room."""
        headers = {**self.headers, "Accept": "text/event-stream"}
        try:
            async with self._session.get(
                f"{self.address}/live?page=agent", headers=headers, timeout=limit, allow_redirects=False
            ) as response:
                await _check(response)
                yield response.content
        except ServerAwayError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerAwayError("the server is away") from error

    async def _get(self, path: str) -> bytes:
        return await self._ask("GET", path, None, self.headers)

    async def _post(self, path: str, body: Struct) -> bytes:
        headers = {**self.headers, "Content-Type": "application/json"}
        return await self._ask("POST", path, msgspec.json.encode(body), headers)

    async def _ask(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> bytes:
        try:
            async with self._session.request(
                method, self.address + path, data=data, headers=headers, timeout=REQUEST_LIMIT, allow_redirects=False
            ) as response:
                await _check(response)
                return await response.read()
        except ServerAwayError:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ServerAwayError("the server is away") from error


def _read(data: bytes, answer: type[Answer]) -> Answer:
    try:
        return msgspec.json.decode(data, type=answer)
    except msgspec.DecodeError as error:
        raise ServerAwayError("the server answered something else than expected") from error


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR or response.status == HTTPStatus.TOO_MANY_REQUESTS:
        raise ServerAwayError(f"the server answered {response.status}", asked_seconds(response.headers))
    try:
        code = msgspec.json.decode(await response.read(), type=_Problem).code
    except msgspec.DecodeError:
        code = ""
    raise ServerRefusedError(response.status, code or f"http_{response.status}")


def client_session(ssl_context: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """A session that keeps no cookies and trusts what `ssl_context` trusts (the system's authorities when None)."""
    connector: Any = aiohttp.TCPConnector(ssl=ssl_context if ssl_context is not None else True)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
