"""The tables of the schema `holdfast`, as the newest migration leaves them.

Texts, replies and results live only here; Redis holds ids. A unit's `input` and `output` may be large:
queries for status never select them.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

SCHEMA = "holdfast"

metadata = MetaData(schema=SCHEMA)

_JSON = JSONB(none_as_null=True)  # None is SQL's NULL, not JSON's null


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _owner(table: str) -> ForeignKey:
    return ForeignKey(f"{SCHEMA}.{table}.id", ondelete="CASCADE")


def _outlives(table: str) -> ForeignKey:
    """What was paid stays paid, also when the generation that needed it is deleted."""
    return ForeignKey(f"{SCHEMA}.{table}.id", ondelete="SET NULL")


categories = Table(
    "categories",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False),
    Column("question", Text),  # what was asked; context for labels
    _created(),
)

imports = Table(
    "imports",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("category_id", BigInteger, _owner("categories"), nullable=False, index=True),
    Column("source", Text, nullable=False),  # the file's name, or "api"
    Column("columns", _JSON, nullable=False),  # the file's own columns, in order
    Column("text_column", Text, nullable=False),
    Column("n_rows", Integer, nullable=False, server_default="0"),
    Column("n_added", Integer, nullable=False, server_default="0"),
    Column("n_duplicates", Integer, nullable=False, server_default="0"),  # external id seen before: the first is kept
    Column("notes", _JSON, nullable=False, server_default="[]"),  # what was repaired on the way in
    _created(),
)

answers = Table(
    "answers",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("category_id", BigInteger, _owner("categories"), nullable=False),
    Column("import_id", BigInteger, _owner("imports"), nullable=False),
    Column("position", Integer, nullable=False),  # data row in the imported file, from 0
    Column("external_id", Text),
    Column("text", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),  # blake2b-16 of the text
    Column("columns", _JSON, nullable=False),  # the row's own values, in the order of imports.columns
    UniqueConstraint("category_id", "external_id", name="answers_external_id_key"),
    Index("answers_category_id_idx", "category_id", "id"),
)

generations = Table(
    "generations",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("category_id", BigInteger, _owner("categories"), nullable=False, index=True),
    Column("state", Text, nullable=False),  # active | paused | completed | partial | failed | cancelled
    Column("config", _JSON, nullable=False),  # as asked for, defaults filled in; of examples only their digest
    Column("fingerprint", Text, nullable=False),  # of category, config and frozen input
    Column("idempotency_key", Text, unique=True),
    Column("n_answers", Integer, nullable=False),
    Column("result", _JSON),  # MECE, notes and figures of the finished frame
    Column("error", _JSON),  # {code, message, unit, attempt}
    Column("client", _JSON),  # what a client wants to find again, e.g. the CLI's output path
    Column("budget_usd", Numeric(14, 6)),  # most its calls may cost; null: no limit of its own
    Column("estimate", _JSON),  # what it was said to cost before it started
    Column("resumes", Integer, nullable=False, server_default="0"),  # times a person said "go on"
    _created(),
    Column("started_at", DateTime(timezone=True)),  # later by the time it stood still
    Column("finished_at", DateTime(timezone=True)),  # when it ended or was paused
    # A double click finds the generation that is under way instead of paying for a second one.
    Index(
        "generations_under_way_key",
        "fingerprint",
        unique=True,
        postgresql_where=text("state IN ('active', 'paused')"),
    ),
    Index("generations_state_idx", "state", postgresql_where=text("state IN ('active', 'paused')")),
)

frozen_inputs = Table(
    "frozen_inputs",
    metadata,
    Column("generation_id", Uuid, _owner("generations"), primary_key=True),
    Column("answer_ids", ARRAY(BigInteger), nullable=False),
    Column("digest", Text, nullable=False),  # md5 over the answers' digests in that order
    Column("examples", _JSON),  # the config's, megabytes; null: none, or in the config of an old generation
)

units = Table(
    "units",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("generation_id", Uuid, _owner("generations"), nullable=False),
    Column("stage", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),  # pending | done | failed
    Column("round", Integer, nullable=False, server_default="0"),  # part of the job id: a new job for a unit owed again
    Column("input", _JSON, nullable=False, server_default="{}"),
    Column("output", LargeBinary),  # what the next stages read: vectors, labels …
    Column("result", _JSON),  # small figures
    Column("error", _JSON),
    Column("worker", Text),
    Column("held", Uuid),  # the call in doubt that a person has to settle before the unit goes on
    Column("retries", Integer, nullable=False, server_default="0"),  # times a person asked for it again
    _created(),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    UniqueConstraint("generation_id", "stage", "ordinal", name="units_stage_ordinal_key"),
    Index("units_pending_idx", "id", postgresql_where=text("state = 'pending'")),
)

batches = Table(
    "batches",
    metadata,
    Column("id", Uuid, primary_key=True),  # goes to the provider with every request: how a lost submit is found again
    Column("generation_id", Uuid, _owner("generations"), nullable=False),
    Column("unit_id", BigInteger, _owner("units"), nullable=False),
    Column("model", Text, nullable=False),
    Column("n_requests", Integer, nullable=False),
    Column("provider_id", Text),  # null: not submitted, or the submit's outcome is not known yet
    Column("state", Text, nullable=False, server_default="open"),  # open | surplus | ended
    _created(),
    Column("ended_at", DateTime(timezone=True)),
    Index("batches_unit_idx", "unit_id"),
    Index("batches_open_idx", "id", postgresql_where=text("state <> 'ended'")),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Uuid, primary_key=True),  # made by the caller, so that a commit of unknown outcome can be repeated
    Column("generation_id", Uuid, _outlives("generations")),
    Column("unit_id", BigInteger, _outlives("units")),
    Column("step", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("credential", Text, nullable=False, server_default=""),  # digest of the key that pays
    Column("batch_id", Uuid, _outlives("batches")),  # the batch it is part of
    Column("state", Text, nullable=False),  # intent | in_doubt | replied | superseded | failed | settled
    Column("reserved_usd", Numeric(14, 6), nullable=False),
    Column("cost_usd", Numeric(14, 6)),
    Column("input_tokens", Integer),
    Column("output_tokens", Integer),
    Column("cache_read_tokens", Integer),
    Column("cache_write_tokens", Integer),
    Column("reply", _JSON),
    Column("error", Text),
    Column("worker", Text),
    _created(),
    Column("settled_at", DateTime(timezone=True)),
    Index("calls_step_idx", "generation_id", "step", "fingerprint"),
    Index("calls_created_idx", "created_at", "credential"),  # caps of a month, costs
    Index("calls_open_idx", "generation_id", postgresql_where=text("state IN ('intent', 'in_doubt')")),
    # The first recorded reply wins; a later one is kept as `superseded`, with its cost.
    Index(
        "calls_reply_key",
        "generation_id",
        "step",
        "fingerprint",
        unique=True,
        postgresql_where=text("state = 'replied'"),
    ),
)

codeframe_nodes = Table(
    "codeframe_nodes",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("generation_id", Uuid, _owner("generations"), nullable=False),
    Column("key", Text, nullable=False),
    Column("parent_key", Text),
    Column("node_type", Text, nullable=False),  # theme | code
    Column("level", SmallInteger, nullable=False),  # 1 = top
    Column("position", Integer, nullable=False),
    Column("number", Integer),  # the stable numeric code id of exports
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("n_answers", Integer, nullable=False),
    Column("examples", _JSON, nullable=False, server_default="[]"),  # [{answer_id, text}]
    Column("details", _JSON, nullable=False, server_default="{}"),  # keyphrases, kind (code | other | rule) …
    UniqueConstraint("generation_id", "key", name="codeframe_nodes_key_key"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("generation_id", Uuid, _owner("generations"), primary_key=True),
    Column("answer_id", BigInteger, _owner("answers"), primary_key=True),
    Column("node_key", Text, primary_key=True),
    Column("rank", SmallInteger, nullable=False),  # 0 = the best code
    Column("score", Float, nullable=False),
    Index("assignments_by_code_idx", "generation_id", "node_key", "answer_id", "rank"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("generation_id", Uuid, _owner("generations"), primary_key=True),
    Column("answer_id", BigInteger, _owner("answers"), primary_key=True),
    Column("numbers", ARRAY(Integer), nullable=False),  # of the codes a person gave it, the best first
    Column("confirmed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)
