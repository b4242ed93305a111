"""The first tables: answers, generations, units, calls, codeframes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

TABLES = (
    "categories",
    "generations",
    "imports",
    "answers",
    "codeframe_nodes",
    "frozen_inputs",
    "units",
    "assignments",
    "calls",
)


def upgrade() -> None:
    _categories()
    _generations()
    _imports()
    _answers()
    _codeframe_nodes()
    _frozen_inputs()
    _units()
    _assignments()
    _calls()
    for table in TABLES:
        # Supabase publishes every table over REST unless row security says who may read; without a policy: nobody
        # but the owner, who is us.
        op.execute(f"ALTER TABLE holdfast.{table} ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="holdfast")


def _categories() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        schema="holdfast",
    )


def _generations() -> None:
    op.create_table(
        "generations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("n_answers", sa.Integer(), nullable=False),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("client", postgresql.JSONB(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["category_id"], ["holdfast.categories.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
        schema="holdfast",
    )
    op.create_index(
        "generations_state_idx",
        "generations",
        ["state"],
        unique=False,
        schema="holdfast",
        postgresql_where=sa.text("state IN ('active', 'paused')"),
    )
    op.create_index(
        "generations_under_way_key",
        "generations",
        ["fingerprint"],
        unique=True,
        schema="holdfast",
        postgresql_where=sa.text("state IN ('active', 'paused')"),
    )
    op.create_index(
        op.f("ix_holdfast_generations_category_id"), "generations", ["category_id"], unique=False, schema="holdfast"
    )


def _imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.Column("text_column", sa.Text(), nullable=False),
        sa.Column("n_rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.Column("notes", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["holdfast.categories.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        schema="holdfast",
    )
    op.create_index(
        op.f("ix_holdfast_imports_category_id"), "imports", ["category_id"], unique=False, schema="holdfast"
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["category_id"], ["holdfast.categories.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["import_id"], ["holdfast.imports.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("category_id", "external_id", name="answers_external_id_key"),
        schema="holdfast",
    )
    op.create_index("answers_category_id_idx", "answers", ["category_id", "id"], unique=False, schema="holdfast")


def _codeframe_nodes() -> None:
    op.create_table(
        "codeframe_nodes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("parent_key", sa.Text(), nullable=True),
        sa.Column("node_type", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("n_answers", sa.Integer(), nullable=False),
        sa.Column("examples", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("generation_id", "key", name="codeframe_nodes_key_key"),
        schema="holdfast",
    )


def _frozen_inputs() -> None:
    op.create_table(
        "frozen_inputs",
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("answer_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("generation_id"),
        schema="holdfast",
    )


def _units() -> None:
    op.create_table(
        "units",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("round", sa.Integer(), server_default="0", nullable=False),
        sa.Column("input", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("output", sa.LargeBinary(), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.Column("error", postgresql.JSONB(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("generation_id", "stage", "ordinal", name="units_stage_ordinal_key"),
        schema="holdfast",
    )
    op.create_index(
        "units_pending_idx",
        "units",
        ["id"],
        unique=False,
        schema="holdfast",
        postgresql_where=sa.text("state = 'pending'"),
    )


def _assignments() -> None:
    op.create_table(
        "assignments",
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("answer_id", sa.BigInteger(), nullable=False),
        sa.Column("node_key", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["answer_id"], ["holdfast.answers.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("generation_id", "answer_id", "node_key"),
        schema="holdfast",
    )


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("generation_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.BigInteger(), nullable=True),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reserved_usd", sa.Numeric(precision=14, scale=6), nullable=False),
        sa.Column("cost_usd", sa.Numeric(precision=14, scale=6), nullable=True),
        sa.Column("reply", postgresql.JSONB(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["generation_id"], ["holdfast.generations.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["holdfast.units.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        schema="holdfast",
    )
    op.create_index(
        "calls_reply_key",
        "calls",
        ["generation_id", "step", "fingerprint"],
        unique=True,
        schema="holdfast",
        postgresql_where=sa.text("state = 'replied'"),
    )
    op.create_index(
        "calls_step_idx", "calls", ["generation_id", "step", "fingerprint"], unique=False, schema="holdfast"
    )
