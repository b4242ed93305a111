"""An outage of Redis, however it comes about, costs neither a job, nor the worker, nor a second run of a job."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import redis.asyncio
from tests.faults.queue.wire import Wire

from holdfast.embedded import RedisServer
from holdfast.queue import Job, NewJob, Queue, Worker

# Longer than every lock and presence here, and than the gap between two checks that tells of an outage (1.35 s).
OUTAGE = 1.8
LOCK, SHORT, USUAL = 0.6, 1.0, 3.0  # seconds of locks, and of presence


@dataclass
class Scene:
    """What an outage can do something to."""

    server: RedisServer
    wire: Wire  # the first worker's way to it


async def killed(scene: Scene) -> None:
    await asyncio.to_thread(scene.server.kill)
    await asyncio.sleep(OUTAGE)
    await asyncio.to_thread(scene.server.start)


async def killed_twice(scene: Scene) -> None:
    for _ in range(2):
        await asyncio.to_thread(scene.server.kill)
        await asyncio.to_thread(scene.server.start)


async def frozen(scene: Scene) -> None:
    assert scene.server.pid is not None
    os.kill(scene.server.pid, signal.SIGSTOP)
    await asyncio.sleep(OUTAGE)
    os.kill(scene.server.pid, signal.SIGCONT)


async def paused(scene: Scene) -> None:
    async with redis.asyncio.Redis.from_url(scene.server.url) as client:
        await client.client_pause(round(OUTAGE * 1000))


async def connections_killed_over_and_over(scene: Scene) -> None:
    async with redis.asyncio.Redis.from_url(scene.server.url) as client:
        for _ in range(30):
            await client.client_kill_filter(_type="normal", skipme=True)
            await client.client_kill_filter(_type="pubsub", skipme=True)
            await asyncio.sleep(OUTAGE / 30)


async def replies_swallowed(scene: Scene) -> None:
    scene.wire.swallow("replies")
    await asyncio.sleep(OUTAGE)
    scene.wire.cut()


async def requests_swallowed(scene: Scene) -> None:
    scene.wire.swallow("requests")
    await asyncio.sleep(0.8)
    scene.wire.cut()


# Those that do not stop all workers alike must end while the presence lasts: a worker that cannot renew while others
# look is taken for dead, and rightly.
OUTAGES = [
    (killed, SHORT),
    (killed_twice, SHORT),
    (frozen, SHORT),
    (paused, SHORT),
    (connections_killed_over_and_over, USUAL),
    (replies_swallowed, USUAL),
    (requests_swallowed, USUAL),
]


@pytest.mark.parametrize(("outage", "presence_ttl"), OUTAGES)
async def test_an_outage_costs_neither_a_job_nor_a_second_run(
    *,
    own_redis: Any,
    own_wire: Any,
    child: Any,
    working: Any,
    counted: Any,
    outage: Callable[[Scene], Awaitable[None]],
    presence_ttl: float,
) -> None:
    times = {"lock_duration": LOCK, "presence_ttl": presence_ttl}
    runs: Counter[str] = Counter()
    middle = asyncio.Event()

    async def across(job: Job) -> str:
        """Ends during the outage or some time after it."""
        runs[job.id] += 1
        await middle.wait()
        await asyncio.sleep(job.data)
        return "kept"

    async with Queue("q", url=own_redis.url) as queue, Queue("q", url=own_wire.url) as behind:
        long = await queue.add_many([NewJob("x", n / 4) for n in range(12)])
        async with working(behind, {"x": across}, concurrency=12, **times):
            await counted(queue, active=12)
            rival = await child(own_redis.url, "quick", concurrency=2, **times)
            await rival.says("resuming pending jobs")
            await queue.add_many([NewJob("x", 0.0) for _ in range(5)])
            await queue.add_many([NewJob("x", 0.0, delay=n / 2) for n in range(5)])

            middle.set()
            await outage(Scene(own_redis, own_wire))

            await counted(queue, completed=22)
        kept = [job for job in await queue.jobs("completed") if job.id in {each.id for each in long}]

    runs.update(line["id"] for line in rival.said if line["event"] == "begun")
    assert set(runs.values()) == {1}
    assert [(job.returnvalue, job.stalled_count) for job in kept] == [("kept", 0)] * 12
    assert not [line for line in rival.said if line["event"] == "job stalled, taken over"]


async def test_replies_cut_in_the_middle_of_each_take_cost_nothing_when_two_workers_work(
    redis_url: str, wire: Any, child: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()

    async def quick(job: Job) -> None:
        runs[job.id] += 1

    async with Queue("q", url=redis_url) as direct, Queue("q", url=wire.url) as behind:
        rival = await child(redis_url, "quick", concurrency=2)
        await rival.says("resuming pending jobs")
        wire.cut_replies_after(3_000)
        async with working(behind, {"x": quick}, concurrency=10):
            await direct.add_many([NewJob("x", "y" * 50) for _ in range(300)])
            await counted(direct, completed=300)

    runs.update(line["id"] for line in rival.said if line["event"] == "begun")
    assert wire.cuts > 5
    assert set(runs.values()) == {1}


async def test_an_add_that_is_tried_again_over_cut_connections_makes_one_job(redis_url: str, wire: Any) -> None:
    async with Queue("q", url=redis_url) as direct, Queue("q", url=wire.url) as producer:
        await producer.add("x", job_id="j-0")  # connected, and Redis knows the script
        wire.swallow("replies")
        adding = asyncio.create_task(producer.add("x", 1, job_id="j-1"))
        async with asyncio.timeout(30):
            while (await direct.counts())["wait"] == 1:  # it arrived, and its producer does not know
                await asyncio.sleep(0.01)

        wire.cut()

        job = await adding
        assert (job.id, job.data) == ("j-1", 1)
        assert (await direct.counts())["wait"] == 2


async def test_a_connection_that_breaks_while_a_stopping_worker_writes_its_last_result_ends_neither_wrongly(
    redis_url: str, wire: Wire, counted: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def last(job: Job) -> str:
        begun.set()
        if job.id == "last":
            await go_on.wait()
        return "written once"

    async with Queue("q", url=redis_url) as direct, Queue("q", url=wire.url) as behind:
        await direct.add("x", job_id="before")
        await direct.add("x", job_id="last")
        worker = Worker(behind, {"x": last}, concurrency=1)
        running = asyncio.create_task(worker.run())
        await counted(direct, completed=1, active=1)  # Redis knows the script from the first one
        await begun.wait()
        stopping = asyncio.create_task(worker.stop())
        wire.swallow("replies")
        go_on.set()
        await counted(direct, completed=2)

        wire.cut()

        await asyncio.gather(stopping, running)
        assert {job.returnvalue for job in await direct.jobs("completed")} == {"written once"}
