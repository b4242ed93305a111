"""The take loop: write what ended and take what there is room for, in one round trip."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from time import monotonic

from redis.exceptions import ResponseError

from holdfast.queue.client.repeating import Repeating
from holdfast.queue.jobs.backoffs import RetryRules
from holdfast.queue.jobs.job import Job
from holdfast.queue.link.connection import retry_delay, will_pass
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Row, Scripts
from holdfast.queue.work.execution import (
    NO_RULES,
    AsyncProcessor,
    Attempt,
    Failed,
    Released,
    execute,
)
from holdfast.queue.work.settling import Reports, Settler, Take
from holdfast.queue.work.threads import Threads

BATCH = 500  # results or jobs in one script call
# Two exchanges at a time keep Redis and this process busy at once, with half of the jobs each.
LANES = 2
LEAST_BATCH = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeRules:
    """How a worker takes."""

    worker_id: str
    concurrency: int  # jobs it runs at once
    lock_ms: int
    retries: RetryRules = NO_RULES


@dataclass(slots=True)
class Exchange:
    """Results on their way to Redis and jobs on their way back."""

    ended: list[Attempt]
    room: int  # for jobs that may come back
    take: Take


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
        self.threads: Threads | None = None  # those of the sync processors, if there are any
        self._batch = min(BATCH, max(LEAST_BATCH, rules.concurrency // LANES))
        # In the order in which they were taken; what ended stays until it is written, so that its lock is kept.
        self.running: dict[Attempt, None] = {}
        self._ready: list[Attempt] = []  # ended, not yet on its way to Redis
        self._lost_batches: list[str] = []  # tokens of takes whose reply did not arrive
        self._batches = self._attempts = self._refusals = 0
        self._room_given = 0  # jobs that takes on their way may bring
        self._leaving = 0  # attempts on their way to Redis
        self._under_way = 0  # exchanges
        self._lanes = LANES if rules.concurrency > LEAST_BATCH else 1
        self._exchanged = asyncio.Event()  # set after each exchange, for those who wait for quiet
        self._turn_is_due = False
        self._over: asyncio.Future[None] | None = None  # resolved when nothing is left to do
        self._gone = True  # until `run`, and when it has ended
        self._hungry = True  # there may be something to take
        self._stopping = False
        self.paused = False  # by this worker's own `pause`
        self._holding_off = False

    def expect_work(self) -> None:
        """There may be something to take."""
        self._hungry = True
        self._turn()

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
        self._turn_soon()

    def cancel(self, job_id: str) -> None:
        """Stop the job if it runs here: somebody cancelled it."""
        for attempt in list(self.running):
            if attempt.job.id == job_id:
                attempt.cancel()

    async def quiet(self) -> None:
        """Wait until nothing runs and nothing is on its way, either way."""
        while (self.running or self._room_given) and not self._gone:
            self._exchanged.clear()
            await self._exchanged.wait()

    def release_all(self) -> None:
        """Stop what is running; it goes back to the front of the line."""
        for attempt in list(self.running):
            if attempt.outcome is None:
                attempt.release()

    async def run(self) -> None:
        """Take, run and write, until stopped and done."""
        self._gone, self._over = False, asyncio.get_running_loop().create_future()
        try:
            async with asyncio.TaskGroup() as self._group:
                self._turn()
                await self._over
        finally:
            self._gone = True
            self._exchanged.set()

    async def let_go(self, within: float) -> None:
        """Stop everything and write what can be written within so many seconds; for the end that was not graceful."""
        self._gone = True
        self.release_all()
        tasks = [attempt.task for attempt in self.running if attempt.task is not None]
        try:
            async with asyncio.timeout(within):
                await asyncio.gather(*tasks, return_exceptions=True)
                left = [attempt for attempt in self.running if not attempt.written]
                for attempt in left:
                    attempt.outcome = attempt.outcome or Released()  # cancelled from outside before its first step
                await self._settler.settle(left, self._next_take(0))
        except (TimeoutError, Interrupted, ResponseError):
            pass  # others take it over when this worker's presence has run out
        for attempt in [attempt for attempt in self.running if attempt.written]:
            del self.running[attempt]

    def _turn(self) -> None:
        """Begin as many exchanges with Redis as there is need and room for; called whenever something changed."""
        self._turn_is_due = False
        while not self._gone and self._under_way < self._lanes:
            room = self._room(min(len(self._ready), self._batch))
            if not (self._ready or self._lost_batches or (room and self._hungry)):
                break
            self._begin(room)
        if self._stopping and not self.running and not self._under_way and self._over and not self._over.done():
            self._over.set_result(None)

    def _turn_soon(self) -> None:
        """What ends in the same turn of the event loop goes to Redis together."""
        if not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _room(self, ended: int) -> int:
        if self._stopping or self.paused:
            return 0
        occupied = len(self.running) - self._leaving - ended + self._room_given
        if self.threads is not None:
            occupied += self.threads.left
        return max(0, min(self._rules.concurrency - occupied, self._batch))

    def _begin(self, room: int) -> None:
        # What a stop gives back goes in one call, which is what keeps its order.
        size = BATCH if self._stopping else self._batch
        ended, self._ready = self._ready[:size], self._ready[size:]
        exchange = Exchange(ended, room, self._next_take(0 if self._holding_off else room))
        self._under_way += 1
        self._leaving += len(ended)
        self._room_given += room
        self._hungry = False
        if self._lost_batches or not self._settler.send(ended, exchange.take, partial(self._arrived, exchange)):
            self._group.create_task(self._exchange(exchange))

    def _arrived(self, exchange: Exchange, rows: list[Row], error: Exception | None) -> None:
        """What `Settler.send` led to. Called where the reply was read, so nothing may go up from here."""
        if self._gone:
            return
        try:
            if error is None:
                self._take_in(exchange, rows)
                self._finish(exchange)
            elif isinstance(error, Interrupted):
                self._remember(exchange)
                self._finish(exchange)
            else:  # a server that does not know the script, or refuses it: all the steps, with patience
                self._group.create_task(self._exchange(exchange))
        except Exception as fault:  # noqa: BLE001 - a fault of ours ends the worker, not the connection
            if self._over and not self._over.done():
                self._over.set_exception(fault)

    async def _exchange(self, exchange: Exchange) -> None:
        """Write and take; what could not be written stays ready."""
        try:
            await self._scripts.wait_up()  # what may be taken is known only then
            await self._take_lost()
            if self._holding_off:
                exchange.take = self._next_take(0)
            await self._settle_and_take(exchange)
        except Interrupted:
            self._hungry = True
        except ResponseError as error:
            self._hungry = True
            await self._sit_out(error)
        except asyncio.CancelledError:
            self._gone = True
            raise
        self._finish(exchange)

    async def _settle_and_take(self, exchange: Exchange) -> None:
        self._hungry = False
        try:
            rows, error = await self._settler.settle(exchange.ended, exchange.take)
        except Interrupted:
            self._remember(exchange)
            raise
        self._take_in(exchange, rows)
        if error is not None:
            raise error

    def _take_in(self, exchange: Exchange, rows: list[Row]) -> None:
        self._refusals = 0
        self._start(rows, exchange.take.token)
        if 0 < exchange.take.limit == len(rows):
            self._hungry = True

    def _remember(self, exchange: Exchange) -> None:
        """The reply that was lost may have carried jobs; they are locked for us, and nobody else will run them."""
        self._hungry = True
        if exchange.take.limit:
            self._lost_batches.append(exchange.take.token)

    def _finish(self, exchange: Exchange) -> None:
        self._under_way -= 1
        self._leaving -= len(exchange.ended)
        self._room_given -= exchange.room
        for attempt in exchange.ended:
            if attempt.written:
                del self.running[attempt]
            else:
                self._ready.append(attempt)
        self._exchanged.set()
        self._turn()

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
            attempt = Attempt(job, number=self._attempts, now=now, ended=self._end)
            self.running[attempt] = None
            attempt.task = create_task(self._attempt(attempt), name="holdfast job")
            if self._wordy:
                self._reporter.info("processing job", id=job.id, attempt=job.attempts_made + 1, resumed=job.resumed)

    async def _attempt(self, attempt: Attempt) -> None:
        attempt.begun = True
        try:
            attempt.outcome = await execute(self._processors, attempt, self._rules.retries)
        except Exception as error:  # noqa: BLE001 - a job whose fields are broken must not hold its place for ever
            attempt.outcome = Failed(f"the job cannot be read: {error}", "")
        self._end(attempt)

    def _end(self, attempt: Attempt) -> None:
        self._ready.append(attempt)
        full = len(self._ready) >= self._batch or len(self._ready) + self._leaving == len(self.running)
        if full and not attempt.released:
            self._turn()  # there is nothing to wait for
        else:
            self._turn_soon()
