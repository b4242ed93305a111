"""Failures, retries, progress, logs and retention, whoever works."""

from itertools import pairwise
from typing import Any

import pytest
from tests.interop.bridge import Node

from holdfast.queue import Backoff, Job, Queue, Retention


async def refuse(job: Job) -> None:
    raise ValueError(f"we refuse {job.id} at {job.attempts_made}")


async def test_node_reads_our_failure_with_its_traces(queue: Queue, node: Node, working: Any, counted: Any) -> None:
    bull = node.queue()
    added = await bull.add("x", None, attempts=2)
    async with working({"x": refuse}):
        await counted(failed=1)

    job = await bull.job(added["id"])
    assert job["failedReason"] == f"we refuse {added['id']} at 1"
    assert job["attemptsMade"] == 2
    assert [trace.splitlines()[-1] for trace in job["stacktrace"]] == [
        f"ValueError: we refuse {added['id']} at {made}" for made in (0, 1)
    ]
    assert await bull.job(added["id"], "getState") == "failed"


async def test_we_read_node_s_failure_with_its_traces(queue: Queue, node: Node, counted: Any) -> None:
    added = await queue.add("x", attempts=2)
    await node.queue().process(how="fail")
    await counted(failed=1)

    job = await queue.get(added.id)
    assert job is not None
    assert job.failed_reason == f"node refuses {added.id} at 1"
    assert job.attempts_made == 2
    assert [trace.splitlines()[0] for trace in job.stacktrace] == [
        f"Error: node refuses {added.id} at {made}" for made in (0, 1)
    ]


@pytest.mark.parametrize("worker", ["node", "holdfast"])
@pytest.mark.parametrize(
    ("in_bull", "backoff", "waits"),
    [
        (80, 0.08, [80, 80]),
        ({"type": "fixed", "delay": 80}, Backoff(type="fixed", delay=0.08), [80, 80]),
        ({"type": "exponential", "delay": 80}, Backoff(type="exponential", delay=0.08), [80, 240]),
    ],
    ids=["number", "fixed", "exponential"],
)
async def test_both_wait_between_attempts_as_the_other_s_job_asks(  # noqa: PLR0917 - fixtures
    queue: Queue, node: Node, working: Any, worker: str, in_bull: Any, backoff: Any, waits: list[int]
) -> None:
    begun: list[float] = []  # ms
    bull = node.queue()
    await bull.listen("global:failed")

    async def fail(job: Job) -> None:
        begun.append((await bull.job(job.id))["processedOn"])
        raise ValueError("no")

    if worker == "node":
        job = await queue.add("x", attempts=3, backoff=backoff)
        await bull.process(how="ask")
        for attempt in (1, 2, 3):
            begun = [args[0]["processedOn"] for args in await node.hears("processing", attempt)]
            await node.call("settle", job=job.id, error="no")
        await node.hears("global:failed")
    else:
        await bull.add("x", None, attempts=3, backoff=in_bull)
        async with working({"x": fail}):
            await node.hears("global:failed")

    pauses = [later - earlier for earlier, later in pairwise(begun)]
    assert len(pauses) == 2
    assert all(pause >= wait for pause, wait in zip(pauses, waits, strict=True)), pauses


async def test_a_job_that_failed_here_may_succeed_there(queue: Queue, node: Node, working: Any, counted: Any) -> None:
    bull = node.queue()
    added = await bull.add("x", None, attempts=2, backoff=3_600_000)
    async with working({"x": refuse}):
        await counted(delayed=1)

    await bull.job(added["id"], "promote")
    await bull.process()
    await counted(completed=1)

    job = await queue.get(added["id"])
    assert job is not None
    assert job.attempts_made == 1
    assert job.returnvalue == {"by": "node", "data": {}}


async def test_progress_and_logs_of_ours_are_node_s_to_read(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    async def report(job: Job) -> None:
        for percent in (10, 55.5):
            await job.update_progress(percent)
            await job.log(f"at {percent} %")
        await job.update_progress({"step": "last"})

    bull = node.queue()
    await bull.listen("global:progress")
    added = await bull.add("x")
    async with working({"x": report}):
        await counted(completed=1)

    heard = await node.hears("global:progress", 3)
    assert [args[:2] for args in heard] == [[added["id"], value] for value in (10, 55.5, {"step": "last"})]
    assert (await bull.job(added["id"]))["progress"] == {"step": "last"}
    logs = await bull.call("getJobLogs", added["id"])
    assert logs == {"logs": ["at 10 %", "at 55.5 %"], "count": 2}


async def test_progress_of_node_s_is_ours_to_read(queue: Queue, node: Node, client: Any, counted: Any) -> None:
    added = await queue.add("x")
    await node.queue().process(how="ask")
    await node.hears("processing")
    await node.call("running", job=added.id, method="progress", args=[{"done": 3, "of": 7}])
    await node.call("running", job=added.id, method="log", args=["a line of node's"])

    job = await queue.get(added.id)
    assert job is not None
    assert job.progress == {"done": 3, "of": 7}
    assert await client.lrange(queue.keys.logs(added.id), 0, -1) == ["a line of node's"]

    await node.call("settle", job=added.id, value="done")
    await counted(completed=1)


async def test_we_remove_what_node_asked_to_be_removed(queue: Queue, node: Node, working: Any) -> None:
    bull = node.queue()
    await bull.listen("global:completed", "global:failed")
    for _ in range(5):
        await bull.add("good", None, removeOnComplete=True)
        await bull.add("bad", None, removeOnFail={"count": 2, "age": 3600})
    kept = await bull.add("good", None, removeOnComplete=3)
    async with working({"good": _nothing, "bad": refuse}, concurrency=1):
        await node.hears("global:completed", 6)
        await node.hears("global:failed", 5)

    counts = await bull.call("getJobCounts")
    assert counts == {"waiting": 0, "active": 0, "completed": 1, "failed": 2, "delayed": 0, "paused": 0}
    assert [job["id"] for job in await bull.call("getCompleted")] == [kept["id"]]
    assert [job["id"] for job in await bull.call("getFailed")] == ["10", "8"]


async def test_node_removes_what_we_asked_to_be_removed(queue: Queue, node: Node, client: Any) -> None:
    bull = node.queue()
    await bull.listen("global:completed", "global:failed")
    for _ in range(3):
        await queue.add("good", remove_on_complete=True)
        await queue.add("bad", remove_on_fail=Retention(count=1))
    await bull.process("good")
    await bull.process("bad", how="fail")
    await node.hears("global:completed", 3)
    await node.hears("global:failed", 3)

    assert await queue.counts() == {"wait": 0, "active": 0, "completed": 0, "failed": 1, "delayed": 0, "paused": 0}
    assert [job.name for job in await queue.jobs("failed")] == ["bad"]
    assert await client.keys("bull:q:[135]") == []


async def test_a_job_that_node_removed_counts_no_more_among_those_we_keep(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    async with working({"x": refuse}):
        for number in (1, 2):
            await queue.add("x", remove_on_fail=2)
            await counted(failed=number)
        await node.queue().job("2", "remove")
        await node.queue().listen("global:failed")
        await queue.add("x", remove_on_fail=2)
        await node.hears("global:failed")

    assert [job.id for job in await queue.jobs("failed")] == ["3", "1"]


async def _nothing(_job: Job) -> None:
    pass
