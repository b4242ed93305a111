"""The journal of steps: every paid call's intent, reply and cost, in PostgreSQL."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.durable import Answer, Granted, Held, InDoubt, Intent, Recorded, Reply
from holdfast.errors import NotFound, StepError, UnitTakenOver
from holdfast.store import usual_calls
from holdfast.store.any_text import kept_json, kept_text, read_json
from holdfast.store.caps import Caps, refusal
from holdfast.store.database import Database
from holdfast.store.tables import calls, units

TOKENS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The intent was not written."""

    why: StepError


class CallJournal:
    """The journal of one generation's steps; a `holdfast.durable.Journal`.

    `begin` raises StepNotWanted once the generation is paused or has ended, and UnitTakenOver once another worker has
    the unit: a worker looks before each paid call, as a unit may make several.
    """

    def __init__(
        self, database: Database, *, generation_id: UUID, unit_id: int, worker: str, caps: Caps | None = None
    ) -> None:
        self._database = database
        self._generation_id = generation_id
        self._unit_id = unit_id
        self._worker = worker
        self._caps = caps or Caps()

    async def begin(self, intent: Intent, *, in_doubt: InDoubt) -> Answer:
        made = new_call(intent, generation_id=self._generation_id, unit_id=self._unit_id, worker=self._worker)
        if self._caps.leave_alone(intent) and await self._database.each(partial(usual_calls.begin, new=made)):
            return Granted()
        found = await self._database.run(lambda connection: self._begin(connection, intent, in_doubt))
        if isinstance(found, Refused):
            raise found.why
        return found

    async def settle(self, intent: Intent, reply: Reply) -> Any:
        stored, value = kept_json(reply.value)
        first = partial(
            usual_calls.settle,
            step={"generation_id": self._generation_id, **_step(intent)},
            kept=_kept(reply, stored),
            lock=_lock(self._generation_id, intent),
        )
        with suppress(IntegrityError):  # another reply was committed just before it
            if await self._database.each(first):
                return value
        return await self._database.run(lambda connection: settle(connection, self._generation_id, intent, reply))

    async def fail(self, intent: Intent, *, error: str, cost: Decimal | None) -> None:
        await self._database.run(lambda connection: fail(connection, intent.id, error=error, cost=cost))

    async def _begin(self, connection: AsyncConnection, intent: Intent, in_doubt: InDoubt) -> Answer | Refused:
        # The unit's job is held by one worker at a time, so an intent without a reply belongs to a dead attempt (or
        # to a zombie, whose late reply is still recorded by `settle`).
        wanted = and_(_of_step(self._generation_id, intent), calls.c.state.in_(("intent", "in_doubt", "replied")))
        found = (await connection.execute(select(calls.c.id, calls.c.state, calls.c.reply).where(wanted))).all()
        for row in found:
            if row.state == "replied":
                return Recorded(value=read_json(row.reply))
        if await self._is_taken_over(connection):
            return Refused(why=UnitTakenOver(step=intent.step))
        doubts = tuple(str(row.id) for row in found if str(row.id) != intent.id)
        if doubts:
            change = update(calls).where(calls.c.id.in_([UUID(doubt) for doubt in doubts])).values(state="in_doubt")
            await connection.execute(change)
            if in_doubt == "hold":
                return Held(call_id=doubts[0])
        why = await refusal(connection, self._generation_id, intent, self._caps)
        if why is not None:
            return Refused(why=why)
        made = new_call(intent, generation_id=self._generation_id, unit_id=self._unit_id, worker=self._worker)
        await connection.execute(upsert(calls).values(made).on_conflict_do_nothing(index_elements=["id"]))
        return Granted(doubts=doubts)

    async def _is_taken_over(self, connection: AsyncConnection) -> bool:
        others = select(units.c.id).where(units.c.id == self._unit_id, units.c.worker != self._worker)
        return (await connection.execute(others)).first() is not None


def new_call(intent: Intent, *, generation_id: UUID, unit_id: int, worker: str) -> dict[str, Any]:
    """The row of a call that is about to be made."""
    return {
        "id": UUID(intent.id),
        "generation_id": generation_id,
        "unit_id": unit_id,
        "step": intent.step,
        "fingerprint": intent.fingerprint,
        "model": intent.model,
        "credential": intent.credential,
        "state": "intent",
        "reserved_usd": intent.reserve,
        "worker": worker,
    }


async def settle(connection: AsyncConnection, generation_id: UUID, intent: Intent, reply: Reply) -> Any:
    """Record the reply and its cost; returns the value that counts: the first one recorded. Raises NotFound."""
    stored, value = kept_json(reply.value)
    # Two settlers of one step at the same time meet at the lock; the second sees the first one's reply.
    key = func.hashtextextended(_lock(generation_id, intent), 0)
    await connection.execute(select(func.pg_advisory_xact_lock(key)))
    wanted = and_(_of_step(generation_id, intent), calls.c.state == "replied", calls.c.id != UUID(intent.id))
    first = (await connection.execute(select(calls.c.reply).where(wanted))).first()
    change: Mapping[str, Any] = {
        "state": "replied" if first is None else "superseded",
        "settled_at": func.clock_timestamp(),
        **_kept(reply, stored),
    }
    written = await connection.execute(update(calls).where(calls.c.id == UUID(intent.id)).values(change))
    if not written.rowcount:
        raise NotFound(kind="call", id=intent.id)  # its cost would be in no ledger
    return value if first is None else read_json(first.reply)


async def fail(connection: AsyncConnection, call_id: str, *, error: str, cost: Decimal | None) -> None:
    """Record that the call brought nothing, and what it cost; None: nobody knows, it is in doubt."""
    change: dict[str, Any] = {"state": "in_doubt", "error": kept_text(error)}
    if cost is not None:
        change |= {"state": "failed", "cost_usd": cost, "settled_at": func.clock_timestamp()}
    # A call that somebody has settled meanwhile, or that was answered all the same, stays as it is.
    mine = and_(calls.c.id == UUID(call_id), calls.c.state.in_(("intent", "in_doubt")))
    await connection.execute(update(calls).where(mine).values(change))


def _step(intent: Intent) -> dict[str, Any]:
    return {"id": UUID(intent.id), "step": intent.step, "fingerprint": intent.fingerprint}


def _kept(reply: Reply, stored: Any) -> dict[str, Any]:
    usage = {name: count for name, count in reply.usage.items() if name in TOKENS}
    return {"reply": stored, "cost_usd": reply.cost, **usage}


def _lock(generation_id: UUID, intent: Intent) -> str:
    return f"{generation_id}/{intent.step}/{intent.fingerprint}"


def _of_step(generation_id: UUID, intent: Intent) -> Any:
    return and_(
        calls.c.generation_id == generation_id,
        calls.c.step == intent.step,
        calls.c.fingerprint == intent.fingerprint,
    )
