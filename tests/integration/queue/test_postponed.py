"""A processor says that it is too early: its job runs again later, and nothing counts against it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from tests.integration.queue import crunching

from holdfast.queue import Job, Postponed, Queue, in_process

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
    assert not {"failedReason", "stacktrace", "stalledCounter", "finishedOn"} & set(fields)
    assert fields["delay"] == "3600000"
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


async def test_a_processor_in_a_process_may_put_its_job_off_too(queue: Queue, working: Working, tmp_path: Path) -> None:
    job = await queue.add("n", str(tmp_path / "second"), attempts=1)
    async with working({"n": in_process(crunching.early)}, processes=1):
        assert await job.result(timeout=30) == "attempts made: 0"


@pytest.mark.parametrize("delay", [0.0, 0.4])
async def test_it_runs_again_when_it_said_and_not_before(queue: Queue, working: Working, delay: float) -> None:
    times: list[float] = []

    async def work(_: Job) -> None:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            raise Postponed(delay)

    job = await queue.add("n", {})
    async with working({"n": work}):
        await job.result(timeout=30)

    assert delay - 0.002 <= times[1] - times[0] < delay + 1.0


async def test_those_who_follow_the_queue_hear_that_it_is_delayed(
    queue: Queue, working: Working, until: Until, client: redis.asyncio.Redis
) -> None:
    async def work(_: Job) -> None:
        raise Postponed(60)

    async with client.pubsub() as channel:
        await channel.subscribe("bull:q:delayed")
        job = await queue.add("n", {})
        async with working({"n": work}):
            await until(lambda: client.zscore("bull:q:delayed", job.id))
        heard = [await channel.get_message(timeout=5) for _ in range(2)][1]
    told = [fields for _, fields in await client.xrange("bull:q:event-stream")]

    assert heard is not None
    assert float(heard["data"]) == float(await client.zscore("bull:q:delayed", job.id)) // 4096
    assert told[-1] == {"delayed": job.id}


async def test_a_priority_and_a_paused_queue_hold_for_a_postponed_job_too(
    queue: Queue, working: Working, until: Until, counted: Any
) -> None:
    seen: list[str] = []

    async def work(job: Job) -> None:
        seen.append(job.id)
        if seen.count(job.id) == 1 and job.id == "first":
            await queue.pause()
            raise Postponed(0.01)

    await queue.add("n", job_id="first", priority=5)
    async with working({"n": work}):
        await counted(paused=1)
        await queue.add("n", job_id="less", priority=9)
        await queue.add("n", job_id="more", priority=1)
        await counted(paused=3)
        await queue.resume()
        await counted(completed=3)

    assert seen == ["first", "more", "first", "less"]
