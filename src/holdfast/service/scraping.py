"""What `/metrics` says of Redis and PostgreSQL: read when asked, kept for a moment, and never a reason to fail."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from time import monotonic
from typing import Generic, TypeVar

import structlog
from prometheus_client import generate_latest

from holdfast.queue import LiveWorker, Queue, Throttle
from holdfast.service.exposition import Exposition, OfRedis, Seen
from holdfast.service.metrics import Metrics
from holdfast.store import Caps, Database, figures

T = TypeVar("T")

PATIENCE = 2.0  # seconds a server may take; Prometheus itself gives a scrape ten
FRESH = 1.0  # seconds figures are kept: many scrapers are as cheap as one
LEDGER_FRESH = 10.0  # seconds: the sum over every call ever made is the dearest of the figures
NOTE = "scraped"
REMEMBERED = timedelta(days=7)

log = structlog.get_logger("holdfast.service")


class Scrapes:
    """Answers scrapes of one process."""

    def __init__(
        self, metrics: Metrics, database: Database, queue: Queue, caps: Caps, *, ledger_fresh: float = LEDGER_FRESH
    ) -> None:
        self._metrics = metrics
        self._queue = queue
        self._exposition = Exposition(queue.name)
        metrics.registry.register(self._exposition)
        self._redis = Kept(self._of_redis, fresh=FRESH)
        self._work = Kept(partial(_asked, database, figures.work), fresh=FRESH)
        money = partial(figures.money, caps=caps)
        self._money = Kept(partial(_asked, database, money), fresh=ledger_fresh)

    async def text(self) -> bytes:
        """Prometheus' text format: this process' counters and all that the servers hold; what is away is left out."""
        work, money = await asyncio.gather(self._work.get(), self._money.get())
        redis = await self._redis.get()  # after the ledger, which knows the keys whose pace is kept in Redis
        self._exposition.seen = Seen(redis=redis, work=work, money=money)
        return generate_latest(self._metrics.registry)

    async def _of_redis(self) -> OfRedis:
        queue, money = self._queue, self._money.last
        now = datetime.now(UTC)
        counts, ages, workers, _ = await asyncio.gather(
            queue.counts(), queue.ages(), queue.workers(), queue.note(NOTE, now.isoformat(), keep=REMEMBERED)
        )
        throttles = {}
        for credential in money.credentials if money else ():
            look = Throttle(queue, credential, requests_per_minute=None, tokens_per_minute=None)
            throttles[credential] = await look.look()
        return OfRedis(
            counts=counts, ages=ages, n_workers=len(workers), slots=_slots(workers), throttles=throttles, read_at=now
        )


async def last_scrape(queue: Queue) -> datetime | None:
    """When `/metrics` was asked for last, of whichever process on this queue; None: not within seven days.

    Raises QueueUnavailable.
    """
    found = await queue.noted(NOTE)
    return None if found is None else datetime.fromisoformat(found)


@dataclass(slots=True)
class _Value(Generic[T]):
    until: float  # monotonic
    value: T | None


class Kept(Generic[T]):
    """A reading that is kept for `fresh` seconds, also that there is none; those who come at once wait for one."""

    def __init__(self, read: Callable[[], Awaitable[T]], *, fresh: float) -> None:
        self._read = read
        self._fresh = fresh
        self._turn = asyncio.Lock()
        self._kept: _Value[T] | None = None

    @property
    def last(self) -> T | None:
        """What was read last, however old."""
        return self._kept.value if self._kept else None

    async def get(self) -> T | None:
        """The reading; None if it cannot be had within PATIENCE."""
        async with self._turn:
            if self._kept is None or monotonic() >= self._kept.until:
                value = await self._reading()
                fresh = self._fresh if value is not None else min(FRESH, self._fresh)
                self._kept = _Value(monotonic() + fresh, value)
            return self._kept.value

    async def _reading(self) -> T | None:
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._read()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other figures are still wanted
            log.warning("figures for metrics cannot be had", error=type(error).__name__)
            return None


async def _asked(database: Database, read: Callable[..., Awaitable[T]]) -> T:
    return await database.run(read, max_wait=PATIENCE / 2)


def _slots(workers: list[LiveWorker]) -> int:
    return sum(worker.concurrency for worker in workers)
