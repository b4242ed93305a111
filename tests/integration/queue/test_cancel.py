"""Cancelling jobs, wherever they are."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from holdfast.queue import Job, JobNotFound, NewJob, Queue, Worker
from holdfast.queue.work import limiting as limiting_module

Working = Callable[..., AbstractAsyncContextManager[Worker]]


async def nothing(_job: Job) -> None:
    pass


class Endless:
    """A processor that says when it has begun and how it ended."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.stopped: list[bool] = []  # whether the job said that it was cancelled
        self.runs = 0

    async def __call__(self, job: Job) -> None:
        self.runs += 1
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.stopped.append(job.cancelled)


@pytest.mark.parametrize("options", [{}, {"delay": 60}, {"priority": 3}, {"lifo": True}])
async def test_a_job_that_has_not_begun_fails_at_once_and_never_runs(
    queue: Queue, working: Working, counted: Any, client: Any, options: Any
) -> None:
    job = await queue.add("x", attempts=3, **options)
    async with client.pubsub() as channel:
        await channel.subscribe("bull:q:failed")

        assert await queue.cancel(job.id) == "cancelled"

        message = [await channel.get_message(timeout=5) for _ in range(2)][1]
    await counted(failed=1)
    async with working({"x": nothing}):
        await queue.add("x")
        await counted(completed=1, failed=1)
    failed = await queue.get(job.id)
    assert failed is not None
    assert (failed.failed_reason, failed.cancelled, failed.attempts_made) == ("cancelled", True, 0)
    assert message["data"] == f'{{"jobId":"{job.id}","val":"cancelled"}}'
    assert await client.zcard("bull:q:priority") == 0


async def test_a_paused_job_can_be_cancelled(queue: Queue, counted: Any) -> None:
    job = await queue.add("x")
    await queue.pause()

    assert await queue.cancel(job.id) == "cancelled"

    await counted(failed=1)


async def test_a_job_in_the_line_of_its_group_can_be_cancelled(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any
) -> None:
    go_on = asyncio.Event()

    async def hold(_job: Job) -> None:
        await go_on.wait()

    jobs = await queue.add_many([NewJob("x", group="a") for _ in range(3)])
    async with working({"x": hold}, group_concurrency=1):
        await until(lambda: client.zcard("bull:q:parked"))

        assert await queue.cancel(jobs[1].id) == "cancelled"

        go_on.set()
        await counted(completed=2, failed=1)


async def test_a_running_job_is_stopped_and_not_tried_again(queue: Queue, working: Working, counted: Any) -> None:
    endless = Endless()
    job = await queue.add("x", attempts=3)
    async with working({"x": endless}):
        await endless.begun.wait()

        assert await queue.cancel(job.id) == "stopping"

        await counted(failed=1)

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == "cancelled"
    assert (endless.runs, endless.stopped) == (1, [True])


async def test_a_running_job_is_stopped_also_when_the_message_is_lost(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    endless = Endless()
    loop = asyncio.get_running_loop()
    job = await queue.add("x", attempts=3)
    async with working({"x": endless}) as worker:
        await endless.begun.wait()
        worker._listener._on_cancel = lambda _id: None

        assert await queue.cancel(job.id) == "stopping"

        asked = loop.time()
        await counted(failed=1)
        assert loop.time() - asked < 2

    assert endless.stopped == [True]


async def test_what_fails_while_it_is_stopped_is_cancelled_all_the_same(
    queue: Queue, working: Working, counted: Any
) -> None:
    begun = asyncio.Event()

    async def messy(_job: Job) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ValueError("the cleaning up went wrong") from None

    job = await queue.add("x", attempts=3)
    async with working({"x": messy}):
        await begun.wait()
        await queue.cancel(job.id)
        await counted(failed=1)

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == "cancelled"


async def test_a_processor_in_a_thread_is_told_that_it_should_stop(
    queue: Queue, working: Working, counted: Any
) -> None:
    begun, told = threading.Event(), threading.Event()
    asked: list[bool] = []

    def busy(job: Job) -> None:
        asked.append(job.should_stop())
        begun.set()
        while not job.should_stop():
            threading.Event().wait(0.005)
        told.set()

    job = await queue.add("x", attempts=3)
    async with working({"x": busy}):
        await asyncio.to_thread(begun.wait)

        await queue.cancel(job.id)

        await counted(failed=1)
        assert await asyncio.to_thread(told.wait, 5)
    assert asked == [False]


async def test_a_processor_in_a_thread_learns_of_its_timeout(queue: Queue, working: Working, counted: Any) -> None:
    told = threading.Event()

    def busy(job: Job) -> None:
        while not job.should_stop():
            threading.Event().wait(0.005)
        told.set()

    await queue.add("x", timeout=0.05)
    async with working({"x": busy}):
        await counted(failed=1)
        assert await asyncio.to_thread(told.wait, 5)


async def test_a_cancelled_job_whose_attempt_failed_by_itself_is_not_tried_again(
    queue: Queue, working: Working, counted: Any, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting_module, "TEND_INTERVAL", 0.05)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def broken(_job: Job) -> None:
        begun.set()
        await go_on.wait()
        raise ValueError("no")

    job = await queue.add("x", attempts=3, backoff=60)
    async with working({"x": broken}, presence_ttl=60) as worker:
        await begun.wait()
        worker._listener._on_cancel = lambda _id: None
        await queue.cancel(job.id)

        go_on.set()

        await counted(failed=1)
    assert await client.exists("bull:q:cancels") == 0


async def test_a_job_that_completed_before_it_could_be_stopped_stays_completed(
    queue: Queue, working: Working, counted: Any, client: Any, until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiting_module, "TEND_INTERVAL", 0.05)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: Job) -> str:
        begun.set()
        await go_on.wait()
        return "done"

    async def forgotten() -> bool:
        return not await client.exists("bull:q:cancels")

    job = await queue.add("x")
    async with working({"x": slow}, presence_ttl=60) as worker:
        await begun.wait()
        worker._listener._on_cancel = lambda _id: None
        await queue.cancel(job.id)
        go_on.set()
        await counted(completed=1)
        await until(forgotten)

    assert await queue.cancel(job.id) == "ended"
    await counted(completed=1)


async def test_a_retried_job_is_not_cancelled_by_what_was_asked_before(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    endless = Endless()
    job = await queue.add("x")
    async with working({"x": endless}):
        await endless.begun.wait()
        await queue.cancel(job.id)
        await counted(failed=1)
    await queue.retry(job.id)
    await client.zadd("bull:q:cancels", {job.id: 1})  # as it is until the next sweep

    async with working({"x": nothing}, presence_ttl=0.2):
        await counted(completed=1)


async def test_cancelling_what_is_not_there_says_so(queue: Queue) -> None:
    with pytest.raises(JobNotFound):
        await queue.cancel("nobody")


async def test_a_cancelled_job_is_kept_as_remove_on_fail_says(queue: Queue, client: Any) -> None:
    job = await queue.add("x", remove_on_fail=True)

    await queue.cancel(job.id)

    assert await queue.get(job.id) is None
    assert await client.zcard("bull:q:failed") == 0
