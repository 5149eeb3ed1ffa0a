"""What rooms found when they looked at themselves, and when they were asked to"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "room_check",
        sa.Column("room", sa.String(length=64), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("figure", sa.Float(), nullable=True),
        sa.Column("note", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("room", "code", "at"),
    )
    op.create_table(
        "check_run",
        sa.Column("room", sa.String(length=64), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("room"),
    )
