"""Worker: takes jobs, runs them, writes what came of them; and stops gracefully."""

import asyncio
import os
import secrets
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from types import TracebackType
from typing import Self, TypedDict, Unpack

from redis.exceptions import ResponseError

from holdfast.errors import QueueError, UnfitServer
from holdfast.queue.client.queue import Queue
from holdfast.queue.jobs.backoffs import Backoff, RetryRules, Strategy
from holdfast.queue.link.connection import Link
from holdfast.queue.link.presence import LiveWorker
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.scripts import Scripts
from holdfast.queue.work.comeback import Comeback
from holdfast.queue.work.execution import Around, AsyncProcessor, Processor, as_async, surrounded
from holdfast.queue.work.housekeeping import Housekeeping
from holdfast.queue.work.limiting import LimitedScripts, RateLimit, Tending, limits_of
from holdfast.queue.work.locks import LockKeeper
from holdfast.queue.work.pools import InProcess, ProcessPool
from holdfast.queue.work.signals import stop_on_signals
from holdfast.queue.work.taking import TakeLoop, TakeRules
from holdfast.queue.work.threads import Threads
from holdfast.queue.work.wakeup import Listener

POLL_INTERVAL = 2.0  # seconds between looks nobody asked for: Bull's retry publishes nothing
SETTLE_GRACE = 5.0  # seconds after the grace period to write what is known
LET_GO_TIME = 2.0  # seconds to write it when `run` was cancelled


class Tuning(TypedDict, total=False):
    """What few need to change."""

    rate_limit: RateLimit | None  # so many jobs in a window of time, by all workers that say so
    group_concurrency: int | None  # so many jobs of one group at once, by all workers that say so (at most 500)
    group_rate: RateLimit | None  # so many jobs of one group in a window of time
    presence_ttl: float  # seconds of silence until it counts as dead (default 3); no call may hold the GIL so long
    max_stalled: int  # how often a job may lose its worker with no new progress; once more fails it (default 3)
    grace: float  # seconds running jobs get to finish when the worker stops (default 20)
    poll_interval: float  # seconds between looks for work that nobody announced (default 2)
    backoffs: Mapping[str, Strategy]  # backoff types of your own: fn(attempts_made, error) -> seconds | None = give up
    errors: Mapping[
        type[BaseException], Backoff | Strategy | None
    ]  # what such an error leads to, whatever the job says
    processes: int  # so many for processors that are in_process (default: as many as CPUs, at most the concurrency)
    around: Sequence[Around]  # context managers around each attempt, the first outermost; see telemetry
    signals: bool  # stop on SIGTERM and SIGINT (default true); false where the program handles them and calls stop()


