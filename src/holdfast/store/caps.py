"""May a call be made: is its generation still wanted, and do the caps leave what it may cost."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.durable import Intent
from holdfast.errors import BudgetUsedUp, StepError, StepNotWanted
from holdfast.store.tables import calls, generations

ZERO = Decimal(0)
MONTH_BEGAN = text("date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'")
MONTH_LOCK = 0x686F6C65  # a key of our own for pg_advisory_xact_lock: one reservation of a month at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Most that may be spent, in US dollars; None: no limit. A generation's own budget stands in its row."""

    call: Decimal | None = None
    key_month: Decimal | None = None  # by one provider key in one calendar month (UTC)
    month: Decimal | None = None  # by all keys

    def leave_alone(self, intent: Intent) -> bool:
        """Whether these caps allow the call whatever was spent before it."""
        sums = self.key_month is None and self.month is None
        return intent.reserve <= 0 or (sums and (self.call is None or intent.reserve <= self.call))


async def refusal(connection: AsyncConnection, generation_id: UUID, intent: Intent, caps: Caps) -> StepError | None:
    """Why the call must not be made; None if it may."""
    query = select(generations.c.state, generations.c.budget_usd).where(generations.c.id == generation_id)
    found = (await connection.execute(query)).first()
    if found is None or found.state != "active":
        return StepNotWanted(step=intent.step, state="deleted" if found is None else found.state)
    if intent.reserve <= 0:
        return None
    if caps.call is not None and intent.reserve > caps.call:
        return BudgetUsedUp(cap="cap per call", limit=caps.call, used=ZERO, wanted=intent.reserve)
    over = await _of_month(connection, intent, caps)
    if over is None and found.budget_usd is not None:
        over = await _of_generation(connection, generation_id, intent)
    return over


async def _of_generation(connection: AsyncConnection, generation_id: UUID, intent: Intent) -> BudgetUsedUp | None:
    # Locked before the sum is read: two reservations at once would both see the money that is there for one.
    query = select(generations.c.budget_usd).where(generations.c.id == generation_id).with_for_update(key_share=True)
    limit = (await connection.execute(query)).scalar_one()
    if limit is None:
        return None
    return await _over(connection, "generation's budget", limit, intent, calls.c.generation_id == generation_id)


async def _of_month(connection: AsyncConnection, intent: Intent, caps: Caps) -> BudgetUsedUp | None:
    if caps.key_month is None and caps.month is None:
        return None
    await connection.execute(select(func.pg_advisory_xact_lock(MONTH_LOCK)))
    month = calls.c.created_at >= MONTH_BEGAN
    if caps.key_month is not None:
        of_key = and_(month, calls.c.credential == intent.credential)
        over = await _over(connection, "cap per key and month", caps.key_month, intent, of_key)
        if over is not None:
            return over
    return None if caps.month is None else await _over(connection, "cap per month", caps.month, intent, month)


async def _over(
    connection: AsyncConnection, cap: str, limit: Decimal, intent: Intent, of_cap: Any
) -> BudgetUsedUp | None:
    open_ = calls.c.state.in_(("intent", "in_doubt"))
    query = select(
        func.coalesce(func.sum(func.coalesce(calls.c.cost_usd, ZERO)).filter(~open_), ZERO).label("spent"),
        func.coalesce(func.sum(calls.c.reserved_usd).filter(open_), ZERO).label("reserved"),
        func.coalesce(func.sum(calls.c.reserved_usd).filter(calls.c.state == "intent"), ZERO).label("under_way"),
    ).where(of_cap, calls.c.id != UUID(intent.id))
    row = (await connection.execute(query)).one()
    used = row.spent + row.reserved
    if used + intent.reserve <= limit:
        return None
    return BudgetUsedUp(cap=cap, limit=limit, used=used, wanted=intent.reserve, under_way=row.under_way)
