"""What every page's handler holds on to, and how a page becomes an answer in the visitor's language.

Made once by `app`, kept in the application under `SITE`.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

import msgspec
from aiohttp import web

from etapalvelu.access import Access, Visitor, visitor_if_any
from etapalvelu.dawn import Dawn
from etapalvelu.desk import Desk
from etapalvelu.domain.moments import HELSINKI
from etapalvelu.domain.people import Staff
from etapalvelu.domain.places import Room
from etapalvelu.domain.themes import Theme
from etapalvelu.pages.forms import Fields
from etapalvelu.pages.frame import PersonView, frame
from etapalvelu.pages.language import Language, choose_language
from etapalvelu.pages.render import Renderer
from etapalvelu.ports import AccountStore, Board, Calendar, Clock, DeedKey, PlaceStore, SessionStore
from etapalvelu.reports import Reports
from etapalvelu.setups import CameraSetups
from etapalvelu.technical import TechnicalLedger
from etapalvelu.timers import Timers

LANGUAGE_COOKIE = "etapalvelu-language"


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """`node` names this server where it reports which devices have their stream open here. Who waits longer than
    `longest_wait` is an alarm on the board."""

    renderer: Renderer
    dawn: Dawn
    desk: Desk
    timers: Timers
    access: Access
    reports: Reports
    technical: TechnicalLedger
    sessions: SessionStore
    places: PlaceStore
    accounts: AccountStore
    board: Board
    calendar: Calendar
    setups: CameraSetups
    clock: Clock
    node: str = "one"
    longest_wait: timedelta = timedelta(minutes=15)

    @property
    def themes(self) -> Sequence[Theme]:
        return self.desk.themes

    def today(self) -> date:
        """The day in Finland."""
        return self.clock().astimezone(HELSINKI).date()

    async def page(self, request: web.Request, template: str, values: Mapping[str, object], status: int = 200) -> web.Response:
        """The whole page with its frame."""
        around = frame(request.rel_url, await self.person(visitor_if_any(request)), _csrf_token(request))
        html = self.renderer.page(template, language_of(request).code, {**around, **values})
        return web.Response(text=html, content_type="text/html", status=status, headers={"Cache-Control": "no-store"})

    def fragment(self, template: str, language: Language, values: Mapping[str, object]) -> str:
        return self.renderer.page(template, language.code, values)

    async def person(self, visitor: Visitor | None) -> PersonView | None:
        """The signed-in person for the band; devices show none."""
        if visitor is None or not isinstance(visitor.person, Staff):
            return None
        staff = visitor.person
        point = await self.places.point(staff.point) if staff.point else None
        return PersonView(account=staff.account, name=staff.shown_name, role=visitor.role, place=point.name if point else "")

    async def names(self, accounts: Iterable[str | None]) -> Mapping[str, str]:
        """The names of these accounts for people to read, by account."""
        wanted = {account for account in accounts if account}
        known = await self.accounts.staff(wanted) if wanted else {}
        return {account: known[account].shown_name if account in known else account for account in wanted}

    async def room_names(self, point: str | None = None) -> dict[str, str]:
        return {room.id: room.name for room in await self.places.rooms(point)}

    async def point_names(self) -> dict[str, str]:
        return {point.id: point.name for point in await self.places.points()}

    async def rooms_of(self, visitor: Visitor) -> list[Room]:
        """The rooms in the person's scope."""
        return await self.places.rooms(visitor.person.point)

    def deed_key(self, visitor: Visitor, fields: Fields, deed: str, request: msgspec.Struct) -> DeedKey:
        """The form's own key, so that a second press of its button does nothing more. Changed contents are a new deed."""
        digest = hashlib.sha256(deed.encode() + b"\0" + msgspec.json.encode(request, order="sorted")).hexdigest()
        key = fields.text("key", required=False) or new_key()
        return DeedKey(account=visitor.account, key=f"form {key} {digest[:16]}", digest=digest, at=self.clock())


SITE = web.AppKey("site", Site)
LANGUAGE = web.RequestKey("language", Language)


def site_of(request: web.Request) -> Site:
    return request.app[SITE]


def language_of(request: web.Request) -> Language:
    return request[LANGUAGE]


def staff_of(visitor: Visitor) -> Staff:
    """The person at a door that lets in staff only."""
    if not isinstance(visitor.person, Staff):
        raise TypeError(visitor.person)
    return visitor.person


def new_key() -> str:
    """A key for a form's deed."""
    return secrets.token_urlsafe(12)


def spoken(request: web.Request) -> str:
    """The language that the address asks for or the browser remembers."""
    return choose_language(request.query.get("lang"), request.cookies.get(LANGUAGE_COOKIE))


def remember_language(request: web.Request, response: web.StreamResponse) -> None:
    """Keep what the address asked for; called before the answer starts."""
    if request.query.get("lang") in request.app[SITE].renderer.languages and not response.prepared:
        response.set_cookie(
            LANGUAGE_COOKIE, spoken(request), max_age=365 * 24 * 3600, httponly=True, samesite="Lax", secure=request.secure
        )


def _csrf_token(request: web.Request) -> str:
    visitor = visitor_if_any(request)
    return visitor.csrf_token if visitor is not None else ""
