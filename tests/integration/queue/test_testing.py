"""The helpers for other people's tests do what they say."""

import asyncio
import shutil
from typing import Any

import pytest
import redis

from holdfast.errors import NotConfigured, QueueError, Unrecoverable
from holdfast.queue import Job, NewJob, Queue
from holdfast.queue.testing import WorkedOff, make_job, redis_server, run_one, wait_for_state, work_off


async def double(job: Job) -> int:
    return 2 * job.data


async def fail(_job: Job) -> None:
    raise ValueError("no")


async def test_working_off_runs_all_that_waits_and_tells_what_ended(queue: Queue) -> None:
    good = await queue.add_many(NewJob("double", n) for n in range(30))
    bad = await queue.add("fail")

    ended = await work_off(queue, {"double": double, "fail": fail})

    assert ended.failed == [bad.id]
    assert sorted(ended.completed) == sorted(job.id for job in good)


async def test_working_off_nothing_ends_at_once(queue: Queue) -> None:
    assert await work_off(queue, {"x": double}, timeout=5) == WorkedOff()


async def test_working_off_leaves_delayed_jobs_unless_they_are_asked_for(queue: Queue) -> None:
    job = await queue.add("x", 1, delay=3600)

    assert await work_off(queue, {"x": double}) == WorkedOff()
    assert await work_off(queue, {"x": double}, delayed=True) == WorkedOff([job.id], [])


async def test_working_off_does_not_wait_for_a_backoff_when_delayed_jobs_are_asked_for(queue: Queue) -> None:
    async def fail_twice(job: Job) -> None:
        if job.attempts_made < 2:
            raise ValueError("not yet")

    job = await queue.add("x", attempts=3, backoff=3600)

    assert await work_off(queue, {"x": fail_twice}, delayed=True) == WorkedOff([job.id], [])


async def test_working_off_ends_in_time_and_says_what_is_left(queue: Queue) -> None:
    async def stay(_job: Job) -> None:
        await asyncio.Event().wait()

    await queue.add("x")

    with pytest.raises(TimeoutError, match="'active': 1"):
        await work_off(queue, {"x": stay}, timeout=0.3)


async def test_jobs_that_jobs_add_are_worked_off_too(queue: Queue) -> None:
    async def add_another(job: Job) -> None:
        if job.data:
            await queue.add("x", job.data - 1)

    await queue.add("x", 3)

    ended = await work_off(queue, {"x": add_another})

    assert len(ended.completed) == 4


async def test_a_state_is_waited_for(queue: Queue) -> None:
    job = await queue.add("x", 1, delay=3600)
    await wait_for_state(queue, job.id, "delayed")
    waiting = asyncio.create_task(wait_for_state(queue, job.id, "completed"))

    assert not waiting.done()
    await work_off(queue, {"x": double}, delayed=True)

    await waiting


async def test_a_state_that_does_not_come_is_told_with_the_one_there_is(queue: Queue) -> None:
    job = await queue.add("x", delay=3600)

    with pytest.raises(TimeoutError, match="it is delayed"):
        await wait_for_state(queue, job.id, "completed", timeout=0.1)
    with pytest.raises(TimeoutError, match="it is nowhere"):
        await wait_for_state(queue, "nobody", "completed", timeout=0.1)


async def test_one_job_is_run_without_a_redis() -> None:
    async def processor(job: Job) -> dict[str, Any]:
        await job.update_progress(30)
        await job.update_progress(10)
        await job.log(f"{job.name} {job.id}")
        return {"n": job.data["n"] + job.attempts_made, "tuple": (1, 2)}

    ran = await run_one(processor, {"n": 1}, name="sum", attempts_made=2)

    assert ran.value == {"n": 3, "tuple": [1, 2]}
    assert (ran.progress, ran.logs) == ([30, 30], ["sum test-1"])


async def test_a_sync_processor_is_run_in_a_thread_and_its_error_is_raised() -> None:
    def processor(job: Job) -> int:
        if job.data is None:
            raise Unrecoverable("nothing to do")
        return len(job.data)

    assert (await run_one(processor, [1, 2])).value == 2
    with pytest.raises(Unrecoverable):
        await run_one(processor)


async def test_a_result_that_could_not_be_stored_is_refused() -> None:
    async def processor(_job: Job) -> object:
        return object()

    with pytest.raises(QueueError, match="no JSON"):
        await run_one(processor)


def test_a_job_made_by_hand_has_the_options_of_a_real_one() -> None:
    job = make_job("x", attempts=3, backoff=2.0, delay=1.5)

    assert job.opts["attempts"] == 3
    assert job.opts["backoff"] == {"type": "fixed", "delay": 2000}
    assert job.opts["delay"] == 1500
    assert (job.attempts_made, job.resumed) == (0, False)


async def test_a_redis_of_its_own_is_empty_usable_and_gone_afterwards() -> None:
    with redis_server() as url:
        async with Queue("q", url=url) as queue:
            await queue.add("x", 4)
            assert len((await work_off(queue, {"x": double})).completed) == 1
        with redis_server() as other, redis.Redis.from_url(other) as client:
            assert client.dbsize() == 0
    with redis.Redis.from_url(url) as client, pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_redis_that_will_not_start_says_why() -> None:
    with pytest.raises(NotConfigured, match="would not start"), redis_server("--maxmemory", "lots"):
        pass


def test_a_machine_without_a_redis_is_told_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    with pytest.raises(NotConfigured, match="install Redis"), redis_server():
        pass
