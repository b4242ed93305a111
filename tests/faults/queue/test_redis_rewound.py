"""Redis comes back older than it was: by its last second, or with nothing at all."""

import asyncio
import signal
from collections import Counter
from time import monotonic
from typing import Any

import redis.asyncio
import structlog

from holdfast.queue import Job, NewJob, Queue


async def test_a_running_job_that_redis_believes_to_wait_is_not_begun_a_second_time(
    own_redis: Any, tape: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    away, go_on = asyncio.Event(), asyncio.Event()

    async def across(job: Job) -> str:
        """Ends while Redis is away, or long after."""
        runs[job.id] += 1
        await (away if job.data == "soon" else go_on).wait()
        return "once"

    async with Queue("q", url=own_redis.url) as queue:
        await queue.add_many([NewJob("x", "soon"), NewJob("x", "late"), NewJob("x", "late", priority=3)])
        await queue.add("x", "late", delay=0.05)
        tape.mark()
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"x": across}, concurrency=10):
                await counted(queue, active=4)

                await asyncio.to_thread(tape.rewind)
                away.set()
                await asyncio.to_thread(own_redis.start)

                await counted(queue, completed=1, active=3)
                go_on.set()
                await counted(queue, completed=4)

    assert set(runs.values()) == {1}
    assert len(runs) == 4
    assert len([line for line in said if line["event"] == "running job claimed again"]) == 4


async def test_a_worker_that_is_back_first_leaves_the_jobs_of_the_others_alone(
    own_redis: Any, own_wire: Any, tape: Any, child: Any, working: Any, counted: Any
) -> None:
    runs: Counter[str] = Counter()
    go_on = {name: asyncio.Event() for name in ("first", "second")}

    async def slow(job: Job) -> None:
        runs[job.data] += 1
        await go_on[job.data].wait()

    async with Queue("q", url=own_redis.url) as queue, Queue("q", url=own_wire.url) as behind:
        await queue.add("x", "first")
        async with working(behind, {"x": slow}, concurrency=1):
            await counted(queue, active=1)
            rival = await child(own_redis.url, "holding", concurrency=1)
            await queue.add("x", "rival's")
            await rival.says("begun")
            await queue.add("x", "second")
            tape.mark()
            go_on["first"].set()
            await counted(queue, active=2, completed=1)
            rival.signal(signal.SIGUSR1)  # it has room from now on

            await asyncio.to_thread(tape.rewind)
            own_wire.plug()
            await asyncio.to_thread(own_redis.start)
            await rival.says("redis reconnected")
            own_wire.unplug()

            await counted(queue, completed=2, active=1)
            go_on["second"].set()
            await counted(queue, completed=3)

    assert runs["second"] == 1
    assert not [line for line in rival.said if line.get("data") == "second"]


async def test_a_job_that_had_just_ended_runs_again_soon_and_not_when_its_lock_runs_out(
    own_redis: Any, tape: Any, working: Any, counted: Any
) -> None:
    begun: asyncio.Queue[str] = asyncio.Queue()
    go_on = asyncio.Event()

    async def slow(job: Job) -> None:
        begun.put_nowait(job.id)
        await go_on.wait()

    async with Queue("q", url=own_redis.url) as queue:
        await queue.add("x")
        async with working(queue, {"x": slow}, lock_duration=600):
            await begun.get()
            tape.mark()
            go_on.set()
            await counted(queue, completed=1)

            await asyncio.to_thread(tape.rewind)
            await asyncio.to_thread(own_redis.start)

            back = monotonic()
            await begun.get()
            assert monotonic() - back < 5
            await counted(queue, completed=1)
            job = (await queue.jobs("completed"))[0]

    assert (job.attempts_made, job.stalled_count) == (0, 0)


async def test_a_redis_that_starts_empty_is_told_of_and_worked_on(
    own_redis: Any, tape: Any, working: Any, counted: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: Job) -> str:
        begun.set()
        await go_on.wait()
        return "done"

    async with Queue("q", url=own_redis.url) as queue:
        await queue.add("x", job_id="lost")
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"x": slow}):
                await begun.wait()

                await asyncio.to_thread(tape.erase)
                await asyncio.to_thread(own_redis.start)

                await queue.add("x", job_id="new")
                go_on.set()
                await counted(queue, completed=1)
                assert await queue.states(["lost", "new"]) == {"lost": None, "new": "completed"}

    told = [(line["id"], line["reason"]) for line in said if line["event"] == "lock lost, result discarded"]
    assert told == [("lost", "missing")]


async def test_a_new_job_with_the_number_of_a_lost_one_is_not_taken_for_it(
    redis_url: str, working: Any, counted: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Job) -> Any:
        begun.set()
        if job.data == "old":
            await go_on.wait()
        return job.data

    async with Queue("q", url=redis_url) as queue, redis.asyncio.Redis.from_url(redis_url) as client:
        old = await queue.add("x", "old")
        with structlog.testing.capture_logs() as said:
            async with working(queue, {"x": slow}, lock_duration=0.6):
                await begun.wait()
                await client.flushall()
                await queue.pause()
                new = await queue.add("x", "new")
                assert new.id == old.id
                await client.client_kill_filter(_type="normal", skipme=True)

                async with asyncio.timeout(30):
                    while not [line for line in said if line["event"] == "lock lost, result discarded"]:
                        await asyncio.sleep(0.02)

                await counted(queue, paused=1)
                await queue.resume()
                await counted(queue, completed=1)
                assert (await queue.jobs("completed"))[0].returnvalue == "new"
