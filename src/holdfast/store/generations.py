"""Generations: created once, frozen input, and everything their status needs in one query."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, case, false, insert, or_, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.durable import fingerprint
from holdfast.errors import BadInput, Conflict, NotFound
from holdfast.store.tables import frozen_inputs, generations
from holdfast.store.units import NewUnit, UnitRef, add_units

UNDER_WAY = ("active", "paused")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGeneration:
    """What a client asked for."""

    id: UUID
    category_id: int
    config: dict[str, Any]
    answer_ids: Sequence[int] | None  # None: every answer of the category
    idempotency_key: str | None = None
    client: dict[str, Any] | None = None
    budget: Decimal | None = None  # US dollars
    estimate: dict[str, Any] | None = None
    at_least: int = 10  # answers; fewer are refused
    older_forms: Sequence[dict[str, Any]] = ()  # the same config as releases before wrote it


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generation without its input."""

    id: UUID
    category_id: int
    state: str
    config: dict[str, Any]
    fingerprint: str
    n_answers: int
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    client: dict[str, Any] | None
    budget_usd: Decimal | None
    estimate: dict[str, Any] | None  # what it was said to cost before it started
    resumes: int  # times a person said "go on"
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A generation and whether this request made it."""

    generation: Generation
    new: bool
    units: tuple[UnitRef, ...]  # the first ones, empty if not new


@dataclass(frozen=True, slots=True, kw_only=True)
class StageCounts:
    """One stage's units, counted."""

    stage: str
    pending: int
    done: int
    failed: int
    started: int  # pending ones that a worker has taken at least once
    held: int  # pending ones that wait for a person to settle a call in doubt
    seconds: float | None  # that a done unit took on average, its last attempt alone; None while none is done

    @property
    def total(self) -> int:
        return self.pending + self.done + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A generation and its units, all read at one moment."""

    generation: Generation
    stages: dict[str, StageCounts]
    n_clusters: int  # as the stage `cluster` found them; 0 until it is done
    now: datetime  # by the database's clock


_PUBLIC = [generations.c[name] for name in Generation.__slots__]


async def create(
    connection: AsyncConnection, new: NewGeneration, *, first: Sequence[NewUnit], fingerprint_of: Any
) -> Created:
    """Freeze the input and insert the generation with its first units, or find the one that was meant.

    `fingerprint_of(config, category_id, input_digest)` names what is asked for. Raises NotFound for an unknown
    category, BadInput for unknown or too few answers, Conflict for an Idempotency-Key that was used for something else.
    """
    await _require_category(connection, new.category_id)
    answer_ids, digest = await _freeze(connection, new)
    meanings = [fingerprint_of(config, new.category_id, digest) for config in (new.config, *new.older_forms)]
    row = {
        "id": new.id,
        "category_id": new.category_id,
        "state": "active",
        "config": _kept(new.config),
        "fingerprint": meanings[0],
        "idempotency_key": new.idempotency_key,
        "n_answers": len(answer_ids),
        "client": new.client,
        "budget_usd": new.budget,
        "estimate": new.estimate,
    }
    query = upsert(generations).values(row).on_conflict_do_nothing().returning(*_PUBLIC)
    inserted: Row[Any] | None = None
    while inserted is None:
        # Looked for first: the index that keeps two of one meaning apart knows nothing of older forms.
        found = await _meant(connection, new, meanings)
        if found is not None:
            return Created(generation=found, new=False, units=())
        # None if another one came between the two statements.
        inserted = (await connection.execute(query)).first()
    examples = new.config.get("examples") or None
    frozen = {"generation_id": new.id, "answer_ids": answer_ids, "digest": digest, "examples": examples}
    await connection.execute(insert(frozen_inputs).values(frozen))
    units = await add_units(connection, new.id, first)
    return Created(generation=Generation(**inserted._mapping), new=True, units=tuple(units))


async def get(connection: AsyncConnection, generation_id: UUID) -> Generation:
    """Raises NotFound."""
    query = select(*_PUBLIC).where(generations.c.id == generation_id)
    row = (await connection.execute(query)).first()
    if row is None:
        raise NotFound(kind="generation", id=generation_id)
    return Generation(**row._mapping)


async def examples(connection: AsyncConnection, generation_id: UUID) -> list[Any]:
    """The examples that its config was made with, in their order; empty if there are none."""
    query = text(
        "SELECT coalesce(f.examples, g.config -> 'examples', '[]') FROM holdfast.generations g"
        " LEFT JOIN holdfast.frozen_inputs f ON f.generation_id = g.id WHERE g.id = :id"
    ).columns(examples=generations.c.config.type)
    return (await connection.execute(query, {"id": generation_id})).scalar_one_or_none() or []


async def latest_under_way(connection: AsyncConnection) -> Generation | None:
    """The newest generation that has not ended."""
    query = select(*_PUBLIC).where(generations.c.state.in_(UNDER_WAY)).order_by(generations.c.created_at.desc())
    row = (await connection.execute(query.limit(1))).first()
    return None if row is None else Generation(**row._mapping)


async def snapshot(connection: AsyncConnection, generation_id: UUID) -> Snapshot:
    """The generation and its counts in one statement, so that they never contradict each other."""
    query = text(
        f"SELECT {', '.join('g.' + name for name in Generation.__slots__)}, clock_timestamp() AS now,"
        " (SELECT coalesce(jsonb_agg(to_jsonb(s)), '[]') FROM ("
        "   SELECT stage, count(*) FILTER (WHERE state = 'pending') AS pending,"
        "          count(*) FILTER (WHERE state = 'done') AS done, count(*) FILTER (WHERE state = 'failed') AS failed,"
        "          count(*) FILTER (WHERE state = 'pending' AND started_at IS NOT NULL) AS started,"
        "          count(*) FILTER (WHERE state = 'pending' AND held IS NOT NULL) AS held,"
        "          avg(extract(epoch FROM finished_at - started_at)::float8) FILTER (WHERE state = 'done') AS seconds"
        "   FROM holdfast.units WHERE generation_id = g.id GROUP BY stage) s) AS stages,"
        " (SELECT coalesce(max((result->>'n_clusters')::int), 0) FROM holdfast.units"
        "   WHERE generation_id = g.id AND stage = 'cluster' AND state = 'done') AS n_clusters"
        " FROM holdfast.generations g WHERE g.id = :id"
    )
    row = (await connection.execute(query, {"id": generation_id})).first()
    if row is None:
        raise NotFound(kind="generation", id=generation_id)
    fields = dict(row._mapping)
    now, stages, n_clusters = (fields.pop(name) for name in ("now", "stages", "n_clusters"))
    counted = {stage["stage"]: StageCounts(**stage) for stage in stages}
    return Snapshot(generation=Generation(**fields), stages=counted, n_clusters=n_clusters, now=now)


async def of_category(connection: AsyncConnection, category_id: int) -> list[Generation]:
    """Every generation of the category, the newest first. Raises NotFound."""
    await _require_category(connection, category_id)
    query = select(*_PUBLIC).where(generations.c.category_id == category_id)
    found = await connection.execute(query.order_by(generations.c.created_at.desc(), generations.c.id))
    return [Generation(**row._mapping) for row in found]


async def _require_category(connection: AsyncConnection, category_id: int) -> None:
    found = await connection.execute(text("SELECT 1 FROM holdfast.categories WHERE id = :id"), {"id": category_id})
    if found.first() is None:
        raise NotFound(kind="category", id=category_id)


async def _freeze(connection: AsyncConnection, new: NewGeneration) -> tuple[list[int], str]:
    wanted = "" if new.answer_ids is None else " AND id = ANY(:ids)"
    query = text(
        r"SELECT coalesce(array_agg(id ORDER BY id), '{}') AS ids, count(*) FILTER (WHERE text ~ '\S') AS n_with_text,"
        " md5(coalesce(string_agg(digest, ''::bytea ORDER BY id), ''::bytea)) AS digest"
        f" FROM holdfast.answers WHERE category_id = :category_id{wanted}"
    )
    arguments: dict[str, Any] = {"category_id": new.category_id}
    if new.answer_ids is not None:
        arguments["ids"] = sorted(set(new.answer_ids))
    row = (await connection.execute(query, arguments)).one()
    if new.answer_ids is not None and len(row.ids) != len(arguments["ids"]):
        unknown = sorted(set(arguments["ids"]) - set(row.ids))[:5]
        raise BadInput(f"category {new.category_id} has no answers with these ids: {', '.join(map(str, unknown))}")
    if row.n_with_text < new.at_least:
        empty = f" ({len(row.ids) - row.n_with_text} more are empty)" if row.n_with_text < len(row.ids) else ""
        raise BadInput(
            f"{row.n_with_text} answers{empty} are too few for a codeframe; "
            f"import at least {new.at_least} that are not empty into the category"
        )
    return list(row.ids), row.digest


async def _meant(connection: AsyncConnection, new: NewGeneration, meanings: Sequence[str]) -> Generation | None:
    under_way = generations.c.fingerprint.in_(meanings) & generations.c.state.in_(UNDER_WAY)
    keyed = false() if new.idempotency_key is None else generations.c.idempotency_key == new.idempotency_key
    query = select(*_PUBLIC).where(or_(keyed, under_way, generations.c.id == new.id))
    query = query.order_by(case((keyed, 0), else_=1)).limit(1)
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    found = Generation(**row._mapping)
    if found.fingerprint not in meanings and not _asks_for(found, new):
        raise Conflict("this Idempotency-Key was used for another request; use a new one")
    return found


def _asks_for(found: Generation, new: NewGeneration) -> bool:
    # "Every answer of the category" is the same request also when there are more answers by now.
    forms = [_kept(config) for config in (new.config, *new.older_forms)]
    return new.answer_ids is None and found.category_id == new.category_id and found.config in forms


def _kept(config: dict[str, Any]) -> dict[str, Any]:
    """What is read with every unit and status: instead of the examples, megabytes, what tells them from others."""
    given = config.get("examples")
    return config | {"examples": [], "examples_digest": fingerprint(given)} if given else config
