"""One attempt: run the processor, turn what happened into an outcome. Nothing here talks to Redis."""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import orjson

from holdfast.errors import BadJob, Postponed
from holdfast.queue.jobs.backoffs import RetryRules
from holdfast.queue.jobs.durations import to_ms
from holdfast.queue.jobs.job import Job, sendable
from holdfast.queue.work.threads import Threads

AsyncProcessor: TypeAlias = Callable[[Job], Awaitable[Any]]
Around: TypeAlias = Callable[[Job], AbstractContextManager[None]]
Processor: TypeAlias = AsyncProcessor | Callable[[Job], Any]

NO_RULES = RetryRules()
REASON_CHARS = 10_000
TRACE_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Completed:
    """The processor returned."""

    value: bytes  # JSON


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed and there is another one."""

    reason: str
    trace: str
    delay_ms: int


@dataclass(frozen=True, slots=True)
class PutOff:
    """The processor found that it is too early; the attempt does not count."""

    delay_ms: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt failed and there is no other."""

    reason: str
    trace: str


@dataclass(frozen=True, slots=True)
class Released:
    """The worker stops; somebody else is to run it, as if it had not been taken."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The job is somebody else's by now."""


Outcome: TypeAlias = Completed | Retry | PutOff | Failed | Released | Lost


# Not tried again: somebody does not want it any more.
CANCELLED = Failed("cancelled", "")


class Attempt:
    """One taken job on its way through a worker."""

    __slots__ = (
        "begun", "cancelled", "ended", "job", "lost", "number", "outcome", "released", "renewed_at", "task", "written"
    )  # fmt: skip

    def __init__(self, job: Job, *, number: int, now: float, ended: "Callable[[Attempt], None]") -> None:
        self.job = job
        self.ended = ended  # called once, when there is an outcome
        self.begun = False  # whether the processor was called
        self.number = number  # in the order in which they were taken
        self.renewed_at = now  # monotonic; when its lock was set last
        self.task: asyncio.Task[None] | None = None
        self.lost = False
        self.cancelled = False
        self.released = False
        self.outcome: Outcome | None = None  # None while it runs
        self.written = False  # whether Redis knows the outcome, or nobody needs to know it any more

    def lose(self) -> None:
        """Another worker may own the job: say so and stop the processor."""
        if not self.lost:
            self.lost = True
            self.job.lock_lost.set()
            self._cancel()

    def cancel(self) -> None:
        """Somebody cancelled the job: stop the processor."""
        if self.outcome is None and not self.cancelled:
            self.cancelled = True
            self.job.stop(cancelled=True)
            self._cancel()

    def release(self) -> None:
        """The worker stops: stop the processor."""
        self.released = True
        self._cancel()

    def _cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()
        # A task that is cancelled before its first step runs none of its code, not even its `except`.
        if not self.begun and self.outcome is None:
            self.outcome = Lost() if self.lost else CANCELLED if self.cancelled else Released()
            self.ended(self)


def as_async(processor: Processor, threads: Threads) -> AsyncProcessor:
    """The processor as something to await: a sync one runs in a thread."""
    if is_async(processor):
        return processor

    async def in_thread(job: Job) -> Any:
        call = threads.submit(copy_context().run, processor, job)
        try:
            value = await asyncio.wrap_future(call)
        except asyncio.CancelledError:
            job.stop()  # a thread can only be asked
            threads.leave(call, job.id)
            raise
        return await value if inspect.isawaitable(value) else value

    return in_thread


def surrounded(processor: AsyncProcessor, around: Sequence[Around]) -> AsyncProcessor:
    """The processor inside of these context managers, the first of them outermost."""
    if not around:
        return processor

    async def inside(job: Job) -> Any:
        with ExitStack() as stack:
            for each in around:
                stack.enter_context(each(job))
            return await processor(job)

    return inside


def is_async(processor: Callable[..., Any]) -> bool:
    """Whether calling it gives something to await."""
    while isinstance(processor, partial):
        processor = processor.func
    return inspect.iscoroutinefunction(processor) or inspect.iscoroutinefunction(type(processor).__call__)


async def execute(processors: Mapping[str, AsyncProcessor], attempt: Attempt, rules: RetryRules = NO_RULES) -> Outcome:
    """Run the processor of the job; whatever it does becomes an outcome."""
    job = attempt.job
    processor = processors.get(job.name) or processors.get("*")
    if processor is None:
        return Failed(f"Missing process handler for job type {job.name}", "")
    try:
        limit_ms = job.option("timeout")
        value = await (_within(limit_ms, processor, job) if limit_ms else processor(job))
    except asyncio.CancelledError as error:
        return why_stopped(attempt) or judge(job, error, rules)
    except Postponed as error:
        return CANCELLED if attempt.cancelled else put_off(job, error, rules)
    except Exception as error:  # noqa: BLE001 - a processor may raise anything
        return CANCELLED if attempt.cancelled else judge(job, error, rules)
    try:
        return Completed(orjson.dumps(value))
    except TypeError as error:
        # Running it again would do the work again, and end the same way.
        return Failed(f"the processor's result is no JSON value: {error}", "")


def why_stopped(attempt: Attempt) -> Outcome | None:
    """What an attempt that was told to stop leads to; None when it was not told."""
    if attempt.lost:
        return Lost()
    if attempt.cancelled:
        return CANCELLED
    return Released() if attempt.released else None


async def _within(limit_ms: float, processor: AsyncProcessor, job: Job) -> Any:
    scope = asyncio.timeout(limit_ms / 1000)
    try:
        async with scope:
            return await processor(job)
    except TimeoutError:
        if scope.expired():
            raise TimeoutError(f"job timed out after {limit_ms:g} ms") from None
        raise


def put_off(job: Job, error: Postponed, rules: RetryRules) -> Outcome:
    """What a processor's `Postponed` leads to; a delay that is none is an error of the processor's."""
    try:
        return PutOff(max(1, to_ms(error.delay, what="the delay of Postponed")))
    except BadJob as slip:
        return judge(job, slip, rules)


def judge(job: Job, error: BaseException, rules: RetryRules) -> Retry | Failed:
    """What a failed attempt leads to; looks at the error's type, never at its text."""
    made = job.attempts_made + 1
    delay_ms = None
    if made < _whole(job.opts.get("attempts"), 1):
        delay_ms = rules.wait_ms(job.opts.get("backoff"), made, error)
    reason = _safe(str(error) or type(error).__name__, REASON_CHARS)
    trace = _safe("".join(traceback.format_exception(error)), TRACE_CHARS)  # after the rules, which may add a note
    return Failed(reason, trace) if delay_ms is None else Retry(reason, trace, delay_ms)


def _whole(value: Any, default: int) -> int:
    return int(value) if isinstance(value, int | float) else default


def _safe(text: str, limit: int) -> str:
    """Text that Redis and JSON can carry, not endless."""
    return sendable(text if len(text) <= limit else text[:limit] + "…")
