"""What stands around every page: who is signed in, the pages of their role, the switch of language."""

from collections.abc import Callable, Mapping

import msgspec
from yarl import URL

from etapalvelu.domain.people import Role

HOMES: Mapping[Role, str] = {
    Role.ADVISOR: "/advisor",
    Role.EXPERT: "/expert",
    Role.SUPERVISOR: "/supervisor",
    Role.ADMIN: "/admin",
    Role.ROOM: "/room",
}

_FOLLOWING = (
    ("/supervisor", "nav.board"),
    ("/supervisor/sessions", "nav.log"),
    ("/supervisor/faults", "nav.faults"),
    ("/supervisor/reports", "nav.reports"),
)
_PAGES: Mapping[Role, tuple[tuple[str, str], ...]] = {
    Role.SUPERVISOR: _FOLLOWING,
    Role.ADMIN: (("/admin", "nav.admin"), *_FOLLOWING),
}


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, as the band shows it."""

    account: str
    name: str
    role: Role
    place: str = ""


class NavLink(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the role. `label` is the key of its words."""

    href: str
    label: str
    current: bool


def frame(address: URL, person: PersonView | None, csrf_token: str = "") -> dict[str, object]:
    """The values base.html asks for on every page."""
    return {
        "person": person,
        "csrf_token": csrf_token,
        "home": HOMES.get(person.role, "/login") if person else "/login",
        "nav": _nav(person, address.path) if person else (),
        "language_link": _language_link(address),
    }


def _nav(person: PersonView, path: str) -> tuple[NavLink, ...]:
    pages = _PAGES.get(person.role, ())
    current = max((href for href, _ in pages if path == href or path.startswith(href + "/")), key=len, default="")
    return tuple(NavLink(href=href, label=label, current=href == current) for href, label in pages)


def _language_link(address: URL) -> Callable[[str], str]:
    def link(code: str) -> str:
        return str(address.update_query(lang=code).relative() if address.is_absolute() else address.update_query(lang=code))

    return link
