"""Connections that are cut, stand still, or answer with an error."""

import asyncio
from collections import Counter
from typing import Any

import redis.asyncio

from holdfast.queue import Job, NewJob, Queue

JOBS = 400


async def test_connections_killed_all_the_time_cost_no_job_and_no_second_run(
    redis_url: str, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    ten_more = asyncio.Event()

    async def quick(job: Job) -> None:
        runs[job.id] += 1
        if len(runs) % 10 == 0:
            ten_more.set()
        await asyncio.sleep(0.005)

    async def cut(client: redis.asyncio.Redis) -> None:
        while len(runs) < JOBS:
            ten_more.clear()
            await client.client_kill_filter(_type="normal", skipme=True)
            await ten_more.wait()

    async with Queue("q", url=redis_url) as queue, redis.asyncio.Redis.from_url(redis_url) as client:
        await queue.add_many([NewJob("x") for _ in range(JOBS)])

        async with working(queue, {"x": quick}, concurrency=10):
            await cut(client)
            await counted(queue, completed=JOBS)

    assert set(runs.values()) == {1}


async def test_replies_cut_in_the_middle_cost_no_job_and_no_second_run(
    redis_url: str, wire: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()

    async def quick(job: Job) -> None:
        runs[job.id] += 1

    async with Queue("q", url=redis_url) as direct, Queue("q", url=wire.url) as queue:
        await direct.add_many([NewJob("x", "y" * 50) for _ in range(JOBS)])
        wire.cut_replies_after(7_000)

        async with working(queue, {"x": quick}, concurrency=10):
            await counted(direct, completed=JOBS)

    assert wire.cuts > 5
    assert set(runs.values()) == {1}


async def test_a_redis_without_memory_demotes_no_success(redis_url: str, working: Any, counted: Any) -> None:
    runs: Counter[str] = Counter()
    full = asyncio.Event()

    async def quick(job: Job) -> None:
        runs[job.id] += 1
        await full.wait()

    async with Queue("q", url=redis_url) as queue, redis.asyncio.Redis.from_url(redis_url) as client:
        await queue.add_many([NewJob("x") for _ in range(20)])
        async with working(queue, {"x": quick}, concurrency=10):
            await counted(queue, active=10, wait=10)
            await client.config_set("maxmemory", "1")
            full.set()
            await asyncio.sleep(1)
            assert (await queue.counts())["completed"] == 0
            await client.config_set("maxmemory", "0")

            await counted(queue, completed=20)

    assert set(runs.values()) == {1}


async def test_a_redis_that_stands_still_for_longer_than_the_presence_costs_nothing(
    redis_url: str, child: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()

    async def slow(job: Job) -> None:
        runs[job.id] += 1
        await asyncio.sleep(4)

    async with Queue("q", url=redis_url) as queue, redis.asyncio.Redis.from_url(redis_url) as client:
        await queue.add_many([NewJob("x") for _ in range(5)])
        async with working(queue, {"x": slow}, presence_ttl=1.0, lock_duration=1.0):
            await counted(queue, active=5)
            rival = await child(redis_url, "quick", presence_ttl=1.0)
            await rival.says("resuming pending jobs")

            await client.client_pause(2500)

            await counted(queue, completed=5)

    assert set(runs.values()) == {1}
    assert not [line for line in rival.said if line["event"] == "begun"]
