"""What workers do with jobs when nothing breaks."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
import redis.asyncio

from holdfast.queue import Backoff, Job, NewJob, Queue, Unrecoverable, Worker

EXAMPLE = """
import asyncio
from holdfast import Job, NewJob, Queue, Worker

async def send(job: Job) -> str:
    return f"sent to {job.data['to']}"

async def main() -> None:
    async with Queue("emails", url="redis://localhost:6379") as queue:
        await queue.add("send", {"to": "a@example.org"}, job_id="mail-1", attempts=3)
        await queue.add_many([NewJob("send", {"to": f"{n}@example.org"}) for n in range(1000)])
        worker = Worker(queue, {"send": send}, concurrency=10, lock_duration=30.0)
        await worker.run()          # until SIGTERM, SIGINT or worker.stop(); graceful
        print(await queue.counts()) # {"wait": 0, "active": 0, "completed": 1001, "failed": 0, "delayed": 0, "paused": 0}

asyncio.run(main())
"""  # noqa: E501

Working = Callable[..., AbstractAsyncContextManager[Worker]]


async def test_the_example_of_the_readme_prints_what_it_says(redis_url: str, until: Any) -> None:
    program = EXAMPLE.replace("redis://localhost:6379", redis_url)
    src = Path(__file__).parents[3] / "src"
    with subprocess.Popen(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(src)}, stdout=subprocess.PIPE, text=True
    ) as process:
        async with Queue("emails", url=redis_url) as queue:

            async def done() -> bool:
                return (await queue.counts())["completed"] == 1001

            await until(done)
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.to_thread(process.communicate, timeout=30)

    assert output == str({"wait": 0, "active": 0, "completed": 1001, "failed": 0, "delayed": 0, "paused": 0}) + "\n"
    assert process.returncode == 0


async def test_results_are_kept_as_bull_keeps_them(
    queue: Queue, working: Working, client: redis.asyncio.Redis, counted: Any
) -> None:
    async def double(job: Job) -> dict[str, int]:
        return {"doubled": job.data * 2}

    async with client.pubsub() as channel:
        await channel.subscribe("bull:q:completed")
        job = await queue.add("double", 21)
        async with working({"double": double}):
            await counted(completed=1)
        message = [await channel.get_message(timeout=5) for _ in range(2)][1]

    done = await queue.get(job.id)
    assert done is not None
    assert done.returnvalue == {"doubled": 42}
    assert done.finished_on is not None
    assert done.processed_on is not None
    assert await client.zrange("bull:q:completed", 0, -1) == [job.id]
    assert await client.exists(f"bull:q:{job.id}:lock") == 0
    assert message is not None
    assert orjson.loads(message["data"]) == {"jobId": job.id, "val": '{"doubled":42}'}


async def test_a_processor_for_all_other_names_and_one_in_a_thread(
    queue: Queue, working: Working, counted: Any
) -> None:
    threads: dict[str, str] = {}

    def in_thread(job: Job) -> None:
        threads[job.name] = threading.current_thread().name

    async def in_loop(job: Job) -> None:
        threads[job.name] = threading.current_thread().name

    await queue.add_many([NewJob("sync"), NewJob("other")])
    async with working({"sync": in_thread, "*": in_loop}):
        await counted(completed=2)

    assert threads["other"] == threading.main_thread().name
    assert threads["sync"] != threads["other"]


async def test_at_most_so_many_jobs_run_at_once(queue: Queue, working: Working, counted: Any) -> None:
    running = most = 0

    async def watch(_job: Job) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.002)
        running -= 1

    await queue.add_many([NewJob("x") for _ in range(200)])
    async with working({"x": watch}, concurrency=7):
        await counted(completed=200)

    assert most == 7


async def test_a_failing_job_is_tried_again_after_its_backoff_and_its_success_forgets_the_failure(
    queue: Queue, working: Working, client: redis.asyncio.Redis, counted: Any
) -> None:
    seen: list[tuple[int, float]] = []

    async def flaky(job: Job) -> str:
        seen.append((job.attempts_made, asyncio.get_running_loop().time()))
        if len(seen) < 3:
            raise ValueError(f"no {len(seen)}")
        return "at last"

    job = await queue.add("x", attempts=3, backoff=Backoff(delay=0.1))
    async with working({"x": flaky}):
        await counted(completed=1)

    kept = await client.hgetall(f"bull:q:{job.id}")
    waits = [later - earlier for (_, earlier), (_, later) in pairwise(seen)]
    assert [made for made, _ in seen] == [0, 1, 2]
    assert waits[0] >= 0.1
    assert waits[1] >= 0.3
    assert kept["attemptsMade"] == "2"
    assert not {"failedReason", "stacktrace"} & set(kept)
    assert "no 2" in kept["pastFailures"]


async def test_a_job_fails_for_good_when_its_attempts_are_used_up(
    queue: Queue, working: Working, client: redis.asyncio.Redis, counted: Any
) -> None:
    async def broken(_job: Job) -> None:
        raise ValueError("a bad day")

    async with client.pubsub() as channel:
        await channel.subscribe("bull:q:failed")
        job = await queue.add("x", attempts=2)
        async with working({"x": broken}):
            await counted(failed=1)
        message = [await channel.get_message(timeout=5) for _ in range(2)][1]

    failed = await queue.get(job.id)
    assert failed is not None
    assert (failed.failed_reason, failed.attempts_made) == ("a bad day", 2)
    assert len(failed.stacktrace) == 2
    assert "ValueError: a bad day" in failed.stacktrace[1]
    assert message is not None
    assert orjson.loads(message["data"]) == {"jobId": job.id, "val": "a bad day"}


async def test_an_unrecoverable_error_uses_up_no_more_attempts(queue: Queue, working: Working, counted: Any) -> None:
    runs = 0

    async def hopeless(_job: Job) -> None:
        nonlocal runs
        runs += 1
        raise Unrecoverable("never")

    await queue.add("x", attempts=5)
    async with working({"x": hopeless}):
        await counted(failed=1)

    assert runs == 1


@pytest.mark.parametrize(
    ("name", "processor", "reason"),
    [
        ("unknown", lambda _job: None, "Missing process handler for job type unknown"),
        ("x", lambda _job: object(), "the processor's result is no JSON value: Type is not JSON serializable: object"),
    ],
)
async def test_what_another_attempt_cannot_cure_fails_at_once(
    queue: Queue, working: Working, counted: Any, name: str, processor: Any, reason: str
) -> None:
    job = await queue.add(name, attempts=3)
    async with working({"x": processor}):
        await counted(failed=1)

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == reason


async def test_a_failed_job_runs_again_with_all_its_attempts_when_asked_for(
    queue: Queue, working: Working, counted: Any
) -> None:
    async def until_retried(job: Job) -> str:
        if job.attempts_made == 0 and not healed:
            raise ValueError("not yet")
        return "healed"

    healed: list[bool] = []
    job = await queue.add("x")
    async with working({"x": until_retried}):
        await counted(failed=1)
        healed.append(True)

        await queue.retry(job.id)

        await counted(completed=1)


async def test_an_attempt_that_takes_too_long_fails(queue: Queue, working: Working, counted: Any) -> None:
    async def endless(_job: Job) -> None:
        await asyncio.Event().wait()

    job = await queue.add("x", timeout=0.05)
    async with working({"x": endless}):
        await counted(failed=1)

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == "job timed out after 50 ms"


async def test_a_delayed_job_runs_when_it_is_due_and_not_before(queue: Queue, working: Working, counted: Any) -> None:
    loop = asyncio.get_running_loop()
    ran_at: list[float] = []

    async def note(_job: Job) -> None:
        ran_at.append(loop.time())

    async with working({"x": note}):
        added_at = loop.time()
        await queue.add("x", delay=0.3)
        await counted(completed=1)

    assert 0.29 <= ran_at[0] - added_at < 0.6


async def test_a_paused_queue_gives_no_job_until_it_is_resumed(queue: Queue, working: Working, counted: Any) -> None:
    await queue.pause()
    async with working({"x": lambda _job: None}, poll_interval=0.05):
        await queue.add("x")
        async with working({"y": lambda _job: None}, queue=queue):  # two workers start, and neither takes it
            await counted(paused=1)

        await queue.resume()

        await counted(completed=1)


async def test_an_idle_worker_takes_a_new_job_at_once(queue: Queue, working: Working, counted: Any) -> None:
    taken = asyncio.Event()

    async def note(_job: Job) -> None:
        taken.set()

    async with working({"x": note}, poll_interval=60.0):
        await queue.add("x")
        await counted(completed=1)
        taken.clear()
        started = asyncio.get_running_loop().time()

        await queue.add("x")

        await taken.wait()
        assert asyncio.get_running_loop().time() - started < 0.5


async def test_progress_and_log_lines_are_kept(queue: Queue, working: Working, counted: Any, client: Any) -> None:
    async def report(job: Job) -> None:
        await job.update_progress({"step": 1})
        await job.log("one")
        await job.log("two")

    job = await queue.add("x")
    async with working({"x": report}):
        await counted(completed=1)

    done = await queue.get(job.id)
    assert done is not None
    assert done.progress == {"step": 1}
    assert await client.lrange(f"bull:q:{job.id}:logs", 0, -1) == ["one", "two"]


async def test_live_workers_are_listed_and_found_by_bull_s_client_name(
    queue: Queue, working: Working, client: Any, until: Any
) -> None:
    async def named() -> bool:
        return any(line["name"] == "bull:cQ==" for line in await client.client_list())

    async with working({"x": lambda _job: None}, concurrency=3) as worker:
        workers = await until(queue.workers)
        await until(named)
        assert [(live.id, live.concurrency) for live in workers] == [(worker.id, 3)]

    assert await queue.workers() == []
