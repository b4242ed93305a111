"""What a person said of answers' codes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.errors import NotFound
from holdfast.store.tables import answers, confirmations


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """An answer's codes as a person confirmed or corrected them."""

    answer_id: int
    text: str
    numbers: list[int]  # the best first
    confirmed_at: datetime


async def keep(connection: AsyncConnection, generation_id: UUID, given: Sequence[tuple[int, list[int]]]) -> None:
    """Keep the codes of answers, by their ids; what was said of them before is replaced.

    Raises NotFound for an answer that is not the generation's.
    """
    foreign = text(
        "SELECT min(g.id) FROM unnest(CAST(:ids AS bigint[])) AS g(id) WHERE NOT EXISTS"
        " (SELECT FROM holdfast.frozen_inputs f WHERE f.generation_id = :generation AND g.id = ANY(f.answer_ids))"
    )
    ids = [answer_id for answer_id, _ in given]
    missing = (await connection.execute(foreign, {"ids": ids, "generation": generation_id})).scalar_one()
    if missing is not None:
        raise NotFound(kind=f"answer in generation {generation_id} with the id", id=missing)
    rows = [
        {"generation_id": generation_id, "answer_id": answer_id, "numbers": numbers} for answer_id, numbers in given
    ]
    query = insert(confirmations)
    latest = {"numbers": query.excluded.numbers, "confirmed_at": func.now()}
    await connection.execute(
        query.on_conflict_do_update(index_elements=["generation_id", "answer_id"], set_=latest), rows
    )


async def drop(connection: AsyncConnection, generation_id: UUID, answer_id: int) -> bool:
    """Forget what was said of an answer; False if nothing was."""
    wanted = (confirmations.c.generation_id == generation_id, confirmations.c.answer_id == answer_id)
    return (await connection.execute(delete(confirmations).where(*wanted))).rowcount > 0


async def of_generation(
    connection: AsyncConnection, generation_id: UUID, *, after: int = 0, limit: int | None = None
) -> list[Confirmation]:
    """Those of answers with an id above `after`, by the answers' ids."""
    query = (
        select(confirmations.c.answer_id, answers.c.text, confirmations.c.numbers, confirmations.c.confirmed_at)
        .join(answers, answers.c.id == confirmations.c.answer_id)
        .where(confirmations.c.generation_id == generation_id, confirmations.c.answer_id > after)
        .order_by(confirmations.c.answer_id)
        .limit(limit)
    )
    return [Confirmation(**row._mapping) for row in await connection.execute(query)]


async def count(connection: AsyncConnection, generation_id: UUID) -> int:
    """How many answers of the generation a person coded."""
    query = select(func.count()).where(confirmations.c.generation_id == generation_id)
    return int((await connection.execute(query)).scalar_one())
