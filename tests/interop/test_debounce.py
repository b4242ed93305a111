"""A debounce holds both sides off; a limit ends a repeatable whoever set it."""

from typing import Any

from tests.interop.bridge import Node

from holdfast.queue import Debounce, Job, Queue


async def test_a_debounce_of_ours_holds_node_off_and_one_of_node_s_us(
    queue: Queue, client: Any, node: Node, counted: Any
) -> None:
    bull = node.queue()
    ours = await queue.add("a", debounce=Debounce(id="x", ttl=60))
    theirs = await bull.add("b", 1, debounce={"id": "y"})

    assert (await bull.add("a", debounce={"id": "x", "ttl": 60_000}))["id"] == ours.id
    assert (await queue.add("b", debounce=Debounce(id="y"))).id == theirs["id"]
    assert await client.hget(f"bull:q:{theirs['id']}", "deid") == "y"

    await bull.process()
    await counted(completed=2)
    assert await client.keys("bull:q:de:*") == ["bull:q:de:x"]  # the one with a time


async def test_a_debounce_that_node_set_ends_when_we_finish_the_job(
    queue: Queue, client: Any, node: Node, working: Any, counted: Any
) -> None:
    async def idle(_job: Job) -> None:
        pass

    await node.queue().add("b", 1, debounce={"id": "y"})
    assert await client.exists("bull:q:de:y") == 1

    async with working({"b": idle}):
        await counted(completed=1)

    assert await client.exists("bull:q:de:y") == 0


async def test_we_keep_going_what_node_set_and_stop_at_the_limit(
    queue: Queue, client: Any, node: Node, working: Any, counted: Any
) -> None:
    async def idle(_job: Job) -> None:
        pass

    await node.queue().add("tick", {"n": 1}, repeat={"every": 1_000, "limit": 2})

    async with working({"tick": idle}):
        await counted(completed=2)

    assert [job.opts["repeat"]["count"] for job in await queue.jobs("completed")] == [2, 1]
    assert await client.exists("bull:q:repeat") == 0
