"""Text from a form to a typed request, or to problems by field. Words for the problems stand under `problem.`."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, time
from enum import StrEnum
from typing import TypeVar

import msgspec
from multidict import MultiMapping

from etapalvelu.access import SHORT_NAME
from etapalvelu.desk import CloseRequest, OpenRequest
from etapalvelu.domain.codes import CauseClass, CloseCause, Language, Need, Reason
from etapalvelu.domain.people import STAFF_ROLES, Role, Staff, StaffRequest
from etapalvelu.domain.places import Room, ServicePoint
from etapalvelu.domain.themes import Hours, WeekHours
from etapalvelu.passwords import SHORTEST_PASSWORD

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

LONGEST_TEXT = 200

# A value with its words, and whether it cannot be chosen just now.
Choice = tuple[str, str] | tuple[str, str, bool]


class FormError(Exception):
    """Raised when a form cannot be understood; `problems` holds a code for each field at fault."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(problems)
        self.problems = dict(problems)


class FormView(msgspec.Struct, frozen=True, kw_only=True):
    """A form as the template shows it: what was typed, words beside fields, and what may be chosen."""

    values_by_name: Mapping[str, tuple[str, ...]] = {}
    errors: Mapping[str, str] = {}
    refusal: str = ""
    key: str = ""
    choices: Mapping[str, tuple[Choice, ...]] = {}

    def value(self, name: str) -> str:
        return next(iter(self.values(name)), "")

    def values(self, name: str) -> tuple[str, ...]:
        return self.values_by_name.get(name, ())

    def error(self, name: str) -> str:
        return self.errors.get(name, "")


class Fields:
    """The posted fields, read one by one; problems gather until `check` raises them all together."""

    def __init__(self, posted: MultiMapping[object]) -> None:
        self._posted = posted
        self.problems: dict[str, str] = {}

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value.strip() for value in self._posted.getall(name, []) if isinstance(value, str))

    def raw(self, name: str) -> str:
        """The first value untouched; passwords may begin with a space."""
        return next((value for value in self._posted.getall(name, []) if isinstance(value, str)), "")

    def text(self, name: str, *, required: bool = True) -> str:
        value = next(iter(self.all(name)), "")
        if required and not value:
            self.problems.setdefault(name, "required")
        if len(value) > LONGEST_TEXT:
            self.problems.setdefault(name, "too_long")
        return value

    def pick(self, name: str) -> str:
        """One of a list, in text; whoever knows the list checks it."""
        if not self.text(name, required=False):
            self.problems.setdefault(name, "choose")
        return self.text(name, required=False)

    def name(self, name: str) -> str:
        """A short name for addresses and accounts."""
        value = self.text(name)
        if value and SHORT_NAME.fullmatch(value) is None:
            self.problems.setdefault(name, "malformed")
        return value

    def one(self, name: str, kind: type[E]) -> E:
        """One code of `kind`. When it is none of them a problem is noted and any code returned: `check` will raise."""
        return self._code(name, self.pick(name), kind)

    def many(self, name: str, kind: type[E]) -> tuple[E, ...]:
        return tuple(self._code(name, value, kind) for value in self.all(name))

    def day(self, name: str) -> date:
        return self._read(name, date.fromisoformat, "not_a_date", date.min)

    def time(self, name: str) -> time:
        return self._read(name, _time, "not_hours", time.min)

    def week(self) -> WeekHours:
        """Hours by weekday from `opens_0`, `closes_0` and so on; a day with neither is closed."""
        hours = {}
        for day in range(7):
            names = (f"opens_{day}", f"closes_{day}")
            if any(self.text(name, required=False) for name in names):
                opens, closes = (self.time(name) for name in names)
                if closes <= opens:
                    self.problems.setdefault(names[1], "not_hours")
                hours[day] = Hours(opens, closes)
        return hours

    def kept(self) -> dict[str, tuple[str, ...]]:
        """What was typed, to be shown again; never a password."""
        return {name: self.all(name) for name in set(self._posted.keys()) if name not in ("password", "csrf")}

    def check(self) -> None:
        if self.problems:
            raise FormError(self.problems)

    def _code(self, name: str, value: str, kind: type[E]) -> E:
        codes = {str(code): code for code in kind}
        if value not in codes:
            self.problems.setdefault(name, "unknown_value" if value else "choose")
        return codes.get(value, next(iter(kind)))

    def _read(self, name: str, read: Callable[[str], T], problem: str, instead: T) -> T:
        value = self.text(name)
        try:
            return read(value)
        except ValueError:
            self.problems.setdefault(name, problem)
            return instead


