"""The simplest measurement, for profiling: producer and worker in this process, on a Redis that is there."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import redis

from holdfast.queue import Job, NewJob, Queue, Worker


class Meter:
    """Wall and CPU time of one piece of work; a busy machine disturbs the CPU times less than the rate."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def _cpu(self) -> tuple[float, float, float]:
        info = self._client.info("cpu")
        return time.perf_counter(), info["used_cpu_sys"] + info["used_cpu_user"], time.process_time()

    async def measure(self, name: str, count: int, work: Callable[[], Awaitable[object]]) -> None:
        """Run the work, print what it took."""
        before = self._cpu()
        await work()
        wall, theirs, ours = (end - start for start, end in zip(before, self._cpu(), strict=True))
        figures = {"per_second": round(count / wall), "redis_us": theirs / count * 1e6, "python_us": ours / count * 1e6}
        print(json.dumps({"what": name} | {key: round(value, 1) for key, value in figures.items()}), flush=True)


@asynccontextmanager
async def working(queue: Queue, jobs: int, concurrency: int) -> AsyncIterator[Callable[[], Awaitable[object]]]:
    """A worker of the queue; gives what waits until it has run so many jobs that do nothing."""
    left, done = jobs, asyncio.Event()

    async def nothing(_job: Job) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    worker = Worker(queue, {"x": nothing}, concurrency=concurrency)
    running = asyncio.create_task(worker.run())
    try:
        yield done.wait
    finally:
        await worker.stop()
        await running


async def add_one_by_one(queue: Queue, jobs: int) -> None:
    for n in range(jobs):
        await queue.add("x", {"n": n})


async def profile(url: str, jobs: int, concurrencies: list[int]) -> None:
    """Adds and work at each concurrency; empties the database of the URL before and after."""
    with redis.Redis.from_url(url) as client:
        meter = Meter(client)
        for concurrency in sorted(concurrencies, reverse=True):
            client.flushdb()
            count = jobs if concurrency > 1 else max(1, jobs // 10)
            async with Queue("bench", url=url) as queue:
                new = [NewJob("x", {"n": n}) for n in range(count)]
                await meter.measure("bulk add", count, partial(queue.add_many, new))
                async with working(queue, count, concurrency) as all_done:
                    await meter.measure(f"no-op jobs, concurrency {concurrency}", count, all_done)
        async with Queue("bench", url=url) as queue:
            count = max(1, jobs // 10)
            await meter.measure("single add, one after the other", count, partial(add_one_by_one, queue, count))
        client.flushdb()
