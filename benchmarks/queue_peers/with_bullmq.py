"""BullMQ for Python."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bullmq import Job, Queue, Worker
from protocol import LOCK, QUEUE, URL, Data, main, run


class Adder:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def add(self, data: Data) -> object:
        return await self._queue.add("x", data)

    async def add_many(self, many: Sequence[Data]) -> object:
        return await self._queue.addBulk([{"name": "x", "data": data} for data in many])


@asynccontextmanager
async def open_adder() -> AsyncIterator[Adder]:
    queue = Queue(QUEUE, {"connection": URL})
    yield Adder(queue)
    await queue.close()


async def process(job: Job, _token: str) -> None:
    await run(job.data)


async def work(concurrency: int) -> None:
    lock = {"lockDuration": round(LOCK * 1000), "stalledInterval": round(LOCK * 1000)} if LOCK else {}
    asked = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked.set)
    worker = Worker(QUEUE, process, {"connection": URL, "concurrency": concurrency, **lock})
    await asked.wait()
    await worker.close()


if __name__ == "__main__":
    main(open_adder, work)
