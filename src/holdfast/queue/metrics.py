"""Prometheus metrics of a queue; `holdfast.queue.telemetry` is the door."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from time import perf_counter, time
from types import TracebackType
from typing import Any, Self

from holdfast.errors import NotConfigured, QueueError
from holdfast.queue.client.queue import Queue
from holdfast.queue.jobs.job import Job
from holdfast.queue.reporting import ended_by
from holdfast.queue.work.execution import Around

try:
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
except ImportError as error:  # pragma: no cover - the suite has it
    raise NotConfigured(f'{error.name} is missing: pip install "holdfast[telemetry]"') from error

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """Metrics of any number of queues; one object for each registry.

    By `attempts`, for each queue and name: `<namespace>_attempts_total` (outcome: completed, raised, stopped,
    postponed), `_attempt_seconds`, `_job_wait_seconds` (from when it was to run to its first start). By `follow`, for
    each queue: `_queue_jobs` (state), `_failures_total` (for good), `_retries_total`, `_take_overs_total`,
    `_lock_losses_total`, `_reconnects_total`.
    """

    def __init__(self, *, registry: CollectorRegistry = REGISTRY, namespace: str = "holdfast") -> None:
        place: Any = {"registry": registry, "namespace": namespace}
        each = ("queue", "name")
        self._attempts = Counter("attempts", "Attempts by outcome", (*each, "outcome"), **place)
        self._seconds = Histogram("attempt_seconds", "What an attempt took", each, buckets=SECONDS, **place)
        self._wait = Histogram("job_wait_seconds", "From due to first start", each, buckets=SECONDS, **place)
        self._place = place
        self._depth: Gauge | None = None  # shown by whoever follows a queue
        about = ("queue",)
        self._failures = Counter("failures", "Jobs failed for good", about, **place)
        self._retries = Counter("retries", "Attempts that failed and are followed by another", about, **place)
        self._told = {
            "job stalled, taken over": Counter("take_overs", "Jobs taken from workers that were gone", about, **place),
            "lock lost, result discarded": Counter(
                "lock_losses", "Results another worker's lock refused", about, **place
            ),
            "redis reconnected": Counter("reconnects", "Connections to Redis made again", about, **place),
        }

    def attempts(self, queue: Queue) -> Around:
        """Measures each attempt: `Worker(queue, …, around=[metrics.attempts(queue)])`."""
        return partial(self._observe, queue.name)

    def follow(self, queue: Queue, *, every: float = 15.0) -> "Follower":
        """`async with metrics.follow(queue):` counts take-overs, lock losses and reconnects that this process sees, and
        sets the number of jobs by state every so many seconds."""
        if every <= 0:
            raise QueueError(f"jobs are counted every so many seconds, not every {every!r}")
        if self._depth is None:
            self._depth = Gauge("queue_jobs", "Jobs by state", ("queue", "state"), **self._place)
        return Follower(queue, self._hear, self._count, every=every)

    @contextmanager
    def listen(self, queue: Queue) -> Iterator[None]:
        """Counts what the queue reports in this process while the block runs, and no jobs."""
        for counter in (self._failures, self._retries, *self._told.values()):
            counter.labels(queue.name)  # there with 0: a rate sees the first one, too
        queue.reporter.listeners.append(self._hear)
        try:
            yield
        finally:
            queue.reporter.listeners.remove(self._hear)

    @contextmanager
    def _observe(self, queue: str, job: Job) -> Iterator[None]:
        if not job.resumed and (due := _due(job)) is not None:
            self._wait.labels(queue, job.name).observe(max(0.0, time() - due))
        begun, outcome = perf_counter(), "completed"
        try:
            yield
        except BaseException as error:
            outcome = ended_by(error)
            raise
        finally:
            self._seconds.labels(queue, job.name).observe(perf_counter() - begun)
            self._attempts.labels(queue, job.name, outcome).inc()

    def _hear(self, event: str, fields: Mapping[str, Any]) -> None:
        counter = self._told.get(event)
        if event == "job failed":
            counter = self._retries if fields["attempts_left"] else self._failures
        if counter is not None:
            counter.labels(fields["queue"]).inc()

    async def _count(self, queue: Queue) -> None:
        assert self._depth is not None
        for state, count in (await queue.counts()).items():
            self._depth.labels(queue.name, state).set(count)


def _due(job: Job) -> float | None:
    """When it was to run, by the producer's clock (s since 1970)."""
    added, delay = job.opts.get("timestamp"), job.opts.get("delay") or 0
    return (added + delay) / 1000 if isinstance(added, int | float) and isinstance(delay, int | float) else None


class Follower:
    """Listens to what a queue says of itself and counts its jobs, until it is left."""

    def __init__(self, queue: Queue, hear: Callable[..., None], count: Callable[..., Any], *, every: float) -> None:
        self._queue = queue
        self._hear = hear
        self._count = count
        self._every = every
        self._counting: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._queue.reporter.listeners.append(self._hear)
        self._counting = asyncio.create_task(self._keep_counting(), name="holdfast metrics")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._queue.reporter.listeners.remove(self._hear)
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.gather(self._counting, return_exceptions=True)

    async def _keep_counting(self) -> None:
        while True:
            with suppress(QueueError):  # the queue reports it; the last numbers stay
                await self._count(self._queue)
            await asyncio.sleep(self._every)
