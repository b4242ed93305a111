"""Who works on a unit: Redis's lock says it, and the database keeps it for the day Redis has forgotten.

When Redis came back empty or older than it was, a unit gets a second job while a live worker still runs the first. The
second one waits here, and nothing is paid for twice (tests/faults/test_redis_emptied.py).
"""

import asyncio
from functools import partial

import structlog

from holdfast.queue import Queue
from holdfast.store import Database, units
from holdfast.store.units import Busy, OwedUnit

LOOK_EVERY = 1.0  # seconds; a worker's presence is back within one after Redis lost it

log = structlog.get_logger("holdfast.service")


class Claims:
    """Claims units for attempts."""

    def __init__(self, database: Database, queue: Queue) -> None:
        self._database = database
        self._queue = queue

    async def claim(self, unit_id: int, *, worker: str, taken_over: bool) -> OwedUnit | None:
        """The unit, once no live attempt has it; None if it is not owed (any more).

        `taken_over`: the queue found the attempt before dead already. Raises QueueUnavailable, Unavailable.
        """
        dead: str | None = None
        looks = 0
        while True:
            found = await self._database.run(partial(units.start, unit_id=unit_id, worker=worker, instead_of=dead))
            if not isinstance(found, Busy):
                return found
            looks = looks + 1 if await self._is_dead(found) else 0
            if looks and (taken_over or looks > 1):
                dead = found.worker
                continue
            log.info("unit is another worker's, waiting", unit=unit_id)
            await asyncio.sleep(LOOK_EVERY)

    async def release(self, unit_id: int, *, worker: str) -> None:
        """The attempt ended without the unit."""
        await self._database.run(partial(units.release, unit_id=unit_id, worker=worker))

    async def _is_dead(self, busy: Busy) -> bool:
        alive = {worker.id for worker in await self._queue.workers()}
        return busy.worker.partition(":")[0] not in alive
