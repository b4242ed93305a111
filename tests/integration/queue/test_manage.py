"""What an operator does with jobs by hand."""

import asyncio
from typing import Any

import pytest

from holdfast.errors import NotConfigured
from holdfast.queue import Job, JobNotFound, NewJob, Queue, QueueError, Retention, Worker
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Scripts


async def broken(_job: Job) -> None:
    raise ValueError("no")


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

    assert {key async for key in client.scan_iter("*")} - {"bull:q:event-stream"} == {"bull:q:id"}


async def test_only_a_failed_job_can_be_retried(queue: Queue) -> None:
    job = await queue.add("x")

    with pytest.raises(QueueError, match="not failed"):
        await queue.retry(job.id)
    with pytest.raises(JobNotFound, match="nobody"):
        await queue.retry("nobody")


@pytest.mark.parametrize("own", ["wait", "id", "meta", "failed", "keep:failed:3:-1", "1:lock", ""])
async def test_a_key_of_the_queue_is_no_job_that_can_be_removed_retried_or_promoted(
    queue: Queue, client: Any, own: str
) -> None:
    await queue.add("x")
    await client.hset("bull:q:meta", "paused", "1")
    before = {key async for key in client.scan_iter("*")}

    assert not await queue.remove(own)
    for move in (queue.retry, queue.promote):
        with pytest.raises(JobNotFound):
            await move(own)

    assert {key async for key in client.scan_iter("*")} == before


async def test_all_failed_jobs_run_again_the_oldest_first_and_others_stay(
    queue: Queue, working: Any, counted: Any, client: Any
) -> None:
    jobs = await queue.add_many([NewJob("broken", n, remove_on_fail=Retention(count=900)) for n in range(450)])
    async with working({"broken": broken}, concurrency=1):
        await counted(failed=450)
    locked = jobs[3].id
    await client.set(f"bull:q:{locked}:lock", "node", px=60_000)
    await client.delete(f"bull:q:{jobs[5].id}")
    oldest = [each for each in await client.zrange("bull:q:failed", 0, -1) if each not in (locked, jobs[5].id)]

    assert await queue.retry_all(limit=100) == 100
    first = [job.id for job in await queue.jobs("wait")]
    assert await queue.retry_all() == 348

    assert first == oldest[:100]
    assert set(await client.zrange("bull:q:failed", 0, -1)) == {locked, jobs[5].id}
    assert await client.zcard("bull:q:keep:failed:900:-1") == 2
    again = await queue.get(jobs[0].id)
    assert again is not None
    assert (again.attempts_made, again.failed_reason, again.finished_on) == (0, None, None)


async def test_a_job_retried_without_fresh_attempts_keeps_what_it_has_used(
    queue: Queue, working: Any, counted: Any
) -> None:
    job = await queue.add("broken", attempts=2)
    async with working({"broken": broken}):
        await counted(failed=1)

    assert await queue.retry_all(fresh=False) == 1

    again = await queue.get(job.id)
    assert again is not None
    assert again.attempts_made == 2


async def test_completed_jobs_can_all_run_again(queue: Queue, working: Any, counted: Any) -> None:
    await queue.add_many([NewJob("x") for _ in range(3)])
    async with working({"x": lambda _job: None}):
        await counted(completed=3)

    assert await queue.retry_all("completed") == 3

    assert (await queue.counts())["wait"] == 3
    with pytest.raises(QueueError, match="wait"):
        await queue.retry_all("wait")  # type: ignore[arg-type]


async def test_delayed_jobs_can_be_promoted_one_or_all_by_their_priority(queue: Queue, working: Any) -> None:
    jobs = await queue.add_many([NewJob("x", n, delay=60, priority=n % 3) for n in range(7)])
    done: list[int] = []

    await queue.promote(jobs[6].id)
    assert await queue.promote_all(limit=2) == 2
    assert (await queue.counts())["delayed"] == 4
    assert await queue.promote_all() == 4

    with pytest.raises(QueueError, match="not delayed"):
        await queue.promote(jobs[6].id)
    with pytest.raises(JobNotFound):
        await queue.promote("nobody")
    async with working({"x": lambda job: done.append(job.data)}, concurrency=1):
        async with asyncio.timeout(20):
            while len(done) < 7:
                await asyncio.sleep(0.01)
    assert done == [1, 4, 2, 5, 6, 0, 3]


async def test_promoted_and_retried_jobs_stay_paused_with_the_queue(queue: Queue) -> None:
    job = await queue.add("x", delay=60)
    await queue.pause()

    await queue.promote(job.id)

    assert await queue.is_paused()
    assert (await queue.counts())["paused"] == 1


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
