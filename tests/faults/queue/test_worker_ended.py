"""A worker is killed at each point of a job's way through it, or asked to stop."""

import asyncio
import signal
from time import monotonic
from typing import Any

from tests.faults.queue.wire import Wire

from holdfast.queue import Job, NewJob, Queue

LOCK = 600.0  # seconds: nothing here may wait for a lock to run out


async def test_wherever_a_worker_is_killed_its_job_is_done_within_five_seconds_and_never_twice(
    redis_url: str, wire: Wire, child: Any, working: Any, counted: Any, vigilant: Any
) -> None:
    free = asyncio.Event()

    async def survive(job: Job) -> str:
        if job.data == "busy":
            await free.wait()
        return "by the survivor"

    async with Queue("q", url=redis_url) as queue, working(queue, {"x": survive}, concurrency=1, lock_duration=LOCK):
        for rounds, bring_to in enumerate(POINTS):
            free.clear()
            await queue.add("x", "busy")
            await counted(queue, completed=3 * rounds, active=1)
            await vigilant(queue)
            victim = await child(wire.url, "holding", concurrency=1, lock_duration=LOCK)
            await queue.add("x", "brief")
            await counted(queue, completed=3 * rounds + 1, active=1)

            job = await bring_to(queue, wire, victim)

            victim.signal(signal.SIGKILL)
            killed = monotonic()
            free.set()
            await counted(queue, completed=3 * rounds + 3)
            assert monotonic() - killed < 5
            wire.cut()
            await victim.end()
            begun = [line["id"] for line in victim.said if line["event"] == "begun"][1:]
            done = await queue.get(job.id)
            assert done is not None
            if bring_to is after_the_completion:
                assert (done.returnvalue, done.stalled_count) == ("held", 0)
            else:
                assert (done.returnvalue, done.stalled_count, done.attempts_made) == ("by the survivor", 1, 0)
            assert begun == ([] if bring_to is after_the_take else [job.id])


async def after_the_take(queue: Queue, wire: Wire, _victim: Any) -> Job:
    wire.swallow("replies")  # the victim never hears of the job it took
    job = await queue.add("x", "the job")
    async with asyncio.timeout(40):
        while (await queue.counts())["active"] < 2:
            await asyncio.sleep(0.01)
    return job


async def while_it_runs(queue: Queue, _wire: Wire, victim: Any) -> Job:
    job = await queue.add("x", "the job")
    await victim.says("begun", 2)
    return job


async def before_the_completion(queue: Queue, wire: Wire, victim: Any) -> Job:
    job = await while_it_runs(queue, wire, victim)
    wire.swallow("requests")
    victim.signal(signal.SIGUSR1)
    await victim.says("ended", 2)
    return job


async def after_the_completion(queue: Queue, wire: Wire, victim: Any) -> Job:
    job = await while_it_runs(queue, wire, victim)
    wire.swallow("replies")
    victim.signal(signal.SIGUSR1)
    async with asyncio.timeout(40):
        while await queue.states([job.id]) != {job.id: "completed"}:
            await asyncio.sleep(0.01)
    return job


POINTS = (after_the_take, while_it_runs, before_the_completion, after_the_completion)


async def test_sigterm_lets_what_can_end_end_and_puts_the_rest_in_front_as_if_never_taken(
    redis_url: str, child: Any, counted: Any
) -> None:
    async with Queue("q", url=redis_url) as queue:
        await queue.add_many([NewJob("x", what) for what in ("endless", "ends", "endless")])
        worker = await child(redis_url, "holding", concurrency=3, grace=1.0, lock_duration=LOCK)
        await worker.says("begun", count=3)
        await queue.add("x", "behind them")

        worker.signal(signal.SIGTERM)
        worker.signal(signal.SIGUSR1)

        asked = monotonic()
        await counted(queue, completed=1, wait=3)
        assert monotonic() - asked < 4
        assert await worker.exit_code() == 0
        waiting = await queue.jobs("wait")
        workers = await queue.workers()

    assert [(job.id, job.data) for job in waiting] == [("1", "endless"), ("3", "endless"), ("4", "behind them")]
    assert {(job.attempts_made, job.stalled_count) for job in waiting} == {(0, 0)}
    assert workers == []
