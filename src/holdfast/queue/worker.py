"""Worker: takes jobs, runs them, writes what came of them; and stops gracefully."""

import asyncio
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from time import monotonic
from types import TracebackType
from typing import Self, TypedDict, Unpack

from redis.exceptions import ResponseError

from holdfast.errors import QueueError
from holdfast.queue.connection import Interrupted, Link, retry_delay, will_pass
from holdfast.queue.execution import Attempt, Processor, as_async, execute
from holdfast.queue.housekeeping import Housekeeping
from holdfast.queue.job import Job
from holdfast.queue.locks import LockKeeper
from holdfast.queue.presence import LiveWorker
from holdfast.queue.queue import Queue
from holdfast.queue.scripts import Row, Scripts
from holdfast.queue.settling import Reports, Settler, Take
from holdfast.queue.signals import stop_on_signals
from holdfast.queue.wakeup import Listener

POLL_INTERVAL = 2.0  # seconds between looks nobody asked for: Bull's retry publishes nothing
SETTLE_GRACE = 5.0  # seconds after the grace period to write what is known


class Tuning(TypedDict, total=False):
    """What few need to change."""

    presence_ttl: float  # seconds after which a silent worker counts as dead (default 3)
    max_stalled: int  # how often a job may be taken over from a dead worker; one more fails it (default 3)
    grace: float  # seconds running jobs get to finish when the worker stops (default 20)
    poll_interval: float  # seconds between looks for work that nobody announced (default 2)
    signals: bool  # stop on SIGTERM and SIGINT (default true); false where the program handles them and calls stop()


