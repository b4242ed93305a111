"""What is owed and has no live job gets one: after a crash between commit and enqueue, after Redis lost something."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import structlog

from holdfast.errors import QueueError
from holdfast.queue import Queue
from holdfast.service.enqueueing import job_id, new_job
from holdfast.service.metrics import Metrics
from holdfast.service.processors import give_up
from holdfast.service.repeating import again_and_again
from holdfast.service.strays import Strays
from holdfast.store import Database, units
from holdfast.store.units import GivenUp, UnitRef

PAGE = 1000  # units looked at in one round trip

# States of a job that will run, or runs.
LIVE = frozenset({"wait", "active", "delayed", "paused"})

log = structlog.get_logger("holdfast.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What one look found."""

    owed: int
    enqueued: int
    given_up: int


class Reconciler:
    """Compares the database's pending units with Redis's jobs. Any number may run at once: a job's id is its unit's."""

    def __init__(self, database: Database, queue: Queue, *, every: float = 2.0, metrics: Metrics | None = None) -> None:
        self._database = database
        self._queue = queue
        self._every = every
        self._metrics = metrics or Metrics()
        self._strays = Strays(database, queue, metrics=self._metrics)

    async def run(self, stopping: asyncio.Event) -> None:
        """Look at once and then every few seconds, until `stopping`; a server that is away is tried again."""
        await again_and_again(self._look, what="reconciler", every=self._every, stopping=stopping)

    async def look_at(self, generation_id: UUID) -> None:
        """Look at the owed units of one generation now. Raises QueueUnavailable, Unavailable."""
        page = await self._database.run(partial(units.owed, generation_id=generation_id, limit=PAGE))
        if page:
            await self._page(page)

    async def _look(self) -> None:
        await self.once()
        await self._strays.look_now_and_then()

    async def once(self) -> Reconciled:
        """One look at every owed unit, a page at a time. Raises QueueUnavailable, Unavailable."""
        owed = enqueued = given_up = after = 0
        while True:
            page = await self._database.run(partial(units.owed, after=after, limit=PAGE))
            if page:
                added, ended = await self._page(page)
                owed, enqueued, given_up = owed + len(page), enqueued + added, given_up + ended
                after = page[-1].id
            if len(page) < PAGE:
                self._metrics.looked()
                return Reconciled(owed=owed, enqueued=enqueued, given_up=given_up)

    async def _page(self, page: Sequence[UnitRef]) -> tuple[int, int]:
        states = await self._queue.states([job_id(ref) for ref in page])
        by_state: dict[str | None, list[UnitRef]] = {}
        for ref in page:
            by_state.setdefault(states[job_id(ref)], []).append(ref)
        orphans = await self._unorphaned(by_state.get("orphan", []))
        missing = by_state.get(None, []) + orphans
        missing += await self._next_round(by_state.get("completed", []))
        if missing:
            await self._queue.add_many([new_job(ref) for ref in missing])
            for ref in missing:
                log.info("unit enqueued by the reconciler", job_id=job_id(ref), stage=ref.stage)
        for ref in by_state.get("failed", []):
            await self._give_up(ref)
        n_failed = len(by_state.get("failed", []))
        self._metrics.reconciled(enqueued=len(missing), orphans=len(orphans), given_up=n_failed)
        return len(missing), n_failed

    async def _unorphaned(self, refs: list[UnitRef]) -> list[UnitRef]:
        # A hash in no list: Redis lost its last second between the two. Nobody will ever take it.
        free = []
        for ref in refs:
            with suppress(QueueError):  # still locked: by its worker, or until the lock runs out
                await self._queue.remove(job_id(ref))
                free.append(ref)
        return free

    async def _next_round(self, refs: list[UnitRef]) -> list[UnitRef]:
        # The job ended without the unit: it ran while the generation was paused, or the database was set back.
        if not refs:
            return []
        return await self._database.run(lambda connection: units.next_round(connection, refs))

    async def _give_up(self, ref: UnitRef) -> None:
        # The processor keeps why a unit failed; only what killed its worker each time (poison) is left to say here.
        job = await self._queue.get(job_id(ref))
        reason = job.failed_reason if job is not None and job.failed_reason else "the job failed without a reason"
        end = GivenUp(code="job_failed", message=reason, attempt=None if job is None else job.attempts_made)
        await give_up(self._database, self._queue, ref, end)
