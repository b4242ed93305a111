"""Provider calls: the journal of steps, and the ledger."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.durable import Answer, Granted, Held, InDoubt, Intent, Recorded, Reply
from holdfast.store.database import Database
from holdfast.store.tables import calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What a generation's calls have cost, US dollars."""

    n_calls: int  # calls made: replied, superseded or failed
    spent: Decimal
    reserved: Decimal  # of intents under way
    in_doubt: Decimal  # reserved by intents whose outcome nobody knows
    n_in_doubt: int
    n_repeated: int  # calls that were made although their step had a reply


class CallJournal:
    """The journal of one generation's steps; a `holdfast.durable.Journal`."""

    def __init__(self, database: Database, *, generation_id: UUID, unit_id: int, worker: str) -> None:
        self._database = database
        self._generation_id = generation_id
        self._unit_id = unit_id
        self._worker = worker

    async def begin(self, intent: Intent, *, in_doubt: InDoubt) -> Answer:
        return await self._database.run(lambda connection: self._begin(connection, intent, in_doubt))

    async def settle(self, intent: Intent, reply: Reply) -> Any:
        return await self._database.run(lambda connection: self._settle(connection, intent, reply))

    async def fail(self, intent: Intent, *, error: str, cost: Decimal | None) -> None:
        change = {"state": "failed", "error": error, "cost_usd": cost, "settled_at": func.now()}
        if cost is None:
            change = {"state": "in_doubt", "error": error}
        await self._database.run(
            lambda connection: connection.execute(update(calls).where(calls.c.id == UUID(intent.id)).values(change))
        )

    def _of_step(self, intent: Intent) -> Any:
        return and_(
            calls.c.generation_id == self._generation_id,
            calls.c.step == intent.step,
            calls.c.fingerprint == intent.fingerprint,
        )

    async def _begin(self, connection: AsyncConnection, intent: Intent, in_doubt: InDoubt) -> Answer:
        # The unit's job is held by one worker at a time, so an intent without a reply belongs to a dead attempt (or
        # to a zombie, whose late reply is still recorded by `settle`).
        wanted = and_(self._of_step(intent), calls.c.state.in_(("intent", "in_doubt", "replied")))
        found = (await connection.execute(select(calls.c.id, calls.c.state, calls.c.reply).where(wanted))).all()
        for row in found:
            if row.state == "replied":
                return Recorded(value=row.reply)
        doubts = tuple(str(row.id) for row in found if str(row.id) != intent.id)
        if doubts:
            change = update(calls).where(calls.c.id.in_([UUID(doubt) for doubt in doubts])).values(state="in_doubt")
            await connection.execute(change)
            if in_doubt == "hold":
                return Held(call_id=doubts[0])
        made = {
            "id": UUID(intent.id),
            "generation_id": self._generation_id,
            "unit_id": self._unit_id,
            "step": intent.step,
            "fingerprint": intent.fingerprint,
            "model": intent.model,
            "state": "intent",
            "reserved_usd": intent.reserve,
            "worker": self._worker,
        }
        await connection.execute(upsert(calls).values(made).on_conflict_do_nothing(index_elements=["id"]))
        return Granted(doubts=doubts)

    async def _settle(self, connection: AsyncConnection, intent: Intent, reply: Reply) -> Any:
        # Two settlers of one step at the same time meet at the lock; the second sees the first one's reply.
        key = f"{self._generation_id}/{intent.step}/{intent.fingerprint}"
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))
        wanted = and_(self._of_step(intent), calls.c.state == "replied", calls.c.id != UUID(intent.id))
        first = (await connection.execute(select(calls.c.reply).where(wanted))).first()
        change = {
            "state": "replied" if first is None else "superseded",
            "reply": reply.value,
            "cost_usd": reply.cost,
            "settled_at": func.now(),
        }
        await connection.execute(update(calls).where(calls.c.id == UUID(intent.id)).values(change))
        return reply.value if first is None else first.reply


async def ledger(connection: AsyncConnection, generation_id: UUID) -> Ledger:
    """The sums over one generation's calls, in one query."""
    made = calls.c.state.in_(("replied", "superseded", "failed"))
    zero = Decimal(0)

    def total(column: Any, condition: Any) -> Any:
        return func.coalesce(func.sum(column).filter(condition), zero)

    query = select(
        func.count().filter(made).label("n_calls"),
        total(calls.c.cost_usd, made).label("spent"),
        total(calls.c.reserved_usd, calls.c.state == "intent").label("reserved"),
        total(calls.c.reserved_usd, calls.c.state == "in_doubt").label("in_doubt"),
        func.count().filter(calls.c.state == "in_doubt").label("n_in_doubt"),
        func.count().filter(calls.c.state == "superseded").label("n_repeated"),
    ).where(calls.c.generation_id == generation_id)
    row = (await connection.execute(query)).one()
    return Ledger(**row._mapping)
