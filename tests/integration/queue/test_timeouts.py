"""What a timeout stops: a coroutine at once, a thread never, and what that costs the worker."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog.testing

from holdfast.queue import Job, Queue

Counted = Callable[..., Awaitable[None]]
Working = Callable[..., Any]


async def test_a_coroutine_that_takes_too_long_is_stopped_and_the_job_fails(
    queue: Queue, working: Working, counted: Counted
) -> None:
    stopped = asyncio.Event()

    async def wait(_job: Job) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()

    await queue.add("x", timeout=0.05)
    async with working({"x": wait}):
        await counted(failed=1)

    (job,) = await queue.jobs("failed")
    assert stopped.is_set()
    assert job.failed_reason == "job timed out after 50 ms"


async def test_a_thread_that_takes_too_long_fails_its_job_and_keeps_its_place_until_it_returns(
    queue: Queue, working: Working, counted: Counted
) -> None:
    release = threading.Event()
    begun: list[Any] = []

    def block(job: Job) -> None:
        begun.append(job.data)
        if job.data == "stuck":
            release.wait(60)

    await queue.add("x", "stuck", timeout=0.05)
    await queue.add("x", "next")
    try:
        with structlog.testing.capture_logs() as logs:
            async with working({"x": block}, concurrency=1) as worker:
                await counted(failed=1, wait=1)
                for _ in range(3):
                    worker._taking.expect_work()  # would take at once if it thought that there is room
                    await queue.ping()
                assert (await queue.counts())["wait"] == 1
                assert begun == ["stuck"]

                release.set()

                await counted(failed=1, completed=1)
    finally:
        release.set()
    assert begun == ["stuck", "next"]
    assert [log["left"] for log in logs if log["event"] == "thread runs on"] == [1]


async def test_a_thread_that_is_told_to_stop_can_look_whether_it_should(
    queue: Queue, working: Working, counted: Counted
) -> None:
    seen = threading.Event()

    def patient(job: Job) -> None:
        while not job.should_stop():
            time.sleep(0.001)
        seen.set()

    await queue.add("x", timeout=0.05)
    async with working({"x": patient}):
        await counted(failed=1)
        assert await asyncio.to_thread(seen.wait, 10)


async def test_the_other_places_of_a_worker_go_on_beside_a_stuck_thread(
    queue: Queue, working: Working, counted: Counted
) -> None:
    release = threading.Event()

    def block(job: Job) -> None:
        if job.data == "stuck":
            release.wait(60)

    await queue.add("x", "stuck", timeout=0.05)
    try:
        async with working({"x": block}, concurrency=2):
            await counted(failed=1)
            for n in range(20):
                await queue.add("x", n)
            await counted(failed=1, completed=20)
            release.set()
    finally:
        release.set()
