"""What a monitor wants to know: generations, units owed, money. Counted when asked, never kept."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from sqlalchemy import case, func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.store.caps import MONTH_BEGAN, Caps
from holdfast.store.tables import calls

STATEMENT_MS = 2_000  # a database that needs longer is left alone: what is watched must not suffer from being watched
ZERO = Decimal(0)

CapName: TypeAlias = Literal["generation", "key_month", "month"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is under way."""

    generations: dict[str, int]  # by state, all there are
    units: dict[tuple[str, str], int]  # by stage and state, of generations that ended less than an hour ago or go on
    owed_seconds: dict[str, float]  # by stage: since when the oldest unit of an active generation is owed


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """The calls of one model and outcome."""

    model: str
    outcome: str  # the call's state: intent | in_doubt | replied | superseded | failed | settled
    n_calls: int
    reserved_usd: Decimal
    cost_usd: Decimal
    input_tokens: int  # not from the provider's cache
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A cap and what it leaves, of the key or the generation that is nearest to its own."""

    cap: CapName
    limit_usd: Decimal
    left_usd: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """The ledger."""

    spent: list[Spent]
    budgets: list[Budget]
    credentials: list[str]  # digests of the keys used within the last hour


async def work(connection: AsyncConnection) -> Work:
    """Generations and units, all counted at one moment."""
    await _bounded(connection)
    generations = await connection.execute(text("SELECT state, count(*) AS n FROM holdfast.generations GROUP BY state"))
    units = await connection.execute(
        text(
            "SELECT u.stage, CASE WHEN u.state = 'pending' AND u.held IS NOT NULL THEN 'held' ELSE u.state END AS word,"
            " count(*) AS n, extract(epoch FROM now() - min(u.created_at) FILTER ("
            "   WHERE u.state = 'pending' AND u.held IS NULL AND g.state = 'active'))::float8 AS owed_seconds"
            " FROM holdfast.generations g JOIN holdfast.units u ON u.generation_id = g.id"
            " WHERE g.state IN ('active', 'paused') OR g.finished_at > now() - interval '1 hour' GROUP BY 1, 2"
        )
    )
    found = units.all()
    return Work(
        generations={row.state: row.n for row in generations},
        units={(row.stage, row.word): row.n for row in found},
        owed_seconds={row.stage: row.owed_seconds for row in found if row.owed_seconds is not None},
    )


async def money(connection: AsyncConnection, caps: Caps) -> Money:
    """What every call ever made has cost, and what the caps leave."""
    await _bounded(connection)
    tokens = [_sum(calls.c[f"{kind}_tokens"]) for kind in ("input", "output", "cache_read", "cache_write")]
    query = select(
        calls.c.model,
        calls.c.state.label("outcome"),
        func.count().label("n_calls"),
        _sum(calls.c.reserved_usd),
        _sum(calls.c.cost_usd),
        *tokens,
    ).group_by(calls.c.model, calls.c.state)
    spent = [Spent(**row._mapping) for row in await connection.execute(query)]
    lately = calls.c.created_at > func.now() - text("interval '1 hour'")
    keys = await connection.execute(select(calls.c.credential).where(lately, calls.c.credential != "").distinct())
    budgets = [*await _of_month(connection, caps), *await _of_generations(connection)]
    return Money(spent=spent, budgets=budgets, credentials=[row.credential for row in keys])


async def _of_month(connection: AsyncConnection, caps: Caps) -> list[Budget]:
    if caps.key_month is None and caps.month is None:
        return []
    used = func.sum(_used()).label("used")
    query = select(calls.c.credential, used).where(calls.c.created_at >= MONTH_BEGAN).group_by(calls.c.credential)
    by_key = [row.used for row in await connection.execute(query)]
    budgets = []
    if caps.key_month is not None:
        most = max(by_key, default=ZERO)
        budgets.append(Budget(cap="key_month", limit_usd=caps.key_month, left_usd=caps.key_month - most))
    if caps.month is not None:
        budgets.append(Budget(cap="month", limit_usd=caps.month, left_usd=caps.month - sum(by_key, start=ZERO)))
    return budgets


async def _of_generations(connection: AsyncConnection) -> list[Budget]:
    query = text(
        "SELECT g.budget_usd AS limit_usd, g.budget_usd - coalesce(sum(CASE WHEN c.state IN ('intent', 'in_doubt')"
        "   THEN c.reserved_usd ELSE coalesce(c.cost_usd, 0) END), 0) AS left_usd"
        " FROM holdfast.generations g LEFT JOIN holdfast.calls c ON c.generation_id = g.id"
        " WHERE g.state IN ('active', 'paused') AND g.budget_usd > 0 GROUP BY g.id"
    )
    found = [Budget(cap="generation", **row._mapping) for row in await connection.execute(query)]
    return [min(found, key=lambda budget: budget.left_usd / budget.limit_usd)] if found else []


def _used() -> Any:
    """What a call takes of a cap: its cost, and while that is not known what it reserved."""
    is_open = calls.c.state.in_(("intent", "in_doubt"))
    return case((is_open, calls.c.reserved_usd), else_=func.coalesce(calls.c.cost_usd, ZERO))


def _sum(column: Any) -> Any:
    return func.coalesce(func.sum(column), literal(0)).label(column.name)


async def _bounded(connection: AsyncConnection) -> None:
    await connection.execute(text(f"SET LOCAL statement_timeout = {STATEMENT_MS}"))
