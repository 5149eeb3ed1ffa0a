"""The cookie that keeps a browser's login: one for each role, so that one person can try all of them in one browser."""

from aiohttp import web

from etapalvelu.config import is_loopback
from etapalvelu.domain.people import STAFF_ROLES, Role

# Browsers keep no cookie longer; a room's screen gets its own anew each time it loads.
DEVICE_COOKIE_DAYS = 400


def cookie_name(request: web.BaseRequest, role: Role) -> str:
    """The name under which this server's browsers keep a login of this role."""
    return cookie_name_at(request.url.host or "", request.url.port, role)


def cookie_name_at(host: str, port: int | None, role: Role) -> str:
    """Cookies do not tell ports apart: on loopback, where several servers may run, the name does."""
    return f"__Host-etapalvelu-{role}-{port}" if is_loopback(host) else f"__Host-etapalvelu-{role}"


def set_cookie(request: web.BaseRequest, response: web.StreamResponse, role: Role, secret: str) -> None:
    """Give the browser its login. A person's cookie ends with the browser, and with the login on the server at the latest."""
    max_age = None if role in STAFF_ROLES else DEVICE_COOKIE_DAYS * 24 * 3600
    name = cookie_name(request, role)
    response.set_cookie(name, secret, max_age=max_age, secure=True, httponly=True, samesite="Lax", path="/")


def renew_cookie(request: web.BaseRequest, response: web.StreamResponse, role: Role) -> None:
    """Let a device's cookie live on: called whenever the room's page is loaded."""
    secret = request.cookies.get(cookie_name(request, role))
    if secret is not None:
        set_cookie(request, response, role, secret)


def forget_cookie(request: web.BaseRequest, response: web.StreamResponse, role: Role) -> None:
    response.set_cookie(cookie_name(request, role), "", max_age=0, secure=True, httponly=True, samesite="Lax", path="/")
