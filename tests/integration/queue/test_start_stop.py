"""A worker leaves nothing behind, however often it starts and stops; and it holds no more than it may."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.integration.queue import crunching

from holdfast.queue import Job, NewJob, Queue, RateLimit, Worker, in_process

Working = Callable[..., AbstractAsyncContextManager[Worker]]


def children() -> set[str]:
    """The processes that this one has started and not yet waited for."""
    found: set[str] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread that has just ended
            found |= set((task / "children").read_text().split())
    return found


async def in_loop(_job: Job) -> None:
    await asyncio.sleep(0.001)


def in_thread(_job: Job) -> None:
    pass


def our_threads() -> set[threading.Thread]:
    """All but those of the event loop's own pool, which stay."""
    return {thread for thread in threading.enumerate() if not thread.name.startswith("asyncio_")}


async def settled(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true within five seconds: threads and connections end a moment after they were told."""
    for _ in range(500):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


async def test_fifty_starts_and_stops_with_jobs_flowing_leave_nothing_behind_and_lose_nothing(
    queue: Queue, counted: Any, client: Any
) -> None:
    limits: list[dict[str, Any]] = [{}, {"group_concurrency": 2}, {"rate_limit": RateLimit(max=7, per=0.01)}]
    processors = {"loop": in_loop, "thread": in_thread, "process": in_process(crunching.nap)}
    names = ["loop", "thread"] * 6 + ["process"]
    await client.ping()
    await queue.ping()
    tasks, threads, connections = asyncio.all_tasks(), our_threads(), len(await client.client_list())
    processes = children()

    for turn in range(50):
        await queue.add_many([NewJob(name, 0, group=f"t{turn % 3}") for name in names])
        worker = Worker(queue, processors, grace=5.0, processes=1, **limits[turn % 3])
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(turn % 10 * 0.01)
        async with asyncio.timeout(20):
            await worker.stop()
            await running

    assert asyncio.all_tasks() <= tasks
    assert children() <= processes
    assert await settled(lambda: our_threads() <= threads), threading.enumerate()
    async with asyncio.timeout(10):
        while len(await client.client_list()) > connections:
            await asyncio.sleep(0.01)
    async with Worker(queue, processors, processes=1, group_concurrency=20) as worker:
        running = asyncio.create_task(worker.run())
        await counted(completed=50 * len(names))
        await worker.stop()
        await running


@pytest.mark.parametrize("options", [{}, {"group_concurrency": 50}, {"rate_limit": RateLimit(max=100_000, per=60)}])
async def test_a_worker_never_holds_more_jobs_than_it_may_run(
    queue: Queue, working: Working, counted: Any, client: Any, options: Any
) -> None:
    held: list[int] = []

    async def look(job: Job) -> None:
        held.append(await client.llen("bull:q:active"))
        if job.data % 10 == 0:
            raise ValueError("some fail")

    await queue.add_many([NewJob("x", n, group="a") for n in range(600)])
    async with working({"x": look}, concurrency=40, **options):
        await counted(completed=540, failed=60)

    # Those that failed are written beside the next take, not before it.
    assert max(held) <= 40 + (0 if options else 40)
    assert max(held) >= 20


async def test_an_attempt_whose_lock_another_has_taken_is_cancelled_and_its_result_dropped(
    queue: Queue, working: Working, client: Any
) -> None:
    begun, stopped = asyncio.Event(), asyncio.Event()
    lost: list[bool] = []

    async def endless(job: Job) -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            lost.append(job.lock_lost.is_set())
            stopped.set()
        return "never"

    job = await queue.add("x")
    async with working({"x": endless}, lock_duration=0.6):
        await begun.wait()
        await client.hset(f"bull:q:{job.id}", "owner", "beef:1")
        await client.set(f"bull:q:{job.id}:lock", "beef:1", px=60_000)

        async with asyncio.timeout(5):
            await stopped.wait()

    assert lost == [True]
    assert (await queue.counts())["active"] == 1
    assert await client.get(f"bull:q:{job.id}:lock") == "beef:1"
