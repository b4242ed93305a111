"""What any worker does for the whole queue: jobs of dead workers, delayed jobs that are due, and what a resume that was
cut off left in the paused list."""

import asyncio
import math
from contextlib import suppress
from time import time

from redis.exceptions import ResponseError

from holdfast.queue.link.wire import Interrupted
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import RecoveryRules, Scripts

CHECK_INTERVAL = 0.6  # seconds between two looks for abandoned jobs, all workers together
# Longer than the longest pause of a reconnecting worker (2 s) and its first renewal together, so that after an outage
# nobody takes over from the living (tests/faults/queue/test_redis_restarted.py).
QUIET_AFTER_OUTAGE = 3.0
LOCKLESS_GRACE = 2.0  # seconds an active job must be seen without a lock, or without its worker's presence
PROMOTE_INTERVAL = 2.0  # seconds; promotion also runs at each due time that is known
PROMOTE_CHUNK = 500
TRIM_INTERVAL = 3.0  # seconds between two looks for finished jobs that are too old, all workers together
TRIM_CHUNK = 500  # of each state; past a million that are kept it takes an hour: so late may one go, if no other ends
TRIM_PAUSE = 0.05  # seconds, while there are any to remove


class Housekeeping:
    """Two endless loops; any number of workers may run them at once."""

    def __init__(self, scripts: Scripts, worker_id: str, reporter: Reporter, *, max_stalled: int) -> None:
        self._scripts = scripts
        self._worker_id = worker_id
        self._reporter = reporter
        self._rules = RecoveryRules(
            interval_ms=round(CHECK_INTERVAL * 900),  # a little less, so that one worker alone always gets its turn
            quiet_ms=round(QUIET_AFTER_OUTAGE * 1000),
            grace_ms=round(LOCKLESS_GRACE * 1000),
            max_stalled=max_stalled,
        )
        self._heard = math.inf  # epoch seconds of the earliest due time heard of since the last promotion began
        self._due_changed = asyncio.Event()

    async def run(self) -> None:
        """Keep house until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recovering())
            group.create_task(self._promoting())
            group.create_task(self._trimming())

    def expect(self, due_ms: float) -> None:
        """A job will be due at this time (ms since 1970)."""
        if due_ms / 1000 < self._heard:
            self._heard = due_ms / 1000
            self._due_changed.set()

    async def _recovering(self) -> None:
        while True:
            try:
                for job in await self._scripts.recover(self._rules):
                    self._report(job.to, job.job_id, job.attempts_made)
            except (Interrupted, ResponseError):
                pass  # the link reports it; the next look comes anyway
            await asyncio.sleep(CHECK_INTERVAL)

    def _report(self, to: str, job_id: str, attempts_made: int) -> None:
        if to == "wait":
            self._reporter.warning("job stalled, taken over", id=job_id, attempts_made=attempts_made)
        elif to == "failed":
            reason = "job stalled more than allowable limit"
            self._reporter.warning("job failed", id=job_id, reason=reason, attempts_left=0)

    async def _trimming(self) -> None:
        interval = TRIM_INTERVAL
        while True:
            await asyncio.sleep(interval)
            try:
                removed = await self._scripts.trim(interval_ms=round(interval * 900), limit=TRIM_CHUNK)
            except (Interrupted, ResponseError):
                removed = 0
            interval = TRIM_PAUSE if removed > 0 else TRIM_INTERVAL

    async def _promoting(self) -> None:
        while True:
            self._heard = math.inf  # what is heard from here on, the script may not have seen
            known = time() + await self._promote()
            while (left := min(known, self._heard) - time()) > 0:
                self._due_changed.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await self._due_changed.wait()

    async def _promote(self) -> float:
        """Promote what is due; returns seconds to wait for the next."""
        try:
            count, until_next = await self._scripts.promote(self._worker_id, PROMOTE_CHUNK)
        except (Interrupted, ResponseError):
            return PROMOTE_INTERVAL
        if count == PROMOTE_CHUNK:
            return 0.0
        return PROMOTE_INTERVAL if until_next is None else min(until_next, PROMOTE_INTERVAL)
