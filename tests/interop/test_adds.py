"""Who adds and who works: Node or we, or both."""

import asyncio
from typing import Any

import pytest
from tests.interop.bridge import Node

from holdfast.queue import Backoff, Job, NewJob, Queue


async def test_what_node_adds_we_work_and_node_reads_the_result(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    seen: dict[str, Any] = {}

    async def double(job: Job) -> dict[str, Any]:
        seen[job.name] = job.data
        return {"doubled": job.data["n"] * 2, "text": "žluť"}

    bull = node.queue()
    added = await bull.add("double", {"n": 21, "text": "naïve ☃"})
    async with working({"double": double}):
        await counted(completed=1)

    job = await bull.job(added["id"])
    assert seen == {"double": {"n": 21, "text": "naïve ☃"}}
    assert job["returnvalue"] == {"doubled": 42, "text": "žluť"}
    assert job["finishedOn"] >= job["processedOn"] >= job["timestamp"]
    assert job["attemptsMade"] == 0
    assert await bull.job(added["id"], "getState") == "completed"


async def test_what_we_add_node_works_and_we_read_the_result(queue: Queue, node: Node, counted: Any) -> None:
    added = await queue.add("double", {"n": 21, "text": "naïve ☃"})
    await node.queue().process()
    await counted(completed=1)

    job = await queue.get(added.id)
    assert job is not None
    assert job.returnvalue == {"by": "node", "data": {"n": 21, "text": "naïve ☃"}}
    assert job.finished_on is not None
    assert job.processed_on is not None
    assert job.finished_on >= job.processed_on
    assert await queue.states([added.id]) == {added.id: "completed"}


async def test_both_add_and_both_work_one_queue_and_each_job_runs_once(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    runs: list[str] = []

    async def ours(job: Job) -> dict[str, Any]:
        runs.append(job.id)
        await asyncio.sleep(0.001)
        return {"by": "holdfast", "data": job.data}

    bull = node.queue()
    await bull.listen("global:active", "completed")
    await bull.process(concurrency=3)
    count = 0
    async with working({"*": ours}, concurrency=3):
        while len(runs) < 100 or len(node.events("completed")) < 100:
            theirs = bull.call("addBulk", [{"name": "n", "data": {"n": n}} for n in range(count, count + 20)])
            await asyncio.gather(theirs, queue.add_many([NewJob("h", {"n": n}) for n in range(count + 20, count + 40)]))
            count += 40
        await counted(completed=count)

    done = await queue.jobs("completed")
    by_us = [job.id for job in done if job.returnvalue["by"] == "holdfast"]
    begun = [args[0] for args in await node.hears("global:active", count)]
    assert sorted(job.data["n"] for job in done) == list(range(count))
    assert sorted(begun) == sorted(job.id for job in done)
    assert sorted(runs) == sorted(by_us)
    assert len(await node.hears("completed", count - len(by_us))) == count - len(by_us)


async def test_a_delayed_job_of_node_s_waits_for_its_time_and_one_of_ours_too(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    bull = node.queue()
    theirs = await bull.add("x", None, delay=300)
    ours = await queue.add("x", delay=0.3)
    both = (theirs["id"], ours.id)
    assert [await bull.job(job_id, "getState") for job_id in both] == ["delayed", "delayed"]
    assert await queue.states(both) == dict.fromkeys(both, "delayed")

    async with working({"x": _nothing}):
        await counted(completed=2)

    for job_id in both:
        job = await bull.job(job_id)
        assert job["processedOn"] - job["timestamp"] >= 300
        assert job["delay"] == 0


async def test_node_wakes_for_a_delayed_job_of_ours(queue: Queue, node: Node, counted: Any) -> None:
    # An hour between its own looks: only our message on `delayed` can wake it.
    bull = await node.queue().open(settings={"guardInterval": 3_600_000})
    await bull.process()
    await queue.add("x")
    await counted(completed=1)  # it has looked what is delayed, and found nothing

    job = await queue.add("x", delay=0.2)
    await counted(completed=2)

    done = await bull.job(job.id)
    assert done["processedOn"] - done["timestamp"] >= 200


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_priority_and_lifo_of_both_are_one_order_for_both(
    queue: Queue, node: Node, working: Any, counted: Any, worker: str
) -> None:
    bull = node.queue()
    await bull.listen("global:active")
    await queue.add("x", "none 1")
    await bull.add("x", "none 2")
    await bull.add("x", "third", priority=3)
    await queue.add("x", "second", priority=2)
    await bull.add("x", "first", priority=1)
    await queue.add("x", "second, later", priority=2)
    await bull.add("x", "third, later", priority=3)
    await queue.add("x", "front", lifo=True)
    await bull.add("x", "front of the front", lifo=True)

    if worker == "node":
        await bull.process()
        await counted(completed=9)
    else:
        async with working({"x": _nothing}, concurrency=1):
            await counted(completed=9)

    order = [job_id for job_id, *_ in await node.hears("global:active", 9)]
    jobs = {job.id: job.data for job in await queue.jobs("completed")}
    assert [jobs[job_id] for job_id in order] == [
        *("front of the front", "front"),
        *("first", "second", "second, later", "third", "third, later"),
        *("none 1", "none 2"),
    ]


async def test_an_id_is_one_job_for_both(queue: Queue, node: Node) -> None:
    bull = node.queue()
    await bull.listen("global:duplicated")

    ours = await queue.add("x", 1, job_id="order-7")
    theirs = await bull.add("x", 2, jobId="order-7")
    again = await queue.add("x", 3, job_id="order-7")

    assert theirs["id"] == ours.id == again.id == "order-7"
    assert again.data == 1
    assert (await bull.job("order-7"))["data"] == 1
    assert [args[0] for args in await node.hears("global:duplicated", 2)] == ["order-7", "order-7"]
    assert await bull.call("count") == 1


async def test_numbers_of_both_come_from_one_counter(queue: Queue, node: Node) -> None:
    bull = node.queue()

    ids = [
        (await queue.add("x")).id,
        (await bull.add("x"))["id"],
        (await queue.add("x")).id,
        (await bull.add("x"))["id"],
    ]

    assert ids == ["1", "2", "3", "4"]


async def test_node_reads_the_options_we_wrote(queue: Queue, node: Node) -> None:
    job = await queue.add(
        "x",
        attempts=5,
        backoff=Backoff(type="exponential", delay=1.5),
        delay=60,
        priority=4,
        timeout=2,
        remove_on_complete=True,
        remove_on_fail=9,
        job_id="all",
    )

    opts = (await node.queue().job(job.id))["opts"]
    assert opts.pop("timestamp") > 0
    assert opts == {
        "attempts": 5,
        "backoff": {"type": "exponential", "delay": 1500},
        "delay": 60_000,
        "priority": 4,
        "timeout": 2000,
        "removeOnComplete": True,
        "removeOnFail": 9,
        "jobId": "all",
    }


async def _nothing(_job: Job) -> None:
    pass
