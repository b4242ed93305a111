"""Who waits for a job's result gets it, or learns that there will be none."""

import asyncio
from time import monotonic

import pytest
import redis.asyncio

from holdfast.embedded import RedisServer
from holdfast.errors import JobFailed, JobNotFound, QueueUnavailable, ResultTimeout
from holdfast.queue import Job, NewJob, Queue, Worker

from .conftest import Working


async def double(job: Job) -> int:
    return 2 * job.data


async def fail(_job: Job) -> None:
    raise ValueError("no luck")


async def test_a_result_is_what_the_processor_returned(queue: Queue, working: Working) -> None:
    job = await queue.add("x", 21)

    async with working({"x": double}):
        assert await queue.result(job.id, timeout=10) == 42
        assert await queue.result(job.id, timeout=10) == 42


async def test_a_job_that_was_added_is_asked_for_its_result(queue: Queue, working: Working) -> None:
    async with working({"x": double}):
        job = await queue.add("x", 21)

        assert await job.result(timeout=10) == 42


async def test_the_result_of_a_failed_job_is_its_reason(queue: Queue, working: Working) -> None:
    async with working({"x": fail}):
        job = await queue.add("x", attempts=2)

        with pytest.raises(JobFailed, match="no luck") as caught:
            await job.result(timeout=10)

    assert (caught.value.job_id, caught.value.reason) == (job.id, "no luck")


@pytest.mark.parametrize("processor", [double, fail])
async def test_the_end_of_a_job_that_was_removed_at_once_is_still_known(
    queue: Queue, working: Working, processor: object
) -> None:
    job = await queue.add("x", 21, remove_on_complete=True, remove_on_fail=True)
    before = await _ending(job)
    async with working({"x": processor}):
        await queue.result(job.id, timeout=10) if processor is double else await _ending(job, 10)

    assert before == "timeout"
    assert await queue.get(job.id) is None
    assert await _ending(job, 10) == (42 if processor is double else "failed: no luck")


async def _ending(job: Job, within: float = 0.05) -> object:
    try:
        return await job.result(timeout=within)
    except ResultTimeout:
        return "timeout"
    except JobFailed as error:
        return f"failed: {error.reason}"


async def test_results_are_known_though_few_are_kept_and_many_end_at_once(queue: Queue, working: Working) -> None:
    jobs = await queue.add_many(NewJob("x", n, remove_on_complete=1) for n in range(100))

    async with working({"x": double}, concurrency=100):
        results = await asyncio.gather(*(job.result(timeout=20) for job in jobs))

    assert results == [2 * n for n in range(100)]
    assert (await queue.counts())["completed"] < 50


async def test_a_cancelled_job_that_is_not_kept_is_known_to_have_failed(queue: Queue) -> None:
    job = await queue.add("x", remove_on_fail=True)
    await queue.cancel(job.id)

    with pytest.raises(JobFailed, match="cancelled"):
        await job.result(timeout=10)


async def test_what_is_remembered_is_forgotten_after_an_hour(
    queue: Queue, working: Working, client: "redis.asyncio.Redis"
) -> None:
    async with working({"x": double}):
        small = await queue.add("x", 1, remove_on_complete=True)
        await small.result(timeout=10)
        big = await queue.add("x", "long " * 200_000, remove_on_complete=True)
        await big.result(timeout=10)

    assert 3000 < await client.ttl(f"{queue.keys.base}outcome:{small.id}") <= 3600
    assert 0 < await client.ttl(f"{queue.keys.base}outcome:{big.id}") <= 30


async def test_a_job_named_like_the_count_of_what_is_remembered_stops_no_worker(
    queue: Queue, working: Working, client: "redis.asyncio.Redis"
) -> None:
    await client.hset(f"{queue.keys.base}outcomes", mapping={"name": "of somebody else"})  # type: ignore[misc]
    removed = await queue.add("x", 1, remove_on_complete=True)
    kept = await queue.add("x", 2)

    async with working({"x": double}):
        assert await kept.result(timeout=10) == 4

    assert await queue.get(removed.id) is None
    assert (await queue.counts())["active"] == 0


async def test_waiting_for_a_job_that_is_not_there_ends_at_once(queue: Queue) -> None:
    async with asyncio.timeout(5):
        with pytest.raises(JobNotFound):
            await queue.result("nobody")


async def test_waiting_for_a_job_that_is_removed_meanwhile_ends(queue: Queue) -> None:
    job = await queue.add("x")
    waiting = asyncio.create_task(job.result())
    await asyncio.sleep(0.05)

    await queue.remove(job.id)

    async with asyncio.timeout(5):
        with pytest.raises(JobNotFound):
            await waiting