class Worker:
    """Runs jobs of a queue until it is stopped.

    `processors` maps job names to functions of one `Job` that return a JSON value; "*" takes all other names. Coroutine
    functions run in the event loop, others in a thread. `lock_duration` is in seconds; a dead worker's jobs are taken
    over within five, whatever it is. Redis being away is waited out, for ever.
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
        self._concurrency = concurrency
        self._lock_ms = round(lock_duration * 1000)
        self._grace = tuning.get("grace", 20.0)
        self._poll_interval = tuning.get("poll_interval", POLL_INTERVAL)
        self._signals = tuning.get("signals", True)
        self._threads = ThreadPoolExecutor(concurrency, thread_name_prefix=f"holdfast {queue.name}")
        self._processors = {name: as_async(processor, self._threads) for name, processor in processors.items()}
        self._reporter = queue.reporter
        self._link = Link(queue.url, reporter=self._reporter)
        self._scripts = Scripts(self._link, queue.keys)
        self._settler = Settler(self._scripts, self._reporter)
        self._reports = Reports(self._scripts)
        self._house = Housekeeping(self._scripts, self.id, self._reporter, max_stalled=tuning.get("max_stalled", 3))
        self._listener = Listener(queue.url, queue.keys, on_work=self._expect_work, on_delayed=self._house.expect)
        self._locks = LockKeeper(
            queue.url,
            queue.keys,
            LiveWorker.here(self.id, concurrency=concurrency),
            lock_duration=lock_duration,
            presence_ttl=tuning.get("presence_ttl", 3.0),
        )
        self._running: dict[Attempt, None] = {}  # in the order in which they were taken; the lock thread reads it
        self._ready: list[Attempt] = []  # ended, not yet written
        self._lost_batches: list[str] = []  # tokens of takes whose reply did not arrive
        self._batches = 0
        self._attempts = 0
        self._refusals = 0
        self._wake = asyncio.Event()
        self._hungry = True  # there may be something to take
        self._stopping = False
        self._deadline: asyncio.Timeout | None = None
        self._stopped = asyncio.Event()
        self._stopped.set()
        self._wordy = False

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
        self._wordy = self._reporter.wordy
        try:
            with stop_on_signals(self._ask_to_stop) if self._signals else nullcontext():
                await self._locks.start(self._running)
                await self._work()
        finally:
            await self._locks.stop()
            await self._link.close()
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._stopped.set()

    async def stop(self) -> None:
        """Stop gracefully and wait until `run` has ended; inside a processor it only asks."""
        self._ask_to_stop()
        if asyncio.current_task() not in {attempt.task for attempt in self._running}:
            await self._stopped.wait()

    def _ask_to_stop(self) -> None:
        if self._stopping:
            return
        self._stopping = True
        if self._deadline is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self._grace, self._release_all)
            self._deadline.reschedule(loop.time() + self._grace + SETTLE_GRACE)
        self._wake.set()

    def _release_all(self) -> None:
        for attempt in self._running:
            if attempt.outcome is None:
                attempt.release()

    def _expect_work(self) -> None:
        self._hungry = True
        self._wake.set()

    async def _work(self) -> None:
        helpers = [
            asyncio.create_task(self._listener.run(), name="holdfast listener"),
            asyncio.create_task(self._house.run(), name="holdfast housekeeping"),
            asyncio.create_task(self._poll(), name="holdfast poll"),
            asyncio.create_task(self._announce(), name="holdfast announcer"),
        ]
        try:
            async with asyncio.timeout(None) as self._deadline:
                await self._loop()
        except TimeoutError:
            self._reporter.warning("worker stopped before all was written", jobs=len(self._running))
        finally:
            self._deadline = None
            await self._cancel([*helpers, *(attempt.task for attempt in self._running if attempt.task is not None)])

    @staticmethod
    async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._poll_interval)
            self._expect_work()

    async def _announce(self) -> None:
        """Say what there is to resume, at the start and after each reconnect."""
        while True:
            await self._link.wait_up()
            seen = self._link.reconnects
            with suppress(Interrupted, ResponseError):
                wait, active, _, _, delayed, paused = await self._scripts.counts()
                self._reporter.info("resuming pending jobs", count=wait + active + delayed + paused)
            await self._link.wait_reconnected(seen)

    async def _loop(self) -> None:
        while True:
            self._wake.clear()
            ended, self._ready = self._ready, []
            room = self._room(len(ended))
            if ended or (room and self._hungry) or self._lost_batches:
                await self._exchange(ended, room)
            elif self._stopping and not self._running:
                return
            else:
                await self._wake.wait()

    def _room(self, ended: int) -> int:
        return 0 if self._stopping else max(0, self._concurrency - len(self._running) + ended)

    async def _exchange(self, ended: list[Attempt], room: int) -> None:
        """Write what ended and take what there is room for, in one round trip; what could not be written stays."""
        try:
            await self._take_lost()
            self._hungry = False
            take = self._next_take(room)
            try:
                rows, error = await self._settler.settle(ended, take)
            except Interrupted:
                # The reply may have carried jobs; they are locked for us, and nobody else will run them.
                self._lost_batches += [take.token] if room else []
                raise
            self._start(rows, take.token)
            self._hungry = self._hungry or (room > 0 and len(rows) == room)
            if error is not None:
                raise error
            self._refusals = 0
        except Interrupted:
            self._hungry = True
        except ResponseError as error:
            self._hungry = True
            await self._sit_out(error)
        finally:
            self._forget(ended)

    async def _take_lost(self) -> None:
        while self._lost_batches:
            token = self._lost_batches[0]
            self._start(await self._scripts.retake(token), token)
            self._lost_batches.pop(0)

    def _next_take(self, room: int) -> Take:
        self._batches += 1
        return Take(limit=room, token=f"{self.id}:{self._batches}", lock_ms=self._lock_ms)

    def _forget(self, ended: list[Attempt]) -> None:
        for attempt in ended:
            if attempt.written:
                del self._running[attempt]
            else:
                self._ready.append(attempt)

    async def _sit_out(self, error: ResponseError) -> None:
        if not will_pass(error):
            self._reporter.warning("redis refused", error=str(error)[:300])
        self._refusals += 1
        await asyncio.sleep(retry_delay(self._refusals))

    def _start(self, rows: list[Row], token: str) -> None:
        now = monotonic()
        for row in rows:
            job = Job(row[-1].decode(), row, token=token, reports=self._reports)
            self._attempts += 1
            attempt = Attempt(job, number=self._attempts, now=now)
            self._running[attempt] = None
            attempt.task = asyncio.create_task(self._attempt(attempt))
            if self._wordy:
                self._reporter.info("processing job", id=job.id, attempt=job.attempts_made + 1, resumed=job.resumed)

    async def _attempt(self, attempt: Attempt) -> None:
        attempt.outcome = await execute(self._processors, attempt)
        self._ready.append(attempt)
        self._wake.set()
