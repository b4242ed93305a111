"""How many jobs a second the queue adds and works off; `python benchmarks/queue_throughput.py REDIS_URL [JOBS]`.

Empties the database of the URL: give it one of its own. Prints a JSON line for each figure; `redis_us` and `python_us`
are the CPU time each side spent on one job, which a busy machine disturbs less than the rate.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable

import redis

from holdfast import Job, NewJob, Queue, Worker


class Meter:
    """Wall and CPU time of one piece of work."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def _cpu(self) -> tuple[float, float, float]:
        info = self._client.info("cpu")
        return time.perf_counter(), info["used_cpu_sys"] + info["used_cpu_user"], time.process_time()

    async def measure(self, name: str, count: int, work: Callable[[], Awaitable[None]]) -> None:
        """Run the work, print what it took."""
        before = self._cpu()
        await work()
        wall, theirs, ours = (end - start for start, end in zip(before, self._cpu(), strict=True))
        figures = {"per_second": round(count / wall), "redis_us": theirs / count * 1e6, "python_us": ours / count * 1e6}
        print(json.dumps({"what": name} | {key: round(value, 1) for key, value in figures.items()}), flush=True)


async def work_off(queue: Queue, jobs: int, concurrency: int) -> None:
    """Run a worker until it has run so many jobs that do nothing."""
    left, done = jobs, asyncio.Event()

    async def nothing(_job: Job) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            done.set()

    worker = Worker(queue, {"x": nothing}, concurrency=concurrency)
    running = asyncio.create_task(worker.run())
    await done.wait()
    await worker.stop()
    await running


async def main(url: str, jobs: int) -> None:
    """Measure adds and work at concurrency 1, 10 and 100."""
    with redis.Redis.from_url(url) as client:
        meter = Meter(client)
        for concurrency in (100, 10, 1):
            client.flushdb()
            count = jobs if concurrency > 1 else jobs // 10
            async with Queue("bench", url=url) as queue:
                new = [NewJob("x", {"n": n}) for n in range(count)]
                await meter.measure("bulk add", count, lambda queue=queue, new=new: queue.add_many(new))  # type: ignore[misc]
                name = f"no-op jobs, concurrency {concurrency}"
                await meter.measure(name, count, lambda q=queue, n=count, c=concurrency: work_off(q, n, c))  # type: ignore[misc]
        async with Queue("bench", url=url) as queue:

            async def one_by_one() -> None:
                for n in range(jobs // 10):
                    await queue.add("x", {"n": n})

            await meter.measure("single add, one after the other", jobs // 10, one_by_one)
        client.flushdb()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000))
