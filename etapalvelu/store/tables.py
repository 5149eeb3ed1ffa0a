"""The tables, as this version wants them. The way there from older versions stands in `migrations`.

Moments are whole milliseconds since 1970 where they are compared, and the log's own text where they are hashed.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
    true,
)

metadata = MetaData()

session = Table(
    "session",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("seq", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("point", String(64), nullable=False),
    Column("room", String(64), nullable=False),
    # The room while the session is open: unique, so that one room never serves two customers.
    Column("open_room", String(64), unique=True),
    Column("theme", String(64), nullable=False),
    Column("advisor", String(64), nullable=False),
    Column("expert", String(64)),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    # The fold of the events, whole, as JSON.
    Column("fold", Text, nullable=False),
    Index("session_by_opening", "opened_at", "id"),
    Index("session_by_point", "point", "opened_at", "id"),
    Index("session_by_state", "state", "opened_at", "id"),
)

# An entry of these types may tell of a failure. Queries say it in the same words, or SQLite does not see that the index fits.
ENDS_OF_SERVICE = "type IN ('closed', 'interrupted', 'released')"

event = Table(
    "event",
    metadata,
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", String(24), nullable=False),
    Column("type", String(32), nullable=False),
    Column("actor", String(80), nullable=False),
    Column("data", Text, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    PrimaryKeyConstraint("session", "seq"),
    Index(
        "event_of_failure",
        "at",
        "session",
        "seq",
        sqlite_where=text(ENDS_OF_SERVICE),
        postgresql_where=text(ENDS_OF_SERVICE),
    ),
)

deed = Table(
    "deed",
    metadata,
    Column("account", String(80), nullable=False),
    Column("key", String(200), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    PrimaryKeyConstraint("account", "key"),
    Index("deed_by_age", "at"),
)

# Deeds that were reported late and refused; the log itself knows nothing of them.
refused_report = Table(
    "refused_report",
    metadata,
    Column("account", String(80), nullable=False),
    Column("key", String(200), nullable=False),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("deed", String(16), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("code", String(32), nullable=False),
    Column("said", Text, nullable=False),
    PrimaryKeyConstraint("account", "key"),
    Index("refused_report_by_session", "session", "at"),
)

decoded = Table(
    "decoded",
    metadata,
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("seat", String(16), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("path", String(8), nullable=False),
    Column("setup_ms", Integer, nullable=False),
    PrimaryKeyConstraint("session", "claimed_at", "seat"),
)

sample = Table(
    "sample",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("seat", String(16), nullable=False),
    Column("peer", String(16), nullable=False),
    Column("stats", Text, nullable=False),
    Index("sample_by_session", "session", "at"),
)

access = Table(
    "access",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("account", String(80), nullable=False),
    Column("what", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Index("access_by_time", "at"),
)

point = Table(
    "point",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("municipality", String(120), nullable=False),
    Column("hours", Text, nullable=False),
    Column("opens_on", String(10), nullable=False),
    Column("phone", String(40), nullable=False),
    Column("in_use", Boolean, nullable=False, server_default=true()),
)

# Hours that differ from those the program knows.
theme_hours = Table(
    "theme_hours",
    metadata,
    Column("theme", String(64), primary_key=True),
    Column("hours", Text, nullable=False),
)

# Who changed what on the admin's pages; never a password.
change = Table(
    "change",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("account", String(80), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(80), nullable=False),
    Column("fields", Text, nullable=False),
)

room = Table(
    "room",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("point", ForeignKey("point.id"), nullable=False),
    Column("fit_from", String(10)),
    Column("in_use", Boolean, nullable=False, server_default=true()),
)

device = Table(
    "device",
    metadata,
    Column("room", ForeignKey("room.id"), nullable=False),
    Column("role", String(16), nullable=False),
    # Where its live stream is open just now.
    Column("node", String(64)),
    Column("document_camera", String(16)),
    # As the kernel, and so the browser, names it: the room's page leaves it to the agent.
    Column("document_camera_name", String(120)),
    PrimaryKeyConstraint("room", "role"),
)

# What a room found when it looked at itself, one row for each thing it looked at; kept for a month.
room_check = Table(
    "room_check",
    metadata,
    Column("room", ForeignKey("room.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("code", String(32), nullable=False),
    Column("result", String(16), nullable=False),
    Column("figure", Float),
    Column("note", String(32)),
    PrimaryKeyConstraint("room", "code", "at"),
)

# When each room was last asked to look at itself.
check_run = Table(
    "check_run",
    metadata,
    Column("room", ForeignKey("room.id"), primary_key=True),
    Column("asked_at", BigInteger, nullable=False),
)

# How each room's document camera is set, where somebody set it.
camera = Table(
    "camera",
    metadata,
    Column("room", ForeignKey("room.id"), primary_key=True),
    Column("source", String(300), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("frames_per_second", Integer),
    # Left, top, right, bottom as shares of the turned picture, as JSON.
    Column("crop", Text),
    Column("turn", Integer, nullable=False),
)

account = Table(
    "account",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("point", String(64)),
    Column("themes", Text, nullable=False),
    Column("languages", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # For people to read: who it is, and as what.
    Column("shown_name", String(80), nullable=False, server_default=text("''")),
    Column("title", String(80), nullable=False, server_default=text("''")),
)

login = Table(
    "login",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("account", String(80), nullable=False),
    Column("role", String(16), nullable=False),
    Column("room", String(64)),
    Column("label", String(120), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked", Boolean, nullable=False),
    Index("login_by_account", "account"),
    Index("login_by_room", "room", "role"),
)

pairing = Table(
    "pairing",
    metadata,
    Column("code_digest", String(64), primary_key=True),
    Column("room", ForeignKey("room.id"), nullable=False),
    Column("role", String(16), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("reusable", Boolean, nullable=False),
    Column("used", Boolean, nullable=False),
)
