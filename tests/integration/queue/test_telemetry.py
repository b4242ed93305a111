"""Metrics and spans say what happened, and cost nothing when they are not asked for."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import pytest
import redis.asyncio
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, generate_latest

from holdfast.errors import QueueError
from holdfast.queue import Job, Postponed, Queue
from holdfast.queue.telemetry import Metrics, Tracing
from holdfast.queue.testing import work_off

from .conftest import Until, Working


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    return Metrics(registry=registry)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    yield exporter
    exporter.clear()


@pytest.fixture
def provider(spans: InMemorySpanExporter) -> Iterator[TracerProvider]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield provider
    provider.shutdown()


async def succeed(_job: Job) -> None:
    await asyncio.sleep(0.01)


def fail(_job: Job) -> None:
    raise ValueError("no")


def value(registry: CollectorRegistry, metric: str, /, **labels: str) -> float | None:
    return registry.get_sample_value(f"holdfast_{metric}", {"queue": "q"} | labels)


async def test_attempts_are_counted_and_timed(queue: Queue, metrics: Metrics, registry: CollectorRegistry) -> None:
    for _ in range(3):
        await queue.add("good")
    await queue.add("bad", attempts=2)

    async with metrics.follow(queue):
        await work_off(queue, {"good": succeed, "bad": fail}, around=[metrics.attempts(queue)])

    assert value(registry, "attempts_total", name="good", outcome="completed") == 3
    assert value(registry, "attempts_total", name="bad", outcome="raised") == 2
    assert value(registry, "attempt_seconds_count", name="good") == 3
    assert (value(registry, "attempt_seconds_sum", name="good") or 0) >= 0.03
    assert value(registry, "job_wait_seconds_count", name="bad") == 1
    assert (value(registry, "retries_total"), value(registry, "failures_total")) == (1, 1)


async def test_an_attempt_that_is_stopped_is_no_failure(
    queue: Queue, metrics: Metrics, registry: CollectorRegistry, working: Working
) -> None:
    begun = asyncio.Event()

    async def stay(_job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    await queue.add("x")
    async with working({"x": stay}, around=[metrics.attempts(queue)], grace=0.0):
        await begun.wait()

    assert value(registry, "attempts_total", name="x", outcome="stopped") == 1
    assert value(registry, "attempts_total", name="x", outcome="raised") is None


async def test_an_attempt_that_is_put_off_is_no_failure(
    *,
    queue: Queue,
    metrics: Metrics,
    registry: CollectorRegistry,
    provider: TracerProvider,
    spans: InMemorySpanExporter,
) -> None:
    seen: list[str] = []

    async def early(job: Job) -> None:
        seen.append(job.id)
        if len(seen) == 1:
            raise Postponed(0.01)

    await queue.add("x")
    around = [metrics.attempts(queue), Tracing(provider=provider).attempts(queue)]
    await work_off(queue, {"x": early}, around=around)

    assert value(registry, "attempts_total", name="x", outcome="postponed") == 1
    assert value(registry, "attempts_total", name="x", outcome="raised") is None
    assert [span.status.is_ok for span in spans.get_finished_spans()] == [True, True]


async def test_jobs_are_counted_by_state(
    queue: Queue, metrics: Metrics, registry: CollectorRegistry, until: Until
) -> None:
    async with metrics.follow(queue, every=0.01):
        await queue.add("x")
        await queue.add("x", delay=60)

        async def counted() -> bool:
            return (value(registry, "queue_jobs", state="wait"), value(registry, "queue_jobs", state="delayed")) == (
                1,
                1,
            )

        await until(counted)

    assert value(registry, "queue_jobs", state="failed") == 0


async def test_reconnects_are_counted_while_the_queue_is_followed(
    queue: Queue, metrics: Metrics, registry: CollectorRegistry, client: "redis.asyncio.Redis", until: Until
) -> None:
    async def reconnected() -> bool:
        return value(registry, "reconnects_total") == 1

    async with metrics.follow(queue):
        await queue.ping()
        await client.client_kill_filter(_type="normal", skipme=True)
        await until(reconnected)

    assert queue.reporter.listeners == []


async def test_an_interval_that_is_none_is_refused(queue: Queue, metrics: Metrics) -> None:
    with pytest.raises(QueueError):
        metrics.follow(queue, every=0)


async def test_an_attempt_s_span_continues_the_trace_of_the_add(
    queue: Queue, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    tracing = Tracing(provider=provider)
    tracing.follow(queue)
    with provider.get_tracer("the program").start_as_current_span("request"):
        job = await queue.add("good", job_id="j-1")

    await work_off(queue, {"good": succeed}, around=[tracing.attempts(queue)])

    added, request, processed = _named(spans, "add good", "request", "process good")
    assert _parent(added) == _id(request)
    assert _parent(processed) == _id(added)
    assert {span.context.trace_id for span in (added, request, processed)} == {request.context.trace_id}
    assert (added.kind, processed.kind) == (trace.SpanKind.PRODUCER, trace.SpanKind.CONSUMER)
    assert dict(processed.attributes or {}) == {
        "messaging.system": "bull",
        "messaging.destination.name": "q",
        "messaging.operation.type": "process",
        "messaging.message.id": job.id,
        "holdfast.job.name": "good",
        "holdfast.job.attempt": 1,
        "holdfast.job.outcome": "completed",
    }


async def test_what_a_sync_processor_traces_is_below_its_attempt(
    queue: Queue, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    def processor(_job: Job) -> None:
        with provider.get_tracer("the program").start_as_current_span("inner"):
            pass

    await queue.add("x")

    await work_off(queue, {"x": processor}, around=[Tracing(provider=provider).attempts(queue)])

    inner, processed = _named(spans, "inner", "process x")
    assert _parent(inner) == _id(processed)


async def test_a_failed_attempt_s_span_has_the_error(
    queue: Queue, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    tracing = Tracing(provider=provider)
    await queue.add("bad")

    await work_off(queue, {"bad": fail}, around=[tracing.attempts(queue)])

    (processed,) = _named(spans, "process bad")
    assert processed.parent is None
    assert processed.status.status_code is trace.StatusCode.ERROR
    assert [event.name for event in processed.events] == ["exception"]


async def test_a_job_carries_nothing_when_nobody_traces(queue: Queue) -> None:
    job = await queue.add("x", job_id="j-1")

    assert set(job.opts) == {"attempts", "delay", "jobId", "timestamp"}


async def test_metrics_and_spans_go_together(
    queue: Queue, metrics: Metrics, registry: CollectorRegistry, provider: TracerProvider, spans: InMemorySpanExporter
) -> None:
    tracing = Tracing(provider=provider)
    await queue.add("x")

    await work_off(queue, {"x": succeed}, around=[metrics.attempts(queue), tracing.attempts(queue)])

    assert len(_named(spans, "process x")) == 1
    assert b'holdfast_attempts_total{name="x",outcome="completed",queue="q"} 1.0' in generate_latest(registry)


def test_without_the_extra_the_message_names_it() -> None:
    code = (
        "import sys\n"
        "sys.modules['prometheus_client'] = None\n"
        "from holdfast.errors import NotConfigured\n"
        "try:\n import holdfast.queue.telemetry\n"
        "except NotConfigured as error:\n assert 'holdfast[telemetry]' in str(error), error\n"
        "else:\n raise AssertionError('it was loaded')\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


def _named(spans: InMemorySpanExporter, *names: str) -> list[ReadableSpan]:
    found = {span.name: span for span in spans.get_finished_spans()}
    return [found[name] for name in names]


def _parent(span: ReadableSpan) -> int | None:
    return None if span.parent is None else span.parent.span_id


def _id(span: ReadableSpan) -> int:
    return span.context.span_id
