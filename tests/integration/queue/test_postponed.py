"""A processor says that it is too early: its job runs again later, and nothing counts against it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import redis.asyncio

from holdfast.queue import Job, Postponed, Queue

Until = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
Working = Callable[..., Any]


async def test_a_postponed_job_runs_again_with_its_attempts_untouched(
    queue: Queue, working: Working, until: Until
) -> None:
    seen: list[tuple[int, int]] = []

    async def work(job: Job) -> str:
        seen.append((job.attempts_made, job.stalled_count))
        if len(seen) < 4:
            raise Postponed(0.02)
        return "done"

    job = await queue.add("n", {}, attempts=1)
    async with working({"n": work}):
        assert await job.result(timeout=20) == "done"

    assert seen == [(0, 0)] * 4


async def test_it_waits_in_delayed_for_as_long_as_it_said(
    queue: Queue, working: Working, until: Until, client: redis.asyncio.Redis
) -> None:
    async def work(_: Job) -> None:
        raise Postponed(3600)

    job = await queue.add("n", {})
    async with working({"n": work}):
        await until(lambda: client.zscore("bull:q:delayed", job.id))

    seconds, microseconds = await client.time()
    due = float(await client.zscore("bull:q:delayed", job.id)) / 4096
    assert 3590 < due / 1000 - seconds - microseconds / 1e6 <= 3601
    assert await queue.counts() == {**dict.fromkeys(await queue.counts(), 0), "delayed": 1}
    assert await client.exists(f"bull:q:{job.id}:lock") == 0
    fields = await client.hgetall(f"bull:q:{job.id}")
    assert {"attemptsMade", "failedReason", "stacktrace", "owner"} & set(fields) <= {"attemptsMade"}
    assert fields.get("attemptsMade", "0") == "0"


async def test_an_attempt_that_lost_its_lock_cannot_postpone_the_job(
    queue: Queue, working: Working, until: Until, client: redis.asyncio.Redis
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def work(_: Job) -> None:
        begun.set()
        try:
            await go_on.wait()
        finally:
            raise Postponed(3600)

    job = await queue.add("n", {})
    async with working({"n": work}):
        await begun.wait()
        await client.set(f"bull:q:{job.id}:lock", "somebody else's")
        go_on.set()

    assert await client.zscore("bull:q:delayed", job.id) is None
    assert await client.get(f"bull:q:{job.id}:lock") == "somebody else's"
