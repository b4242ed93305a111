"""Money: budgets, estimates, tokens, calls that are held, batches."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

SCHEMA = "holdfast"
TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


def upgrade() -> None:
    op.add_column("generations", sa.Column("budget_usd", sa.Numeric(14, 6), nullable=True), schema=SCHEMA)
    op.add_column("generations", sa.Column("estimate", postgresql.JSONB(), nullable=True), schema=SCHEMA)
    op.add_column("units", sa.Column("held", sa.Uuid(), nullable=True), schema=SCHEMA)
    op.add_column("units", sa.Column("retries", sa.Integer(), server_default="0", nullable=False), schema=SCHEMA)
    _batches()
    _calls()


def downgrade() -> None:
    for column, owner in (("generation_id", "generations"), ("unit_id", "units")):
        op.drop_constraint(f"calls_{column}_fkey", "calls", schema=SCHEMA)
        _foreign_key(column, owner, ondelete="CASCADE")
    op.execute("DELETE FROM holdfast.calls WHERE generation_id IS NULL")
    op.alter_column("calls", "generation_id", nullable=False, schema=SCHEMA)
    for index in ("calls_open_idx", "calls_created_idx"):
        op.drop_index(index, "calls", schema=SCHEMA)
    for column in (*TOKENS, "batch_id", "credential"):
        op.drop_column("calls", column, schema=SCHEMA)
    op.drop_table("batches", schema=SCHEMA)
    for table, column in (("units", "retries"), ("units", "held"), ("generations", "estimate")):
        op.drop_column(table, column, schema=SCHEMA)
    op.drop_column("generations", "budget_usd", schema=SCHEMA)


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("n_requests", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["holdfast.units.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        schema=SCHEMA,
    )
    op.create_index("batches_unit_idx", "batches", ["unit_id"], schema=SCHEMA)
    op.create_index("batches_open_idx", "batches", ["id"], schema=SCHEMA, postgresql_where=sa.text("state = 'open'"))
    op.execute("ALTER TABLE holdfast.batches ENABLE ROW LEVEL SECURITY")


def _calls() -> None:
    op.add_column("calls", sa.Column("credential", sa.Text(), server_default="", nullable=False), schema=SCHEMA)
    op.add_column("calls", sa.Column("batch_id", sa.Uuid(), nullable=True), schema=SCHEMA)
    op.alter_column("calls", "generation_id", nullable=True, schema=SCHEMA)
    for column in ("generation_id", "unit_id"):
        op.drop_constraint(f"calls_{column}_fkey", "calls", schema=SCHEMA)
    for column, owner in (("generation_id", "generations"), ("unit_id", "units"), ("batch_id", "batches")):
        _foreign_key(column, owner, ondelete="SET NULL")
    for column in TOKENS:
        op.add_column("calls", sa.Column(column, sa.Integer(), nullable=True), schema=SCHEMA)
    op.create_index("calls_created_idx", "calls", ["created_at", "credential"], schema=SCHEMA)
    under_way = sa.text("state IN ('intent', 'in_doubt')")
    op.create_index("calls_open_idx", "calls", ["generation_id"], schema=SCHEMA, postgresql_where=under_way)


def _foreign_key(column: str, owner: str, *, ondelete: str) -> None:
    name = f"calls_{column}_fkey"
    op.create_foreign_key(
        name, "calls", owner, [column], ["id"], ondelete=ondelete, source_schema=SCHEMA, referent_schema=SCHEMA
    )
