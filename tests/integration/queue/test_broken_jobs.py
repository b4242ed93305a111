"""What is broken, stray or listed twice stops no worker."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from holdfast.queue import Job, Queue, Worker

Working = Callable[..., AbstractAsyncContextManager[Worker]]

BROKEN: dict[str, dict[str, bytes]] = {
    "data": {"name": b"x", "data": b"{not json", "opts": b"{}"},
    "options": {"name": b"x", "data": b"1", "opts": b"\xff not json"},
    "numbers": {"name": b"x", "data": b"1", "opts": b'{"attempts":"many","backoff":{"type":"fixed","delay":"long"}}'},
    "no options": {"name": b"x"},
    "name": {"name": b"\xff"},
}


async def fine(_job: Job) -> None:
    pass


async def broken(_job: Job) -> None:
    raise ValueError("no")


async def test_an_id_without_a_job_is_set_aside_and_the_others_run(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    await client.rpush("bull:q:wait", "ghost")
    await queue.add("x")

    async with working({"x": lambda _job: None}):
        await counted(completed=1)

    assert await client.lrange("bull:q:ghosts", 0, -1) == ["ghost"]


@pytest.mark.parametrize("what", BROKEN)
async def test_a_broken_job_stops_no_worker(
    queue: Queue, working: Working, client: Any, counted: Any, what: str
) -> None:
    async def read(job: Job) -> None:
        if job.data is None or job.attempts_made or job.stalled_count:
            raise ValueError("nothing to do")

    await client.hset("bull:q:broken", mapping=BROKEN[what] | {"attemptsMade": b"none"})
    await client.lpush("bull:q:wait", "broken")
    await queue.add("x", 1)

    async with working({"x": read}):
        await counted(**({"completed": 2} if what in ("options", "numbers") else {"completed": 1, "failed": 1}))


async def test_an_id_whose_key_is_no_hash_is_set_aside(
    queue: Queue, working: Working, client: Any, counted: Any
) -> None:
    await client.set("bull:q:text", "not a job")
    await client.rpush("bull:q:wait", "text")
    await queue.add("x")

    async with working({"x": lambda _job: None}):
        await counted(completed=1)

    assert await client.lrange("bull:q:ghosts", 0, -1) == ["text"]


async def test_a_log_line_with_broken_text_is_written_out_and_the_worker_goes_on(
    queue: Queue, working: Working, client: Any, counted: Any
) -> None:
    async def talk(job: Job) -> None:
        await job.log("half a pair: \ud800")

    job = await queue.add("x")
    async with working({"x": talk}):
        await counted(completed=1)

    assert await client.lrange(f"bull:q:{job.id}:logs", 0, -1) == ["half a pair: \\ud800"]


async def test_a_stray_message_on_the_delayed_channel_ends_no_worker(
    queue: Queue, working: Working, client: Any, counted: Any, until: Any
) -> None:
    async with working({"x": lambda _job: None}, poll_interval=60):
        await until(lambda: client.publish("bull:q:delayed", "garbage"))  # heard by one

        await queue.add("x")

        await counted(completed=1)


@pytest.mark.parametrize(("processor", "ending"), [(fine, "completed"), (broken, "failed")])
async def test_a_job_whose_id_waits_twice_runs_once(
    queue: Queue, working: Working, client: Any, counted: Any, processor: Any, ending: str
) -> None:
    runs: list[str] = []

    async def note(job: Job) -> None:
        runs.append(job.id)
        await processor(job)

    twice = await queue.add("x", priority=1)
    await client.rpush("bull:q:wait", twice.id)

    async with working({"x": note}, concurrency=1):
        await counted(**{ending: 1})

    assert runs == [twice.id]
    assert await client.zcard("bull:q:priority") == 0


async def test_a_failed_job_that_is_retried_runs_again(queue: Queue, working: Working, counted: Any) -> None:
    job = await queue.add("x")
    async with working({"x": broken}):
        await counted(failed=1)
    await queue.retry(job.id)

    async with working({"x": fine}):
        await counted(completed=1)
