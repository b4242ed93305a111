"""Who works on a unit: Redis's lock says it, and the database keeps it for the day Redis has forgotten.

When Redis came back empty or older than it was, a unit gets a second job while a live worker still runs the first. The
second one waits here, and nothing is paid for twice (tests/faults/service/test_redis_killed.py).
"""

import asyncio
from functools import partial

import structlog

from holdfast.errors import QueueUnavailable
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
        self._running: set[int] = set()  # units that attempts of this process have

    async def claim(self, unit_id: int, *, worker: str, taken_over: bool) -> OwedUnit | None:
        """The unit, once no live attempt has it; None if it is not owed (any more). Give it back with `ended`.

        `taken_over`: the queue found the attempt before dead already.
        """
        dead: str | None = None
        looks = 0
        while True:
            found = await self._database.each(partial(units.start, unit_id=unit_id, worker=worker, instead_of=dead))
            if found is None:
                return None
            if isinstance(found, OwedUnit):
                self._running.add(unit_id)
                return found
            looks = looks + 1 if await self._is_dead(found, unit_id, worker) else 0
            if looks and (taken_over or looks > 1):
                dead = found.worker
                continue
            log.info("unit is another worker's, waiting", unit=unit_id)
            await asyncio.sleep(LOOK_EVERY)

    def ended(self, unit_id: int) -> None:
        """The attempt of this process that had the unit is over, whatever came of it."""
        self._running.discard(unit_id)

    async def release(self, unit_id: int, *, worker: str) -> None:
        """The attempt ended without the unit."""
        await self._database.run(partial(units.release, unit_id=unit_id, worker=worker))

    async def _is_dead(self, busy: Busy, unit_id: int, worker: str) -> bool:
        recorded = busy.worker.partition(":")[0]
        if recorded == worker.partition(":")[0]:
            return unit_id not in self._running
        try:
            alive = {worker.id for worker in await self._queue.workers()}
        except QueueUnavailable:
            return False  # an outage is no attempt's fault: look again
        return recorded not in alive
