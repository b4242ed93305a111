"""streaQ."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from protocol import LOCK, QUEUE, URL, Data, main, run
from streaq import Worker


def make(concurrency: int = 16) -> Worker:
    """A worker, which is also what adds."""
    lock = {"idle_timeout": LOCK} if LOCK else {}
    return Worker(redis_url=URL, queue_name=QUEUE, concurrency=concurrency, **lock)


def register(worker: Worker):  # noqa: ANN201 - a type of its own
    @worker.task(name="job")
    async def job(data: Data) -> None:
        await run(data)

    return job


class Adder:
    def __init__(self, worker: Worker) -> None:
        self._worker, self._job = worker, register(worker)

    async def add(self, data: Data) -> object:
        return await self._job.enqueue(data)

    async def add_many(self, many: Sequence[Data]) -> object:
        return await self._worker.enqueue_many([self._job.enqueue(data) for data in many])


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    worker = make()
    adder = Adder(worker)
    async with worker:
        yield adder


async def work(concurrency: int) -> None:
    worker = make(concurrency)
    register(worker)
    await worker.run_async()


if __name__ == "__main__":
    main(open_adder, work)
