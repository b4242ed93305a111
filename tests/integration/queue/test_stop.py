"""The graceful stop."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from holdfast.queue import Job, NewJob, Queue, Worker

Working = Callable[..., AbstractAsyncContextManager[Worker]]


async def test_a_running_job_is_finished_and_no_other_is_begun(queue: Queue, counted: Any) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(job: Job) -> int:
        begun.set()
        await go_on.wait()
        return int(job.data)

    await queue.add_many([NewJob("x", n) for n in range(3)])
    worker = Worker(queue, {"x": slow}, concurrency=1)
    running = asyncio.create_task(worker.run())
    await begun.wait()

    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(stopping, running)

    await counted(completed=1, wait=2)


@pytest.mark.parametrize(("jobs", "concurrency"), [(5, 3), (300, 120)])
async def test_what_does_not_finish_in_time_goes_back_to_the_front_as_if_never_taken(
    queue: Queue, counted: Any, client: Any, jobs: int, concurrency: int
) -> None:
    begun: list[int] = []
    all_begun = asyncio.Event()

    async def endless(job: Job) -> None:
        begun.append(job.data)
        if len(begun) == concurrency:
            all_begun.set()
        await asyncio.Event().wait()

    await queue.add_many([NewJob("x", n) for n in range(jobs)])
    worker = Worker(queue, {"x": endless}, concurrency=concurrency, grace=0.05)
    running = asyncio.create_task(worker.run())
    await all_begun.wait()

    await worker.stop()

    await running
    await counted(wait=jobs)
    waiting = await queue.jobs("wait")
    assert [job.data for job in waiting] == list(range(jobs))
    assert [(job.attempts_made, job.stalled_count) for job in waiting] == [(0, 0)] * jobs
    assert [key async for key in client.scan_iter("*:lock")] == []


async def test_a_processor_may_stop_its_own_worker(queue: Queue, counted: Any) -> None:
    async def last(_job: Job) -> str:
        await worker.stop()
        return "the last one"

    await queue.add("x")
    worker = Worker(queue, {"x": last})

    await worker.run()

    await counted(completed=1)


async def test_signals_have_their_old_handlers_again_afterwards(queue: Queue) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    worker = Worker(queue, {"x": lambda _job: None})
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)
    signal.raise_signal(signal.SIGTERM)

    await running

    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before


async def test_a_worker_can_be_started_and_stopped_over_and_over(queue: Queue, counted: Any) -> None:
    await queue.add_many([NewJob("x") for _ in range(100)])

    for _ in range(20):
        async with Worker(queue, {"x": lambda _job: None}, concurrency=2) as worker:
            running = asyncio.create_task(worker.run())
            await asyncio.sleep(0)
            await worker.stop()
            await running

    counts = await queue.counts()
    assert counts["wait"] + counts["completed"] == 100
    assert counts["active"] == 0


async def test_a_worker_that_is_cancelled_gives_its_jobs_back_at_once(queue: Queue, counted: Any, client: Any) -> None:
    begun = asyncio.Event()

    async def endless(_job: Job) -> None:
        begun.set()
        await asyncio.Event().wait()

    job = await queue.add("x")
    running = asyncio.create_task(Worker(queue, {"x": endless}).run())
    await begun.wait()

    running.cancel()

    await asyncio.wait([running])
    assert running.cancelled()
    await counted(wait=1)
    assert await client.exists(f"bull:q:{job.id}:lock") == 0


async def test_a_program_may_keep_its_own_signal_handlers(queue: Queue) -> None:
    worker = Worker(queue, {"x": lambda _job: None}, signals=False)
    before = signal.getsignal(signal.SIGTERM)
    running = asyncio.create_task(worker.run())
    await asyncio.sleep(0)

    assert signal.getsignal(signal.SIGTERM) is before

    await worker.stop()
    await running


async def test_a_worker_that_never_ran_stops_at_once_and_then_does_not_take(queue: Queue, counted: Any) -> None:
    await queue.add("x")
    worker = Worker(queue, {"x": lambda _job: None})

    await worker.stop()
    await worker.run()

    await counted(wait=1)
