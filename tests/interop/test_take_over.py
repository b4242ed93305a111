"""Jobs of a worker that died are taken over by the other kind of worker."""

import signal
from collections.abc import Awaitable, Callable
from typing import Any

from tests.interop.bridge import Node

from holdfast.queue import Job, Queue


async def test_we_take_over_a_job_of_a_killed_node_worker_when_its_lock_has_run_out(
    queue: Queue, node: Node, start_node: Callable[[], Awaitable[Node]], working: Any, counted: Any
) -> None:
    await node.queue().listen("global:stalled")
    dying = await start_node()
    theirs = await dying.queue().open(settings={"lockDuration": 500})
    await theirs.process(how="ask")
    job = await queue.add("x")
    await dying.hears("processing")
    await dying.end()

    async with working({"x": _again}):
        await counted(completed=1)

    done = await queue.get(job.id)
    assert done is not None
    assert done.returnvalue == "by the second worker"
    assert done.stalled_count == 1
    assert [args[0] for args in await node.hears("global:stalled")] == [job.id]


async def test_we_leave_a_job_alone_while_its_node_worker_lives(
    queue: Queue, node: Node, working: Any, counted: Any
) -> None:
    bull = await node.queue().open(settings={"lockDuration": 1_000, "lockRenewTime": 300})
    await bull.process("slow", how="ask")
    job = await queue.add("slow")
    await node.hears("processing")

    # Longer than the lock is, and than we wait after an outage: our checks have run.
    async with working({"*": _again}, concurrency=1):
        delayed = await queue.add("x", delay=4.5)
        await counted(active=1, completed=1)
        await node.call("settle", job=job.id, value="by the first")
        await counted(completed=2)

    done = await queue.get(job.id)
    assert done is not None
    assert done.returnvalue == "by the first"
    assert done.stalled_count == 0
    assert delayed.id != job.id


async def test_node_takes_over_a_job_of_ours_when_its_lock_has_run_out(
    queue: Queue, node: Node, child: Any, redis_url: str, counted: Any
) -> None:
    dying = await child(redis_url, "forever", lock_duration=0.6)
    job = await queue.add("x")
    await dying.says("begun")
    dying.signal(signal.SIGKILL)

    bull = await node.queue().open(settings={"stalledInterval": 300})
    await bull.listen("global:stalled")
    await bull.process()
    await counted(completed=1)

    done = await bull.job(job.id)
    assert done["returnvalue"] == {"by": "node", "data": None}
    assert [args[0] for args in await node.hears("global:stalled")] == [job.id]


async def test_node_leaves_a_job_alone_while_our_worker_lives(
    queue: Queue, node: Node, child: Any, redis_url: str, client: Any, until: Any
) -> None:
    working = await child(redis_url, "forever", lock_duration=0.6)
    job = await queue.add("x")
    await working.says("begun")

    bull = await node.queue().open(settings={"stalledInterval": 200})
    await bull.listen("global:stalled")
    await bull.process()
    left, checks = 0, 0

    async def checked_often() -> bool:
        # Each of Bull's checks sets this mark anew, for 200 ms; ten of them are three times our lock's life.
        nonlocal left, checks
        before, left = left, await client.pttl("bull:q:stalled-check")
        checks += left > before
        return checks >= 10

    await until(checked_often)
    assert await queue.states([job.id]) == {job.id: "active"}
    assert node.events("global:stalled") == []


async def _again(_job: Job) -> str:
    return "by the second worker"
