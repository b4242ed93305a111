"""Processors in processes of their own: what happens to one happens to that attempt alone."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.integration.queue import crunching

from holdfast.queue import Job, NewJob, Queue, QueueError, Worker, in_process

Working = Callable[..., AbstractAsyncContextManager[Worker]]
SRC = Path(__file__).parents[3] / "src"


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


async def gone(pids: list[int]) -> None:
    async with asyncio.timeout(10):
        while [pid for pid in pids if alive(pid)]:
            await asyncio.sleep(0.01)


async def busy_pids(path: Path) -> list[int]:
    async with asyncio.timeout(20):
        while not path.exists():
            await asyncio.sleep(0.01)
    return [int(pid) for pid in path.read_text().split()]


async def value_of(queue: Queue, job: Job) -> Any:
    done = await queue.get(job.id)
    assert done is not None
    return done.returnvalue


async def test_jobs_run_in_as_many_processes_as_there_may_be_and_these_are_used_again(
    queue: Queue, working: Working, counted: Any
) -> None:
    jobs = await queue.add_many([NewJob("x", n) for n in range(40)])
    async with working({"x": in_process(crunching.double)}, processes=2):
        await counted(completed=40)

    results = [await value_of(queue, job) for job in jobs]
    pids = {result["pid"] for result in results}
    assert [result["doubled"] for result in results] == [n * 2 for n in range(40)]
    assert len(pids) <= 2
    assert os.getpid() not in pids
    await gone(list(pids))


async def test_in_process_can_be_a_decorator(queue: Queue, working: Working, counted: Any) -> None:
    job = await queue.add("x", 1)
    async with working({"x": crunching.decorated}, processes=1):
        await counted(completed=1)

    assert await value_of(queue, job) == "decorated 1"


async def test_the_processor_sees_the_job(queue: Queue, working: Working, counted: Any) -> None:
    job = await queue.add("x", {"a": [1]}, attempts=3)
    async with working({"*": in_process(crunching.view)}):
        await counted(completed=1)

    assert await value_of(queue, job) == [job.id, "x", {"a": [1]}, 3, 0]


async def test_progress_and_log_lines_and_big_results_come_through(
    queue: Queue, working: Working, counted: Any, client: Any
) -> None:
    job = await queue.add("x", 300_000)
    async with working({"x": in_process(crunching.reporting)}):
        await counted(completed=1)

    done = await queue.get(job.id)
    assert done is not None
    assert done.progress == {"step": 1}
    assert done.returnvalue == "x" * 300_000
    assert sorted(await client.lrange(f"bull:q:{job.id}:logs", 0, -1)) == sorted(f"line {n}" * 1_000 for n in range(20))


@pytest.mark.parametrize(
    ("what", "reason", "tries"),
    [
        ("own", "my own", 2),
        ("awkward", "Awkward: awkward: it is", 2),
        ("hopeless", "Hopeless: hopeless", 1),
        ("exit", "SystemExit: enough", 2),
        ("object", "the processor's result is no JSON value: Type is not JSON serializable: object", 1),
    ],
)
async def test_an_error_fails_the_attempt_as_it_would_here(
    queue: Queue, working: Working, counted: Any, what: str, reason: str, tries: int
) -> None:
    job = await queue.add("x", what, attempts=2)
    async with working({"x": in_process(crunching.broken)}):
        await counted(failed=1)

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == reason
    assert failed.attempts_made == tries
    assert what == "object" or "crunching.py" in failed.stacktrace[0]


@pytest.mark.parametrize(
    ("what", "how"), [("exit", "exit code 7"), ("segfault", "signal SIGSEGV"), ("kill", "signal SIGKILL")]
)
async def test_a_crash_fails_one_attempt_and_no_other_job(
    queue: Queue, working: Working, counted: Any, what: str, how: str
) -> None:
    job = await queue.add("crash", what, attempts=2)
    others = await queue.add_many([NewJob("nap", 0.05) for _ in range(10)])
    processors = {"crash": in_process(crunching.crash), "nap": in_process(crunching.nap)}
    async with working(processors, processes=3):
        await counted(completed=11)

    done = await queue.get(job.id)
    assert done is not None
    assert (done.returnvalue, done.attempts_made) == ("survived", 1)
    for other in others:
        other_done = await queue.get(other.id)
        assert other_done is not None
        assert other_done.attempts_made == 0


async def test_the_reason_says_how_the_process_died(queue: Queue, working: Working, counted: Any) -> None:
    job = await queue.add("x", "exit")
    async with working({"x": in_process(crunching.crash)}):
        await counted(failed=1)

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == f"the process that ran job {job.id} ended with exit code 7"


async def test_a_timeout_kills_the_process_and_what_it_started(
    queue: Queue, working: Working, counted: Any, tmp_path: Path
) -> None:
    job = await queue.add("x", str(tmp_path / "pids"), timeout=5)
    async with working({"x": in_process(crunching.busy)}, processes=1):
        pids = await busy_pids(tmp_path / "pids")
        await counted(failed=1)
        await gone(pids)
        await queue.add("x", 1)  # there is room for others again

    failed = await queue.get(job.id)
    assert failed is not None
    assert failed.failed_reason == "job timed out after 5000 ms"


async def test_a_cancel_kills_the_process(queue: Queue, working: Working, counted: Any, tmp_path: Path) -> None:
    job = await queue.add("x", str(tmp_path / "pids"), attempts=3)
    await queue.add("nap", 0)
    processors = {"x": in_process(crunching.busy), "nap": in_process(crunching.nap)}
    async with working(processors, processes=1):
        pids = await busy_pids(tmp_path / "pids")

        await queue.cancel(job.id)

        await counted(failed=1, completed=1)
        await gone(pids)


async def test_a_lost_lock_kills_the_process(queue: Queue, working: Working, client: Any, tmp_path: Path) -> None:
    job = await queue.add("x", str(tmp_path / "pids"))
    async with working({"x": in_process(crunching.busy)}, lock_duration=0.6):
        pids = await busy_pids(tmp_path / "pids")

        await client.set(f"bull:q:{job.id}:lock", "another's", px=60_000)

        await gone(pids)

    assert (await queue.counts())["active"] == 1  # it is the other's, and was not failed


async def test_a_worker_that_stops_gives_the_job_back_and_leaves_no_process(
    queue: Queue, working: Working, counted: Any, tmp_path: Path
) -> None:
    await queue.add("x", str(tmp_path / "pids"))
    async with working({"x": in_process(crunching.busy)}, grace=0.0):
        pids = await busy_pids(tmp_path / "pids")

    assert [pid for pid in pids if alive(pid)] == []
    await counted(wait=1)


PROGRAM = """
import asyncio, os, sys
from holdfast.queue import Queue, Worker, in_process

