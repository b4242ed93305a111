"""What ends leaves the active list, wherever it lies, and the others keep their order."""

import random
from collections.abc import AsyncIterator

import pytest

from holdfast.queue import NewJob, Queue
from holdfast.queue.link.connection import Link
from holdfast.queue.reporting import Reporter
from holdfast.queue.scripts import Result, Scripts


@pytest.fixture
async def scripts(queue: Queue) -> AsyncIterator[Scripts]:
    link = Link(queue.finder, reporter=Reporter())
    yield Scripts(link, queue.keys)
    await link.close()


async def _taken(queue: Queue, scripts: Scripts, batches: list[int]) -> dict[str, str]:
    """Job ids with their tokens, in the order in which they were taken."""
    await queue.add_many([NewJob("x")] * sum(batches))
    tokens = {}
    for number, size in enumerate(batches):
        for row in await scripts.take(size, f"a:{number}", 30_000, announce=False):
            tokens[row[-1].decode()] = f"a:{number}"
    return tokens


async def _active(queue: Queue) -> list[str]:
    return [job.id for job in await queue.jobs("active")]


@pytest.mark.parametrize("seed", range(12))
async def test_any_batch_leaves_the_active_list_and_the_rest_keeps_its_order(
    queue: Queue, scripts: Scripts, seed: int
) -> None:
    rng = random.Random(seed)
    tokens = await _taken(queue, scripts, [rng.randint(1, 30) for _ in range(rng.randint(1, 6))])
    left = list(tokens)

    while left:
        first = rng.randrange(len(left))
        near = left[first : first + rng.randint(1, 40)]  # neighbours, as batches are, with gaps in between
        ending = [job_id for job_id in near if rng.random() < 0.8] or near[:1]
        rng.shuffle(ending)
        results = [Result(job_id, tokens[job_id], b"1", "", "") for job_id in ending]
        words, _ = await scripts.complete(results, limit=0, token="a:99", lock_ms=30_000)

        left = [job_id for job_id in left if job_id not in ending]
        assert words == ["ok"] * len(ending)
        assert await _active(queue) == left

    assert (await queue.counts())["completed"] == len(tokens)
