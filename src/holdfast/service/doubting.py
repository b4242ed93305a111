"""Calls whose worker died: their money is in doubt, also if nobody asks for their step again."""

import asyncio
from datetime import timedelta
from functools import partial

import structlog

from holdfast.queue import Queue
from holdfast.service.repeating import again_and_again
from holdfast.store import Database, orphans

AGE = timedelta(seconds=10)  # a younger call is none to wonder about
EVERY = 3.0  # seconds; longer than a live worker's presence takes to be back in a Redis that lost it

log = structlog.get_logger("holdfast.service")


class Doubts:
    """Looks for intents of dead workers. Any number may do so at once."""

    def __init__(self, database: Database, queue: Queue, *, age: timedelta = AGE, every: float = EVERY) -> None:
        self._database = database
        self._queue = queue
        self._age = age
        self._every = every
        self._suspects: frozenset[str] = frozenset()  # workers that were not there at the last look

    async def run(self, stopping: asyncio.Event) -> None:
        """Look every few seconds until `stopping`; a server that is away is tried again."""
        await again_and_again(self.once, what="search for dead workers' calls", every=self._every, stopping=stopping)

    async def once(self) -> int:
        """One look; returns how many calls are in doubt since. Raises QueueUnavailable, Unavailable."""
        found = await self._database.run(partial(orphans.open_calls, older_than=self._age))
        alive = {worker.id for worker in await self._queue.workers()} if found else set()
        owners = {call.id: call.worker.partition(":")[0] for call in found}
        gone = frozenset(owners.values()) - alive
        # Twice in a row: a Redis that has just come back empty knows nobody for a moment.
        dead, self._suspects = gone & self._suspects, gone
        lost = [call_id for call_id, owner in owners.items() if owner in dead]
        if not lost:
            return 0
        doubted = await self._database.run(partial(orphans.put_in_doubt, call_ids=lost))
        if doubted:
            log.warning("calls in doubt, their worker is gone", calls=doubted)
        return doubted
