import aiohttp
import pytest

from etapalvelu.room.camera import CameraStatus
from etapalvelu.room.server import (
    IceServer,
    Paired,
    Server,
    ServerAwayError,
    ServerRefusedError,
    checked_address,
)
from tests.room.service import CODE, Service

OK = CameraStatus(camera="ok", width=1920, height=1080)


@pytest.mark.parametrize(
    ("address", "checked"),
    [
        ("https://palvelu.example", "https://palvelu.example"),
        ("https://palvelu.example:8443/", "https://palvelu.example:8443"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_is_taken_without_its_closing_slash(address: str, checked: str) -> None:
    assert checked_address(address) == checked


@pytest.mark.parametrize(
    "address",
    ["", "palvelu.example", "ftp://palvelu.example", "https://", "https://x:99999", "https://x/?a=1", "https://u:p@x"],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="must look like https://HOST"):
        checked_address(address)


@pytest.mark.parametrize("address", ["http://palvelu.example", "http://192.0.2.1:8080"])
def test_the_credential_never_travels_unprotected(address: str) -> None:
    with pytest.raises(ValueError, match="plain http is for this machine only"):
        checked_address(address)


async def test_pairing_tickets_and_reports_are_what_the_server_hears(service: Service) -> None:
    service.ice_servers = [{"urls": "stun:stun.example"}, {"urls": ["turn:a", "turn:b"], "username": "u", "credential": "c"}]
    service.ice_transport_policy = "relay"
    async with aiohttp.ClientSession() as http:
        server = Server(http, service.address)
        paired = await server.pair(CODE)
        server.credential = paired.credential
        seating = await server.seating("s1")
        await server.report(OK)
        await server.report(CameraStatus(camera="opening", width=0, height=0))

    assert paired == Paired(credential=paired.credential, room="r1", kind="agent")
    assert seating.ice_servers == [
        IceServer(urls="stun:stun.example"),
        IceServer(urls=["turn:a", "turn:b"], username="u", credential="c"),
    ]
    assert (seating.call, seating.ice_transport_policy) == ("s1", "relay")
    assert service.statuses == [
        {"document_camera": "ok", "width": 1920, "height": 1080},
        {"document_camera": "opening"},
    ]
    assert server.call_address == service.address.replace("http", "ws") + "/call"


async def test_a_camera_that_does_not_see_is_lost_to_the_service(service: Service) -> None:
    async with aiohttp.ClientSession() as http:
        server = Server(http, service.address)
        server.credential = (await server.pair(CODE)).credential
        await server.report(CameraStatus(camera="frozen", width=64, height=48))
        await server.report(CameraStatus(camera="black", width=64, height=48))

    assert service.statuses == [{"document_camera": "lost", "width": 64, "height": 48}] * 2


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(409, {"code": "wrong_state"}, "wrong_state"), (404, {"title": "no"}, "http_404"), (403, ["odd"], "http_403")],
)
async def test_a_no_has_the_servers_code(service: Service, status: int, body: object, code: str) -> None:
    service.trouble["/api/v1/sessions/s1/ticket"] = [(status, body)]
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ServerRefusedError) as refusal:
            await Server(http, service.address).seating("s1")

    assert (refusal.value.status, refusal.value.code) == (status, code)


@pytest.mark.parametrize(("status", "body"), [(503, {"code": "try_again"}), (429, {}), (200, {"ticket": 1})])
async def test_trouble_and_nonsense_are_worth_another_try(service: Service, status: int, body: object) -> None:
    service.trouble["/api/v1/sessions/s1/ticket"] = [(status, body)]
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ServerAwayError):
            await Server(http, service.address).seating("s1")


async def test_a_server_that_is_away_is_worth_another_try(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as http:
        with pytest.raises(ServerAwayError, match="the server is away"):
            await Server(http, f"http://127.0.0.1:{unused_tcp_port}").report(OK)
