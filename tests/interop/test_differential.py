"""The same random operations through Node's Bull and through ours leave the same keys and say the same things."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from time import time
from typing import Any

import pytest
import redis.asyncio
from tests.interop.bridge import Node
from tests.interop.differences import look_past
from tests.interop.dumps import Channels, Watched
from tests.interop.sequences import Operation, Sequence
from tests.interop.sides import NodeSide, OurSide, Side

from holdfast.queue import Queue

LENGTH = 60  # operations a sequence
SEEDS = range(1, 9)


class Pair:
    """Bull and ours, side by side on one Redis."""

    def __init__(self, client: "redis.asyncio.Redis", bull: Side, ours: Side) -> None:
        started_ms = round(time() * 1000)
        self._sides = (bull, ours)
        self._watched = [Watched(client, f"{prefix}:q:", started_ms) for prefix in ("theirs", "ours")]
        self.channels = Channels(client, self._watched)
        self.done: list[Operation] = []

    async def do(self, operation: Operation) -> dict[str, Any]:
        """Do it to both and compare all there is to see; returns the keys both have."""
        name, *args = operation
        self.done.append(operation)
        said = [await getattr(side, name)(*args) for side in self._sides]
        await self.channels.settle()
        theirs, ours = [(await each.dump(), each.heard()) for each in self._watched]
        look_past(theirs, ours)
        gaps = [
            *gap("key", theirs[0], ours[0]),
            *gap("messages", theirs[1], ours[1]),
            *gap("answer", *said),
        ]
        assert not gaps, "\n".join(["(Bull's | ours)", *gaps, "after", *map(str, self.done)])
        return theirs[0]


def gap(where: str, theirs: Any, ours: Any) -> Iterator[str]:
    """What differs, in lines one can read."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            yield from gap(f"{where} {name}", theirs.get(name, "nothing"), ours.get(name, "nothing"))
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
