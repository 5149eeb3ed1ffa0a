"""How each room's document camera is set"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "camera",
        sa.Column("room", sa.String(length=64), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("frames_per_second", sa.Integer()),
        sa.Column("crop", sa.Text()),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("room"),
    )
