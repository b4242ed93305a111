"""Redis dies under running workers and comes back: as it was, or empty."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import structlog

from holdfast.queue import Job, NewJob, Queue, QueueUnavailable


async def test_a_redis_that_is_killed_and_started_again_costs_neither_a_job_nor_a_second_run(
    own_redis: Any, child: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    away = asyncio.Event()

    async def across(job: Job) -> str:
        """Begins before the outage, ends in the middle of it or after it."""
        runs[job.id] += 1
        await away.wait()
        await asyncio.sleep(job.data)
        return "kept"

    async with Queue("q", url=own_redis.url) as queue:
        await queue.add_many([NewJob("x", 0.0) for _ in range(10)] + [NewJob("x", 4.0) for _ in range(10)])
        with structlog.testing.capture_logs() as said:
            # Locks run out during the outage; a second worker is ready to steal.
            async with working(queue, {"x": across}, concurrency=20, lock_duration=1.0) as _:
                await counted(queue, active=20)
                rival = await child(own_redis.url, "quick", lock_duration=1)
                await rival.says("resuming pending jobs")
                await queue.add_many(
                    [NewJob("y") for _ in range(3)],
                )
                await rival.says("job failed", 3)

                await asyncio.to_thread(own_redis.kill)
                away.set()
                await asyncio.sleep(2)
                await asyncio.to_thread(own_redis.start)

                await counted(queue, completed=20, failed=3)
        results = [job.returnvalue for job in await queue.jobs("completed")]

    events = [line["event"] for line in said]
    assert set(runs.values()) == {1}
    assert len(runs) == 20
    assert not [line for line in rival.said if line["event"] in ("begun", "job stalled, taken over")]
    assert results == ["kept"] * 20
    for event in ("redis connection lost", "retrying connection", "redis reconnected", "resuming pending jobs"):
        assert event in events


async def test_a_redis_that_comes_back_empty_leaves_the_worker_alive_and_ready(
    redis_url: str, working: Any, counted: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Job) -> str:
        begun.set()
        await go_on.wait()
        return job.name

    async with Queue("q", url=redis_url) as queue:
        await queue.add("x", job_id="job-1")
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"x": slow}):
                await begun.wait()

                await flush(redis_url)

                go_on.set()
                await queue.add("x", job_id="job-2")
                await counted(queue, completed=1)
                await queue.add("x", job_id="job-1")
                await counted(queue, completed=2)

    discarded = [line for line in said if line["event"] == "lock lost, result discarded"]
    assert [(line["id"], line["reason"]) for line in discarded] == [("job-1", "missing")]


async def test_a_producer_gets_an_error_in_time_while_redis_is_away_and_succeeds_afterwards(own_redis: Any) -> None:
    async with Queue("q", url=own_redis.url, max_wait=0.5) as queue:
        await queue.add("x", job_id="job-1")
        await asyncio.to_thread(own_redis.kill)

        with pytest.raises(QueueUnavailable):
            await queue.add("x", job_id="job-2")

        await asyncio.to_thread(own_redis.start)
        async with asyncio.timeout(5):
            while True:
                try:
                    await queue.add("x", job_id="job-2")
                except QueueUnavailable:
                    continue
                break
        assert (await queue.counts())["wait"] == 2


async def flush(url: str) -> None:
    """As a new disk would look like."""
    import redis.asyncio  # noqa: PLC0415

    async with redis.asyncio.Redis.from_url(url) as client:
        await client.flushall()
