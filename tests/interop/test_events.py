"""Events in both directions."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.interop.bridge import Node

from holdfast.queue import Job, Queue

HOUR = 3_600.0


async def _nothing(_job: Job) -> None:
    pass


async def test_node_hears_what_happens_to_our_jobs(queue: Queue, node: Node, working: Any, counted: Any) -> None:
    async def run(job: Job) -> dict[str, int]:
        if job.name == "bad":
            raise ValueError("no, thanks")
        await job.update_progress(50)
        return {"n": 1}

    await node.queue().listen(
        *("global:waiting", "global:active", "global:progress", "global:completed", "global:failed", "global:drained")
    )
    async with working({"*": run}, concurrency=1):
        await queue.add("good")
        await counted(completed=1)
        await queue.add("bad")
        await counted(completed=1, failed=1)
        await node.hears("global:failed")

    assert [args[0] for args in node.events("global:waiting")] == ["1", "2"]
    assert [args[0] for args in node.events("global:active")] == ["1", "2"]
    assert node.events("global:progress") == [["1", 50]]
    # Bull hands the value on as the JSON text that was published.
    assert [args[:2] for args in node.events("global:completed")] == [["1", '{"n":1}']]
    assert [args[:2] for args in node.events("global:failed")] == [["2", "no, thanks"]]
    await node.hears("global:drained")


async def test_node_hears_that_we_pause_and_resume(queue: Queue, node: Node) -> None:
    await node.queue().listen("global:paused", "global:resumed")
    await queue.pause()
    await node.hears("global:paused")
    await queue.resume()
    await node.hears("global:resumed")

    assert [each["event"] for each in node.seen] == ["global:paused", "global:resumed"]


async def test_a_finished_promise_of_node_s_ends_with_our_result(queue: Queue, node: Node, working: Any) -> None:
    async def answer(job: Job) -> int:
        if job.name == "bad":
            raise ValueError("a reason")
        return 42

    bull = node.queue()
    await bull.listen("global:completed", "global:failed")  # what finished() would begin to do, and not wait for
    good, bad = await bull.add("good"), await bull.add("bad")
    results = [asyncio.create_task(bull.job(job["id"], "finished")) for job in (good, bad)]
    async with working({"*": answer}):
        done, refused = await asyncio.gather(*results, return_exceptions=True)

    assert done == 42
    assert str(refused) == "a reason"


async def test_our_worker_wakes_for_each_job_node_adds_without_polling(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    bull = node.queue()
    async with working({"x": _nothing}, poll_interval=HOUR):
        # What is added before it listens it may find by itself, once or twice; not twenty times.
        for count in range(1, 21):
            await bull.add("x")
            await counted(completed=count)
    assert await bull.call("getCompletedCount") == 20


async def test_our_worker_wakes_for_node_s_resume_promote_and_retry(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    async def once(job: Job) -> None:
        if job.name == "bad" and not job.attempts_made:
            raise ValueError("the first time")

    bull = node.queue()
    async with working({"*": once}, poll_interval=HOUR):
        await bull.add("bad")
        await counted(failed=1)
        await bull.job("1", "retry")
        await counted(completed=1)

        await bull.add("good", None, delay=3_600_000)
        await counted(completed=1, delayed=1)
        await bull.job("2", "promote")
        await counted(completed=2)

        await bull.call("pause")
        await bull.add("good")
        await counted(completed=2, paused=1)
        await bull.call("resume")
        await counted(completed=3)
    assert await bull.call("getCompletedCount") == 3


@pytest.mark.parametrize("worker", ["node", "holdfast"])
async def test_both_obey_a_pause_of_the_other(
    queue: Queue, node: Node, working: Any, counted: Any, worker: str
) -> None:
    bull = node.queue()
    async with AsyncExitStack() as stack:
        if worker == "node":
            await bull.process()
        else:
            await stack.enter_async_context(working({"x": _nothing}))
        await queue.add("x")
        await counted(completed=1)

        await (queue.pause() if worker == "node" else bull.call("pause"))
        job = await queue.add("x")
        assert await bull.call("isPaused") is True
        assert await bull.job(job.id, "getState") == "paused"
        await counted(completed=1, paused=1)

        await (queue.resume() if worker == "node" else bull.call("resume"))
        await counted(completed=2)
        assert await bull.call("isPaused") is False


async def test_each_ends_the_pause_of_the_other(queue: Queue, node: Node, counted: Any) -> None:
    bull = node.queue()
    first, second = await queue.add("x"), await bull.add("x")

    await queue.pause()
    await bull.call("resume")
    await counted(wait=2)
    await bull.call("pause")
    await queue.resume()
    await counted(wait=2)

    assert await bull.call("isPaused") is False
    assert [job.id for job in await queue.jobs("wait")] == [first.id, second["id"]]
