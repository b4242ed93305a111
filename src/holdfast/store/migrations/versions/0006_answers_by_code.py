"""The answers of a code: without an index every page of them read all of the generation's assignments."""

from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = "holdfast"
INDEX = "assignments_by_code_idx"


def upgrade() -> None:
    op.create_index(INDEX, "assignments", ["generation_id", "node_key", "answer_id", "rank"], schema=SCHEMA)


def downgrade() -> None:
    op.drop_index(INDEX, table_name="assignments", schema=SCHEMA)
