"""OpenTelemetry spans of units, steps and calls; only with the extra `traces` and somebody who collects them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog

from holdfast.errors import NotConfigured, Postponed
from holdfast.queue import Job, Queue
from holdfast.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

Tell: TypeAlias = Callable[[Mapping[str, Any]], None]  # puts attributes onto the span

MISSING = 'pip install "holdfast[traces]"'

log = structlog.get_logger("holdfast.service")


class Traces:
    """The spans of one process, in the traces that jobs carry with them.

    A span says ids, counts, models, tokens and money; never a text, a reply or a key, not even in an error.
    """

    def __init__(self, provider: "TracerProvider | None" = None) -> None:
        from opentelemetry import trace  # noqa: PLC0415 - an extra; whoever does not trace does not have it

        from holdfast.queue.telemetry import Tracing  # noqa: PLC0415

        self._trace = trace
        self._tracer = trace.get_tracer("holdfast.service", tracer_provider=provider)
        self.queue = Tracing(provider=provider)

    def follow(self, queue: Queue) -> None:
        """Jobs added from now on carry the trace they were added in."""
        self.queue.follow(queue)

    @contextmanager
    def unit(self, job: Job) -> Iterator[None]:
        """An attempt at a unit, below the queue's span of the job."""
        about = {
            "holdfast.stage": job.name,
            "holdfast.unit.id": job.data.get("unit"),
            "holdfast.unit.ordinal": job.data.get("ordinal"),
            "holdfast.generation.id": job.data.get("generation"),
            "holdfast.unit.resumed": job.resumed,
        }
        with self._span(f"unit {job.name}", about):
            yield

    @contextmanager
    def step(self, name: str, model: str) -> Iterator[Tell]:
        """A step: its name, and whether its reply was there already."""
        with self._span(
            f"step {name.partition('/')[0]}", {"holdfast.step.name": name, "holdfast.model": model}
        ) as tell:
            yield tell

    @contextmanager
    def call(self, model: str) -> Iterator[Tell]:
        """A call to a model, with the attributes of OpenTelemetry's conventions for generative AI."""
        provider, _, name = model.rpartition(":")
        about = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider or "holdfast",
            "gen_ai.request.model": name,
        }
        with self._span(f"chat {name}", about, kind=self._trace.SpanKind.CLIENT) as tell:
            yield tell

    @contextmanager
    def _span(self, name: str, about: Mapping[str, Any], *, kind: Any = None) -> Iterator[Tell]:
        # An exception's text may quote what a provider said: the span gets the type of it alone.
        with self._tracer.start_as_current_span(
            name,
            kind=kind or self._trace.SpanKind.INTERNAL,
            attributes={key: value for key, value in about.items() if value is not None},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield span.set_attributes
            except Postponed:
                raise  # it is to run later: no error
            except Exception as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(self._trace.StatusCode.ERROR)
                raise


@contextmanager
def opened_traces(settings: Settings) -> Iterator[Traces | None]:
    """The process' traces; None when nobody collects any.

    They go where OTEL_TRACES_EXPORTER says, and without it to OTEL_EXPORTER_OTLP_ENDPOINT, which is left alone with a
    word in the log if nothing that could send them is installed. Without both the tracer provider that the program has
    set is used, as `opentelemetry-instrument` sets one. Raises NotConfigured for an exporter that is asked for by name
    and not installed.
    """
    asked = settings.traces_exporter or None
    exporter = asked or ("otlp" if settings.otlp_endpoint else None)
    provider = None
    if exporter not in {None, "none"} and not _is_configured():
        try:
            provider = _provider(str(exporter), settings.otlp_protocol)
        except NotConfigured as error:
            if asked is not None:
                raise
            log.warning("traces are not sent", reason=str(error))
    if provider is None:
        yield Traces() if exporter != "none" and _is_configured() else None
        return
    try:
        yield Traces(provider)
    finally:
        provider.shutdown()  # what is not sent yet goes out


def _is_configured() -> bool:
    with suppress(ImportError):
        from opentelemetry import trace  # noqa: PLC0415

        return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
    return False


def _provider(exporter: str, protocol: str | None) -> Any:
    try:
        from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError as error:
        raise NotConfigured(f"traces need OpenTelemetry's SDK: {MISSING}") from error
    found = _exporter(exporter, protocol)
    if found is None:
        raise NotConfigured(f"no OpenTelemetry exporter {exporter!r} is installed: {MISSING}")
    provider = TracerProvider(resource=Resource({SERVICE_NAME: "holdfast"}).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(found.load()()))
    return provider


def _exporter(name: str, protocol: str | None) -> EntryPoint | None:
    """The installed exporter of that name; `otlp` is a different one for each protocol."""
    names = {"grpc": ["otlp_proto_grpc", "otlp"], "http/protobuf": ["otlp_proto_http"]}
    wanted = [name]
    if name == "otlp":
        wanted = ["otlp_proto_http", "otlp_proto_grpc", "otlp"] if protocol is None else names.get(protocol, [])
    installed = {each.name: each for each in entry_points(group="opentelemetry_traces_exporter")}
    return next((installed[each] for each in wanted if each in installed), None)
