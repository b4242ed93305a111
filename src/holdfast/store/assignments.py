"""Answers with the codes they got, read in pages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, Text, any_, cast, exists, func, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.tables import answers, assignments, confirmations


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which answers; None: whichever."""

    keys: Sequence[str] | None = None  # with one of these codes at least
    best: Sequence[str] | None = None  # whose best code is one of these
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
    ids = _wanted(generation_id, wanted).where(assignments.c.answer_id > after)
    found = [row.answer_id for row in await connection.execute(ids.order_by(assignments.c.answer_id).limit(limit))]
    return [Assigned(**row._mapping) for row in await connection.execute(_coded(generation_id, found))]


async def count(connection: AsyncConnection, generation_id: UUID, wanted: Wanted) -> int:
    """How many there are, all in all."""
    ids = _wanted(generation_id, wanted).subquery()
    return int((await connection.execute(select(func.count()).select_from(ids))).scalar_one())


def _wanted(generation_id: UUID, wanted: Wanted) -> Select[tuple[int]]:
    """The ids of the answers, each once.

    A filter that was not asked for is not in the statement: no plan is good with and without it.
    """
    one, other = assignments, assignments.alias()
    query = select(one.c.answer_id).where(one.c.generation_id == generation_id)
    if wanted.confirmed is not None:
        said = (confirmations.c.generation_id == generation_id) & (confirmations.c.answer_id == one.c.answer_id)
        query = query.where(exists().where(said) if wanted.confirmed else ~exists().where(said))
    if wanted.keys is not None and wanted.best is None:
        return query.where(_among(one.c.node_key, wanted.keys)).distinct()
    query = query.where(one.c.rank == 0)  # an answer has one row of this rank
    if wanted.best is not None:
        query = query.where(_among(one.c.node_key, wanted.best))
    if wanted.keys is not None:
        same = (other.c.generation_id == generation_id) & (other.c.answer_id == one.c.answer_id)
        query = query.where(exists().where(same, _among(other.c.node_key, wanted.keys)))
    return query


def _coded(generation_id: UUID, answer_ids: Sequence[int]) -> Select[Any]:
    coded = assignments
    return (
        select(
            answers.c.id.label("answer_id"),
            answers.c.external_id,
            answers.c.text,
            confirmations.c.numbers.label("confirmed"),
            func.array_agg(aggregate_order_by(coded.c.node_key, coded.c.rank)).label("node_keys"),
            func.array_agg(aggregate_order_by(coded.c.score, coded.c.rank)).label("scores"),
        )
        .join_from(coded, answers, answers.c.id == coded.c.answer_id)
        .outerjoin(
            confirmations,
            (confirmations.c.generation_id == coded.c.generation_id) & (confirmations.c.answer_id == coded.c.answer_id),
        )
        .where(coded.c.generation_id == generation_id, coded.c.answer_id == any_(cast(answer_ids, ARRAY(BigInteger))))
        .group_by(answers.c.id, confirmations.c.numbers)
        .order_by(answers.c.id)
    )


def _among(column: ColumnElement[str], keys: Sequence[str]) -> ColumnElement[bool]:
    return column == any_(cast(list(keys), ARRAY(Text)))
