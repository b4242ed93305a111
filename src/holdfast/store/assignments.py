"""Answers with the codes they got, read in pages."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

# One row an answer: its best code has rank 0. A NULL asks for nothing.
_WANTED = (
    " FROM holdfast.assignments b"
    " JOIN holdfast.codeframe_nodes n ON n.generation_id = b.generation_id AND n.key = b.node_key"
    " LEFT JOIN holdfast.confirmations c ON c.generation_id = b.generation_id AND c.answer_id = b.answer_id"
    " WHERE b.generation_id = :generation AND b.rank = 0"
    " AND (:kind IS NULL OR coalesce(n.details ->> 'kind', 'content') = :kind)"
    " AND (:confirmed IS NULL OR (c.answer_id IS NOT NULL) = :confirmed)"
    " AND (:keys IS NULL OR EXISTS (SELECT FROM holdfast.assignments x WHERE x.generation_id = b.generation_id"
    "   AND x.answer_id = b.answer_id AND x.node_key = ANY(:keys)))"
)
_TYPES = (
    bindparam("kind", type_=Text),
    bindparam("confirmed", type_=Boolean),
    bindparam("keys", type_=ARRAY(Text)),
)
_PAGE = text(
    "SELECT a.id AS answer_id, a.external_id, a.text, page.numbers AS confirmed,"
    "   array_agg(s.node_key ORDER BY s.rank) AS node_keys, array_agg(s.score ORDER BY s.rank) AS scores"
    f" FROM (SELECT b.answer_id, c.numbers {_WANTED} AND b.answer_id > :after"
    "   ORDER BY b.answer_id LIMIT :most) page"
    " JOIN holdfast.answers a ON a.id = page.answer_id"
    " JOIN holdfast.assignments s ON s.generation_id = :generation AND s.answer_id = a.id"
    " GROUP BY a.id, a.external_id, a.text, page.numbers ORDER BY a.id"
).bindparams(*_TYPES, bindparam("after", type_=BigInteger), bindparam("most", type_=BigInteger))
_COUNT = text(f"SELECT count(*) {_WANTED}").bindparams(*_TYPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which answers; None: whichever."""

    keys: Sequence[str] | None = None  # with one of these codes at least
    kind: str | None = None  # of the best code: content | other | rule
    confirmed: bool | None = None  # whether a person said what its codes are


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """An answer with its codes."""

    answer_id: int
    external_id: str | None
    text: str
    confirmed: list[int] | None  # numbers of the codes that a person gave it
    node_keys: list[str]  # the best first
    scores: list[float]


async def page(
    connection: AsyncConnection, generation_id: UUID, wanted: Wanted, *, after: int, limit: int
) -> list[Assigned]:
    """Those with an id above `after`, by their ids."""
    asked = _asked(generation_id, wanted) | {"after": after, "most": limit}
    return [Assigned(**row._mapping) for row in await connection.execute(_PAGE, asked)]


async def count(connection: AsyncConnection, generation_id: UUID, wanted: Wanted) -> int:
    """How many there are, all in all."""
    return int((await connection.execute(_COUNT, _asked(generation_id, wanted))).scalar_one())


def _asked(generation_id: UUID, wanted: Wanted) -> dict[str, Any]:
    return asdict(wanted) | {"generation": generation_id}
