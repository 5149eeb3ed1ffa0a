"""The cookies of people and of screens: their names, for whom they are, and how long."""

import re

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from etapalvelu.access import Access
from etapalvelu.cookies import cookie_name, forget_cookie, renew_cookie, set_cookie
from etapalvelu.domain.people import Role
from tests.conftest import SCREEN
from tests.doorstep import ADDRESS, PASSWORD, Doorstep


async def test_a_persons_cookie_is_for_this_server_and_this_run_of_the_browser(access: Access) -> None:
    signed_in = await access.sign_in("aino", PASSWORD, ADDRESS)
    response = web.Response()

    set_cookie(_request("palvelu.example"), response, Role.ADVISOR, signed_in.secret)

    name = "__Host-etapalvelu-advisor"
    assert _set(response) == {f"{name}={signed_in.secret}", "HttpOnly", "Path=/", "SameSite=Lax", "Secure"}


async def test_a_screens_cookie_lives_on_each_time_its_page_is_loaded(doorstep: Doorstep) -> None:
    screen = await doorstep.login(SCREEN)
    response, bare = web.Response(), web.Response()

    renew_cookie(_request("127.0.0.1:8080", f"__Host-etapalvelu-room-8080={screen.secret}"), response, Role.ROOM)
    renew_cookie(_request("127.0.0.1:8080"), bare, Role.ROOM)

    name = "__Host-etapalvelu-room-8080"
    kept = {f"{name}={screen.secret}", "HttpOnly", "Max-Age=34560000", "Path=/", "SameSite=Lax", "Secure"}
    assert (_set(response), bare.cookies.output()) == (kept, "")


def test_signing_out_takes_the_cookie_away() -> None:
    response = web.Response()

    forget_cookie(_request("localhost:8080"), response, Role.EXPERT)

    assert _set(response) == {
        '__Host-etapalvelu-expert-8080=""', "HttpOnly", "Max-Age=0", "Path=/", "SameSite=Lax", "Secure",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost:8080", "__Host-etapalvelu-expert-8080"),
        ("127.0.0.1", "__Host-etapalvelu-expert-80"),
        ("[::1]:9", "__Host-etapalvelu-expert-9"),
        ("palvelu.example:8443", "__Host-etapalvelu-expert"),
    ],
)
def test_on_loopback_the_cookies_name_tells_the_port(host: str, name: str) -> None:
    assert cookie_name(_request(host), Role.EXPERT) == name


def _request(host: str, cookie: str = "") -> web.Request:
    return make_mocked_request("GET", "/", headers={"Host": host, "Cookie": cookie})


def _set(response: web.Response) -> set[str]:
    written = response.cookies.output(header="").strip()
    return set(re.split(r"; ", written))
