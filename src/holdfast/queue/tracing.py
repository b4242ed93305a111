"""OpenTelemetry spans of a queue; `holdfast.queue.telemetry` is the door."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from holdfast.errors import NotConfigured
from holdfast.queue.client.queue import Queue
from holdfast.queue.jobs.job import Job
from holdfast.queue.jobs.options import NewJob
from holdfast.queue.reporting import ended_by
from holdfast.queue.work.execution import Around

try:
    from opentelemetry import context as otel_context
    from opentelemetry import propagate, trace
except ImportError as error:  # pragma: no cover - the suite has it
    raise NotConfigured(f'{error.name} is missing: pip install "holdfast[telemetry]"') from error

CARRIER = "otel"  # the field of a job's options that carries the context; Bull ignores what it does not know


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
                outcome = ended_by(error)
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