def open_request(fields: Fields) -> OpenRequest:
    request = OpenRequest(
        room=fields.pick("room"),
        theme=fields.pick("theme"),
        language=fields.one("language", Language),
        reason=fields.one("reason", Reason),
        needs=fields.many("needs", Need),
        advisor_stays=fields.text("advisor_stays", required=False) == "yes",
    )
    fields.check()
    return request


def close_request(fields: Fields) -> CloseRequest:
    """What failed is asked beside every cause; it counts only with `technical`."""
    cause = fields.one("cause", CloseCause)
    failed = fields.one("cause_class", CauseClass) if fields.text("cause_class", required=False) else None
    fields.check()
    return CloseRequest(cause=cause, cause_class=failed if cause is CloseCause.TECHNICAL else None)


class AdvisorStay(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the customer wishes the advisor to be there."""

    stays: bool


def advisor_stay(fields: Fields) -> AdvisorStay:
    value = fields.pick("stays")
    if value not in ("yes", "no"):
        fields.problems.setdefault("stays", "unknown_value")
    fields.check()
    return AdvisorStay(stays=value == "yes")


def staff_request(fields: Fields, known: Staff | None = None) -> StaffRequest:
    """A new account; or new facts of a known one, whose role stays, and whose password too when none is given."""
    role = fields.one("role", Role) if known is None else known.role
    if role not in STAFF_ROLES:
        fields.problems.setdefault("role", "unknown_value")
    password = fields.raw("password")
    if len(password) < SHORTEST_PASSWORD and (password or known is None):
        fields.problems.setdefault("password", "too_short" if password else "required")
    point = fields.text("point", required=False)
    if role is Role.ADVISOR and not point:
        fields.problems.setdefault("point", "choose")
    request = StaffRequest(
        account=fields.name("account") if known is None else known.account,
        role=role,
        password=password,
        name=fields.text("name", required=False),
        title=fields.text("title", required=False),
        point=point or None,
        themes=fields.all("themes"),
        languages=fields.many("languages", Language),
    )
    fields.check()
    return request


def new_point(fields: Fields) -> ServicePoint:
    opens, closes = fields.time("opens"), fields.time("closes")
    if closes <= opens:
        fields.problems.setdefault("closes", "not_hours")
    point = ServicePoint(
        id=fields.name("point_id"),
        name=fields.text("point_name"),
        municipality=fields.text("municipality"),
        hours=dict.fromkeys(range(5), Hours(opens, closes)),
        opens_on=fields.day("opens_on"),
        phone=fields.text("phone", required=False),
    )
    fields.check()
    return point


def changed_point(fields: Fields, point: ServicePoint) -> ServicePoint:
    changed = msgspec.structs.replace(
        point,
        name=fields.text("point_name"),
        municipality=fields.text("municipality"),
        phone=fields.text("phone", required=False),
        opens_on=fields.day("opens_on"),
        hours=fields.week(),
        in_use=fields.text("in_use", required=False) == "yes",
    )
    fields.check()
    return changed


def changed_room(fields: Fields, room: Room) -> Room:
    changed = msgspec.structs.replace(
        room,
        name=fields.text("room_name"),
        fit_from=fields.day("fit_from") if fields.text("fit_from", required=False) else None,
        in_use=fields.text("in_use", required=False) == "yes",
    )
    fields.check()
    return changed


def changed_hours(fields: Fields) -> WeekHours:
    hours = fields.week()
    fields.check()
    return hours


def new_room(fields: Fields) -> Room:
    room = Room(
        id=fields.name("room_id"),
        name=fields.text("room_name"),
        point=fields.text("room_point"),
        fit_from=fields.day("fit_from") if fields.text("fit_from", required=False) else None,
    )
    fields.check()
    return room


def codes(kind: Iterable[StrEnum], prefix: str, text: Callable[[str], str]) -> tuple[Choice, ...]:
    """All codes of `kind` with their labels, in the order they are declared."""
    return tuple((str(code), text(f"{prefix}.{code}")) for code in kind)


def _time(value: str) -> time:
    """`9`, `9.30`, `9:30`; 24 is the end of the day."""
    if value.replace(".", ":") in ("24", "24:00"):
        return time.max
    hour, _, minute = value.replace(".", ":").partition(":")
    return time(int(hour), int(minute or 0))
