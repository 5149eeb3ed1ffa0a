"""Whom we believe about where a request came from."""

from collections.abc import Mapping
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from etapalvelu.headers import add_security_headers
from etapalvelu.origin import OriginError, behind_proxies, check_origin, networks

TRUSTED = networks(["192.0.2.0/24", "2001:db8::1"])


@pytest.mark.parametrize(
    ("peer", "headers", "told"),
    [
        ("198.51.100.7", {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}, ("198.51.100.7", "http")),
        ("192.0.2.1", {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https"}, ("203.0.113.9", "https")),
        ("192.0.2.1", {"X-Forwarded-For": "10.0.0.1, 203.0.113.9, 192.0.2.8"}, ("203.0.113.9", "http")),
        ("192.0.2.1", {"X-Forwarded-For": "203.0.113.9, nonsense, 192.0.2.8"}, ("192.0.2.8", "http")),
        ("192.0.2.1", {"X-Forwarded-For": "192.0.2.7, 192.0.2.8"}, ("192.0.2.7", "http")),
        ("2001:db8::1", {"X-Forwarded-For": "2001:db8::7", "X-Forwarded-Proto": "http, HTTPS"}, ("2001:db8::7", "https")),
        ("192.0.2.1", {"X-Forwarded-Proto": "gopher"}, ("192.0.2.1", "http")),
        ("a socket", {"X-Forwarded-For": "203.0.113.9"}, ("a socket", "http")),
    ],
)
async def test_only_trusted_proxies_are_believed(peer: str, headers: Mapping[str, str], told: tuple[str, str]) -> None:
    seen = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append((request.remote, request.scheme))
        return web.Response()

    await behind_proxies(TRUSTED)(_request(headers, remote=peer), handler)

    assert seen == [told]


async def test_a_request_without_an_address_is_left_as_it_is() -> None:
    transportless = make_mocked_request("GET", "/", transport=_no_peer())
    seen = []

    async def handler(request: web.Request) -> web.StreamResponse:
        seen.append(request)
        return web.Response()

    await behind_proxies(TRUSTED)(transportless, handler)

    assert seen == [transportless]


@pytest.mark.parametrize(
    ("headers", "scheme", "is_refused"),
    [
        ({"Host": "palvelu.example", "Origin": "https://palvelu.example"}, "https", False),
        ({"Host": "palvelu.example:443", "Origin": "https://palvelu.example"}, "https", False),
        ({"Host": "palvelu.example", "Origin": "http://palvelu.example"}, "https", True),
        ({"Host": "palvelu.example", "Origin": "https://palvelu.example:8443"}, "https", True),
        ({"Host": "palvelu.example", "Origin": "https://etapalvelu.example"}, "https", False),
        ({"Host": "palvelu.example", "Origin": "null"}, "https", True),
        ({"Host": ":::", "Origin": "https://palvelu.example"}, "https", True),
        ({"Host": "palvelu.example"}, "https", False),
        ({"Host": "palvelu.example", "Sec-Fetch-Site": "same-site"}, "https", True),
    ],
)
def test_a_browsers_origin_must_be_ours(headers: Mapping[str, str], scheme: str, is_refused: bool) -> None:
    request = _request(headers).clone(scheme=scheme)

    try:
        check_origin(request, {"https://etapalvelu.example"})
        refused = False
    except OriginError:
        refused = True

    assert refused is is_refused


async def test_https_is_remembered_by_browsers_and_static_files_keep_their_own_rule() -> None:
    request = _request({}).clone(scheme="https")
    response = web.Response(headers={"Cache-Control": "public", "Server": "x"})

    await add_security_headers(request, response)

    told = {name: response.headers.get(name) for name in ("Strict-Transport-Security", "Cache-Control", "Server")}
    assert told == {"Strict-Transport-Security": "max-age=31536000", "Cache-Control": "public", "Server": None}


def test_a_proxy_that_is_no_address_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ValueError, match="proxy"):
        networks(["proxy"])


def _request(headers: Mapping[str, str], remote: str = "127.0.0.1") -> web.Request:
    return make_mocked_request("GET", "/", headers=dict(headers)).clone(remote=remote)


def _no_peer() -> object:
    transport = Mock()
    transport.get_extra_info.return_value = None
    return transport
