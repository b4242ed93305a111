"""Codeframes: nodes, and every answer's codes."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, any_, cast, delete, insert, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.copying import copy_rows
from holdfast.store.tables import assignments, codeframe_nodes, imports


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One theme or code."""

    key: str  # unique in its codeframe
    parent_key: str | None
    node_type: str  # theme | code
    level: int
    position: int
    number: int | None
    name: str
    description: str
    confidence: float
    n_answers: int
    examples: list[dict[str, Any]] = field(default_factory=list)  # {answer_id, text}
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredNode(Node):
    """A node with its id."""

    id: int

    @property
    def stands_empty(self) -> bool:
        """Other, or a rule's code, that no answer has: told as a figure, not worth a row of its own."""
        return self.n_answers == 0 and self.details.get("kind", "content") != "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedAnswer:
    """An answer, its file's row, and the codes it got."""

    import_id: int
    text: str
    columns: list[Any]
    node_keys: list[str]  # the best first
    score: float  # of the best


async def save(
    connection: AsyncConnection,
    generation_id: UUID,
    nodes: Sequence[Node],
    rows: Iterable[tuple[int, str, int, float]],
) -> None:
    """Replace the generation's codeframe; `rows` are (answer_id, node_key, rank, score), streamed by COPY."""
    for table in (assignments, codeframe_nodes):
        await connection.execute(delete(table).where(table.c.generation_id == generation_id))
    made = [{name: getattr(node, name) for name in Node.__slots__} | {"generation_id": generation_id} for node in nodes]
    if made:
        await connection.execute(insert(codeframe_nodes), made)
    records = ((generation_id, *row) for row in rows)
    columns = ("generation_id", "answer_id", "node_key", "rank", "score")
    await copy_rows(connection, "assignments", records, columns=columns, schema="holdfast")


async def nodes(connection: AsyncConnection, generation_id: UUID) -> list[StoredNode]:
    """The nodes, parents before their children, in the order to show."""
    wanted = codeframe_nodes.c.generation_id == generation_id
    query = select(*[codeframe_nodes.c[name] for name in (*Node.__slots__, "id")]).where(wanted)
    rows = await connection.execute(query.order_by(codeframe_nodes.c.level, codeframe_nodes.c.position))
    return [StoredNode(**row._mapping) for row in rows]


async def count_assigned(connection: AsyncConnection, generation_id: UUID) -> int:
    """How many answers have at least one code, rule code or "Other"."""
    query = text("SELECT count(DISTINCT answer_id) FROM holdfast.assignments WHERE generation_id = :id")
    return int((await connection.execute(query, {"id": generation_id})).scalar_one())


async def best_keys(connection: AsyncConnection, *, generation_id: UUID) -> dict[int, str]:
    """The key of each answer's best code, by the answer's id."""
    wanted = (assignments.c.generation_id == generation_id, assignments.c.rank == 0)
    rows = await connection.execute(select(assignments.c.answer_id, assignments.c.node_key).where(*wanted))
    return {row.answer_id: row.node_key for row in rows}


async def keys_of(
    connection: AsyncConnection, *, generation_id: UUID, answer_ids: Sequence[int]
) -> dict[int, list[str]]:
    """The keys of these answers' codes, the best first, by the answers' ids."""
    found: dict[int, list[str]] = {}
    wanted = (
        assignments.c.generation_id == generation_id,
        assignments.c.answer_id == any_(cast(list(answer_ids), ARRAY(BigInteger))),
    )
    query = select(assignments.c.answer_id, assignments.c.node_key).where(*wanted).order_by(assignments.c.rank)
    for row in await connection.execute(query):
        found.setdefault(row.answer_id, []).append(row.node_key)
    return found


async def import_columns(connection: AsyncConnection, category_id: int) -> dict[int, list[str]]:
    """The own columns of each of a category's imports."""
    query = select(imports.c.id, imports.c.columns).where(imports.c.category_id == category_id).order_by(imports.c.id)
    return {row.id: row.columns for row in await connection.execute(query)}


async def coded_answers(connection: AsyncConnection, generation_id: UUID) -> AsyncIterator[CodedAnswer]:
    """Every answer of the generation in its frozen order, streamed."""
    query = text(
        "SELECT a.import_id, a.text, a.columns, coalesce(c.keys, '{}') AS node_keys, coalesce(c.score, 0) AS score"
        " FROM holdfast.frozen_inputs f"
        " CROSS JOIN LATERAL unnest(f.answer_ids) WITH ORDINALITY AS frozen(answer_id, place)"
        " JOIN holdfast.answers a ON a.id = frozen.answer_id"
        " LEFT JOIN (SELECT answer_id, array_agg(node_key ORDER BY rank) AS keys,"
        "   max(score) FILTER (WHERE rank = 0) AS score"
        "   FROM holdfast.assignments WHERE generation_id = :id GROUP BY answer_id) c ON c.answer_id = a.id"
        " WHERE f.generation_id = :id ORDER BY frozen.place"
    )
    async with connection.stream(query, {"id": generation_id}) as rows:
        async for row in rows.yield_per(2000):
            yield CodedAnswer(**row._mapping)
