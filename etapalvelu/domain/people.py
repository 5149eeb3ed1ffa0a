"""Who may be there: staff in four roles, the two devices of a room, guests, and the system itself.

What each role may do to a session stands here and nowhere else; which doors they may knock on stands in
`etapalvelu.doors`.
"""

from enum import StrEnum

import msgspec

from etapalvelu.domain.codes import CloseCause, Language, Seat
from etapalvelu.domain.session import Session


class Role(StrEnum):
    ADVISOR = "advisor"
    EXPERT = "expert"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    ROOM = "room"
    AGENT = "agent"


STAFF_ROLES = (Role.ADVISOR, Role.EXPERT, Role.SUPERVISOR, Role.ADMIN)
DEVICE_SEATS = {Role.ROOM: Seat.ROOM, Role.AGENT: Seat.CAMERA}


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """A person with an account. `point` limits advisors and supervisors to one service point; None is Kela-wide.

    `name` and `title` are for people to read; log and API know the account alone.
    """

    account: str
    role: Role
    name: str = ""
    title: str = ""
    point: str | None = None
    themes: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()

    @property
    def actor(self) -> str:
        return staff_actor(self.account)

    @property
    def shown_name(self) -> str:
        return self.name or self.account


class StaffRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A new account as the admin or the command line asks for it."""

    account: str
    role: Role
    password: str
    name: str = ""
    title: str = ""
    point: str | None = None
    themes: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A room's screen (`Role.ROOM`) or its agent (`Role.AGENT`), by its own credential."""

    room: str
    point: str
    role: Role

    @property
    def account(self) -> str:
        """Stands for the device where deeds keep their idempotency keys."""
        return f"{self.role}:{self.room}"

    @property
    def actor(self) -> str:
        return f"device:{self.room}"


Person = Staff | Device

SYSTEM = "system"


def staff_actor(account: str) -> str:
    """A member of staff in the log, and as who sits in a call."""
    return f"staff:{account}"


def may_know(person: Person, session: Session) -> bool:
    """Truth that the person may see that this session exists, and its row."""
    match person:
        case Device():
            return person.room == session.room
        case Staff(role=Role.ADVISOR):
            return person.account == session.advisor or (person.point is not None and person.point == session.point)
        case Staff(role=Role.EXPERT):
            return is_its_expert(person, session) or serves(person, session)
        case Staff():
            return person.point is None or person.point == session.point


def is_its_expert(person: Person, session: Session) -> bool:
    """Truth that the person is the session's expert, or the one a transfer handed it to."""
    return isinstance(person, Staff) and person.role is Role.EXPERT and person.account in (session.expert, session.successor)


def may_read(person: Person, session: Session) -> bool:
    """Truth that the person may read the session's row and its events: supervisors in scope, its own advisor and expert."""
    if isinstance(person, Staff) and person.role is Role.EXPERT:
        return is_its_expert(person, session)
    return isinstance(person, Staff) and may_know(person, session)


def serves(person: Staff, session: Session) -> bool:
    """Truth that this expert serves the session's (or its transfer's) theme and its language.

    The language `other` always comes with an interpreter, so any expert of the theme can serve it.
    """
    transfer = session.transfer
    if transfer is not None and transfer.expert is not None:
        return transfer.expert == person.account
    theme = transfer.theme if transfer is not None and transfer.theme is not None else session.theme
    return theme in person.themes and (session.language is Language.OTHER or session.language in person.languages)


def may_close(person: Person, session: Session, cause: CloseCause) -> bool:
    """The expert who has it: any cause a person may give. The advisor of its point, and the room: their own causes."""
    if is_its_expert(person, session):
        return cause not in (CloseCause.HOURS_ENDED, CloseCause.LOST)
    match person:
        case Device(role=Role.ROOM):
            return cause is CloseCause.CUSTOMER_LEFT
        case Staff(role=Role.ADVISOR):
            return cause in (CloseCause.CUSTOMER_LEFT, CloseCause.CANCELLED, CloseCause.TECHNICAL)
        case _:
            return False


def may_sit(person: Person, session: Session, seat: Seat) -> bool:
    """Truth that the person may take this seat of this session now."""
    match person:
        case Device():
            return DEVICE_SEATS[person.role] is seat
        case Staff(role=Role.EXPERT):
            own = session.successor_seat if person.account == session.successor else session.expert_seat
            return is_its_expert(person, session) and seat is own
        case Staff(role=Role.ADVISOR):
            return seat is Seat.ADVISOR and session.advisor_stays
        case Staff():
            return False
