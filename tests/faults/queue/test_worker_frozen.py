"""A worker that stood still while others went on."""

import signal
from typing import Any

from holdfast.queue import Job, Queue


async def test_a_frozen_worker_wakes_up_without_its_job_and_changes_nothing(
    redis_url: str, child: Any, working: Any, counted: Any
) -> None:
    async def take_over(job: Job) -> str:
        await job.update_progress("the new owner's")
        return "by the new owner"

    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x")
        zombie = await child(redis_url, "stubborn", lock_duration=1)
        await zombie.says("begun")
        zombie.signal(signal.SIGSTOP)
        async with working(queue, {"x": take_over}):
            await counted(queue, completed=1)

        zombie.signal(signal.SIGCONT)

        await zombie.says("refused", count=2)
        await zombie.says("lock lost, result discarded")
        done = await queue.get(job.id)
        await counted(queue, completed=1)

    assert done is not None
    assert (done.returnvalue, done.progress) == ("by the new owner", "the new owner's")


async def test_a_processor_that_blocks_the_event_loop_keeps_its_job(
    redis_url: str, child: Any, working: Any, counted: Any
) -> None:
    async def never(_job: Job) -> str:
        return "stolen"

    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x", 3.0)
        blocked = await child(redis_url, "blocking", lock_duration=1, presence_ttl=1)
        await blocked.says("begun")

        async with working(queue, {"x": never}):
            await blocked.says("ended")
            await counted(queue, completed=1)

        done = await queue.get(job.id)

    assert done is not None
    assert (done.returnvalue, done.stalled_count) == ("by the blocked one", 0)


async def test_a_c_call_that_holds_the_gil_for_longer_than_the_lock_keeps_its_job(
    redis_url: str, child: Any, working: Any, counted: Any, vigilant: Any
) -> None:
    """The locks' thread cannot run, but others wait as long as the presence lasts."""
    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x", 3.0)
        stuck = await child(redis_url, "c_call", lock_duration=1, presence_ttl=9)
        await stuck.says("begun")
        async with working(queue, {"x": lambda _job: "stolen"}):
            await vigilant(queue)

            stuck.signal(signal.SIGUSR1)

            await stuck.says("ended")
            await counted(queue, completed=1)
        done = await queue.get(job.id)

    assert done is not None
    assert (done.returnvalue, done.stalled_count) == ("by the one in C", 0)


async def test_a_c_call_that_holds_the_gil_for_longer_than_the_presence_is_taken_for_a_death(
    redis_url: str, child: Any, working: Any, counted: Any, vigilant: Any
) -> None:
    """The limit of the test above; what comes of the call is discarded."""
    async with Queue("q", url=redis_url) as queue:
        job = await queue.add("x", 4.0)
        stuck = await child(redis_url, "c_call", presence_ttl=1)
        await stuck.says("begun")
        async with working(queue, {"x": lambda _job: "by another"}):
            await vigilant(queue)
            stuck.signal(signal.SIGUSR1)
            await counted(queue, completed=1)
            await stuck.says("lock lost, result discarded")
        done = await queue.get(job.id)

    assert done is not None
    assert (done.returnvalue, done.stalled_count) == ("by another", 1)
