"""The take loop: write what ended and take what there is room for, in one round trip."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from redis.exceptions import ResponseError

from holdfast.queue.backoffs import RetryRules
from holdfast.queue.connection import retry_delay, will_pass
from holdfast.queue.execution import NO_RULES, AsyncProcessor, Attempt, Failed, Lost, Released, execute
from holdfast.queue.job import Job
from holdfast.queue.repeating import Repeating
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Row, Scripts
from holdfast.queue.settling import Reports, Settler, Take
from holdfast.queue.wire import Interrupted

BATCH = 500  # results or jobs in one script call
# Two exchanges at a time keep Redis and this process busy at once; below this size a batch is not worth splitting.
LANES = 2
LEAST_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRules:
    """How a worker takes."""

    worker_id: str
    concurrency: int  # jobs it runs at once
    lock_ms: int
    retries: RetryRules = NO_RULES


class TakeLoop:
    """Runs until it was asked to stop and nothing is left to run or to write."""

    def __init__(
        self, scripts: Scripts, processors: Mapping[str, AsyncProcessor], rules: TakeRules, reporter: Reporter
    ) -> None:
        self._scripts = scripts
        self._processors = processors
        self._rules = rules
        self._reporter = reporter
        self._wordy = reporter.wordy
        self._settler = Settler(scripts, reporter)
        self._reports = Reports(scripts)
        self.repeating = Repeating(scripts, rules.worker_id, reporter)
        self._batch = min(BATCH, max(LEAST_BATCH, rules.concurrency // LANES))
        # In the order in which they were taken; what ended stays until it is written, so that its lock is kept.
        self.running: dict[Attempt, None] = {}
        self._ready: list[Attempt] = []  # ended, not yet on its way to Redis
        self._lost_batches: list[str] = []  # tokens of takes whose reply did not arrive
        self._batches = self._attempts = self._refusals = 0
        self._room_given = 0  # jobs that takes on their way may bring
        self._leaving = 0  # attempts on their way to Redis
        self._wake = asyncio.Event()
        self._hungry = True  # there may be something to take
        self._stopping = False
        self._holding_off = False

    def expect_work(self) -> None:
        """There may be something to take."""
        self._hungry = True
        self._wake.set()

    def hold_off(self) -> None:
        """Take nothing until `go_on`; what runs goes on and is written."""
        self._holding_off = True

    def go_on(self) -> None:
        """Take again."""
        self._holding_off = False
        self.expect_work()

    def stop(self) -> None:
        """Take no more; run what is running."""
        self._stopping = True
        self._wake.set()

    def release_all(self) -> None:
        """Stop what is running; it goes back to the front of the line."""
        for attempt in self.running:
            if attempt.outcome is None:
                attempt.release()

    async def run(self) -> None:
        """Take, run and write, until stopped and done."""
        async with asyncio.TaskGroup() as lanes:
            for _ in range(LANES if self._rules.concurrency > LEAST_BATCH else 1):
                lanes.create_task(self._lane())

    async def let_go(self, within: float) -> None:
        """Stop everything and write what can be written within so many seconds; for the end that was not graceful."""
        self.release_all()
        tasks = [attempt.task for attempt in self.running if attempt.task is not None]
        try:
            async with asyncio.timeout(within):
                await asyncio.gather(*tasks, return_exceptions=True)
                left = [attempt for attempt in self.running if not attempt.written]
                await self._settler.settle(left, self._next_take(0))
        except (TimeoutError, Interrupted, ResponseError):
            pass  # others take it over when this worker's presence has run out
        for attempt in [attempt for attempt in self.running if attempt.written]:
            del self.running[attempt]

    async def _lane(self) -> None:
        while True:
            self._wake.clear()
            ended, self._ready = self._ready[: self._batch], self._ready[self._batch :]
            room = self._room(len(ended))
            if ended or (room and self._hungry) or self._lost_batches:
                await self._exchange(ended, room)
            elif self._stopping and not self.running:
                self._wake.set()  # for the other lane
                return
            else:
                await self._wake.wait()

    def _room(self, ended: int) -> int:
        if self._stopping:
            return 0
        occupied = len(self.running) - self._leaving - ended + self._room_given
        return max(0, min(self._rules.concurrency - occupied, self._batch))

    async def _exchange(self, ended: list[Attempt], room: int) -> None:
        """Write and take; what could not be written stays ready."""
        self._leaving += len(ended)
        self._room_given += room
        try:
            await self._scripts.wait_up()  # what may be taken is known only then
            await self._take_lost()
            await self._settle_and_take(ended, 0 if self._holding_off else room)
            self._refusals = 0
        except Interrupted:
            self._hungry = True
        except ResponseError as error:
            self._hungry = True
            await self._sit_out(error)
        finally:
            self._leaving -= len(ended)
            self._room_given -= room
            self._forget(ended)

    async def _settle_and_take(self, ended: list[Attempt], room: int) -> None:
        self._hungry = False
        take = self._next_take(room)
        try:
            rows, error = await self._settler.settle(ended, take)
        except Interrupted:
            # The reply may have carried jobs; they are locked for us, and nobody else will run them.
            self._lost_batches += [take.token] if room else []
            raise
        self._start(rows, take.token)
        if 0 < room == len(rows):
            self.expect_work()
        if error is not None:
            raise error

    async def _take_lost(self) -> None:
        while self._lost_batches:
            token = self._lost_batches.pop()
            try:
                rows = await self._scripts.retake(token)
            except BaseException:
                self._lost_batches.append(token)
                raise
            self._start(rows, token)

    def _next_take(self, room: int) -> Take:
        self._batches += 1
        return Take(limit=room, token=f"{self._rules.worker_id}:{self._batches}", lock_ms=self._rules.lock_ms)

    def _forget(self, ended: list[Attempt]) -> None:
        for attempt in ended:
            if attempt.written:
                del self.running[attempt]
            else:
                self._ready.append(attempt)

    async def _sit_out(self, error: ResponseError) -> None:
        if not will_pass(error):
            self._reporter.warning("redis refused", error=str(error)[:300])
        self._refusals += 1
        await asyncio.sleep(retry_delay(self._refusals))

    def _start(self, rows: list[Row], token: str) -> None:
        self.repeating.see_to(rows)
        now = monotonic()
        create_task = asyncio.get_running_loop().create_task
        for row in rows:
            job = Job(row[-1].decode(errors="replace"), row, token=token, reports=self._reports)
            self._attempts += 1
            attempt = Attempt(job, number=self._attempts, now=now)
            self.running[attempt] = None
            attempt.task = create_task(self._attempt(attempt))
            attempt.task.add_done_callback(partial(self._see_to_the_unbegun, attempt))
            if self._wordy:
                self._reporter.info("processing job", id=job.id, attempt=job.attempts_made + 1, resumed=job.resumed)

    async def _attempt(self, attempt: Attempt) -> None:
        try:
            attempt.outcome = await execute(self._processors, attempt, self._rules.retries)
        except Exception as error:  # noqa: BLE001 - a job whose fields are broken must not hold its place for ever
            attempt.outcome = Failed(f"the job cannot be read: {error}", "")
        self._ready.append(attempt)
        self._wake.set()

    def _see_to_the_unbegun(self, attempt: Attempt, _task: "asyncio.Task[None]") -> None:
        # A task that is cancelled before its first step runs none of its code, not even its `except`.
        if attempt.outcome is None:
            attempt.outcome = Lost() if attempt.lost else Released()
            self._ready.append(attempt)
            self._wake.set()
