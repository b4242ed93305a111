"""So many jobs in a window of time."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest

from holdfast.errors import HoldfastError
from holdfast.queue import Job, NewJob, Queue, RateLimit, Worker

Working = Callable[..., AbstractAsyncContextManager[Worker]]


async def nothing(_job: Job) -> None:
    pass


async def test_no_more_jobs_start_in_a_window_than_its_limit_and_none_is_lost(
    queue: Queue, working: Working, counted: Any
) -> None:
    loop = asyncio.get_running_loop()
    started: list[float] = []

    async def note(_job: Job) -> None:
        started.append(loop.time())

    await queue.add_many([NewJob("x") for _ in range(12)])
    async with working({"x": note}, rate_limit=RateLimit(max=5, per=0.4), poll_interval=60):
        await counted(completed=12)

    assert started[4] - started[0] < 0.3
    assert 0.39 <= started[5] - started[0] < 0.8
    assert 0.39 <= started[10] - started[5] < 0.8


async def test_over_the_limit_jobs_stay_in_wait_in_their_order(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    jobs = await queue.add_many([NewJob("x", n) for n in range(30)])
    async with working({"x": nothing}, rate_limit=RateLimit(max=7, per=60)):
        await counted(completed=7, wait=23)

    assert [job.id for job in await queue.jobs("wait")] == [job.id for job in jobs[7:]]
    assert await client.get("bull:q:limiter") == "7"
    assert 50_000 < await client.pttl("bull:q:limiter") <= 60_000


async def test_a_window_that_another_worker_has_used_up_is_closed_for_this_one(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    await client.set("bull:q:limiter", 3, px=1_500)  # as Node's workers count
    await queue.add_many([NewJob("x") for _ in range(2)])
    limit = RateLimit(max=4, per=timedelta(minutes=5))

    async with working({"x": nothing}, rate_limit=limit, poll_interval=60):
        await counted(completed=1, wait=1)
        assert await client.get("bull:q:limiter") == "4"

        await counted(completed=2)

    assert await client.get("bull:q:limiter") == "1"


async def test_a_closed_window_is_not_asked_for_again_and_again(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    async def asked() -> int:
        return sum(
            int(about["calls"]) for name, about in (await client.info("commandstats")).items() if "evalsha" in name
        )

    await queue.add_many([NewJob("x") for _ in range(3)])
    async with working({"x": nothing}, rate_limit=RateLimit(max=1, per=60), presence_ttl=60) as worker:
        await counted(completed=1, wait=2)
        before = await asked()

        for _ in range(50):
            worker._taking.expect_work()
            await client.ping()

        assert await asked() - before <= 10  # its housekeeping


async def test_a_worker_comes_back_when_the_window_ends_also_when_none_of_its_jobs_has_ended(
    queue: Queue, working: Working, counted: Any, until: Any
) -> None:
    begun: list[int] = []
    go_on = asyncio.Event()

    async def long(job: Job) -> None:
        begun.append(job.data)
        await go_on.wait()

    async def third() -> bool:
        return len(begun) >= 3

    await queue.add_many([NewJob("x", n) for n in range(3)])
    async with working({"x": long}, rate_limit=RateLimit(max=2, per=0.3), poll_interval=60):
        await until(third)
        assert begun == [0, 1, 2]
        go_on.set()
        await counted(completed=3)


async def test_a_window_without_an_end_is_given_one(queue: Queue, working: Working, counted: Any, client: Any) -> None:
    await client.set("bull:q:limiter", 9)
    await queue.add("x")

    async with working({"x": nothing}, rate_limit=RateLimit(max=2, per=0.2), poll_interval=60):
        await counted(completed=1)


async def test_jobs_that_a_node_worker_put_to_sleep_no_longer_count_once_they_run(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    job = await queue.add("x")
    await client.sadd("bull:q:limiter:limited", job.id)
    await client.hset("bull:q:limiter:index", job.id, "bull:q:limiter:limited")

    async with working({"x": nothing}, rate_limit=RateLimit(max=2, per=60)):
        await counted(completed=1)

    assert await client.exists("bull:q:limiter:limited", "bull:q:limiter:index") == 0


async def test_each_group_has_a_window_of_its_own(queue: Queue, working: Working, counted: Any, client: Any) -> None:
    ran: list[str] = []

    async def note(job: Job) -> None:
        ran.append(job.data)

    await queue.add_many([NewJob("x", group, group=group) for group in ("a", "b") for _ in range(5)])
    await queue.add_many([NewJob("x", "none") for _ in range(5)])

    async with working({"x": note}, group_rate=RateLimit(max=2, per=60)):
        await counted(completed=9, wait=6)

    assert sorted(ran) == ["a"] * 2 + ["b"] * 2 + ["none"] * 5
    assert await client.get("bull:q:limiter:a") == "2"


async def test_a_group_goes_on_when_its_window_ends(queue: Queue, working: Working, counted: Any) -> None:
    loop = asyncio.get_running_loop()
    started: list[float] = []

    async def note(_job: Job) -> None:
        started.append(loop.time())

    await queue.add_many([NewJob("x", group="a") for _ in range(5)])
    async with working({"x": note}, group_rate=RateLimit(max=2, per=0.3), poll_interval=60):
        await counted(completed=5)

    assert 0.29 <= started[2] - started[0] < 0.7
    assert 0.29 <= started[4] - started[2] < 0.7


@pytest.mark.parametrize(
    "limits",
    [
        {"rate_limit": RateLimit(max=0, per=1)},
        {"rate_limit": RateLimit(max=1, per=0)},
        {"group_rate": RateLimit(max=1, per=-1)},
        {"group_concurrency": 0},
        {"group_concurrency": 501},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(redis_url: str, limits: Any) -> None:
    with pytest.raises(HoldfastError, match=r"limit|group_concurrency"):
        Worker(Queue("q", url=redis_url), {"x": nothing}, **limits)
