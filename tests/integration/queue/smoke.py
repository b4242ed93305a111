"""A little of everything a queue does, to see whether it runs on a server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from holdfast.queue import Debounce, Job, NewJob, Queue, RateLimit, Worker


@asynccontextmanager
async def working(queue: Queue, processors: dict[str, Any], **options: Any) -> AsyncIterator[Worker]:
    worker = Worker(queue, processors, **{"grace": 2.0} | options)
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run())
        try:
            yield worker
        finally:
            await worker.stop()


async def ends(queue: Queue, **expected: int) -> None:
    want = dict.fromkeys(("wait", "active", "completed", "failed", "delayed", "paused"), 0) | expected
    async with asyncio.timeout(20):
        while await queue.counts() != want:
            await asyncio.sleep(0.02)


async def smoke(queue: Queue) -> None:
    """Add, work, retry, delayed, priority, pause, fail, take over, remove: each script at least once."""
    tried: list[str] = []

    async def work(job: Job) -> str:
        tried.append(job.name)
        await job.update_progress(1)
        await job.log("a line")
        if job.name == "twice" and tried.count("twice") == 1:
            raise ValueError("not yet")
        if job.name == "never":
            raise ValueError("no")
        return job.name

    await queue.pause()
    await queue.add_many([NewJob("plain"), NewJob("twice", attempts=2, backoff=0.05), NewJob("first", priority=1)])
    await queue.add("never", job_id="never")
    await queue.add("later", delay=0.2)
    await queue.resume()
    async with working(queue, {"*": work}, presence_ttl=1.0):
        await ends(queue, completed=4, failed=1)
        assert [worker.concurrency for worker in await queue.workers()] == [10]
    assert tried[0] == "first"
    assert sorted(tried) == ["first", "later", "never", "plain", "twice", "twice"]
    await queue.retry("never")
    assert await queue.states(["never"]) == {"never": "wait"}
    assert await queue.remove("never")


async def operate(queue: Queue) -> None:
    """What else producers and operators do; it ends with an empty queue."""
    async with queue.events(after="0") as events:
        await queue.add("debounced", job_id="op-1", debounce=Debounce(id="d"))
        assert "added" in {event.kind for event in await events.up_to_now()}
    await queue.cancel("op-1")
    await queue.repeat("tick", every=3_600)
    await queue.add("grouped", group="g", delay=60)
    await queue.promote_all()
    await queue.add_many([NewJob("x", job_id=f"op-{n}", priority=n) for n in range(2, 5)])
    async with working(queue, {"*": quiet}, rate_limit=RateLimit(max=100, per=1), group_concurrency=1):
        assert await queue.result("op-2", timeout=20) is None
    assert (await queue.audit()).findings == ()
    await queue.repair(dry_run=False)
    await queue.retry_all("completed")
    await queue.clean("failed")
    await queue.drain(delayed=True)
    assert await queue.ghosts() == []
    await queue.neighbours()
    await queue.obliterate(force=True)
    assert set((await queue.counts()).values()) == {0}


async def quiet(_: Job) -> None:
    """A processor that says nothing."""
