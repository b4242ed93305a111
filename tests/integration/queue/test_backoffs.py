"""What a worker's own rules make of failed attempts, on a real Redis."""

from collections.abc import Awaitable, Callable
from typing import Any

from holdfast.queue import Backoff, Job, Queue


async def test_a_worker_s_own_backoff_is_named_on_the_wire_and_asked_after_each_failure(
    queue: Queue, working: Callable[..., Any], counted: Callable[..., Awaitable[None]]
) -> None:
    asked: list[tuple[int, str]] = []

    def patience(attempts_made: int, error: BaseException) -> float | None:
        asked.append((attempts_made, str(error)))
        return None if attempts_made == 3 else 0.01

    async def processor(_job: Job) -> None:
        raise ValueError("a")

    job = await queue.add("x", attempts=9, backoff=Backoff(type="patience"))

    async with working({"x": processor}, backoffs={"patience": patience}):
        await counted(failed=1)

    assert job.opts["backoff"] == {"type": "patience", "delay": 2000}
    assert asked == [(1, "a"), (2, "a"), (3, "a")]


async def test_an_error_that_the_worker_gives_up_fails_the_job_with_attempts_left(
    queue: Queue, working: Callable[..., Any], counted: Callable[..., Awaitable[None]]
) -> None:
    async def processor(job: Job) -> None:
        raise LookupError("a") if job.data == "hopeless" else OSError("b")

    hopeless = await queue.add("x", "hopeless", attempts=5)
    passing = await queue.add("x", "passing", attempts=2, backoff=60)

    errors = {LookupError: None, OSError: Backoff(type="fixed", delay=0.01)}
    async with working({"x": processor}, errors=errors):
        await counted(failed=2)

    made = {job.id: job.attempts_made for job in await queue.jobs("failed")}
    assert made == {hopeless.id: 1, passing.id: 2}
