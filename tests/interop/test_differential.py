"""The same random operations through Node's Bull and through ours leave the same keys and say the same things."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from difflib import unified_diff
from time import time
from typing import Any

import pytest
import redis.asyncio
from tests.interop.bridge import Node
from tests.interop.differences import look_past
from tests.interop.dumps import Channels, Dump, Watched
from tests.interop.sequences import Operation, Sequence
from tests.interop.sides import NodeSide, OurSide, Side

from holdfast.queue import Queue

LENGTH = 60  # operations a sequence
SEEDS = range(1, 9)
JOBS = 40  # that workers run by themselves
WORKED_SEEDS = range(1, 5)


class Pair:
    """Bull and ours, side by side on one Redis."""

    def __init__(self, client: "redis.asyncio.Redis", bull: Side, ours: Side) -> None:
        started_ms = round(time() * 1000)
        self._client = client
        self._sides = (bull, ours)
        self._watched = [Watched(client, f"{prefix}:q:", started_ms) for prefix in ("theirs", "ours")]
        self.channels = Channels(client, self._watched)
        self.done: list[Operation] = []

    async def do(self, operation: Operation) -> Dump:
        """Do it to both and compare; returns the keys both have."""
        return await self.compare(*await self.each(operation))

    async def each(self, operation: Operation) -> list[Any]:
        """Do it to both; returns what each said."""
        name, *args = operation
        self.done.append(operation)
        return [await getattr(side, name)(*args) for side in self._sides]

    async def at_rest(self) -> None:
        """Wait until nothing waits or runs on either side."""
        lists = [f"{each.base}{name}" for each in self._watched for name in ("wait", "active")]
        async with asyncio.timeout(30):
            while await self._client.exists(*lists):
                await asyncio.sleep(0.01)

    async def compare(self, *said: Any) -> Dump:
        """Compare all there is to see."""
        await self.channels.settle()
        theirs, ours = [(await each.dump(), each.heard()) for each in self._watched]
        look_past(theirs, ours)
        gaps = [
            *gap("key", theirs[0], ours[0]),
            *gap("messages", theirs[1], ours[1]),
            *(gap("answer", *said) if said else ()),
        ]
        assert not gaps, "\n".join(["(Bull's | ours)", *gaps, "after", *map(str, self.done)])
        return theirs[0]


def gap(where: str, theirs: Any, ours: Any) -> Iterator[str]:
    """What differs, in lines one can read."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            yield from gap(f"{where} {name}", theirs.get(name, "nothing"), ours.get(name, "nothing"))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) + len(ours) > 20:
        lines = unified_diff(
            [str(each) for each in theirs], [str(each) for each in ours], "Bull's", "ours", lineterm=""
        )
        yield from (f"{where}: {line}" for line in lines)
    elif theirs != ours:
        yield f"{where}: {theirs} | {ours}"


@pytest.fixture
async def pair(node: Node, redis_url: str, client: "redis.asyncio.Redis") -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        queue = await stack.enter_async_context(Queue("q", url=redis_url, prefix="ours"))
        bull = NodeSide(node, await node.queue().open(prefix="theirs"))
        pair = Pair(client, bull, OurSide(queue, stack))
        await pair.channels.open()
        yield pair
        await pair.channels.close()


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_random_sequence_leaves_the_same_keys_and_messages(pair: Pair, seed: int) -> None:
    sequence, dump = Sequence(seed), {}
    for _ in range(LENGTH):
        dump = await pair.do(sequence.next(dump))


@pytest.mark.parametrize("seed", WORKED_SEEDS)
async def test_workers_of_both_do_the_same_with_the_same_jobs(pair: Pair, seed: int) -> None:
    await pair.do(("pause",))
    await pair.do(("add", Sequence(seed).plans(JOBS)))

    await pair.each(("work",))
    await pair.at_rest()

    await pair.compare()


async def test_a_long_line_of_priorities_is_in_the_same_order(pair: Pair) -> None:
    chosen = random.Random(7)
    for count in (400, 1, 1, 1, 30):
        await pair.do(("add", [("x", {"n": 1}, {"priority": chosen.randint(1, 9)}) for _ in range(count)]))


async def test_a_queue_is_obliterated_alike(pair: Pair) -> None:
    sequence, dump = Sequence(11), {}
    for _ in range(LENGTH):
        dump = await pair.do(sequence.next(dump))
    for job_id in dump.get("active", []):
        dump = await pair.do(("fail", job_id, "reason 1"))
    assert dump["failed"]
    assert dump["delayed"]

    await pair.do(("pause",))
    left = await pair.do(("obliterate",))

    assert left == {}


async def test_all_failed_jobs_are_retried_alike(pair: Pair) -> None:
    await pair.do(("add", [("x", {"n": n}, {}) for n in range(6)]))
    for _ in range(4):
        await pair.do(("take",))
    for job_id in ("3", "1", "4", "2"):
        await asyncio.sleep(0.002)  # a new millisecond: the time of the end is the order
        await pair.do(("fail", job_id, "reason 1"))

    await pair.do(("retry_all",))


async def test_a_bound_counts_only_the_jobs_that_are_still_there(pair: Pair) -> None:
    for taken_away in ("retry", "remove"):
        await pair.do(("add", [("x", {"n": n}, {"removeOnFail": 2}) for n in range(3)]))
        first, second, third = [(await pair.each(("take",)))[1][0] for _ in range(3)]
        for job_id in (first, second):
            await asyncio.sleep(0.002)  # a new millisecond: the time of the end is the order
            await pair.do(("fail", job_id, "reason 1"))

        await pair.do((taken_away, second))
        left = await pair.do(("fail", third, "reason 2"))

        assert [job_id for job_id, _ in left["failed"]] == sorted([first, third])
        await pair.do(("clean", "failed"))
        await pair.do(("clean", "wait"))
