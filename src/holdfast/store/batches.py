"""Batches: many calls handed to a provider at once. The row is committed before the submit, its calls with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4, uuid5

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.durable import Intent
from holdfast.errors import StepError
from holdfast.store.calls import new_call
from holdfast.store.caps import Caps, refusal
from holdfast.store.tables import batches, calls, generations


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch of calls."""

    id: UUID  # goes to the provider with every request
    generation_id: UUID
    unit_id: int
    model: str
    n_requests: int
    provider_id: str | None  # None: not submitted, or the submit's outcome is not known yet
    state: str  # open | ended | surplus: handed in although another one had been, not ended yet
    created_at: datetime  # when its submit was begun, the last time

    @property
    def never_made(self) -> bool:
        """The provider has refused it, or never heard of it."""
        return self.state == "ended" and self.provider_id is None


_COLUMNS = [batches.c[name] for name in Batch.__slots__]


async def of_unit(connection: AsyncConnection, unit_id: int) -> Batch | None:
    """The unit's newest batch."""
    query = select(*_COLUMNS).where(batches.c.unit_id == unit_id).order_by(batches.c.created_at.desc()).limit(1)
    row = (await connection.execute(query)).first()
    return None if row is None else Batch(**row._mapping)


async def unanswered(connection: AsyncConnection, generation_id: UUID, steps: Sequence[tuple[str, str]]) -> set[str]:
    """Of these steps (name, fingerprint), the names of those without a reply."""
    query = select(calls.c.step, calls.c.fingerprint).where(
        calls.c.generation_id == generation_id,
        calls.c.state == "replied",
        calls.c.step.in_([step for step, _ in steps]),
    )
    replied = {(row.step, row.fingerprint) for row in await connection.execute(query)}
    return {step for step, digest in steps if (step, digest) not in replied}


async def open_batch(
    connection: AsyncConnection, batch: Batch, intents: Sequence[Intent], *, worker: str, caps: Caps
) -> StepError | None:
    """Commit the batch with its calls' intents, or say why it must not be made: BudgetUsedUp, StepNotWanted."""
    total = sum((intent.reserve for intent in intents), start=intents[0].reserve * 0)
    whole = Intent(
        id=intents[0].id,
        step=f"batch/{batch.unit_id}",
        fingerprint="",
        model=batch.model,
        reserve=total,
        credential=intents[0].credential,
    )
    dearest = max(intent.reserve for intent in intents)
    if caps.call is not None and dearest <= caps.call:
        caps = Caps(key_month=caps.key_month, month=caps.month)
    why = await refusal(connection, batch.generation_id, whole, caps)
    if why is not None:
        return why
    row = {name: getattr(batch, name) for name in Batch.__slots__ if name != "created_at"}
    await connection.execute(insert(batches).values(row))
    place = {"generation_id": batch.generation_id, "unit_id": batch.unit_id, "worker": worker}
    rows = [{**new_call(intent, **place), "batch_id": batch.id} for intent in intents]  # type: ignore[arg-type]
    await connection.execute(insert(calls), rows)
    return None


async def begun_again(connection: AsyncConnection, batch_id: UUID, *, worker: str) -> None:
    """Its submit never reached the provider and is about to be made once more, by this worker."""
    again = {"created_at": func.clock_timestamp()}
    await connection.execute(update(batches).where(batches.c.id == batch_id).values(again))
    await connection.execute(update(calls).where(calls.c.batch_id == batch_id).values(worker=worker))


async def submitter(connection: AsyncConnection, batch_id: UUID) -> str | None:
    """The attempt (the worker's id, a colon, a number) that last began to hand the batch in."""
    query = select(calls.c.worker).where(calls.c.batch_id == batch_id).limit(1)
    return (await connection.execute(query)).scalar()


async def provider_ids(connection: AsyncConnection, model: str) -> list[str]:
    """The provider's names of all batches of the model that we know to be ours."""
    query = select(batches.c.provider_id).where(batches.c.model == model, batches.c.provider_id.is_not(None))
    return list((await connection.execute(query)).scalars())


