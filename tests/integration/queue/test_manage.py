"""What an operator does with jobs by hand."""

import asyncio
from typing import Any

import pytest

from holdfast.errors import NotConfigured
from holdfast.queue import Job, JobNotFound, NewJob, Queue, QueueError, Worker
from holdfast.queue.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts


async def test_a_running_job_cannot_be_removed(queue: Queue, working: Any, counted: Any) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_job: Job) -> None:
        begun.set()
        await go_on.wait()

    job = await queue.add("x")
    async with working({"x": slow}):
        await begun.wait()

        with pytest.raises(QueueError, match="running"):
            await queue.remove(job.id)

        go_on.set()
        await counted(completed=1)
    assert await queue.remove(job.id)
    assert await queue.get(job.id) is None


async def test_a_removed_job_leaves_nothing_behind_wherever_it_was(queue: Queue, client: Any) -> None:
    await queue.add_many(
        [NewJob("x", job_id="w"), NewJob("x", job_id="p", priority=3), NewJob("x", job_id="d", delay=9)]
    )

    assert [await queue.remove(job_id) for job_id in ("w", "p", "d")] == [True] * 3

    assert [key async for key in client.scan_iter("*")] == ["bull:q:id"]


async def test_only_a_failed_job_can_be_retried(queue: Queue) -> None:
    job = await queue.add("x")

    with pytest.raises(QueueError, match="not failed"):
        await queue.retry(job.id)
    with pytest.raises(JobNotFound, match="nobody"):
        await queue.retry("nobody")


async def test_a_job_that_was_read_cannot_report(queue: Queue) -> None:
    job = await queue.add("x")

    with pytest.raises(RuntimeError, match="read, not taken"):
        await job.update_progress(1)


@pytest.mark.parametrize("url", ["http://localhost", "redis://localhost:port", "redis://:secret@localhost:99999x"])
def test_what_is_no_redis_url_is_refused_at_once_without_showing_a_password(url: str) -> None:
    with pytest.raises(NotConfigured) as caught:
        Queue("q", url=url)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"lock_duration": 0.0}])
async def test_a_worker_that_could_not_work_is_refused(queue: Queue, options: dict[str, Any]) -> None:
    with pytest.raises(QueueError):
        Worker(queue, {"x": lambda _job: None}, **options)


async def test_a_worker_runs_once_at_a_time(queue: Queue, working: Any, until: Any) -> None:
    async with working({"x": lambda _job: None}) as worker:
        await until(queue.workers)

        with pytest.raises(QueueError, match="running already"):
            await worker.run()


async def test_states_of_a_thousand_jobs_among_thousands_waiting_come_quickly(queue: Queue) -> None:
    jobs = await queue.add_many([NewJob("x") for _ in range(5_000)])
    ids = [job.id for job in jobs[::5]]
    started = asyncio.get_running_loop().time()

    states = await queue.states(ids)

    assert asyncio.get_running_loop().time() - started < 1
    assert set(states.values()) == {"wait"}
    assert len(states) == 1_000


@pytest.mark.parametrize("also_waiting", [0, 1])
async def test_jobs_that_a_resume_left_behind_when_it_was_cut_off_are_run(
    queue: Queue, working: Any, counted: Any, client: Any, also_waiting: int
) -> None:
    await queue.add_many([NewJob("x") for _ in range(1_200)])
    await client.rename("bull:q:wait", "bull:q:paused")
    await queue.add_many([NewJob("x") for _ in range(also_waiting)])

    async with working({"x": lambda _job: None}, concurrency=100):
        await counted(completed=1_200 + also_waiting)


async def test_jobs_that_are_left_behind_return_in_order_and_only_while_nothing_is_paused(
    queue: Queue, client: Any
) -> None:
    link = Link(queue.url, reporter=Reporter())
    scripts = Scripts(link, queue.keys)
    await queue.add_many([NewJob("x", n) for n in range(5)])
    await queue.pause()
    assert await scripts.promote("w", 2) == (0, None)
    assert (await queue.counts())["paused"] == 5
    await client.delete("bull:q:meta-paused")
    await queue.add("x", 5)

    again = [(await scripts.promote("w", 2))[1] for _ in range(3)]

    await link.close()
    assert again == [0.0, 0.0, None]
    assert [job.data for job in await queue.jobs("wait")] == [0, 1, 2, 3, 4, 5]
