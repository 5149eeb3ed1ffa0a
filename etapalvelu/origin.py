"""Where a request came from: through which proxies, and from a page of whose site."""

import ipaddress
from collections.abc import Collection, Sequence

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from yarl import URL

from etapalvelu.domain.errors import NotAllowedError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


# The browser's scheme, for those who only see the request as the proxy sent it.
SCHEME = web.RequestKey("scheme", str)


class OriginError(NotAllowedError):
    """A browser says that another site's page made this request."""

    code = "origin"


def networks(addresses: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as the configuration names them. Raises ValueError."""
    return tuple(ipaddress.ip_network(address, strict=False) for address in addresses)


def behind_proxies(trusted: Sequence[Network]) -> Middleware:
    """Believe what trusted proxies say of the client's address and scheme; nobody else is believed."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        proxy = request.remote
        if proxy is None or not _is_in(proxy, trusted):
            return await handler(request)
        scheme = request.headers.get(hdrs.X_FORWARDED_PROTO, "").rpartition(",")[2].strip().lower()
        known = scheme if scheme in ("http", "https") else request.scheme
        request[SCHEME] = known
        return await handler(request.clone(scheme=known, remote=_client(request, proxy, trusted)))

    return middleware


def check_origin(request: web.BaseRequest, others: Collection[str] = ()) -> None:
    """Raise `OriginError` when a browser names an origin that is neither our own nor among `others`.

    A program names none, and is let through: it has no cookies that somebody could borrow.
    """
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            raise OriginError
        return
    if origin not in others and origin != str(_origin(request)):
        raise OriginError


def _origin(request: web.BaseRequest) -> URL | None:
    try:
        return request.url.origin()
    except ValueError:
        return None


def _client(request: web.Request, proxy: str, trusted: Sequence[Network]) -> str:
    """The nearest hop that is no proxy of ours; what stands before it anybody could have written."""
    client = proxy
    for hop in reversed(request.headers.get(hdrs.X_FORWARDED_FOR, "").split(",")):
        if not _is_address(hop.strip()):
            break
        client = hop.strip()
        if not _is_in(client, trusted):
            break
    return client


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_in(address: str, trusted: Sequence[Network]) -> bool:
    return _is_address(address) and any(ipaddress.ip_address(address) in network for network in trusted)
