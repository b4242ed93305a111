"""What calls have cost: sums for a status, lists for a person, totals by month, model, key or generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias
from uuid import UUID

from sqlalchemy import Text, and_, cast, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.tables import calls

MADE = ("replied", "superseded", "failed", "settled")
ZERO = Decimal(0)

Grouping: TypeAlias = Literal["generation", "model", "key", "day", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a generation's calls have cost, US dollars."""

    n_calls: int  # calls made: replied, superseded, failed or settled
    spent: Decimal
    reserved: Decimal  # of intents under way
    in_doubt: Decimal  # reserved by intents whose outcome nobody knows
    n_in_doubt: int
    n_repeated: int  # calls that were made although their step had a reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call, without what it said."""

    id: UUID
    generation_id: UUID | None  # None: deleted since
    step: str
    model: str
    credential: str
    batch_id: UUID | None
    state: str  # intent | in_doubt | replied | superseded | failed | settled
    reserved_usd: Decimal
    cost_usd: Decimal | None
    input_tokens: int | None
    output_tokens: int | None
    cache_read_tokens: int | None
    cache_write_tokens: int | None
    error: str | None
    created_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CostRow:
    """The calls of one group."""

    group: str
    n_calls: int  # intents included
    n_in_doubt: int
    spent_usd: Decimal
    reserved_usd: Decimal  # of calls under way
    in_doubt_usd: Decimal
    input_tokens: int  # all kinds of input, cached or not
    output_tokens: int


async def ledger(connection: AsyncConnection, generation_id: UUID) -> Ledger:
    """The sums over one generation's calls, in one query."""
    made = calls.c.state.in_(MADE)
    query = select(
        func.count().filter(made).label("n_calls"),
        _total(calls.c.cost_usd, made).label("spent"),
        _total(calls.c.reserved_usd, calls.c.state == "intent").label("reserved"),
        _total(calls.c.reserved_usd, calls.c.state == "in_doubt").label("in_doubt"),
        func.count().filter(calls.c.state == "in_doubt").label("n_in_doubt"),
        func.count().filter(calls.c.state == "superseded").label("n_repeated"),
    ).where(calls.c.generation_id == generation_id)
    row = (await connection.execute(query)).one()
    return Ledger(**row._mapping)


async def calls_of(
    connection: AsyncConnection, generation_id: UUID, *, state: str | None = None, offset: int = 0, limit: int = 200
) -> tuple[list[Call], int]:
    """A page of the generation's calls, the oldest first, and how many there are in all."""
    wanted = calls.c.generation_id == generation_id
    if state is not None:
        wanted = and_(wanted, calls.c.state == state)
    columns = [calls.c[name] for name in Call.__slots__]
    query = select(*columns).where(wanted).order_by(calls.c.created_at, calls.c.id).offset(offset).limit(limit)
    found = [Call(**row._mapping) for row in await connection.execute(query)]
    total = (await connection.execute(select(func.count()).select_from(calls).where(wanted))).scalar_one()
    return found, total


async def costs(
    connection: AsyncConnection, *, since: datetime | None, until: datetime | None, by: Grouping
) -> list[CostRow]:
    """Every call begun in that time, by group, the most expensive first (days and months in their order)."""
    group = _GROUPS[by].label("group")
    open_, doubtful = calls.c.state == "intent", calls.c.state == "in_doubt"
    inputs = sum((func.coalesce(calls.c[f"{kind}_tokens"], 0) for kind in ("cache_read", "cache_write")), start=_INPUT)
    columns = [
        group,
        func.count().label("n_calls"),
        func.count().filter(doubtful).label("n_in_doubt"),
        _total(calls.c.cost_usd, calls.c.state.in_(MADE)).label("spent_usd"),
        _total(calls.c.reserved_usd, open_).label("reserved_usd"),
        _total(calls.c.reserved_usd, doubtful).label("in_doubt_usd"),
        func.coalesce(func.sum(inputs), 0).label("input_tokens"),
        func.coalesce(func.sum(calls.c.output_tokens), 0).label("output_tokens"),
    ]
    query = select(*columns).group_by(group)
    if since is not None:
        query = query.where(calls.c.created_at >= since)
    if until is not None:
        query = query.where(calls.c.created_at < until)
    order = text('"group"') if by in {"day", "month"} else text('spent_usd DESC, "group"')
    return [CostRow(**row._mapping) for row in await connection.execute(query.order_by(order))]


async def settle_doubts(
    connection: AsyncConnection, generation_id: UUID, *, call_ids: Sequence[UUID] | None, cost: Decimal | None
) -> list[UUID]:
    """A person knows what became of calls in doubt (None: of all): each cost so much (None: what it had reserved).

    Returns the calls that were settled; those that are not in doubt are left alone.
    """
    doubtful = and_(calls.c.generation_id == generation_id, calls.c.state == "in_doubt")
    if call_ids is not None:
        doubtful = and_(doubtful, calls.c.id.in_(list(call_ids)))
    change = {
        "state": "settled",
        "cost_usd": calls.c.reserved_usd if cost is None else cost,
        "settled_at": func.clock_timestamp(),
    }
    found = await connection.execute(update(calls).where(doubtful).values(change).returning(calls.c.id))
    return [row.id for row in found]


def _total(column: Any, condition: Any) -> Any:
    return func.coalesce(func.sum(column).filter(condition), ZERO)


def _utc(unit: str, form: str) -> Any:
    return func.to_char(func.date_trunc(unit, func.timezone("UTC", calls.c.created_at)), form)


_INPUT = func.coalesce(calls.c.input_tokens, 0)
_GROUPS: dict[Grouping, Any] = {
    "generation": func.coalesce(cast(calls.c.generation_id, Text), "deleted"),
    "model": calls.c.model,
    "key": calls.c.credential,
    "day": _utc("day", "YYYY-MM-DD"),
    "month": _utc("month", "YYYY-MM"),
}
