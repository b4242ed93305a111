"""SIGKILL of a worker: somebody else takes its jobs, soon, and not for ever."""

import asyncio
import signal
from time import monotonic
from typing import Any

from holdfast.queue import Job, Queue
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts
from holdfast.queue.work.housekeeping import Housekeeping


async def test_a_killed_worker_s_job_runs_elsewhere_within_five_seconds_whatever_its_lock(
    redis_url: str, child: Any, working: Any, counted: Any
) -> None:
    seen: list[Job] = []

    async def note(job: Job) -> str:
        seen.append(job)
        return "taken over"

    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x", attempts=1)
        victim = await child(redis_url, "forever", lock_duration=30, concurrency=1)
        await victim.says("begun")
        async with working(queue, {"x": note}, lock_duration=30):
            await queue.add("x")  # the survivor is at work
            await counted(queue, active=1, completed=1)

            victim.signal(signal.SIGKILL)

            killed = monotonic()
            await counted(queue, completed=2)
            assert monotonic() - killed < 5
        done = await queue.get(job.id)

    assert done is not None
    assert (done.returnvalue, done.attempts_made, done.stalled_count) == ("taken over", 0, 1)
    assert seen[-1].resumed


async def test_a_job_that_kills_each_of_its_workers_is_given_up_and_others_go_on(
    redis_url: str, child: Any, working: Any, counted: Any
) -> None:
    link = Link(redis_url, reporter=Reporter())
    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x", attempts=10)
        house = Housekeeping(Scripts(link, queue.keys), "w", Reporter(), max_stalled=3)
        keeping = asyncio.create_task(house.run())
        for crash in range(1, 5):
            victim = await child(redis_url, "poison", presence_ttl=0.4)
            await victim.says("begun")
            if crash < 4:
                await counted(queue, wait=1)
        await counted(queue, failed=1)
        failed = await queue.get(job.id)
        keeping.cancel()
        await asyncio.wait([keeping])
        await link.close()

    assert failed is not None
    assert failed.failed_reason == "job stalled more than allowable limit"
    assert (failed.attempts_made, failed.stalled_count) == (0, 4)


async def test_a_job_that_comes_forward_may_lose_more_workers_than_one_that_does_not(
    redis_url: str, child: Any, counted: Any
) -> None:
    link = Link(redis_url, reporter=Reporter())
    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x")
        house = Housekeeping(Scripts(link, queue.keys), "w", Reporter(), max_stalled=1)
        keeping = asyncio.create_task(house.run())
        for _ in range(5):
            victim = await child(redis_url, "advancing_poison", presence_ttl=0.4)
            await victim.says("begun")
            await counted(queue, wait=1)
        await child(redis_url, "advancing_poison")
        await counted(queue, completed=1)
        done = await queue.get(job.id)
        keeping.cancel()
        await asyncio.wait([keeping])
        await link.close()

    assert done is not None
    assert (done.returnvalue, done.stalled_count, done.attempts_made) == ("in steps", 5, 0)


async def test_a_job_that_a_node_worker_left_active_without_a_lock_is_taken_over(
    redis_url: str, working: Any, counted: Any
) -> None:
    async with Queue("q", url=redis_url) as queue:
        await queue.add("x")
        async with queue_client(redis_url) as client:
            await client.rpoplpush("bull:q:wait", "bull:q:active")  # as Node's BRPOPLPUSH, before it has locked

        async with working(queue, {"x": lambda _job: None}):
            await counted(queue, completed=1)


async def test_a_node_worker_s_lock_is_respected_until_it_runs_out(redis_url: str, working: Any, counted: Any) -> None:
    async with Queue("q", url=redis_url) as queue, queue_client(redis_url) as client:
        job = await queue.add("x")
        await client.rpoplpush("bull:q:wait", "bull:q:active")
        await client.set(f"bull:q:{job.id}:lock", "fe1c-node", px=4_500)
        locked = monotonic()

        async with working(queue, {"x": lambda _job: None}):
            await counted(queue, completed=1)

    assert monotonic() - locked > 4.5


def queue_client(url: str) -> Any:
    """What `redis-cli` would do."""
    import redis.asyncio  # noqa: PLC0415

    return redis.asyncio.Redis.from_url(url)
