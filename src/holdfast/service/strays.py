"""Jobs in our queue that are no unit's of this database: left alone, and told of.

They come from another Holdfast on the same Redis and prefix, from a database that was set back or emptied, or from
programs of others. What to do about them only a person knows: `holdfast queue jobs wait` shows them.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Literal

import structlog

from holdfast.queue import Queue
from holdfast.service.enqueueing import place_of
from holdfast.service.metrics import Metrics
from holdfast.store import Database, units

EVERY = 30.0  # seconds between two looks
LOOKED_AT = 500  # jobs of each state, those that come first
UNENDED: tuple[Literal["wait", "paused", "delayed", "active"], ...] = ("wait", "paused", "delayed", "active")

log = structlog.get_logger("holdfast.service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look found; lower bounds if a state holds more jobs than are looked at."""

    no_unit: int = 0  # named as our jobs are, for a unit that this database does not have
    not_ours: int = 0  # named otherwise

    @property
    def count(self) -> int:
        """All of them."""
        return self.no_unit + self.not_ours


class Strays:
    """Looks for them now and then: four reads of lists, and one indexed query if jobs are there."""

    def __init__(self, database: Database, queue: Queue, *, metrics: Metrics, every: float = EVERY) -> None:
        self._database = database
        self._queue = queue
        self._metrics = metrics
        self._every = every
        self._due = 0.0  # monotonic
        self._told = Found()

    async def look_now_and_then(self) -> None:
        """Look if it is time. Raises QueueUnavailable, Unavailable."""
        if monotonic() >= self._due:
            await self.look()
            self._due = monotonic() + self._every

    async def look(self) -> Found:
        """Look now, and tell if it is not as it was. Raises QueueUnavailable, Unavailable."""
        # First Redis, then the database: a unit is committed before its job is added.
        lists = await asyncio.gather(*(self._queue.job_ids(state, 0, LOOKED_AT - 1) for state in UNENDED))
        named = {job_id: place_of(job_id) for ids in lists for job_id in ids}
        places = [place for place in named.values() if place is not None]
        no_unit = await self._database.run(partial(units.unknown, places=places)) if places else 0
        found = Found(no_unit=no_unit, not_ours=len(named) - len(places))
        self._metrics.left_alone(no_unit=found.no_unit, not_ours=found.not_ours)
        if found != self._told and found.count:
            log.warning("jobs of no unit left alone", count=found.count, no_unit=no_unit, not_ours=found.not_ours)
        self._told = found
        return found
