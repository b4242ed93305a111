"""Writes what came of attempts, many in one round trip, and takes the next jobs on the way.

A success is never demoted: what could not be written is written again, until it is or the job is somebody else's.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from redis.exceptions import ResponseError

from holdfast.errors import JobNotFound, LockLost
from holdfast.queue.jobs.options import keep_to_script
from holdfast.queue.link.connection import will_pass
from holdfast.queue.link.wire import Interrupted
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Blame, Result, Row, Scripts, Word
from holdfast.queue.work.execution import Attempt, Completed, Failed, Lost, PutOff, Released, Retry

LOG_LINES = 1_000  # kept of each job's log
REASON_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """How many jobs to take on the way, and how to lock them."""

    limit: int
    token: str
    lock_ms: int


class Settler:
    """Sets `written` on each attempt that needs no more attention."""

    def __init__(self, scripts: Scripts, reporter: Reporter) -> None:
        self._scripts = scripts
        self._reporter = reporter
        self._wordy = reporter.wordy

    async def settle(self, ended: list[Attempt], take: Take) -> tuple[list[Row], BaseException | None]:
        """Write the outcomes, take jobs; with the error, if a failed or released one could not be written.

        Interrupted or ResponseError when the results could not be: then nothing was taken, or its reply is lost.
        """
        completed: list[tuple[Attempt, Result]] = []
        others: list[Attempt] = []
        for attempt in ended:
            outcome = attempt.outcome
            if isinstance(outcome, Completed):
                completed.append((attempt, _result(attempt, outcome.value)))
            else:
                others.append(attempt)
        if not others:
            return await self._complete(completed, take), None
        # Each is tried, so that one that cannot be written holds up no other. They go out before the take does: it may
        # bring a job that is to run again at once.
        calls = [asyncio.ensure_future(call) for call in self._calls(others)]
        writing = asyncio.ensure_future(self._complete(completed, take))
        answers = await asyncio.gather(writing, *calls, return_exceptions=True)
        return await writing, next((answer for answer in answers[1:] if isinstance(answer, BaseException)), None)

    def send(self, ended: list[Attempt], take: Take, then: Callable[[list[Row], Exception | None], None]) -> bool:
        """Settle within one script call and without a turn of the event loop, when all is well: each attempt returned,
        there is a connection. False, and nothing is done, otherwise. `then` gets the rows or the error."""
        results = []
        for attempt in ended:
            if not isinstance(attempt.outcome, Completed):
                return False
            results.append(_result(attempt, attempt.outcome.value))

        def exchanged(words: list[Word], rows: list[Row], error: Exception | None) -> None:
            for attempt, word in zip(ended, words, strict=False):  # no words with an error
                self._completed(attempt, word)
            then(rows, error)

        return self._scripts.complete_now(results, (take.limit, take.token, take.lock_ms), exchanged)

    def _completed(self, attempt: Attempt, word: Word) -> None:
        if self._accepted(attempt, word) and self._wordy:
            self._reporter.info("job completed", id=attempt.job.id)

    def _calls(self, ended: list[Attempt]) -> list[Awaitable[None]]:
        calls: list[Awaitable[None]] = []
        released: list[Attempt] = []
        for attempt in ended:
            match attempt.outcome:
                case Retry() as retry:
                    calls.append(self._retry(attempt, retry))
                case PutOff(delay_ms=delay_ms):
                    calls.append(self._postpone(attempt, delay_ms))
                case Failed() as failed:
                    calls.append(self._fail(attempt, failed))
                case Released():
                    released.append(attempt)
                case Lost():
                    self._discard(attempt, "lock_lost")
                case Completed() | None:
                    raise AssertionError(attempt)
        return [*calls, self._release(released)] if released else calls

    async def _complete(self, completed: list[tuple[Attempt, Result]], take: Take) -> list[Row]:
        if not completed:
            if take.limit == 0:
                return []
            return await self._scripts.take(take.limit, take.token, take.lock_ms, announce=False)
        results = [result for _, result in completed]
        words, rows = await self._scripts.complete(results, limit=take.limit, token=take.token, lock_ms=take.lock_ms)
        for (attempt, _), word in zip(completed, words, strict=True):
            self._completed(attempt, word)
        return rows

    async def _retry(self, attempt: Attempt, retry: Retry) -> None:
        blame = _blame(attempt, retry.reason, retry.trace)
        word = await self._scripts.retry(blame, delay_ms=retry.delay_ms)
        if self._accepted(attempt, word):
            left = int(attempt.job.option("attempts") or 1) - blame.attempts_made
            reason = retry.reason[:REASON_SHOWN]
            self._reporter.warning("job failed", id=attempt.job.id, reason=reason, attempts_left=left)

    async def _postpone(self, attempt: Attempt, delay_ms: int) -> None:
        word = await self._scripts.postpone(attempt.job.id, attempt.job.token or "", delay_ms=delay_ms)
        if self._accepted(attempt, word) and self._wordy:
            self._reporter.info("job postponed", id=attempt.job.id, delay=delay_ms / 1000)

    async def _fail(self, attempt: Attempt, failed: Failed) -> None:
        keep = keep_to_script(attempt.job.option("removeOnFail"))
        word = await self._scripts.fail(_blame(attempt, failed.reason, failed.trace), keep=keep)
        if self._accepted(attempt, word):
            reason = failed.reason[:REASON_SHOWN]
            self._reporter.warning("job failed", id=attempt.job.id, reason=reason, attempts_left=0)

    async def _release(self, released: list[Attempt]) -> None:
        released.sort(key=lambda attempt: attempt.number, reverse=True)  # the first taken runs first again
        words = await self._scripts.release((attempt.job.id, attempt.job.token or "") for attempt in released)
        for attempt, word in zip(released, words, strict=True):
            self._accepted(attempt, word)

    def _accepted(self, attempt: Attempt, word: Word) -> bool:
        if word in ("ok", "written"):
            attempt.written = True
            return True
        self._discard(attempt, word)
        return False

    def _discard(self, attempt: Attempt, word: Word) -> None:
        attempt.written = True
        self._reporter.warning("lock lost, result discarded", id=attempt.job.id, reason=word)


class Reports:
    """Progress and log lines of running jobs; they wait for Redis as long as it takes."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def progress(self, job_id: str, token: str, progress: bytes, *, back: bool) -> bool:
        """Whether it was noted; raises LockLost or JobNotFound when the job is not the caller's any more."""
        return await _until_done(job_id, lambda: self._scripts.progress(job_id, token, progress, back=back)) == "ok"

    async def log(self, job_id: str, token: str, line: str) -> None:
        """Raises as `progress`; a line may be there twice when a reply was lost."""
        await _until_done(job_id, lambda: self._scripts.log(job_id, token, line, limit=LOG_LINES))


async def _until_done(job_id: str, call: Callable[[], Awaitable[Word]]) -> Word:
    while True:
        try:
            word = await call()
        except Interrupted:
            continue
        except ResponseError as error:
            if not will_pass(error):
                raise
            await asyncio.sleep(0.5)
            continue
        if word == "missing":
            raise JobNotFound(job_id=job_id)
        if word not in ("ok", "behind"):
            raise LockLost(job_id=job_id)
        return word


def _result(attempt: Attempt, value: bytes) -> Result:
    job = attempt.job
    keep = job.option("removeOnComplete")
    return Result(
        job.id,
        job.token or "",
        value,
        keep_to_script(keep) if keep is not None else "",
        ("f" if job.failed_before else "") + ("d" if job.option("debounce") is not None else ""),
    )


def _blame(attempt: Attempt, reason: str, trace: str) -> Blame:
    job = attempt.job
    limit = job.option("stackTraceLimit")
    return Blame(
        job_id=job.id,
        token=job.token or "",
        attempts_made=job.attempts_made + 1,
        reason=reason,
        trace=trace,
        trace_limit=int(limit) if isinstance(limit, int | float) else 10,
    )
