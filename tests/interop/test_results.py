"""Results of jobs that Node's workers ended, and what our jobs carry that Bull does not know."""

import asyncio

import pytest
from tests.interop.bridge import Node

from holdfast.queue import JobFailed, Queue


async def test_we_get_the_result_of_a_job_that_node_completed(queue: Queue, node: Node) -> None:
    job = await queue.add("x", {"n": 1})
    waiting = asyncio.create_task(job.result(timeout=20))
    await asyncio.sleep(0.2)

    await node.queue().process()

    assert await waiting == {"by": "node", "data": {"n": 1}}


async def test_we_hear_that_node_failed_a_job(queue: Queue, node: Node) -> None:
    job = await queue.add("x", {"n": 1})

    await node.queue().process(how="fail")

    with pytest.raises(JobFailed):
        await job.result(timeout=20)


async def test_node_runs_and_keeps_a_job_that_carries_more_than_it_knows(queue: Queue, node: Node) -> None:
    queue.carry(lambda job: {"otel": {"traceparent": f"00-{job.name}"}})
    job = await queue.add("x", 1)

    await node.queue().process()
    await job.result(timeout=20)

    found = await queue.get(job.id)
    assert found is not None
    assert found.opts["otel"] == {"traceparent": "00-x"}
    assert (await node.queue().job(job.id))["opts"]["otel"] == {"traceparent": "00-x"}
