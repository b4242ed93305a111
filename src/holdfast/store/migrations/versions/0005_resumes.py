"""How often a generation was resumed: who found its old budget used up must not pause it after it got a new one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "holdfast"


def upgrade() -> None:
    op.add_column("generations", sa.Column("resumes", sa.Integer(), server_default="0", nullable=False), schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("generations", "resumes", schema=SCHEMA)
