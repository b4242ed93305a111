"""Who watches the work: what runs below an attempt tells its metrics and its traces, if there are any.

A context variable, as OpenTelemetry's own context is one: a unit's work goes on in a task of its own after its lock was
lost, and is still watched there.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from decimal import Decimal
from time import perf_counter
from typing import Any, TypeAlias

from holdfast.durable import Reply, Steps
from holdfast.errors import BudgetUsedUp, Postponed, StepHeld, StepNotWanted
from holdfast.queue import Job, Queue
from holdfast.service.metrics import Metrics
from holdfast.service.tracing import Traces

Around: TypeAlias = Callable[[Job], AbstractContextManager[None]]

_WATCH: ContextVar["Watch | None"] = ContextVar("holdfast watch", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Counts and traces what one process does."""

    metrics: Metrics
    traces: Traces | None = None  # None: nobody traces, and nothing is spent on it

    def around(self, queue: Queue) -> list[Around]:
        """What a worker puts around each attempt."""
        traced = [self.traces.queue.attempts(queue)] if self.traces is not None else []
        return [self.metrics.queue.attempts(queue), *traced, self._unit]

    @contextmanager
    def _unit(self, job: Job) -> Iterator[None]:
        token = _WATCH.set(self)
        began, outcome = perf_counter(), "done"
        with ExitStack() as stack:
            if self.traces is not None:
                stack.enter_context(self.traces.unit(job))
            try:
                yield
            except BaseException as error:
                outcome = _unit_outcome(error)
                raise
            finally:
                _WATCH.reset(token)
                self.metrics.unit_ended(job.name, outcome, perf_counter() - began)


@dataclass(slots=True, kw_only=True)
class StepRun:
    """One run of a step, as it is watched."""

    watch: Watch
    name: str
    model: str
    attributes: dict[str, Any] = field(default_factory=dict)  # of its span
    called: bool = False

    @property
    def kind(self) -> str:
        """`label` of `label/7`: few, whatever the number of clusters."""
        return self.name.partition("/")[0]

    async def call(self, call: Callable[[], Awaitable[Reply]]) -> Reply:
        """Make the call, timed and traced."""
        self.called = True
        began, outcome = perf_counter(), "answered"
        with ExitStack() as stack:
            span = None
            if self.watch.traces is not None:
                span = stack.enter_context(self.watch.traces.call(self.model))
            try:
                reply = await call()
            except BaseException as error:
                outcome = type(error).__name__ if isinstance(error, Exception) else "stopped"
                raise
            finally:
                self.watch.metrics.call_ended(self.model, outcome, perf_counter() - began)
            if span is not None:
                span(_billed(reply))
            return reply


class WatchedSteps(Steps):
    """Steps that tell how they went to whoever watches the attempt they run in."""

    async def run(
        self,
        name: str,
        call: Callable[[], Awaitable[Reply]],
        *,
        inputs: Any,
        model: str = "",
        reserve: Decimal = Decimal(0),
        credential: str = "",
    ) -> Any:
        """As `Steps.run`."""
        more: dict[str, Any] = {"inputs": inputs, "model": model, "reserve": reserve, "credential": credential}
        watch = _WATCH.get()
        if watch is None:
            return await super().run(name, call, **more)
        step = StepRun(watch=watch, name=name, model=model)
        with ExitStack() as stack:
            tell = stack.enter_context(watch.traces.step(name, model)) if watch.traces is not None else None
            outcome = "failed"
            try:
                value = await super().run(name, lambda: step.call(call), **more)
                outcome = "made" if step.called else "replayed"
            except (StepHeld, BudgetUsedUp, StepNotWanted) as reason:
                outcome = "held" if isinstance(reason, StepHeld) else "refused"
                raise
            finally:
                watch.metrics.step_ended(step.kind, outcome)
                if tell is not None:
                    tell({"holdfast.step.outcome": outcome, "holdfast.step.replayed": outcome == "replayed"})
            return value


def _unit_outcome(error: BaseException) -> str:
    if isinstance(error, Postponed):
        return "postponed"
    return "failed" if isinstance(error, Exception) else "stopped"


def _billed(reply: Reply) -> Mapping[str, Any]:
    """What a span says of a reply: figures, never text."""
    names = {"input_tokens": "gen_ai.usage.input_tokens", "output_tokens": "gen_ai.usage.output_tokens"}
    usage = {names[kind]: count for kind, count in reply.usage.items() if kind in names}
    return {**usage, "holdfast.cost_usd": float(reply.cost)}
