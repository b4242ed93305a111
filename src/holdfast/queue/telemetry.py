"""Prometheus metrics and OpenTelemetry spans; needs `pip install "holdfast[telemetry]"`.

Nothing of the queue knows of this module: a worker takes it as `around=[…]`, and what is not asked for costs nothing.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter, time
from types import TracebackType
from typing import Any, Self

from holdfast.errors import NotConfigured, Postponed, QueueError
from holdfast.queue.client.queue import Queue
from holdfast.queue.jobs.job import Job
from holdfast.queue.jobs.options import NewJob
from holdfast.queue.work.execution import Around

try:
    from opentelemetry import context as otel_context
    from opentelemetry import propagate, trace
    from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
except ImportError as error:  # pragma: no cover - the suite has them
    raise NotConfigured(f'{error.name} is missing: pip install "holdfast[telemetry]"') from error

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)
CARRIER = "otel"  # the field of a job's options that carries the context; Bull ignores what it does not know


def _outcome(error: BaseException) -> str:
    """How an attempt ended that did not return: by an error, because it was stopped, or because it was too early."""
    if isinstance(error, Postponed):
        return "postponed"
    return "raised" if isinstance(error, Exception) else "stopped"


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
        self._depth = Gauge("queue_jobs", "Jobs by state", ("queue", "state"), **place)
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
        return Follower(queue, self._hear, self._count, every=every)

    @contextmanager
    def _observe(self, queue: str, job: Job) -> Iterator[None]:
        if not job.resumed and (due := _due(job)) is not None:
            self._wait.labels(queue, job.name).observe(max(0.0, time() - due))
        begun, outcome = perf_counter(), "completed"
        try:
            yield
        except BaseException as error:
            outcome = _outcome(error)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracing:
    """Spans of adds and of attempts, in one trace across processes; the context travels in the job's options."""

    provider: trace.TracerProvider | None = None  # None = the global one

    def attempts(self, queue: Queue) -> Around:
        """Puts each attempt into a span `process <name>` below the span of the add: `Worker(…, around=[…])`."""
        return partial(self._observe, queue.name)

    def follow(self, queue: Queue) -> None:
        """From now on each job that is added here gets a span `add <name>`, and carries it with it."""
        queue.carry(lambda job: {CARRIER: self._carrier(queue.name, job)})

    def _carrier(self, queue: str, job: NewJob) -> dict[str, str]:
        carrier: dict[str, str] = {}
        kind = trace.SpanKind.PRODUCER
        with self._tracer.start_as_current_span(f"add {job.name}", kind=kind, attributes=_about(queue, "create")):
            propagate.inject(carrier)
        return carrier

    @contextmanager
    def _observe(self, queue: str, job: Job) -> Iterator[None]:
        attributes = _about(queue, "process") | {
            "messaging.message.id": job.id,
            "holdfast.job.name": job.name,
            "holdfast.job.attempt": job.attempts_made + 1,
        }
        carried = job.option(CARRIER)
        parent = propagate.extract(carried if isinstance(carried, dict) else {}, context=otel_context.get_current())
        kind = trace.SpanKind.CONSUMER
        with self._tracer.start_as_current_span(
            f"process {job.name}", parent, kind=kind, attributes=attributes
        ) as span:
            outcome = "completed"
            try:
                yield
            except BaseException as error:
                outcome = _outcome(error)
                if outcome == "postponed":
                    span.set_status(trace.StatusCode.OK)  # else it would end as an error
                raise
            finally:
                span.set_attribute("holdfast.job.outcome", outcome)

    @property
    def _tracer(self) -> trace.Tracer:
        return trace.get_tracer("holdfast.queue", tracer_provider=self.provider)


def _about(queue: str, operation: str) -> dict[str, str | int]:
    """Attributes of OpenTelemetry's semantic conventions for messaging."""
    return {
        "messaging.system": "bull",
        "messaging.destination.name": queue,
        "messaging.operation.type": operation,
    }
