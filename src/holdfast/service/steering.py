"""What a person does to a generation: pause it, let it go on, end it, try again what failed, settle doubts."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Literal, TypeAlias
from uuid import UUID

import structlog

from holdfast.errors import BadInput, Conflict, QueueUnavailable
from holdfast.queue import Queue
from holdfast.service.processors import give_up
from holdfast.service.reconciler import Reconciler
from holdfast.service.stages import REBUILT
from holdfast.store import Connection, Database, batches, generations, ledgers, steering, units
from holdfast.store.units import GivenUp, UnitRef

ENQUEUE_WAIT = 1.0  # seconds; what was asked for is committed, a person need not wait for a Redis that is away
PAUSED = {"code": "paused", "message": "somebody paused it; resume lets it go on", "unit": None, "attempt": None}

GIVEN_UP = GivenUp(code="in_doubt", message="its call was in doubt, and somebody gave it up")

Then: TypeAlias = Literal["repeat", "give_up"]

log = structlog.get_logger("holdfast.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What settling calls in doubt has led to."""

    settled: list[UUID]  # calls that are in doubt no more
    n_repeated: int  # held units that go on
    n_given_up: int  # held units that ended as failed


class Steering:
    """Everything that changes a generation's course. What is in flight is always finished and recorded."""

    def __init__(self, database: Database, queue: Queue, *, most: Decimal | None) -> None:
        self._database = database
        self._queue = queue
        self._most = most
        self._reconciler = Reconciler(database, queue)

    async def pause(self, generation_id: UUID) -> None:
        """Start nothing more for it until it is resumed. Raises NotFound, Conflict."""
        await self._database.run(partial(steering.pause, generation_id=generation_id, why=PAUSED))

    async def resume(self, generation_id: UUID, *, budget: Decimal | None = None) -> None:
        """Let it go on, with a new budget if one is given. Raises NotFound, Conflict, BadInput."""
        self._check_budget(budget)
        await self._database.run(partial(steering.resume, generation_id=generation_id, budget=budget))
        await self._go_on(generation_id)

    async def cancel(self, generation_id: UUID) -> None:
        """Start nothing more for it, ever. Raises NotFound, Conflict."""
        await self._database.run(partial(steering.cancel, generation_id=generation_id))

    async def retry(self, generation_id: UUID, *, budget: Decimal | None = None) -> int:
        """Owe what failed once more; returns how many units. Raises NotFound, Conflict, BadInput."""
        self._check_budget(budget)
        again = partial(steering.retry, generation_id=generation_id, rebuilt=REBUILT, budget=budget)
        retried = await self._database.run(again)
        await self._go_on(generation_id)
        return retried

    async def delete(self, generation_id: UUID) -> None:
        """Cancel it and delete what it made; what it cost stays in the ledger.

        Raises NotFound; Conflict while a batch of it is at the provider, which is asked to stop it.
        """
        if await self._database.run(partial(batches.is_under_way, generation_id=generation_id)):
            with suppress(Conflict):  # it has ended otherwise, and its batch is being stopped
                await self.cancel(generation_id)
            raise Conflict(
                f"a batch of generation {generation_id} is still at the provider, which is asked to stop it: "
                "delete it when its cost is known, in a few minutes"
            )
        await self._database.run(partial(steering.remove, generation_id=generation_id))

    async def resolve(
        self,
        generation_id: UUID,
        *,
        calls: Sequence[UUID] | None = None,
        cost: Decimal | None = None,
        then: Then = "repeat",
    ) -> Resolved:
        """Settle calls in doubt (None: all of them): each was billed so much (None: what it had reserved; 0: not made).

        Units that were held for them are called again, or given up. Raises NotFound, BadInput for a call that is not in
        doubt.
        """

        async def work(connection: Connection) -> tuple[list[UUID], list[UnitRef]]:
            await generations.get(connection, generation_id)
            settled = await ledgers.settle_doubts(connection, generation_id, call_ids=calls, cost=cost)
            free = await units.settled_holds(connection, generation_id, release=then == "repeat")
            return settled, free

        settled, free = await self._database.run(work)
        missing = set(calls or ()) - set(settled)
        if missing:
            raise BadInput(f"these calls of the generation are not in doubt: {', '.join(map(str, sorted(missing)))}")
        if then == "give_up":
            for ref in free:
                await give_up(self._database, self._queue, ref, GIVEN_UP)
            return Resolved(settled=settled, n_repeated=0, n_given_up=len(free))
        await self._go_on(generation_id)
        return Resolved(settled=settled, n_repeated=len(free), n_given_up=0)

    def _check_budget(self, budget: Decimal | None) -> None:
        if budget is not None and self._most is not None and budget > self._most:
            raise BadInput(f"budget_usd must be at most {self._most:f}, the cap per generation that is set here")

    async def _go_on(self, generation_id: UUID) -> None:
        try:
            async with asyncio.timeout(ENQUEUE_WAIT):
                await self._reconciler.look_at(generation_id)
        except (QueueUnavailable, TimeoutError):
            log.warning("redis away, units left to the reconciler", generation=str(generation_id))