async def test_a_removed_job_s_earlier_end_is_not_the_end_of_its_namesake(queue: Queue, working: Working) -> None:
    async with working({"x": double}):
        first = await queue.add("x", 1, job_id="same", remove_on_complete=True)
        assert await first.result(timeout=10) == 2
    second = await queue.add("x", 2, job_id="same")

    assert await _ending(second) == "timeout"
    await queue.remove("same")
    with pytest.raises(JobNotFound):
        await second.result(timeout=10)


async def test_a_job_that_goes_on_too_long_is_a_timeout_and_goes_on(queue: Queue, working: Working) -> None:
    job = await queue.add("x", 21)

    with pytest.raises(ResultTimeout, match="within"):
        await job.result(timeout=0.05)
    async with working({"x": double}):
        assert await job.result(timeout=10) == 42


async def test_a_timeout_of_the_caller_s_own_is_left_as_it_is(queue: Queue) -> None:
    job = await queue.add("x")

    with pytest.raises(TimeoutError) as caught:
        async with asyncio.timeout(0.05):
            await job.result()

    assert not isinstance(caught.value, ResultTimeout)


async def test_many_waiters_share_one_connection(queue: Queue, working: Working, client: "redis.asyncio.Redis") -> None:
    jobs = await queue.add_many(NewJob("x", n) for n in range(200))
    before = len(await client.client_list())
    waiting = [asyncio.create_task(job.result(timeout=20)) for job in jobs for _ in range(2)]
    await asyncio.sleep(0.1)
    during = len(await client.client_list())

    async with working({"x": double}):
        results = await asyncio.gather(*waiting)

    assert during == before + 1
    assert results == [2 * n for n in range(200) for _ in range(2)]


async def test_a_result_is_told_at_once_not_at_the_next_look(queue: Queue, working: Working) -> None:
    go = asyncio.Event()

    async def processor(_job: Job) -> float:
        await go.wait()
        return monotonic()

    job = await queue.add("x")
    async with working({"x": processor}):
        waiting = asyncio.create_task(job.result(timeout=20))
        await asyncio.sleep(2.5)  # by now looks are seldom
        go.set()
        began = await waiting
        took = monotonic() - began

    assert took < 0.25


async def test_a_result_is_found_though_nobody_tells_of_it(
    queue: Queue, working: Working, client: "redis.asyncio.Redis"
) -> None:
    """As with Node's workers, which write the job's hash and the completed zset and nothing else of ours."""
    await queue.tell_events(False)
    job = await queue.add("x", 21)
    waiting = asyncio.create_task(job.result(timeout=20))
    await asyncio.sleep(0.3)

    await client.hset(queue.keys.job(job.id), mapping={"returnvalue": '{"by":"node"}', "finishedOn": "1"})  # type: ignore[misc]
    await client.zadd(queue.keys.completed, {job.id: 1})

    assert await waiting == {"by": "node"}


async def test_a_result_survives_a_redis_that_is_killed_and_started_again(own_redis: RedisServer) -> None:
    async with Queue("q", url=own_redis.url) as queue:
        job = await queue.add("x", 21)
        waiting = asyncio.create_task(job.result(timeout=60))
        await asyncio.sleep(0.1)
        own_redis.kill()
        await asyncio.sleep(0.1)
        own_redis.start()
        worker = Worker(queue, {"x": double}, grace=2.0)
        running = asyncio.create_task(worker.run())

        assert await waiting == 42

        await worker.stop()
        await running


async def test_closing_the_queue_ends_the_waiting(queue: Queue) -> None:
    job = await queue.add("x")
    waiting = asyncio.create_task(job.result())
    await asyncio.sleep(0.05)

    await queue.close()

    async with asyncio.timeout(2):
        with pytest.raises(QueueUnavailable, match="closed"):
            await waiting


async def test_the_reader_stops_when_nobody_waits(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, client: "redis.asyncio.Redis"
) -> None:
    monkeypatch.setattr("holdfast.queue.client.results.LINGER", 0.05)
    job = await queue.add("x")
    before = len(await client.client_list())
    for _ in range(3):
        assert await _ending(job) == "timeout"

        async with asyncio.timeout(5):
            while len(await client.client_list()) > before:
                await asyncio.sleep(0.01)


async def test_a_processor_cannot_wait_for_its_own_job(queue: Queue, working: Working) -> None:
    async def processor(job: Job) -> object:
        return await job.result()

    job = await queue.add("x")
    async with working({"x": processor}):
        with pytest.raises(JobFailed, match="its own result"):
            await job.result(timeout=10)
