"""What a person says of answers' codes: examples that the others are learned from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

SCHEMA = "holdfast"


def upgrade() -> None:
    op.create_table(
        "confirmations",
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.BigInteger(), nullable=False),
        sa.Column("numbers", postgresql.ARRAY(sa.Integer()), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["answer_id"], ["holdfast.answers.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("generation_id", "answer_id"),
        schema=SCHEMA,
    )
    op.execute("ALTER TABLE holdfast.confirmations ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("confirmations", schema=SCHEMA)
