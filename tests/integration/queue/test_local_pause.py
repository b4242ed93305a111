"""A worker that rests while others go on."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from holdfast.queue import Job, NewJob, Queue, Worker

Working = Callable[..., AbstractAsyncContextManager[Worker]]


async def test_a_paused_worker_takes_nothing_until_it_is_resumed(
    queue: Queue, working: Working, counted: Any, until: Any, client: Any
) -> None:
    ran: list[str] = []

    async def note(job: Job) -> None:
        ran.append(job.name)

    async with working({"*": note}, poll_interval=0.02) as paused:
        await queue.add("before")
        await counted(completed=1)

        await paused.pause()
        assert paused.is_paused
        await queue.add("while paused")
        async with working({"*": note}, queue=Queue("other", url=queue.url)):  # a while passes
            await until(queue.workers)
        for _ in range(20):
            paused._taking.expect_work()
            await client.ping()
        assert (await queue.counts())["wait"] == 1
        assert ran == ["before"]

        paused.resume()
        await counted(completed=2)
        assert not paused.is_paused


async def test_other_workers_go_on(queue: Queue, working: Working, counted: Any) -> None:
    async def by(name: str, job: Job) -> str:
        return f"{name} did {job.data}"

    async with working({"x": lambda job: by("a", job)}) as first, working({"x": lambda job: by("b", job)}):
        await first.pause()
        jobs = await queue.add_many([NewJob("x", n) for n in range(50)])
        await counted(completed=50)

    done = [await queue.get(job.id) for job in jobs]
    assert all(job is not None and job.returnvalue.startswith("b") for job in done)


async def test_pause_can_wait_until_what_runs_has_ended_and_is_written(
    queue: Queue, working: Working, counted: Any
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: Job) -> None:
        begun.set()
        await go_on.wait()

    await queue.add_many([NewJob("x") for _ in range(5)])
    async with working({"x": slow}, concurrency=2) as worker:
        await begun.wait()

        await worker.pause()  # does not wait
        pausing = asyncio.create_task(worker.pause(wait_for_running=True))
        await asyncio.sleep(0.05)
        assert not pausing.done()
        go_on.set()
        await pausing

        assert await queue.counts() == {
            "wait": 3, "active": 0, "completed": 2, "failed": 0, "delayed": 0, "paused": 0,
        }  # fmt: skip


async def test_a_paused_worker_stops(queue: Queue, working: Working, counted: Any) -> None:
    async with working({"x": lambda _job: None}) as worker:
        await worker.pause()
        await queue.add("x")

    await counted(wait=1)
