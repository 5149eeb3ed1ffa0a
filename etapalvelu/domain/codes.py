"""Every code the log, the API and the pages use. Labels in three languages stand in web/locale."""

from enum import StrEnum


class State(StrEnum):
    WAITING = "waiting"
    CLAIMED = "claimed"
    CONNECTED = "connected"
    CLOSED = "closed"


class Seat(StrEnum):
    ROOM = "room"
    CAMERA = "camera"
    EXPERT = "expert"
    EXPERT2 = "expert2"
    ADVISOR = "advisor"
    INTERPRETER = "interpreter"


class Reason(StrEnum):
    ADVICE = "advice"
    APPLICATION = "application"
    ATTACHMENTS = "attachments"
    DECISION = "decision"
    PAYMENT = "payment"
    APPEAL = "appeal"
    OTHER = "other"


class Need(StrEnum):
    INTERPRETER = "interpreter"
    SIGN_LANGUAGE = "sign_language"
    REAL_TIME_TEXT = "real_time_text"


class Language(StrEnum):
    """Language of service. The interface itself speaks fi, sv and en."""

    FI = "fi"
    SV = "sv"
    EN = "en"
    SE = "se"
    SMN = "smn"
    SMS = "sms"
    OTHER = "other"


class ReleaseReason(StrEnum):
    """Why a claim ended without a close. `LEASE` and `EXPERT_LOST` are the system's own."""

    CANNOT_SERVE = "cannot_serve"
    WRONG_THEME = "wrong_theme"
    LEASE = "lease"
    EXPERT_LOST = "expert_lost"


class CloseCause(StrEnum):
    COMPLETED = "completed"
    CUSTOMER_LEFT = "customer_left"
    CANCELLED = "cancelled"
    HOURS_ENDED = "hours_ended"
    NO_EXPERT = "no_expert"
    TECHNICAL = "technical"
    LOST = "lost"


class CauseClass(StrEnum):
    """What failed, in words a supervisor can act on."""

    SITE_NETWORK = "site_network"
    CAMERA = "camera"
    DOCUMENT_CAMERA = "document_camera"
    MICROPHONE = "microphone"
    SPEAKER = "speaker"
    PERMISSION = "permission"
    SERVER = "server"
    EXPERT_SIDE = "expert_side"
    IDENTITY = "identity"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    ADVISED = "advised"
    APPLICATION_RECEIVED = "application_received"
    ATTACHMENTS_RECEIVED = "attachments_received"
    PENDING_STARTED = "pending_started"
    APPOINTMENT_BOOKED = "appointment_booked"
    GUIDED_ONLINE = "guided_online"
    GUIDED_PHONE = "guided_phone"
    REFERRED = "referred"
    NOT_RESOLVED = "not_resolved"


class FollowUp(StrEnum):
    """What is left to do after the session, as a code and never as text."""

    NONE = "none"
    CUSTOMER_SENDS_PAPERS = "customer_sends_papers"
    KELA_CONTACTS_CUSTOMER = "kela_contacts_customer"
    NEW_SESSION = "new_session"


class Readiness(StrEnum):
    READY = "ready"
    RELAY_ONLY = "relay_only"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Path(StrEnum):
    """How media travels, by the local and remote ICE candidates in use."""

    HOST = "host"
    SRFLX = "srflx"
    RELAY = "relay"


class IdentifiedBy(StrEnum):
    ID_CARD = "id_card"
    PASSPORT = "passport"
    DRIVING_LICENCE = "driving_licence"
    STRONG_AUTHENTICATION = "strong_authentication"
    KNOWN = "known"
    NOT_IDENTIFIED = "not_identified"


class ActingFor(StrEnum):
    SELF = "self"
    GUARDIAN = "guardian"
    PROXY = "proxy"


class DocumentCamera(StrEnum):
    """What a room agent says of its camera."""

    OK = "ok"
    OPENING = "opening"
    LOST = "lost"
