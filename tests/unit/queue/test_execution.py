"""What may come of an attempt."""

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import orjson
import pytest

from holdfast.errors import Unavailable
from holdfast.queue import Job, Postponed, Unrecoverable
from holdfast.queue.reporting import Reporter
from holdfast.queue.work.execution import (
    CANCELLED,
    Attempt,
    Completed,
    Failed,
    Lost,
    Outcome,
    PutOff,
    Released,
    Retry,
    as_async,
    execute,
)
from holdfast.queue.work.threads import Threads


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads(2, Reporter()) as threads:
        yield threads


def _attempt(*, made: int = 0, **opts: Any) -> Attempt:
    row = [b"x", b'{"n": 1}', orjson.dumps(opts), str(made).encode(), None, None, None]
    return Attempt(Job("j-1", row, token="w:1", reports=None), number=1, now=0.0, ended=lambda _: None)


async def _outcome(processor: Any, attempt: Attempt, threads: Threads) -> Outcome:
    return await execute({"x": as_async(processor, threads)}, attempt)


async def test_what_a_processor_returns_is_its_json(threads: Threads) -> None:
    async def processor(job: Job) -> Any:
        return job.data

    assert await _outcome(processor, _attempt(), threads) == Completed(b'{"n":1}')


@pytest.mark.parametrize(
    "processor",
    [lambda job: job.id, partial(lambda prefix, job: job.id, ""), lambda job: asyncio.sleep(0, job.id)],
    ids=["sync", "partial", "sync that gives an awaitable"],
)
async def test_any_callable_will_do(threads: Threads, processor: Any) -> None:
    assert await _outcome(processor, _attempt(), threads) == Completed(b'"j-1"')


@pytest.mark.parametrize(
    ("error", "attempt", "expected"),
    [
        (ValueError("a"), _attempt(), Failed),
        (ValueError("a"), _attempt(attempts=2), Retry),
        (ValueError("a"), _attempt(attempts=2, made=1), Failed),
        (Unrecoverable("a"), _attempt(attempts=9), Failed),
        (asyncio.CancelledError(), _attempt(attempts=2), Retry),
    ],
)
async def test_an_error_leads_to_another_attempt_or_to_the_end(
    threads: Threads, error: BaseException, attempt: Attempt, expected: type[Outcome]
) -> None:
    async def processor(_job: Job) -> None:
        raise error

    assert isinstance(await _outcome(processor, attempt, threads), expected)


async def test_a_server_that_says_when_to_come_back_is_obeyed(threads: Threads) -> None:
    async def processor(_job: Job) -> None:
        raise Unavailable("busy", retry_after=7)

    outcome = await _outcome(processor, _attempt(attempts=2, backoff=1_000), threads)

    assert isinstance(outcome, Retry)
    assert outcome.delay_ms == 7_000


@pytest.mark.parametrize(("delay", "expected"), [(1.5, PutOff(1500)), (0, PutOff(1))])
async def test_a_processor_that_comes_too_early_is_run_again_later(
    threads: Threads, delay: float, expected: Outcome
) -> None:
    def processor(_job: Job) -> None:
        raise Postponed(delay)

    assert await _outcome(processor, _attempt(), threads) == expected


@pytest.mark.parametrize("delay", [-1, float("inf"), float("nan"), "soon"])
async def test_a_delay_that_is_none_is_an_error_of_the_processor_s(threads: Threads, delay: Any) -> None:
    async def processor(_job: Job) -> None:
        raise Postponed(delay)

    outcome = await _outcome(processor, _attempt(), threads)

    assert isinstance(outcome, Failed)
    assert outcome.reason.startswith("the delay of Postponed must be between")


async def test_a_job_that_was_cancelled_is_not_put_off(threads: Threads) -> None:
    attempt = _attempt()

    async def processor(_job: Job) -> None:
        attempt.cancel()
        raise Postponed(1)

    assert await _outcome(processor, attempt, threads) == CANCELLED


async def test_an_error_without_words_is_named_and_a_huge_or_broken_one_is_tamed(threads: Threads) -> None:
    async def wordless(_job: Job) -> None:
        raise KeyError

    async def broken(_job: Job) -> None:
        raise ValueError("\ud800" + "x" * 1_000_000)

    outcome, tamed = [await _outcome(processor, _attempt(), threads) for processor in (wordless, broken)]

    assert isinstance(outcome, Failed)
    assert isinstance(tamed, Failed)
    assert outcome.reason == "KeyError"
    assert tamed.reason.startswith("\\ud800xxx")
    assert len(tamed.reason) + len(tamed.trace) < 40_000


@pytest.mark.parametrize(("cause", "expected"), [("lose", Lost()), ("release", Released())])
async def test_an_attempt_that_is_cancelled_says_why(threads: Threads, cause: str, expected: Outcome) -> None:
    begun = asyncio.Event()

    async def processor(_job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    attempt = _attempt()
    outcomes: list[Outcome] = []

    async def run() -> None:
        outcomes.append(await _outcome(processor, attempt, threads))

    attempt.task = asyncio.create_task(run())
    await begun.wait()

    getattr(attempt, cause)()

    await attempt.task
    assert outcomes == [expected]
    assert attempt.job.lock_lost.is_set() == (cause == "lose")
