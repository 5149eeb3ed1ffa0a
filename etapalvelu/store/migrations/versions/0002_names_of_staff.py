"""Names and titles of staff, for people to read"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for name in ("shown_name", "title"):
        op.add_column("account", sa.Column(name, sa.String(length=80), nullable=False, server_default=sa.text("''")))
