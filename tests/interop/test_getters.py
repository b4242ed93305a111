"""What the getters of both say of jobs in each state, whoever put them there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.interop.bridge import Node

from holdfast.queue import Job, Queue

STATES = ("waiting", "active", "completed", "failed", "delayed", "paused")
HOUR_MS = 3_600_000


async def test_node_s_getters_read_our_jobs_in_each_state(queue: Queue, node: Node, working: Any, counted: Any) -> None:
    bull = node.queue()
    async with one_of_each(queue, working, counted) as ids:
        found = {state: [job["id"] for job in await bull.call("getJobs", [state])] for state in STATES}
        assert found == {state: [ids[state]] if state in ids else [] for state in STATES}
        assert {state: await bull.job(job_id, "getState") for state, job_id in ids.items()} == {
            state: state for state in ids
        }
        assert await bull.call("getJobCounts") == {state: len(found[state]) for state in STATES}
        assert await bull.call("count") == 2  # what waits: in wait, paused or delayed
        jobs = {state: await bull.job(job_id) for state, job_id in ids.items()}

    assert {state: job["name"] for state, job in jobs.items()} == {state: state for state in ids}
    assert {state: job["data"] for state, job in jobs.items()} == {state: {"is": state} for state in ids}
    assert {state for state, job in jobs.items() if job["processedOn"]} == {"active", "completed", "failed"}
    assert {state for state, job in jobs.items() if job["finishedOn"]} == {"completed", "failed"}
    assert jobs["delayed"]["delay"] == HOUR_MS
    assert jobs["active"]["progress"] == 40
    assert jobs["completed"]["returnvalue"] == {"done": True}
    assert jobs["failed"]["failedReason"] == "not today"
    assert {state for state, job in jobs.items() if job["stacktrace"]} == {"failed"}
    assert (await bull.call("getJobLogs", ids["failed"]))["logs"] == ["a line", "another"]


async def test_node_s_getters_read_our_paused_jobs(queue: Queue, node: Node) -> None:
    bull = node.queue()
    before = await queue.add("x")
    await queue.pause()
    after = await queue.add("x", priority=1)

    assert await bull.call("isPaused") is True
    assert [await bull.job(job.id, "getState") for job in (before, after)] == ["paused", "paused"]
    assert (await bull.call("getJobCounts"))["paused"] == 2
    assert {job["id"] for job in await bull.call("getJobs", ["paused"])} == {before.id, after.id}
    assert await bull.call("getPausedCount") == 2


async def test_our_getters_read_node_s_jobs_in_each_state(queue: Queue, node: Node, counted: Any) -> None:
    bull = node.queue()
    ids: dict[str, str] = {}
    await bull.process("active", how="ask")
    await bull.process("completed")
    await bull.process("failed", how="fail")
    for state in ("completed", "failed", "active"):
        ids[state] = (await bull.add(state, {"is": state}))["id"]
    await node.hears("processing")
    await counted(active=1, completed=1, failed=1)
    await node.call("running", job=ids["active"], method="progress", args=[40])
    await bull.call("pause")
    ids["paused"] = (await bull.add("paused", {"is": "paused"}))["id"]
    ids["delayed"] = (await bull.add("delayed", {"is": "delayed"}, delay=HOUR_MS))["id"]

    assert await queue.states(list(ids.values())) == {job_id: state for state, job_id in ids.items()}
    jobs = {state: (await queue.jobs(state))[0] for state in ids}  # type: ignore[arg-type]
    assert {state: (job.id, job.name, job.data) for state, job in jobs.items()} == {
        state: (job_id, state, {"is": state}) for state, job_id in ids.items()
    }
    assert jobs["active"].progress == 40
    assert jobs["active"].processed_on is not None
    assert jobs["completed"].returnvalue == {"by": "node", "data": {"is": "completed"}}
    assert jobs["failed"].failed_reason == f"node refuses {ids['failed']} at 0"
    assert [job.finished_on is not None for job in jobs.values()] == [True, True, False, False, False]
    assert jobs["delayed"].opts["delay"] == HOUR_MS


async def test_both_list_what_waits_in_the_same_order(queue: Queue, node: Node) -> None:
    bull = node.queue()
    await queue.add("x")
    await bull.add("x", None, priority=2)
    await queue.add("x", priority=1)
    await bull.add("x")
    await queue.add("x", lifo=True)

    assert [job["id"] for job in await bull.call("getWaiting")] == [job.id for job in await queue.jobs("wait")]


async def test_both_list_finished_jobs_newest_first(queue: Queue, node: Node, working: Any, counted: Any) -> None:
    async def run(job: Job) -> None:
        await asyncio.sleep(0.002)  # a new millisecond: the time of the end is the order
        if job.name == "bad":
            raise ValueError("no")

    for _ in range(3):
        await queue.add("good")
        await queue.add("bad")
    async with working({"*": run}, concurrency=1):
        await counted(completed=3, failed=3)

    bull = node.queue()
    assert [job["id"] for job in await bull.call("getCompleted")] == ["5", "3", "1"]
    assert [job.id for job in await queue.jobs("completed")] == ["5", "3", "1"]
    assert [job["id"] for job in await bull.call("getFailed")] == ["6", "4", "2"]
    assert [job.id for job in await queue.jobs("failed")] == ["6", "4", "2"]
    assert [job["id"] for job in await bull.call("getCompleted", 1, 1)] == ["3"]
    assert [job.id for job in await queue.jobs("completed", 1, 1)] == ["3"]


async def test_node_finds_our_workers_among_the_clients(queue: Queue, node: Node, working: Any, until: Any) -> None:
    bull = node.queue()

    async def names() -> list[str]:
        return [worker["name"] for worker in await bull.call("getWorkers")]

    assert await names() == []
    async with working({"x": _nothing}), working({"x": _nothing}):

        async def both() -> bool:
            return len(await names()) == 2

        await until(both)
        assert set(await names()) == {"q"}


@pytest.mark.parametrize("state", ["wait", "delayed", "completed", "failed"])
async def test_each_removes_jobs_of_the_other(
    queue: Queue, node: Node, working: Any, counted: Any, client: Any, state: str
) -> None:
    bull = node.queue()
    if state in ("completed", "failed"):
        async with working({"*": _log_and_end}):
            await queue.add(state)
            await bull.add(state)
            await counted(**{state: 2})
    else:
        delay = 3_600 if state == "delayed" else 0
        await queue.add(state, delay=delay)
        await bull.add(state, None, delay=delay * 1000)
    assert await bull.call("getJobCountByTypes", [state]) == 2

    await bull.job("1", "remove")
    assert await queue.remove("2") is True

    assert await queue.get("1") is None
    assert await bull.call("getJob", "2") is None
    await counted()
    assert await client.keys("bull:q:[12]*") == []


@asynccontextmanager
async def one_of_each(queue: Queue, working: Any, counted: Any) -> AsyncIterator[dict[str, str]]:
    """A job in each state but paused, with its state for its name; state -> id. The active one runs until the end."""
    end = asyncio.Event()

    async def run(job: Job) -> dict[str, bool]:
        if job.name == "failed":
            await job.log("a line")
            await job.log("another")
            raise ValueError("not today")
        if job.name == "active":
            await job.update_progress(40)
            await end.wait()
        return {"done": True}

    async with working({"*": run}, concurrency=1):
        try:
            added = [await queue.add(name, {"is": name}) for name in ("completed", "failed", "active", "waiting")]
            added.append(await queue.add("delayed", {"is": "delayed"}, delay=3_600))
            await counted(completed=1, failed=1, active=1, wait=1, delayed=1)
            while (running := await queue.get(added[2].id)) is not None and running.progress is None:
                await asyncio.sleep(0.005)
            yield {job.name: job.id for job in added}
        finally:
            end.set()
            await counted(completed=3, failed=1, delayed=1)


async def _nothing(_job: Job) -> None:
    pass


async def _log_and_end(job: Job) -> None:
    await job.log("a line")
    if job.name == "failed":
        raise ValueError("no")
