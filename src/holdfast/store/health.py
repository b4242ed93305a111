"""What the doctor asks of PostgreSQL; reads catalogues and settings only, and works on an empty database too."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic, time
from typing import Any, Literal, TypeAlias

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.errors import Unavailable
from holdfast.store.database import Database
from holdfast.store.migrations import SCHEMA, config

Pooler: TypeAlias = Literal["none", "session", "transaction"]
Refused: TypeAlias = Literal["credentials", "database", "pooler"] | None
Schema: TypeAlias = Literal["current", "missing", "older", "unknown"]

PINGS = 100  # with fewer the slowest one alone would be the p99
PINGS_LAST = 1.0  # seconds, after which it has been enough
POOLER_LOOKS = 4  # transactions of each of some connections at once
POOLER_CONNECTIONS = 3
USED_LATELY = "30 days"

# By SQLSTATE (PostgreSQL manual, appendix A).
_REFUSALS = {
    "28P01": "it refuses the user or the password",
    "28000": "it refuses the user, or a connection from here (pg_hba.conf)",
    "3D000": "it has no database of that name",
    "42501": "the user may not read what is asked",
    "26000": "it does not know a statement that was prepared",
    "42P05": "it knows a statement of that name already",
}
_WRONG: dict[str, Refused] = {
    "28P01": "credentials",
    "28000": "credentials",
    "3D000": "database",
    "26000": "pooler",
    "42P05": "pooler",
}
_FACTS = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int AS version_number,
       pg_is_in_recovery() AS is_replica,
       current_setting('transaction_read_only') = 'on' AS is_read_only,
       current_setting('synchronous_commit') AS synchronous_commit,
       current_setting('fsync') AS fsync,
       current_setting('full_page_writes') AS full_page_writes,
       current_setting('max_connections')::int AS max_connections,
       (SELECT count(*)::int FROM pg_stat_activity WHERE datname IS NOT NULL) AS connections,
       current_setting('archive_mode') AS archive_mode,
       (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()) AS is_encrypted,
       extract(epoch FROM clock_timestamp() - archiver.last_archived_time)::float8 AS archived_ago,
       extract(epoch FROM clock_timestamp() - archiver.last_failed_time)::float8 AS archive_failed_ago
FROM pg_stat_archiver AS archiver
"""
_TABLES = """
SELECT tables.relname, tables.relrowsecurity
FROM pg_class AS tables JOIN pg_namespace AS schemas ON schemas.oid = tables.relnamespace
WHERE schemas.nspname = :schema AND tables.relkind IN ('r', 'p') ORDER BY tables.relname
"""
_MODELS = f"""
SELECT DISTINCT config ->> 'model' AS model FROM {SCHEMA}.generations
WHERE state IN ('active', 'paused') OR created_at > now() - interval '{USED_LATELY}' ORDER BY model
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseFacts:
    """What a PostgreSQL says of itself."""

    version: str
    version_number: int  # 160004 is 16.4
    is_replica: bool
    is_read_only: bool
    synchronous_commit: str  # as it is for our connections
    fsync: str
    full_page_writes: str
    max_connections: int
    connections: int
    archive_mode: str
    archived_ago: timedelta | None  # since a piece of WAL was archived
    archive_failed_ago: timedelta | None
    is_encrypted: bool | None  # the connection between the server and what it takes for us, maybe a pooler
    schema: Schema
    revision: str | None  # the migration the tables are at
    head: str  # the newest one this Holdfast knows
    tables: int
    unsecured: tuple[str, ...]  # tables of the schema without row security
    models: tuple[str, ...]  # of generations that are under way or were made lately
    pings: tuple[float, ...]  # seconds, sorted
    skew: float  # seconds its clock is ahead of ours, half of the round trip taken off


async def facts(connection: AsyncConnection) -> DatabaseFacts:
    """Everything one connection can find out; takes a second or so, bounded, when the server answers."""
    row = dict((await connection.execute(text(_FACTS))).one()._mapping)
    tables = (await connection.execute(text(_TABLES), {"schema": SCHEMA})).all()
    revision, head, schema = await connection.run_sync(_revision)
    models: list[str] = []
    if schema in ("current", "older") and any(name == "generations" for name, _ in tables):
        models = [model for (model,) in await connection.execute(text(_MODELS)) if model]
    for name in ("archived_ago", "archive_failed_ago"):
        row[name] = None if row[name] is None else timedelta(seconds=max(0.0, row[name]))
    return DatabaseFacts(
        **row,
        schema=schema,
        revision=revision,
        head=head,
        tables=len(tables),
        unsecured=tuple(name for name, is_secured in tables if not is_secured),
        models=tuple(models),
        pings=await _pings(connection),
        skew=await _skew(connection),
    )


async def pooler(database: Database) -> Pooler:
    """What stands between us and the server, by the backends that our connections get.

    The process id a connection was told at its start is the backend's own; a pooler makes one up. Behind one that gives
    each transaction another backend, connections that work at the same time change theirs.
    """

    async def look(connection: AsyncConnection) -> tuple[int, int]:
        raw: Any = await connection.get_raw_connection()
        (pid,) = (await connection.execute(text("SELECT pg_backend_pid()"))).one()
        return raw.driver_connection.get_server_pid(), pid

    async def some() -> list[tuple[int, int]]:
        return [await database.run(look) for _ in range(POOLER_LOOKS)]

    seen = {pair for pairs in await asyncio.gather(*(some() for _ in range(POOLER_CONNECTIONS))) for pair in pairs}
    if all(told == real for told, real in seen):
        return "none"
    return "session" if len({told for told, _ in seen}) == len(seen) else "transaction"


async def _pings(connection: AsyncConnection) -> tuple[float, ...]:
    took: list[float] = []
    end = monotonic() + PINGS_LAST
    while len(took) < PINGS and (not took or monotonic() < end):
        began = monotonic()
        await connection.execute(text("SELECT 1"))
        took.append(monotonic() - began)
    return tuple(sorted(took))


async def _skew(connection: AsyncConnection) -> float:
    """Of some looks the one with the shortest round trip is the most exact."""
    looks: list[tuple[float, float]] = []
    for _ in range(3):
        began, before = monotonic(), time()
        now: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        took = monotonic() - began
        looks.append((took, now.timestamp() - (before + took / 2)))
    return min(looks)[1]


def _revision(connection: SyncConnection) -> tuple[str | None, str, Schema]:
    script = ScriptDirectory.from_config(config(connection))
    head = script.get_current_head() or ""
    context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})
    revision = context.get_current_revision()
    if revision is None:
        return None, head, "missing"
    if revision == head:
        return revision, head, "current"
    try:
        script.get_revision(revision)
    except CommandError:
        return revision, head, "unknown"
    return revision, head, "older"


def why(error: BaseException) -> str:
    """Why the server could not be used, in words that show no password."""
    said = "it does not answer" if isinstance(error, Unavailable) else "it cannot be used"
    return _REFUSALS.get(_state(error)) or f"{said} ({type(_cause(error)).__name__})"


def refused(error: BaseException) -> Refused:
    """What of the URL is wrong. `pooler`: it hands out another server process for each transaction, unannounced."""
    return _WRONG.get(_state(error))


def _state(error: BaseException) -> str:
    return str(getattr(_cause(error), "sqlstate", None) or "")


def _cause(error: BaseException) -> BaseException:
    """The driver's own error below SQLAlchemy's and ours."""
    below = getattr(error, "orig", None) or error.__cause__
    return error if below is None else _cause(below)
