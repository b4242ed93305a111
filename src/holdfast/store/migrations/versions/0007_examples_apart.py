"""A generation's examples, up to 12 MB, beside its frozen answers: its own row is read with every unit."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"

SCHEMA = "holdfast"


def upgrade() -> None:
    op.add_column("frozen_inputs", sa.Column("examples", postgresql.JSONB(), nullable=True), schema=SCHEMA)


def downgrade() -> None:
    op.drop_column("frozen_inputs", "examples", schema=SCHEMA)
