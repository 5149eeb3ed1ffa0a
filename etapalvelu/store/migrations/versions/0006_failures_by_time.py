"""The log's entries that may tell of a failure, by time"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ENDS_OF_SERVICE = "type IN ('closed', 'interrupted', 'released')"


def upgrade() -> None:
    op.create_index(
        "event_of_failure",
        "event",
        ["at", "session", "seq"],
        sqlite_where=sa.text(ENDS_OF_SERVICE),
        postgresql_where=sa.text(ENDS_OF_SERVICE),
    )