class Worker:
    """Runs jobs of a queue until it is stopped.

    `processors` maps job names to functions of one `Job` that return a JSON value; "*" takes all other names. Coroutine
    functions run in the event loop, those marked with `in_process` in a process of their own, others in a thread.
    `lock_duration` is in seconds; a dead worker's jobs are taken over within five, whatever it is. Redis being away is
    waited out, for ever.
    """

    def __init__(
        self,
        queue: Queue,
        processors: Mapping[str, Processor],
        *,
        concurrency: int = 10,
        lock_duration: float = 30.0,
        **tuning: Unpack[Tuning],
    ) -> None:
        if concurrency < 1 or lock_duration < 0.1 or not processors:
            raise QueueError("a worker needs a processor, concurrency of 1 or more and lock_duration of 0.1 s or more")
        self.id = secrets.token_hex(8)
        self._queue = queue
        self._grace = tuning.get("grace", 20.0)
        self._poll_interval = tuning.get("poll_interval", POLL_INTERVAL)
        self._signals = tuning.get("signals", True)
        self._reporter = queue.reporter
        self._link = Link(queue.finder, reporter=self._reporter)
        limits = limits_of(tuning.get("rate_limit"), tuning.get("group_concurrency"), tuning.get("group_rate"))
        self._scripts = (
            LimitedScripts(self._link, queue.keys, limits) if any(limits) else Scripts(self._link, queue.keys)
        )
        self._tending = Tending(self._scripts, limits)
        self._pool = ProcessPool(tuning.get("processes", min(concurrency, os.cpu_count() or 1)))
        self._threads = Threads(concurrency, self._reporter)
        self._taking = TakeLoop(
            self._scripts,
            {name: surrounded(self._as_async(each), tuning.get("around", ())) for name, each in processors.items()},
            _take_rules(self.id, concurrency, lock_duration, tuning),
            self._reporter,
        )
        self._taking.threads, self._threads.on_back = self._threads, self._taking.expect_work
        if isinstance(self._scripts, LimitedScripts):
            self._scripts.come_back = self._taking.expect_work
        self._house = Housekeeping(self._scripts, self.id, self._reporter, max_stalled=tuning.get("max_stalled", 3))
        self._listener = Listener(
            queue.finder,
            queue.keys,
            self._reporter,
            on_work=self._taking.expect_work,
            on_delayed=self._house.expect,
            on_cancel=self._taking.cancel,
        )
        self._locks = LockKeeper(
            queue.finder,
            queue.keys,
            LiveWorker.here(self.id, concurrency=concurrency),
            self._reporter,
            lock_duration=lock_duration,
            presence_ttl=tuning.get("presence_ttl", 3.0),
        )
        self._comeback = Comeback(self._link, queue.keys, self._locks, self._taking)
        self._link.before_use = self._comeback.before_use
        self._stopping = False
        self._deadline: asyncio.Timeout | None = None
        self._stopped = asyncio.Event()
        self._stopped.set()

    def _as_async(self, processor: Processor) -> AsyncProcessor:
        return (
            self._pool.processor(processor) if isinstance(processor, InProcess) else as_async(processor, self._threads)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def run(self) -> None:
        """Work until SIGTERM, SIGINT (in the main thread) or `stop`; then let running jobs finish.

        What has not finished after the grace period goes back to the front of the line, its attempts untouched.
        A worker runs once.
        """
        if not self._stopped.is_set():
            raise QueueError("this worker is running already")
        self._stopped.clear()
        try:
            with stop_on_signals(self._ask_to_stop) if self._signals else nullcontext():
                await self._locks.start(self._taking.running)
                await self._work()
        except BaseExceptionGroup as group:
            raise _why(group) from None
        finally:
            if isinstance(self._scripts, LimitedScripts):
                self._scripts.close()
            await self._pool.close()
            await self._locks.stop()
            await self._link.close()
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._stopped.set()

    async def stop(self) -> None:
        """Stop gracefully and wait until `run` has ended; inside a processor it only asks."""
        self._ask_to_stop()
        if asyncio.current_task() not in {attempt.task for attempt in self._taking.running}:
            await self._stopped.wait()

    async def pause(self, *, wait_for_running: bool = False) -> None:
        """Take no jobs here until `resume`; other workers go on, and what runs here does.

        With `wait_for_running` it returns when nothing runs here any more and all is written. `Queue.pause` pauses the
        queue for all workers.
        """
        self._taking.paused = True
        if wait_for_running:
            await self._taking.quiet()

    def resume(self) -> None:
        """Take jobs again."""
        self._taking.paused = False
        self._taking.expect_work()

    @property
    def is_paused(self) -> bool:
        """Whether `pause` was called here; not whether the queue is paused."""
        return self._taking.paused

    def _ask_to_stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        self._taking.stop()
        if self._deadline is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._grace, self._taking.release_all)
            self._deadline.reschedule(loop.time() + self._grace + SETTLE_GRACE)

    async def _work(self) -> None:
        """Take until stopped; a helper that breaks ends the worker rather than leaving it half alive."""
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(self._listener.run(), name="holdfast listener"),
                group.create_task(self._house.run(), name="holdfast housekeeping"),
                group.create_task(self._comeback.run(), name="holdfast comeback"),
                group.create_task(self._tending.run(), name="holdfast tending"),
                group.create_task(self._taking.repeating.run(), name="holdfast repeatables"),
                group.create_task(self._poll(), name="holdfast poll"),
                group.create_task(self._announce(), name="holdfast announcer"),
            ]
            try:
                async with asyncio.timeout(None) as self._deadline:
                    await self._taking.run()
            except TimeoutError:
                self._reporter.warning("worker stopped before all was written", jobs=len(self._taking.running))
            finally:
                self._deadline = None
                for helper in helpers:
                    helper.cancel()
                if self._taking.running:
                    await self._taking.let_go(LET_GO_TIME)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_interval)
            self._taking.expect_work()

    async def _announce(self) -> None:
        """Say what there is to resume, at the start and after each reconnect."""
        while True:
            await self._link.wait_up()
            seen = self._link.reconnects
            with suppress(Interrupted, ResponseError):
                wait, active, _, _, delayed, paused = await self._scripts.counts()
                self._reporter.info("resuming pending jobs", count=wait + active + delayed + paused)
            await self._link.wait_reconnected(seen)


def _why(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What ended the worker: that the server is not fit for a queue, if it was that; else all there is."""
    found: BaseException | None = group.subgroup(UnfitServer)
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found or group


def _take_rules(worker_id: str, concurrency: int, lock_duration: float, tuning: Tuning) -> TakeRules:
    retries = RetryRules(by_name=tuning.get("backoffs", {}), by_error=tuning.get("errors", {}))
    lock_ms = round(lock_duration * 1000)
    return TakeRules(worker_id=worker_id, concurrency=concurrency, lock_ms=lock_ms, retries=retries)
