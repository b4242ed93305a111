"""What a person may do to a generation under way or ended: pause, resume, cancel, try failed units again, delete."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from holdfast.errors import Conflict
from holdfast.store.generations import UNDER_WAY, Generation, get
from holdfast.store.tables import calls, generations, units

RETRYABLE = ("partial", "failed")
# The time a generation stood still, paused or ended, is no work: it began that much later.
GOING_ON = {
    "state": "active",
    "error": None,
    "started_at": func.now() - (func.coalesce(generations.c.finished_at, func.now()) - generations.c.started_at),
    "finished_at": None,
    "resumes": generations.c.resumes + 1,
}


async def pause(
    connection: AsyncConnection, generation_id: UUID, *, why: dict[str, Any], resumes: int | None = None
) -> bool:
    """Start nothing more for it until it is resumed; says whether it is paused now. Raises NotFound, Conflict.

    `resumes`: how often it had been resumed when what is wrong was found. Was it resumed since, then a person has
    answered already (with a budget, a key), and nothing is done: who still finds it wrong will say so again.
    """
    found = await _locked(connection, generation_id)
    if resumes is not None and resumes != found.resumes:
        return False
    paused = {"state": "paused", "error": why, "finished_at": func.now()}
    await _move(connection, found, {"active": paused, "paused": None})
    return True


async def resume(connection: AsyncConnection, generation_id: UUID, *, budget: Decimal | None) -> None:
    """Go on with it, with a new budget if one is given; an active one only gets that. Raises NotFound, Conflict."""
    found = await _locked(connection, generation_id)
    money = {} if budget is None else {"budget_usd": budget}
    told = {"resumes": GOING_ON["resumes"]}
    await _move(connection, found, {"paused": GOING_ON | money, "active": told | money})


async def cancel(connection: AsyncConnection, generation_id: UUID) -> None:
    """End it; its pending units are owed no more. Does nothing to a cancelled one. Raises NotFound, Conflict."""
    # A paused one stopped working when it was paused.
    ended = {"state": "cancelled", "finished_at": func.coalesce(generations.c.finished_at, func.now())}
    found = await _locked(connection, generation_id)
    await _move(connection, found, {"active": ended, "paused": ended, "cancelled": None})


async def retry(
    connection: AsyncConnection, generation_id: UUID, *, rebuilt: Sequence[str], budget: Decimal | None
) -> int:
    """Owe its failed units again, and the stages after them; returns how many. Raises NotFound, Conflict.

    `rebuilt`: the stages that depend on all that came before, in their order.
    """
    found = await _locked(connection, generation_id)
    if found.state not in RETRYABLE:
        raise Conflict(
            f"generation {generation_id} is {found.state}; only one that is partial or failed can be retried"
        )
    await _require_no_twin(connection, found)
    of_it = units.c.generation_id == generation_id
    again = {
        "state": "pending",
        "round": units.c.round + 1,
        "retries": units.c.retries + 1,
        **dict.fromkeys(("error", "worker", "started_at", "finished_at")),
    }
    is_failed = and_(of_it, units.c.state == "failed")
    stages = set((await connection.execute(select(units.c.stage).where(is_failed).distinct())).scalars())
    failed = await connection.execute(update(units).where(is_failed).values(again))
    # What stands on them was made without them; the last of them to end has it made again.
    first = min((rebuilt.index(stage) + 1 if stage in rebuilt else 0 for stage in stages), default=0)
    await connection.execute(delete(units).where(of_it, units.c.stage.in_(rebuilt[first:])))
    change: dict[str, Any] = GOING_ON | ({} if budget is None else {"budget_usd": budget})
    await connection.execute(update(generations).where(generations.c.id == generation_id).values(change))
    return failed.rowcount


async def remove(connection: AsyncConnection, generation_id: UUID) -> None:
    """Delete it with everything it made; what its calls cost stays in the ledger. Raises NotFound."""
    await _locked(connection, generation_id)
    texts = {"reply": None, "error": None}
    await connection.execute(update(calls).where(calls.c.generation_id == generation_id).values(texts))
    await connection.execute(delete(generations).where(generations.c.id == generation_id))


async def _move(connection: AsyncConnection, found: Generation, moves: dict[str, dict[str, Any] | None]) -> None:
    if found.state not in moves:
        raise Conflict(f"generation {found.id} has ended already: it is {found.state}")
    change = moves[found.state]
    if change:
        await connection.execute(update(generations).where(generations.c.id == found.id).values(change))


async def _locked(connection: AsyncConnection, generation_id: UUID) -> Generation:
    await connection.execute(select(generations.c.id).where(generations.c.id == generation_id).with_for_update())
    return await get(connection, generation_id)


async def _require_no_twin(connection: AsyncConnection, found: Generation) -> None:
    twin = and_(
        generations.c.fingerprint == found.fingerprint,
        generations.c.state.in_(UNDER_WAY),
        generations.c.id != found.id,
    )
    if (await connection.execute(select(exists().where(twin)))).scalar_one():
        raise Conflict("the same codeframe is being generated again already; cancel that generation first")
