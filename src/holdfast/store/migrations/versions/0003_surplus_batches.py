"""Batches that were handed in twice are looked for beside the open ones."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = "holdfast"
INDEX = "batches_open_idx"


def upgrade() -> None:
    _index("state <> 'ended'")


def downgrade() -> None:
    op.execute("UPDATE holdfast.batches SET state = 'ended' WHERE state = 'surplus'")
    _index("state = 'open'")


def _index(where: str) -> None:
    op.drop_index(INDEX, "batches", schema=SCHEMA)
    op.create_index(INDEX, "batches", ["id"], schema=SCHEMA, postgresql_where=sa.text(where))