async def is_under_way(connection: AsyncConnection, generation_id: UUID) -> bool:
    """Whether a batch of the generation may be at the provider."""
    query = select(batches.c.id).where(batches.c.generation_id == generation_id, batches.c.state != "ended").limit(1)
    return (await connection.execute(query)).first() is not None


async def submitted(connection: AsyncConnection, batch_id: UUID, *, provider_id: str) -> bool:
    """The provider has it, under this name; False: it has ended, or is already known under another name."""
    nameless = or_(batches.c.provider_id.is_(None), batches.c.provider_id == provider_id)
    mine = and_(batches.c.id == batch_id, batches.c.state == "open", nameless)
    return bool((await connection.execute(update(batches).where(mine).values(provider_id=provider_id))).rowcount)


async def keep_surplus(
    connection: AsyncConnection, batch: Batch, intents: Sequence[Intent], *, provider_id: str, worker: str
) -> None:
    """Note that the provider has the batch a second time, under this name, and what that may cost.

    Idempotent. Whatever it brings is recorded beside the replies of the first.
    """
    ours = uuid5(batch.id, provider_id)
    # Older than the batch itself, so that it never passes for the unit's newest.
    older = select(batches.c.created_at - timedelta(microseconds=1)).where(batches.c.id == batch.id).scalar_subquery()
    row = {name: getattr(batch, name) for name in ("generation_id", "unit_id", "model", "n_requests")}
    row |= {"id": ours, "provider_id": provider_id, "state": "surplus", "created_at": func.coalesce(older, func.now())}
    made = await connection.execute(upsert(batches).values(row).on_conflict_do_nothing(index_elements=["id"]))
    if not made.rowcount:
        return
    place = {"generation_id": batch.generation_id, "unit_id": batch.unit_id, "worker": worker}
    again = [replace(intent, id=str(uuid4())) for intent in intents]
    rows = [{**new_call(intent, **place), "batch_id": ours} for intent in again]  # type: ignore[arg-type]
    await connection.execute(insert(calls), rows)


async def withdraw(connection: AsyncConnection, batch_id: UUID) -> None:
    """The provider had no time for it: as if it had not been begun. A busy provider must not fill the ledger."""
    await connection.execute(delete(calls).where(calls.c.batch_id == batch_id, calls.c.state == "intent"))
    await connection.execute(delete(batches).where(batches.c.id == batch_id))


async def ended(connection: AsyncConnection, batch_id: UUID, *, error: str = "the batch ended without it") -> None:
    """All its results are recorded; calls that got none were not made."""
    left = and_(calls.c.batch_id == batch_id, calls.c.state == "intent")
    nothing = {"state": "failed", "cost_usd": 0, "error": error, "settled_at": func.now()}
    await connection.execute(update(calls).where(left).values(nothing))
    change = {"state": "ended", "ended_at": func.now()}
    await connection.execute(update(batches).where(batches.c.id == batch_id).values(change))


async def intents_of(connection: AsyncConnection, batch_id: UUID) -> dict[str, Intent]:
    """The batch's calls that have no reply yet, by step."""
    columns = [calls.c.id, calls.c.step, calls.c.fingerprint, calls.c.model, calls.c.reserved_usd, calls.c.credential]
    query = select(*columns).where(calls.c.batch_id == batch_id, calls.c.state.in_(("intent", "in_doubt")))
    return {
        row.step: Intent(
            id=str(row.id),
            step=row.step,
            fingerprint=row.fingerprint,
            model=row.model,
            reserve=row.reserved_usd,
            credential=row.credential,
        )
        for row in await connection.execute(query)
    }


async def left_open(connection: AsyncConnection, *, limit: int = 20) -> list[Batch]:
    """Batches that no unit will look at: surplus ones, and those whose generation has ended or was cancelled."""
    unwanted = or_(batches.c.state == "surplus", generations.c.state.not_in(("active", "paused")))
    wanted = and_(batches.c.state != "ended", generations.c.id == batches.c.generation_id, unwanted)
    rows = await connection.execute(select(*_COLUMNS).where(wanted).order_by(batches.c.created_at).limit(limit))
    return [Batch(**row._mapping) for row in rows]