def of_the_program(job):
    with open(job.data, "w") as file:
        file.write(str(os.getpid()))
    while True:
        pass

async def main():
    async with Queue("q", url=sys.argv[1]) as queue:
        await Worker(queue, {"x": in_process(of_the_program)}, processes=1).run()

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_processes_die_with_a_worker_that_is_killed_also_those_of_a_program_s_own_file(
    queue: Queue, tmp_path: Path, redis_url: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    await queue.add("x", str(tmp_path / "pids"))
    with subprocess.Popen([sys.executable, str(program), redis_url], env={"PYTHONPATH": str(SRC)}) as worker:
        pids = await busy_pids(tmp_path / "pids")
        while not pids:
            pids = await busy_pids(tmp_path / "pids")
        assert alive(pids[0])

        worker.send_signal(signal.SIGKILL)
        worker.wait()

        await gone(pids)


@pytest.mark.parametrize("function", [lambda _job: None, partial(crunching.double), 7])
def test_a_function_that_cannot_be_found_again_is_refused(function: Any) -> None:
    with pytest.raises(QueueError, match="top level of a module"):
        in_process(function)


def test_a_pool_needs_a_process(redis_url: str) -> None:
    with pytest.raises(QueueError, match="1 process or more"):
        Worker(Queue("q", url=redis_url), {"x": crunching.decorated}, processes=0)
