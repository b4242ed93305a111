"""Limits: one window for the workers of both."""

from typing import Any

from tests.interop.bridge import Node

from holdfast.queue import Job, NewJob, Queue, RateLimit


async def test_a_rate_limit_is_one_window_for_both(queue: Queue, node: Node, working: Any, counted: Any) -> None:
    # An hour: what is started is started within the one window.
    bull = await node.queue().open(limiter={"max": 5, "duration": 3_600_000})
    await bull.process(concurrency=2)
    async with working({"x": _nothing}, rate_limit=RateLimit(max=5, per=3_600)):
        await queue.add_many([NewJob("x", n) for n in range(3)])
        await counted(completed=3)
        await queue.add_many([NewJob("x", n) for n in range(9)])
        # Bull puts each job that it may not start among the delayed ones, to come back when the window ends.
        await counted(completed=5, delayed=7)

    assert await bull.call("getCompletedCount") == 5


async def _nothing(_job: Job) -> None:
    pass
